//! The `Blobs` port: bytes that are too large for a record.

mod folder;
#[cfg(feature = "s3")]
pub mod s3;

pub use self::folder::FolderBlobs;
#[cfg(feature = "s3")]
pub use self::s3::S3Blobs;
