//! The contract of the `WebhookRecords` port, on every adapter; and what `webhooks.db` keeps besides.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tareas_adapters::{MemoryWebhooks, SqliteWebhooks};
use tareas_engine::contract::Fresh;
use tareas_engine::ports::WebhookRecords;
use tempfile::TempDir;

/// Folders with an `webhooks.db`; the last one is in use.
#[derive(Default)]
struct Folders(Mutex<Vec<TempDir>>);

impl Folders {
    fn open_last(&self) -> Arc<dyn WebhookRecords> {
        let folders = self.0.lock().unwrap();
        Arc::new(SqliteWebhooks::new(folders.last().unwrap().path()))
    }
}

#[async_trait]
impl Fresh<dyn WebhookRecords> for Folders {
    async fn open(&self) -> Arc<dyn WebhookRecords> {
        self.0.lock().unwrap().push(tempfile::tempdir().unwrap());
        self.open_last()
    }

    async fn reopen(&self, old: Arc<dyn WebhookRecords>) -> Arc<dyn WebhookRecords> {
        drop(old);
        self.open_last()
    }
}

mod memory {
    use super::*;

    fn fresh() -> impl Fresh<dyn WebhookRecords> {
        || -> Arc<dyn WebhookRecords> { Arc::new(MemoryWebhooks::default()) }
    }

    tareas_engine::webhooks_contract!(fresh());
}

mod sqlite {
    tareas_engine::webhooks_contract!(super::Folders::default());
    tareas_engine::webhooks_restart_contract!(super::Folders::default());
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::*;
    use tareas_adapters::records::postgres::{PostgresOptions, PostgresWebhooks};
    use tareas_services::{Postgres, Service, is_missing};

    /// A new database for each store; the last one is in use.
    struct Databases {
        postgres: Option<Arc<Postgres>>,
        last: Mutex<String>,
    }

    async fn open(url: &str) -> Arc<dyn WebhookRecords> {
        let options = PostgresOptions::new(url, 1).unwrap();
        Arc::new(PostgresWebhooks::open(options).await.unwrap())
    }

    #[async_trait]
    impl Fresh<dyn WebhookRecords> for Databases {
        async fn open(&self) -> Arc<dyn WebhookRecords> {
            let url = self.postgres.as_ref().unwrap().database();
            self.last.lock().unwrap().clone_from(&url);
            open(&url).await
        }

        async fn reopen(&self, old: Arc<dyn WebhookRecords>) -> Arc<dyn WebhookRecords> {
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

    tareas_engine::webhooks_contract!(databases());
    tareas_engine::webhooks_restart_contract!(databases());
}

#[tokio::test]
async fn there_is_no_file_before_there_is_a_webhook() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteWebhooks::new(folder.path());
    assert!(store.webhooks().await.unwrap().is_empty());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
