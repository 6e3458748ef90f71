//! Bringing everything over, leaf by leaf.

use futures_util::future::join;

use super::{MigrationError, Report, Step, Watch, blobs};
use crate::ports::{Blobs, Export, Import, Leaf, Progress, Standing};

/// What a run of [`copy`] brought over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Tasks of this run.
    pub tasks: u64,
    /// Tasks that earlier runs had brought.
    pub before: u64,
    /// Blobs of this run.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
}

/// Brings all records over, and the blobs that they refer to. `name` says what the records to
/// read are: only under the same name is an unfinished run gone on with. `shelves` are the blobs
/// to read and those to write; nothing when both sides have the same.
///
/// # Errors
/// When the target holds anything else, when a store fails, and when a blob is not what was
/// recorded of it. The next run goes on behind the last leaf that has arrived.
pub async fn copy(
    name: &str,
    from: &mut dyn Export,
    to: &mut dyn Import,
    shelves: Option<(&dyn Blobs, &dyn Blobs)>,
    watch: &dyn Watch,
) -> Result<Copied, MigrationError> {
    let mut progress = begin(name, to).await?;
    let counts = from.counts().await.map_err(MigrationError::Read)?;
    let of = counts.values().flatten().sum();
    let mut copied = Copied {
        before: progress.tasks,
        ..Copied::default()
    };
    let first = from.leaf(progress.mark.as_ref()).await;
    let mut next = first.map_err(MigrationError::Read)?;
    while let Some(leaf) = next {
        let mark = leaf.mark.clone();
        // The next leaf is read while this one is written.
        let (stored, following) = join(
            store(&leaf, &mut progress, to, shelves),
            from.leaf(Some(&mark)),
        )
        .await;
        let amount = stored?;
        copied.tasks += leaf.tasks.len() as u64;
        copied.blobs += amount.blobs;
        copied.blob_bytes += amount.bytes;
        watch.report(Report {
            step: Step::Copy,
            tasks: progress.tasks,
            of,
            blob_bytes: copied.blob_bytes,
        });
        next = following.map_err(MigrationError::Read)?;
    }
    let beside = from.beside().await.map_err(MigrationError::Read)?;
    let put = to.put_beside(&beside).await;
    put.map_err(MigrationError::Write)?;
    Ok(copied)
}

/// Where to go on.
async fn begin(name: &str, to: &mut dyn Import) -> Result<Progress, MigrationError> {
    match to.standing().await.map_err(MigrationError::Write)? {
        Standing::Occupied => Err(MigrationError::Occupied),
        Standing::Unfinished(progress) if progress.from == name => Ok(progress),
        Standing::Unfinished(Progress { from, .. }) => Err(MigrationError::OfAnother { from }),
        Standing::Empty => {
            let progress = Progress {
                from: name.to_owned(),
                mark: None,
                tasks: 0,
            };
            to.begin(&progress).await.map_err(MigrationError::Write)?;
            Ok(progress)
        }
    }
}

/// Blobs before the records that refer to them.
async fn store(
    leaf: &Leaf,
    progress: &mut Progress,
    to: &mut dyn Import,
    shelves: Option<(&dyn Blobs, &dyn Blobs)>,
) -> Result<blobs::Amount, MigrationError> {
    let amount = match shelves {
        Some((from, to)) => blobs::bring(&leaf.tasks, from, to).await?,
        None => blobs::Amount::default(),
    };
    progress.mark = Some(leaf.mark.clone());
    progress.tasks += leaf.tasks.len() as u64;
    let put = to.put(&leaf.tasks, progress).await;
    put.map_err(MigrationError::Write)?;
    Ok(amount)
}
