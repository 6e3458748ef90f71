//! The contract of the `AccessRecords` port, on every adapter; and what `access.db` keeps besides.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tareas_adapters::{MemoryAccess, SqliteAccess};
use tareas_engine::contract::Fresh;
use tareas_engine::ports::AccessRecords;
use tempfile::TempDir;

/// Folders with an `access.db`; the last one is in use.
#[derive(Default)]
struct Folders(Mutex<Vec<TempDir>>);

impl Folders {
    fn open_last(&self) -> Arc<dyn AccessRecords> {
        let folders = self.0.lock().unwrap();
        Arc::new(SqliteAccess::open(folders.last().unwrap().path()).unwrap())
    }
}

#[async_trait]
impl Fresh<dyn AccessRecords> for Folders {
    async fn open(&self) -> Arc<dyn AccessRecords> {
        self.0.lock().unwrap().push(tempfile::tempdir().unwrap());
        self.open_last()
    }

    async fn reopen(&self, old: Arc<dyn AccessRecords>) -> Arc<dyn AccessRecords> {
        drop(old);
        self.open_last()
    }
}

mod memory {
    use super::*;

    fn fresh() -> impl Fresh<dyn AccessRecords> {
        || -> Arc<dyn AccessRecords> { Arc::new(MemoryAccess::default()) }
    }

    tareas_engine::access_contract!(fresh());
}

mod sqlite {
    tareas_engine::access_contract!(super::Folders::default());
    tareas_engine::access_restart_contract!(super::Folders::default());
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::*;
    use tareas_adapters::records::postgres::{PostgresAccess, PostgresOptions};
    use tareas_services::{Postgres, Service, is_missing};

    /// A new database for each store; the last one is in use.
    struct Databases {
        postgres: Option<Arc<Postgres>>,
        last: Mutex<String>,
    }

    async fn open(url: &str) -> Arc<dyn AccessRecords> {
        let options = PostgresOptions::new(url, 1).unwrap();
        Arc::new(PostgresAccess::open(options).await.unwrap())
    }

    #[async_trait]
    impl Fresh<dyn AccessRecords> for Databases {
        async fn open(&self) -> Arc<dyn AccessRecords> {
            let url = self.postgres.as_ref().unwrap().database();
            self.last.lock().unwrap().clone_from(&url);
            open(&url).await
        }

        async fn reopen(&self, old: Arc<dyn AccessRecords>) -> Arc<dyn AccessRecords> {
            drop(old);
            let url = self.last.lock().unwrap().clone();
            open(&url).await
        }

        fn is_absent(&self) -> bool {
            self.postgres.is_none()
        }
    }

    fn databases() -> Databases {
        Databases {
            postgres: (!is_missing(Service::Postgres)).then(Postgres::shared),
            last: Mutex::default(),
        }
    }

    tareas_engine::access_contract!(databases());
    tareas_engine::access_restart_contract!(databases());
}

#[test]
fn the_file_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;

    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("data");
    let _store = SqliteAccess::open(&folder).unwrap();
    let mode = |name: &str| {
        let path = folder.join(name);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((mode(""), mode("access.db")), (0o700, 0o600));
}
