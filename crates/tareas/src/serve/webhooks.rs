//! Webhooks as a configuration asks for them: their store beside the records, and the way out.

use std::sync::Arc;

use tareas_adapters::{GuardedEgress, MemoryWebhooks, SqliteWebhooks};
use tareas_engine::Engine;
use tareas_engine::ports::WebhookRecords;
use tareas_engine::services::Supervisor;
use tareas_engine::webhooks::{Parts, Recorder, Sender, Terms, Webhooks};
use tareas_server::webhooks::MessageWriter;

use super::{Role, trouble};
use crate::config::{RecordStore, ServeConfig};
use crate::output::Failure;

/// Opens the webhooks that belong to the records, before anything can end.
pub(super) async fn open(
    config: &ServeConfig,
    engine: &Arc<Engine>,
) -> Result<Arc<Webhooks>, Failure> {
    let parts = Parts {
        store: open_store(config).await?,
        egress: Arc::new(GuardedEgress::new(
            config.webhook_networks.clone(),
            env!("CARGO_PKG_VERSION"),
        )),
        writer: Arc::new(MessageWriter {
            redaction: config.redaction.clone(),
            lang: config.lang,
        }),
        terms: terms(),
    };
    let webhooks = Webhooks::open(Arc::clone(engine), parts).await;
    webhooks.map_err(|error| trouble::cannot_start(&error, config.lang))
}

fn terms() -> Terms {
    let usual = Terms::default();
    #[cfg(feature = "failpoints")]
    let usual = Terms {
        claimed_for: super::test_hooks::claimed_for(usual.claimed_for),
        ..usual
    };
    usual
}

/// Starts what records ends, and, in a server, what delivers them.
pub(super) fn keep(webhooks: &Arc<Webhooks>, role: Role, supervisor: &Supervisor) {
    supervisor.spawn(Box::new(Recorder::new(Arc::clone(webhooks))));
    if role == Role::Server {
        supervisor.spawn(Box::new(Sender::new(Arc::clone(webhooks))));
    }
}

async fn open_store(config: &ServeConfig) -> Result<Arc<dyn WebhookRecords>, Failure> {
    match &config.records {
        RecordStore::Memory => Ok(Arc::new(MemoryWebhooks::default())),
        RecordStore::Sqlite(folder) => Ok(Arc::new(SqliteWebhooks::new(folder))),
        #[cfg(feature = "postgres")]
        RecordStore::Postgres(url) => {
            use tareas_adapters::records::postgres::{PostgresOptions, PostgresWebhooks};

            let trouble = |error| trouble::postgres(&error, url, config.lang);
            // The identity counts for records alone.
            let options = PostgresOptions::new(url.reveal(), 0).map_err(trouble)?;
            let store = PostgresWebhooks::open(options).await.map_err(trouble)?;
            Ok(Arc::new(store))
        }
    }
}
