//! The contract of the `Records` and `Settings` ports, on every adapter.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tareas_adapters::records::sqlite::SqliteConfig;
use tareas_adapters::{MemoryRecords, SqliteRecords};
use tareas_core::Timestamp;
use tareas_engine::contract::Fresh;
use tareas_engine::contract::records::Store;
use tareas_engine::ports::TestClock;
use tempfile::TempDir;

fn memory() -> impl Fresh<dyn Store> {
    || -> Arc<dyn Store> { Arc::new(MemoryRecords::default()) }
}

/// How one life of a store ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Death {
    /// It is closed.
    Orderly,
    /// The next life finds the files as they were, without a last word.
    Sudden,
}

/// Data folders of SQLite stores; the last one is in use.
struct Sqlite {
    live_max: usize,
    death: Death,
    folders: Mutex<Vec<TempDir>>,
}

impl Sqlite {
    fn new(live_max: usize, death: Death) -> Self {
        Self {
            live_max,
            death,
            folders: Mutex::default(),
        }
    }

    fn open_last(&self) -> Arc<dyn Store> {
        let folders = self.folders.lock().unwrap();
        let clock = Arc::new(TestClock::new(Timestamp::from_millis(1_800_000_000_000)));
        let mut config = SqliteConfig::new(folders.last().unwrap().path(), clock);
        config.live_max = self.live_max;
        // Of what is set aside for a full disk there would be a copy for every life.
        config.disk_reserve_bytes = Some(1 << 20);
        Arc::new(SqliteRecords::open(config).unwrap())
    }

    /// Goes on in a new folder.
    fn add_folder(&self) {
        self.folders
            .lock()
            .unwrap()
            .push(tempfile::tempdir().unwrap());
    }

    /// Goes on in a copy of the files as they are now.
    fn copy_folder(&self) {
        self.add_folder();
        let folders = self.folders.lock().unwrap();
        let [.., before, last] = &folders[..] else {
            panic!("nothing to copy")
        };
        copy_files(before.path(), last.path());
    }
}

/// What a process that is killed leaves behind.
fn copy_files(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.extension().is_none_or(|suffix| suffix != "db-shm") {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[async_trait]
impl Fresh<dyn Store> for Sqlite {
    async fn open(&self) -> Arc<dyn Store> {
        self.add_folder();
        self.open_last()
    }

    async fn reopen(&self, old: Arc<dyn Store>) -> Arc<dyn Store> {
        if self.death == Death::Sudden {
            self.copy_folder();
        }
        drop(old);
        self.open_last()
    }

    fn is_sudden(&self) -> bool {
        self.death == Death::Sudden
    }
}

mod memory {
    tareas_engine::records_contract!(super::memory());
}

mod sqlite {
    tareas_engine::records_contract!(super::Sqlite::new(50_000, super::Death::Orderly));
    tareas_engine::records_restart_contract!(super::Sqlite::new(50_000, super::Death::Orderly));
}

/// Three tasks in memory: everything else is read from disk when it is needed.
mod sqlite_with_a_small_memory {
    tareas_engine::records_contract!(super::Sqlite::new(3, super::Death::Orderly));
    tareas_engine::records_restart_contract!(super::Sqlite::new(3, super::Death::Orderly));
}

mod sqlite_that_is_killed {
    tareas_engine::records_restart_contract!(super::Sqlite::new(3, super::Death::Sudden));
}
