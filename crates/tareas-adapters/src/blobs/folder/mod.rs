//! Blobs as files of one folder.
//!
//! A blob is written to a temporary file, synced, and given its name in one step that fails
//! when the name is taken; then the folder is synced. So a blob is there whole or not at all,
//! and bytes once stored are never replaced. Files are spread over 256 folders by the last two
//! digits of the task's id, which are chance. Only the owner may read them.

mod file;
mod name;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tareas_engine::ports::{BlobKey, Blobs, PortError};

use self::file::Stored;

/// What errors call this adapter.
const ADAPTER: &str = "the blob folder";
/// A temporary file this old belongs to nobody any more.
const ORPHAN_AFTER: Duration = Duration::from_secs(3600);

/// A folder of blobs.
#[derive(Clone, Debug)]
pub struct FolderBlobs {
    root: Arc<Path>,
}

impl FolderBlobs {
    /// Opens the folder, makes it if there is none, and removes what writers that died left.
    ///
    /// # Errors
    /// `Unavailable` when the folder cannot be made or read.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, PortError> {
        let root: PathBuf = root.into();
        file::make_folder(&root).map_err(port_error)?;
        file::remove_orphans(&root, ORPHAN_AFTER).map_err(port_error)?;
        Ok(Self { root: root.into() })
    }

    /// Runs file work where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let root = Arc::clone(&self.root);
        match tokio::task::spawn_blocking(move || work(&root)).await {
            Ok(done) => done,
            Err(source) => Err(PortError::Unavailable {
                adapter: ADAPTER,
                source: source.into(),
            }),
        }
    }
}

#[async_trait]
impl Blobs for FolderBlobs {
    async fn put(&self, key: &BlobKey, bytes: Bytes) -> Result<(), PortError> {
        let key = key.clone();
        self.blocking(
            move |root| match file::store(&name::path_of(root, &key)?, &bytes) {
                Ok(Stored::Whole) => Ok(()),
                Ok(Stored::TakenByOther) => Err(PortError::Conflict {
                    what: format!("blob {key}"),
                }),
                Err(error) => Err(port_error(error)),
            },
        )
        .await
    }

    async fn get(&self, key: &BlobKey) -> Result<Bytes, PortError> {
        let key = key.clone();
        self.blocking(
            move |root| match std::fs::read(name::path_of(root, &key)?) {
                Ok(bytes) => Ok(bytes.into()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Err(PortError::NotFound {
                    what: format!("blob {key}"),
                }),
                Err(error) => Err(port_error(error)),
            },
        )
        .await
    }

    async fn delete(&self, key: &BlobKey) -> Result<(), PortError> {
        let key = key.clone();
        self.blocking(
            move |root| match std::fs::remove_file(name::path_of(root, &key)?) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(port_error(error)),
                _ => Ok(()),
            },
        )
        .await
    }

    async fn list(&self, after: Option<&BlobKey>, limit: usize) -> Result<Vec<BlobKey>, PortError> {
        let after = after.cloned();
        self.blocking(move |root| next_keys(root, after.as_ref(), limit).map_err(port_error))
            .await
    }
}

/// The next keys after `after`, folder by folder, in order within each: a page reads the names
/// of the folders that it needs and of no others.
fn next_keys(root: &Path, after: Option<&BlobKey>, limit: usize) -> io::Result<Vec<BlobKey>> {
    let from = after.and_then(name::shard_of);
    let mut page = Vec::new();
    for shard in file::shards(root)? {
        if from.as_ref().is_some_and(|from| shard < *from) {
            continue;
        }
        let is_first = from.as_ref() == Some(&shard);
        let above = after.filter(|_| is_first);
        page.extend(first_keys(&root.join(&shard), above, limit - page.len())?);
        if page.len() == limit {
            break;
        }
    }
    Ok(page)
}

/// The smallest keys above `after` in one folder; no more than `limit` are kept.
fn first_keys(
    shard: &Path,
    after: Option<&BlobKey>,
    limit: usize,
) -> io::Result<BTreeSet<BlobKey>> {
    let mut first = BTreeSet::new();
    file::each_name(shard, |name| {
        let Some(key) = name::key_of(name) else {
            return;
        };
        if after.is_some_and(|after| key <= *after) {
            return;
        }
        first.insert(key);
        if first.len() > limit {
            first.pop_last();
        }
    })?;
    Ok(first)
}

/// The port's word for what the file system said.
fn port_error(error: io::Error) -> PortError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            PortError::Full { adapter: ADAPTER }
        }
        _ => PortError::Unavailable {
            adapter: ADAPTER,
            source: error.into(),
        },
    }
}
