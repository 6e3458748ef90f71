//! A file as a `Chronicle`: written beside and then renamed, so that it is always whole.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{fs, io};

use async_trait::async_trait;
use tareas_engine::ports::{BoxError, Chronicle};

/// Ending of the file while it is being written.
const PARTIAL: &str = "partial";

/// One file. It is not synchronised: after a loss of power it may be an older one, or one that
/// its reader does not take.
#[derive(Clone, Debug)]
pub struct FileChronicle {
    path: PathBuf,
}

impl FileChronicle {
    /// At this place, in a folder that exists when it is written.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

#[async_trait]
impl Chronicle for FileChronicle {
    async fn read(&self) -> Result<Option<Vec<u8>>, BoxError> {
        let path = self.path.clone();
        let read = tokio::task::spawn_blocking(move || fs::read(path)).await?;
        match read {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn write(&self, bytes: Vec<u8>) -> Result<(), BoxError> {
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || replace(&path, &bytes)).await??;
        Ok(())
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let partial = path.with_extension(PARTIAL);
    fs::write(&partial, bytes)?;
    fs::rename(partial, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_written_last_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let chronicle = FileChronicle::new(folder.path().join("history"));
        assert_eq!(chronicle.read().await.unwrap(), None);
        for text in [b"a long text".to_vec(), b"short".to_vec()] {
            chronicle.write(text.clone()).await.unwrap();
            assert_eq!(chronicle.read().await.unwrap(), Some(text));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = FileChronicle::new(folder.path().join("not/there"));
        assert!(nowhere.write(Vec::new()).await.is_err());
    }
}
