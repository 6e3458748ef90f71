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

/// Key of a blob.
///
/// | blob | key |
/// |---|---|
/// | a payload | `t/<task id>/in` |
/// | a result | `t/<task id>/out/<attempt>-<chance>` |
/// | a result with files | `t/<task id>/out/<attempt>-<chance>-<how many>` |
/// | the list of them | `t/<task id>/files/<attempt>-<chance>` |
/// | each of them | `t/<task id>/files/<attempt>-<chance>-<number>` |
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

    /// Key of the result of one attempt that left so many files.
    pub fn result_with_files(task: TaskId, attempt: u64, chance: u32, files: usize) -> Self {
        Self(format!("t/{task}/out/{attempt}-{chance:08x}-{files}"))
    }

    /// How many files go with the result of this key.
    pub fn file_count(&self) -> usize {
        let name = self.name_in("out").and_then(|name| name.split('-').nth(2));
        name.and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    /// Key of the list of the files that go with the result of this key, if any do.
    pub fn files_of(&self) -> Option<Self> {
        (self.file_count() > 0).then(|| self.beside("files", ""))
    }

    /// Key of one of the files that go with the result of this key, counted from 0.
    pub fn file_of(&self, number: usize) -> Option<Self> {
        let is_any = number < self.file_count();
        is_any.then(|| self.beside("files", &format!("-{number}")))
    }

    /// The result, and what goes with it: its list of files and the files.
    pub fn with_files(&self) -> Vec<Self> {
        let files = (0..self.file_count()).filter_map(|number| self.file_of(number));
        std::iter::once(self.clone())
            .chain(self.files_of())
            .chain(files)
            .collect()
    }

    /// The key of another blob of the same attempt and chance.
    fn beside(&self, folder: &str, end: &str) -> Self {
        let mut parts = self.0.split('/').skip(1);
        let (task, name) = (parts.next(), parts.nth(1));
        let stem: Vec<&str> = name.unwrap_or_default().splitn(3, '-').take(2).collect();
        let (task, stem) = (task.unwrap_or_default(), stem.join("-"));
        Self(format!("t/{task}/{folder}/{stem}{end}"))
    }

    fn name_in(&self, folder: &str) -> Option<&str> {
        let mut parts = self.0.split('/').skip(2);
        (parts.next() == Some(folder)).then(|| parts.next())?
    }

    /// A key as it was stored; `None` when it cannot have been made by this system.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let id_is_fine = parts.next() == Some("t") && parts.next()?.parse::<TaskId>().is_ok();
        let is_fine = match (parts.next(), parts.next(), parts.next()) {
            (Some("in"), None, None) => true,
            (Some("out" | "files"), Some(name), None) => is_attempt_name(name),
            _ => false,
        };
        (id_is_fine && is_fine).then(|| Self(text.to_owned()))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The attempt whose result or file it is; `None` for a payload.
    pub fn attempt(&self) -> Option<u64> {
        self.0.split('/').nth(3)?.split('-').next()?.parse().ok()
    }

    /// The task that it belongs to.
    pub fn task(&self) -> Option<TaskId> {
        self.0.split('/').nth(1)?.parse().ok()
    }
}

/// `<attempt>-<chance>`, or the same with a number behind it.
fn is_attempt_name(name: &str) -> bool {
    let mut parts = name.split('-');
    let (attempt, chance, number) = (parts.next(), parts.next(), parts.next());
    let is_number = |text: &str| text.parse::<u64>().is_ok();
    let is_chance = |text: &str| text.len() == 8 && text.bytes().all(|b| b.is_ascii_hexdigit());
    attempt.is_some_and(is_number)
        && chance.is_some_and(is_chance)
        && number.is_none_or(is_number)
        && parts.next().is_none()
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
        let with_files = BlobKey::result_with_files(id, 3, 0xABCD, 2);
        let all = with_files.with_files();
        assert_eq!((all.len(), with_files.file_count()), (4, 2));
        for key in &all {
            assert_eq!(BlobKey::parse(key.as_str()).as_ref(), Some(key));
            assert_eq!((key.task(), key.attempt()), (Some(id), Some(3)));
        }
        assert!(all[3].as_str().ends_with("/files/3-0000abcd-1"), "{all:?}");
        assert_eq!(with_files.file_of(2), None);
        assert_eq!(BlobKey::result(id, 3, 0xABCD).with_files().len(), 1);
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
