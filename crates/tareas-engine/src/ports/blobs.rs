//! The `Blobs` port: bytes that are too large for a record.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use tareas_core::TaskId;

use super::PortError;

/// Bytes by key. A blob is written once and never changes.
///
/// Keys are made by the system from task, attempt and chance, never from what a client wrote.
#[async_trait]
pub trait Blobs: fmt::Debug + Send + Sync + 'static {
    /// Stores `bytes` under `key`; durable on return. Storing the same bytes again is fine.
    ///
    /// # Errors
    /// `Conflict` when the key holds other bytes, `Full` when there is no room.
    async fn put(&self, key: &BlobKey, bytes: Bytes) -> Result<(), PortError>;

    /// All bytes of a blob.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    async fn get(&self, key: &BlobKey) -> Result<Bytes, PortError>;

    /// Removes a blob; a blob that is not there is fine.
    async fn delete(&self, key: &BlobKey) -> Result<(), PortError>;

    /// Keys after `after`, each once, in an order that the adapter chooses and keeps: for the
    /// sweeper that looks for orphans. `after` itself may be gone by now.
    async fn list(&self, after: Option<&BlobKey>, limit: usize) -> Result<Vec<BlobKey>, PortError>;
}

/// Key of a blob: `t/<task id>/in`, or `t/<task id>/out/<attempt>-<chance>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobKey(String);

impl BlobKey {
    /// Key of a task's payload.
    pub fn payload(task: TaskId) -> Self {
        Self(format!("t/{task}/in"))
    }

    /// Key of the result of one attempt.
    pub fn result(task: TaskId, attempt: u64, chance: u32) -> Self {
        Self(format!("t/{task}/out/{attempt}-{chance:08x}"))
    }

    /// A key as it was stored; `None` when it cannot have been made by this system.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let id_is_fine = parts.next() == Some("t") && parts.next()?.parse::<TaskId>().is_ok();
        let is_fine = match (parts.next(), parts.next(), parts.next()) {
            (Some("in"), None, None) => true,
            (Some("out"), Some(name), None) => is_result_name(name),
            _ => false,
        };
        (id_is_fine && is_fine).then(|| Self(text.to_owned()))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The attempt whose result it is; `None` for a payload.
    pub fn attempt(&self) -> Option<u64> {
        self.0.split('/').nth(3)?.split('-').next()?.parse().ok()
    }

    /// The task that it belongs to.
    pub fn task(&self) -> Option<TaskId> {
        self.0.split('/').nth(1)?.parse().ok()
    }
}

fn is_result_name(name: &str) -> bool {
    let Some((attempt, chance)) = name.split_once('-') else {
        return false;
    };
    attempt.parse::<u64>().is_ok()
        && chance.len() == 8
        && chance.bytes().all(|b| b.is_ascii_hexdigit())
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_of_ours_parse() {
        let id: TaskId = "0190c1f0-0000-7000-8000-000000000001".parse().unwrap();
        for key in [BlobKey::payload(id), BlobKey::result(id, 3, 0xABCD)] {
            assert_eq!(BlobKey::parse(key.as_str()), Some(key.clone()));
            assert_eq!(key.task(), Some(id));
        }
        assert_eq!(BlobKey::payload(id).attempt(), None);
        assert_eq!(BlobKey::result(id, 3, 0xABCD).attempt(), Some(3));
        for text in [
            "",
            "t/../in",
            "t/x/in",
            "../t",
            "t/0190c1f0-0000-7000-8000-000000000001/../x",
        ] {
            assert_eq!(BlobKey::parse(text), None, "{text}");
        }
    }
}
