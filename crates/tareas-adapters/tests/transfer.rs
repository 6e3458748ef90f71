//! The contract of the `Export` and `Import` ports, on every store; and between stores.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tareas_adapters::SqliteRecords;
use tareas_adapters::records::sqlite::{SqliteConfig, SqliteExport, SqliteImport};
use tareas_core::Timestamp;
use tareas_engine::contract::records::Store;
use tareas_engine::contract::transfer::Places;
use tareas_engine::ports::{Export, Import, TestClock};
use tempfile::TempDir;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Data folders: the one that is read, and the one that is filled.
#[derive(Debug, Default)]
struct Folders {
    read: Mutex<Option<TempDir>>,
    filled: Mutex<Option<TempDir>>,
}

fn path(place: &Mutex<Option<TempDir>>) -> PathBuf {
    place.lock().unwrap().as_ref().unwrap().path().to_owned()
}

fn fresh(place: &Mutex<Option<TempDir>>) -> PathBuf {
    *place.lock().unwrap() = Some(tempfile::tempdir().unwrap());
    path(place)
}

fn open(folder: &Path) -> Option<Arc<dyn Store>> {
    let config = SqliteConfig {
        disk_reserve_bytes: Some(1 << 20),
        ..SqliteConfig::new(folder, Arc::new(TestClock::new(NOW)))
    };
    let records = SqliteRecords::open(config).ok()?;
    Some(Arc::new(records))
}

#[async_trait]
impl Places for Folders {
    async fn records(&self) -> Arc<dyn Store> {
        open(&fresh(&self.read)).unwrap()
    }

    async fn export(&self, records: Arc<dyn Store>) -> Box<dyn Export> {
        drop(records);
        Box::new(SqliteExport::open(&path(&self.read)).unwrap())
    }

    async fn import(&self) -> Box<dyn Import> {
        Box::new(SqliteImport::open(&fresh(&self.filled)).unwrap())
    }

    async fn import_again(&self) -> Box<dyn Import> {
        Box::new(SqliteImport::open(&path(&self.filled)).unwrap())
    }

    async fn serve(&self) -> Option<Arc<dyn Store>> {
        open(&path(&self.filled))
    }

    async fn can_serve_what_is_read(&self) -> bool {
        open(&path(&self.read)).is_some()
    }
}

mod sqlite {
    tareas_engine::transfer_contract!(super::Folders::default());
}

#[cfg(feature = "postgres")]
mod postgres {
    use tareas_adapters::PostgresRecords;
    use tareas_adapters::records::postgres::{PostgresExport, PostgresImport, PostgresOptions};
    use tareas_services::{Postgres, Service, is_missing};

    use super::*;

    /// Databases: the one that is read, and the one that is filled.
    struct Databases {
        /// Nothing when it is not installed.
        postgres: Option<Arc<Postgres>>,
        read: Mutex<String>,
        filled: Mutex<String>,
    }

    impl Databases {
        fn new() -> Self {
            Self {
                postgres: (!is_missing(Service::Postgres)).then(Postgres::shared),
                read: Mutex::default(),
                filled: Mutex::default(),
            }
        }

        fn fresh(&self, place: &Mutex<String>) -> PostgresOptions {
            let url = self.postgres.as_ref().unwrap().database();
            place.lock().unwrap().clone_from(&url);
            PostgresOptions::new(&url, 1).unwrap()
        }
    }

    fn options(place: &Mutex<String>) -> PostgresOptions {
        PostgresOptions::new(&place.lock().unwrap(), 1).unwrap()
    }

    async fn open(options: PostgresOptions) -> Option<Arc<dyn Store>> {
        let records = PostgresRecords::open(options).await.ok()?;
        Some(Arc::new(records))
    }

    #[async_trait]
    impl Places for Databases {
        async fn records(&self) -> Arc<dyn Store> {
            let options = self.fresh(&self.read);
            open(options).await.unwrap()
        }

        async fn export(&self, records: Arc<dyn Store>) -> Box<dyn Export> {
            drop(records);
            let options = options(&self.read);
            Box::new(PostgresExport::open(options).await.unwrap())
        }

        async fn import(&self) -> Box<dyn Import> {
            let options = self.fresh(&self.filled);
            Box::new(PostgresImport::open(options).await.unwrap())
        }

        async fn import_again(&self) -> Box<dyn Import> {
            let options = options(&self.filled);
            Box::new(PostgresImport::open(options).await.unwrap())
        }

        async fn serve(&self) -> Option<Arc<dyn Store>> {
            let options = options(&self.filled);
            open(options).await
        }

        async fn can_serve_what_is_read(&self) -> bool {
            let options = options(&self.read);
            open(options).await.is_some()
        }

        fn is_absent(&self) -> bool {
            self.postgres.is_none()
        }
    }

    mod contract {
        tareas_engine::transfer_contract!(super::Databases::new());
    }
}
