//! The `Blobs` port: bytes that are too large for a record.

mod folder;

pub use self::folder::FolderBlobs;
