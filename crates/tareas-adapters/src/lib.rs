//! How SQLite, PostgreSQL, memory, RabbitMQ, local folders and S3 keep the ports' promises.
//!
//! | port | adapters |
//! |---|---|
//! | `Records`, `Settings` | [`SqliteRecords`], [`MemoryRecords`], `PostgresRecords` (feature `postgres`) |
//! | `Queue` | [`MemoryQueue`], `RabbitmqQueue` (feature `rabbitmq`) |
//! | `AccessRecords` | `SqliteAccess`, `MemoryAccess`, `PostgresAccess` |
//! | `WebhookRecords` | `SqliteWebhooks`, `MemoryWebhooks`, `PostgresWebhooks` |
//! | `Blobs` | [`FolderBlobs`], `S3Blobs` (feature `s3`) |
//! | `Egress` | [`GuardedEgress`] |
//! | `Chronicle` | [`FileChronicle`] |
//!
//! An adapter carries out decisions and never makes them: there is no rule about states here.
//! Each adapter runs the whole contract suite of its port, in `tests/`.

pub mod access;
pub mod blobs;
mod chronicle;
pub mod egress;
#[cfg(any(feature = "postgres", feature = "rabbitmq"))]
mod ids;
mod private_file;
pub mod queue;
pub mod records;
pub mod webhooks;

pub use access::{MemoryAccess, SqliteAccess};
pub use blobs::FolderBlobs;
#[cfg(feature = "s3")]
pub use blobs::S3Blobs;
pub use chronicle::FileChronicle;
pub use egress::GuardedEgress;
pub use queue::MemoryQueue;
#[cfg(feature = "rabbitmq")]
pub use queue::RabbitmqQueue;
#[cfg(feature = "postgres")]
pub use records::PostgresRecords;
pub use records::{MemoryRecords, SqliteRecords};
pub use webhooks::{MemoryWebhooks, SqliteWebhooks};
