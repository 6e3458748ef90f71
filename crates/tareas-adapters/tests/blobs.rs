//! The contract of the `Blobs` port, on every adapter.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tareas_adapters::FolderBlobs;
use tareas_engine::contract::Fresh;
use tareas_engine::ports::Blobs;
use tempfile::TempDir;

/// Folders that go when the clause ends.
#[derive(Default)]
struct Folders(Mutex<Vec<TempDir>>);

impl Folders {
    fn open_last(&self) -> Arc<dyn Blobs> {
        let folders = self.0.lock().unwrap();
        Arc::new(FolderBlobs::open(folders.last().unwrap().path().join("blobs")).unwrap())
    }
}

#[async_trait]
impl Fresh<dyn Blobs> for Folders {
    async fn open(&self) -> Arc<dyn Blobs> {
        self.0.lock().unwrap().push(tempfile::tempdir().unwrap());
        self.open_last()
    }

    async fn reopen(&self, old: Arc<dyn Blobs>) -> Arc<dyn Blobs> {
        drop(old);
        self.open_last()
    }
}

mod folder {
    tareas_engine::blobs_contract!(super::Folders::default());
    tareas_engine::blobs_restart_contract!(super::Folders::default());
}
