//! Configuration: flag > `TAREAS_NAME` > file > default, for every key alike.
//!
//! [`key`] lists the keys; [`Configuration`] holds one value per key and where it came from;
//! [`ServeConfig`] is what the server is started with, typed and checked. Nothing else reads the
//! environment or the file.

mod duration;
mod file;
mod key;
mod kinds;
mod layers;
mod listen;
mod node;
mod serve;
mod store;

pub(crate) use duration::parse_duration;
pub(crate) use key::KEYS;
#[cfg(test)]
pub(crate) use key::Key;
pub(crate) use kinds::CommandKind;
pub(crate) use layers::{Configuration, Flags, Origin, Setting};
pub(crate) use serve::{Durability, LogFormat, ServeConfig};
#[cfg(feature = "postgres")]
pub(crate) use store::SecretUrl;
#[cfg(feature = "s3")]
pub(crate) use store::s3_keys;
pub(crate) use store::{BlobStore, DATABASE, HintQueue, RecordStore, masked};
