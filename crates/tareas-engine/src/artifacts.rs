//! Files that a task left beside its result.
//!
//! The record of a task does not list them. A result with files is in the blob store, whatever
//! its size, and its key says how many there are; the list and the files have keys that follow
//! from it ([`BlobKey::files_of`], [`BlobKey::file_of`]). So a task without files costs nothing,
//! files share the fence of the result that they came with, and they go when it goes.
//! `docs/decisions/0007` tells why.
//!
//! The list is text, a line for each file: hash, length, type and name, with tabs between them.

use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tareas_core::{Body, Ending, Task, TaskId};

use crate::ports::{BlobKey, PortError};
use crate::{Engine, Refusal};

/// A file to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewArtifact {
    /// Its name, one part of a path.
    pub name: String,
    /// What it holds, as a media type.
    pub media_type: String,
    /// All of it.
    pub bytes: Bytes,
}

/// A file that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub media_type: String,
    /// How long it is.
    pub bytes: u64,
    /// SHA-256 of it, in hexadecimal digits.
    pub sha256: String,
}

impl Engine {
    /// Stores the files of an attempt and then its result, so that a result that is recorded has
    /// all of its files. How the attempt ends: failed, to be tried again, when that is not possible.
    pub async fn keep_artifacts(
        &self,
        task: TaskId,
        attempt: u64,
        result: Bytes,
        files: Vec<NewArtifact>,
    ) -> Ending {
        let chance = self.chance.draw() as u32;
        let key = BlobKey::result_with_files(task, attempt, chance, files.len());
        match self.store_with_files(&key, result, files).await {
            Ok(body) => Ending::Succeeded(body),
            Err(refusal) => {
                tracing::warn!(task.id = %task, error = %refusal, "files of a task not stored");
                not_stored(&refusal)
            }
        }
    }

    async fn store_with_files(
        &self,
        key: &BlobKey,
        result: Bytes,
        files: Vec<NewArtifact>,
    ) -> Result<Body, Refusal> {
        let mut list = String::new();
        for (number, file) in files.into_iter().enumerate() {
            let sha256 = hex(&Sha256::digest(&file.bytes));
            let (name, media_type) = (plain(&file.name), plain(&file.media_type));
            let line = format!("{sha256}\t{}\t{media_type}\t{name}\n", file.bytes.len());
            list.push_str(&line);
            let Some(at) = key.file_of(number) else { break };
            self.ports.blobs.put(&at, file.bytes).await?;
        }
        if let Some(at) = key.files_of() {
            self.ports.blobs.put(&at, list.into()).await?;
        }
        self.put_blob(key.clone(), result).await
    }

    /// The files that a task has left, by name.
    ///
    /// # Errors
    /// `Unavailable` when the blob store cannot be read.
    pub async fn artifacts(&self, task: &Task) -> Result<Vec<Artifact>, Refusal> {
        let Some(at) = result_key(task).and_then(|key| key.files_of()) else {
            return Ok(Vec::new());
        };
        let text = self.ports.blobs.get(&at).await?;
        read_list(&text).ok_or_else(|| damaged(&at, "it is no list of files").into())
    }

    /// One of these files and what it holds; `None` when there is none of this name.
    ///
    /// # Errors
    /// `Unavailable` when the blob store cannot be read or holds something else.
    pub async fn artifact(
        &self,
        task: &Task,
        name: &str,
    ) -> Result<Option<(Artifact, Bytes)>, Refusal> {
        let mut list = self.artifacts(task).await?;
        let Some(number) = list.iter().position(|file| file.name == name) else {
            return Ok(None);
        };
        let Some(at) = result_key(task).and_then(|key| key.file_of(number)) else {
            return Ok(None);
        };
        let bytes = self.ports.blobs.get(&at).await?;
        let file = list.swap_remove(number);
        if hex(&Sha256::digest(&bytes)) != file.sha256 {
            return Err(damaged(&at, "its hash is not the listed one").into());
        }
        Ok(Some((file, bytes)))
    }
}

/// How many files a task has left. Known from its record alone.
pub fn artifact_count(task: &Task) -> usize {
    result_key(task).map_or(0, |key| key.file_count())
}

fn result_key(task: &Task) -> Option<BlobKey> {
    match task.result.as_ref()? {
        Body::Blob(blob) => BlobKey::parse(&blob.key),
        Body::Inline(_) => None,
    }
}

fn read_list(text: &[u8]) -> Option<Vec<Artifact>> {
    let lines = std::str::from_utf8(text).ok()?.lines();
    lines
        .map(|line| {
            let mut parts = line.splitn(4, '\t');
            Some(Artifact {
                sha256: parts.next()?.to_owned(),
                bytes: parts.next()?.parse().ok()?,
                media_type: parts.next()?.to_owned(),
                name: parts.next()?.to_owned(),
            })
        })
        .collect()
}

/// Without what would end a line of the list or a part of it.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn damaged(at: &BlobKey, why: &'static str) -> PortError {
    PortError::Corrupt {
        what: format!("blob {at}"),
        source: why.into(),
    }
}

fn not_stored(refusal: &Refusal) -> Ending {
    Ending::Failed {
        failure: Arc::new(tareas_core::Failure {
            cause: tareas_core::Cause::Handler,
            name: None,
            message: format!("the files could not be stored: {refusal}"),
            backtrace: None,
            ran_by: None,
            process_end: None,
        }),
        retryable: true,
        retry_after: None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let text = "aa\t3\ttext/plain\tnotes of May.txt\nbb\t0\timage/png\tñ.png\n";
        let list = read_list(text.as_bytes()).unwrap();
        assert_eq!((list.len(), list[0].bytes), (2, 3));
        assert_eq!(list[0].name, "notes of May.txt");
        assert_eq!(list[1].media_type, "image/png");
        assert_eq!(read_list(b"").unwrap(), []);
        assert_eq!(read_list(b"aa\tthree\tx\ty\n"), None);
        assert_eq!(plain("a\tb\nc"), "a b c");
    }
}
