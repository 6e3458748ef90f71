//! Databases for tests of the records in PostgreSQL.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tareas_adapters::PostgresRecords;
use tareas_adapters::records::postgres::PostgresOptions;
use tareas_engine::contract::Fresh;
use tareas_engine::contract::records::Store;
use tareas_services::Postgres;

/// A new database for each store; the last one is in use.
pub struct Databases {
    postgres: Arc<Postgres>,
    last: Mutex<String>,
}

impl Databases {
    /// On the instance that the tests share.
    pub fn new() -> Self {
        Self {
            postgres: Postgres::shared(),
            last: Mutex::default(),
        }
    }
}

/// Opens the records in a database, as the server with this identity.
pub async fn open(url: &str, server: u128) -> PostgresRecords {
    let options = PostgresOptions::new(url, server).unwrap();
    PostgresRecords::open(options).await.unwrap()
}

#[async_trait]
impl Fresh<dyn Store> for Databases {
    async fn open(&self) -> Arc<dyn Store> {
        let url = self.postgres.database();
        self.last.lock().unwrap().clone_from(&url);
        Arc::new(open(&url, 1).await)
    }

    async fn reopen(&self, old: Arc<dyn Store>) -> Arc<dyn Store> {
        drop(old);
        let url = self.last.lock().unwrap().clone();
        Arc::new(open(&url, 1).await)
    }
}
