//! The large bytes of tasks: brought over, or looked at where they are.
//!
//! The files that go with a result have their names from its key, and no record of their own: those
//! that are there are brought over before it.

use std::fmt;

use bytes::Bytes;
use futures_util::future::try_join_all;
use sha2::{Digest, Sha256};
use tareas_core::{Blob, Body, Task, TaskId};

use super::MigrationError;
use crate::ports::{BlobKey, Blobs, PortError, WholeTask};

/// Blobs that are under way at a time.
const AT_ONCE: usize = 8;
/// Their bytes; a larger blob goes alone.
const BYTES_AT_ONCE: u64 = 64 * 1024 * 1024;

/// A blob, and the task that refers to it.
#[derive(Clone, Copy)]
struct Held<'a> {
    task: TaskId,
    blob: &'a Blob,
}

/// How many blobs, and how large they are together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) blobs: u64,
    pub(super) bytes: u64,
}

/// Brings all blobs of these tasks over; durable on return. What is there already is fine.
pub(super) async fn bring(
    tasks: &[WholeTask],
    from: &dyn Blobs,
    to: &dyn Blobs,
) -> Result<Amount, MigrationError> {
    let held: Vec<Held<'_>> = tasks.iter().flat_map(|whole| of(&whole.task)).collect();
    for group in groups(&held) {
        let brought = group.iter().map(|held| async move {
            let (key, bytes) = held.read(from, MigrationError::Read).await?;
            bring_files(&key, from, to).await?;
            to.put(&key, bytes).await.map_err(MigrationError::Write)
        });
        try_join_all(brought).await?;
    }
    Ok(amount(&held))
}

/// Brings the files that go with a result; one by one, since they may be large.
async fn bring_files(
    result: &BlobKey,
    from: &dyn Blobs,
    to: &dyn Blobs,
) -> Result<(), MigrationError> {
    for key in result.with_files().iter().skip(1) {
        match from.get(key).await {
            Ok(bytes) => to.put(key, bytes).await.map_err(MigrationError::Write)?,
            Err(PortError::NotFound { .. }) => {}
            Err(error) => return Err(MigrationError::Read(error)),
        }
    }
    Ok(())
}

/// Reads all blobs of these tasks and compares them with what was recorded of them.
pub(super) async fn check(
    tasks: &[WholeTask],
    blobs: &dyn Blobs,
) -> Result<Amount, MigrationError> {
    let held: Vec<Held<'_>> = tasks.iter().flat_map(|whole| of(&whole.task)).collect();
    for group in groups(&held) {
        let read = group
            .iter()
            .map(|held| held.read(blobs, MigrationError::Write));
        try_join_all(read).await?;
    }
    Ok(amount(&held))
}

/// What the tasks refer to, by their records.
pub(super) fn referred(tasks: &[WholeTask]) -> Amount {
    let held: Vec<Held<'_>> = tasks.iter().flat_map(|whole| of(&whole.task)).collect();
    amount(&held)
}

fn amount(held: &[Held<'_>]) -> Amount {
    Amount {
        blobs: held.len() as u64,
        bytes: held.iter().map(|held| held.blob.bytes).sum(),
    }
}

fn of(task: &Task) -> impl Iterator<Item = Held<'_>> {
    let id = task.id();
    let bodies = [Some(&task.spec.payload), task.result.as_ref()];
    bodies.into_iter().flatten().filter_map(move |body| {
        let Body::Blob(blob) = body else { return None };
        Some(Held { task: id, blob })
    })
}

/// Cuts the list into groups that may be under way together.
fn groups<'a, 'b>(mut held: &'b [Held<'a>]) -> impl Iterator<Item = &'b [Held<'a>]> {
    std::iter::from_fn(move || {
        let mut bytes = 0_u64;
        let fits = held.iter().take(AT_ONCE).take_while(|held| {
            bytes = bytes.saturating_add(held.blob.bytes);
            bytes <= BYTES_AT_ONCE
        });
        let count = fits.count().max(1).min(held.len());
        let (group, rest) = held.split_at(count);
        held = rest;
        (!group.is_empty()).then_some(group)
    })
}

impl Held<'_> {
    /// The bytes, if they are those that were recorded.
    async fn read(
        self,
        blobs: &dyn Blobs,
        failed: fn(PortError) -> MigrationError,
    ) -> Result<(BlobKey, Bytes), MigrationError> {
        let wrong = |what| MigrationError::Blob {
            task: self.task,
            key: self.blob.key.clone(),
            what,
        };
        let key = BlobKey::parse(&self.blob.key).ok_or_else(|| wrong("have a foreign name"))?;
        let bytes = match blobs.get(&key).await {
            Ok(bytes) => bytes,
            Err(PortError::NotFound { .. }) => return Err(wrong("are not there")),
            Err(error) => return Err(failed(error)),
        };
        if bytes.len() as u64 != self.blob.bytes {
            return Err(wrong("have another length"));
        }
        if <[u8; 32]>::from(Sha256::digest(&bytes)) != self.blob.sha256 {
            return Err(wrong("have another hash"));
        }
        Ok((key, bytes))
    }
}

impl fmt::Debug for Held<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.blob.key)
    }
}

#[cfg(test)]
mod tests {
    use smol_str::SmolStr;

    use super::*;

    #[test]
    fn groups_are_bounded_in_number_and_bytes() {
        let sizes = [
            1,
            BYTES_AT_ONCE,
            BYTES_AT_ONCE + 1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
            1,
        ];
        let blobs = sizes.map(|bytes| Blob {
            key: SmolStr::new("t/x/in"),
            bytes,
            sha256: [0; 32],
        });
        let task = TaskId::from_u128(1);
        let held: Vec<Held<'_>> = blobs.iter().map(|blob| Held { task, blob }).collect();
        let lengths: Vec<usize> = groups(&held).map(<[_]>::len).collect();
        assert_eq!(lengths, [1, 1, 1, 8, 1]);
    }
}
