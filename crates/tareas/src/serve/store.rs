//! The records, the queue and the blobs that a configuration names, and how they are closed again.

#[cfg(feature = "postgres")]
use std::path::Path;
use std::sync::Arc;

use tareas_adapters::records::sqlite::{self, BootReport, SqliteConfig};
use tareas_adapters::{FolderBlobs, MemoryQueue, MemoryRecords, SqliteRecords};
#[cfg(feature = "rabbitmq")]
use tareas_core::Kind;
use tareas_engine::ports::{Blobs, Clock, Members, News, Queue, Records, Settings, Stopped};
use tareas_protocol::Lang;
use tareas_server::metrics::{NoReadings, Readings};

#[cfg(feature = "postgres")]
use super::readings::PostgresReadings;
use super::readings::SqliteReadings;
use super::{Role, trouble};
use crate::config::{BlobStore, Durability, HintQueue, RecordStore, ServeConfig};
use crate::output::Failure;

/// In the data folder: the identity of the server that uses it, in all its lives.
#[cfg(feature = "postgres")]
const SERVER_ID: &str = "server-id";

/// The records, by each of the names under which the system needs them.
pub(super) struct Store {
    pub(super) records: Arc<dyn Records>,
    pub(super) settings: Arc<dyn Settings>,
    /// Only where several processes may share the records.
    pub(super) members: Option<Arc<dyn Members>>,
    pub(super) opened: Opened,
}

/// What was opened, and is to be closed.
#[derive(Debug)]
pub(super) enum Opened {
    /// Records in memory have nothing to close.
    Memory,
    /// A file.
    Sqlite(Arc<SqliteRecords>),
    /// Connections.
    #[cfg(feature = "postgres")]
    Postgres(Arc<tareas_adapters::PostgresRecords>),
}

impl Opened {
    /// What was found in the store, where the last life may have ended in disorder.
    pub(super) fn boot(&self) -> Option<&BootReport> {
        match self {
            Self::Sqlite(sqlite) => Some(sqlite.boot()),
            _ => None,
        }
    }

    /// What it counts, as metrics.
    pub(super) fn readings(&self) -> Box<dyn Readings> {
        match self {
            Self::Memory => Box::new(NoReadings),
            Self::Sqlite(sqlite) => Box::new(SqliteReadings(Arc::clone(sqlite))),
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => Box::new(PostgresReadings(Arc::clone(postgres))),
        }
    }

    /// Brings everything that is decided to its place, and ends.
    pub(super) async fn close(self) -> Result<(), Stopped> {
        match self {
            Self::Memory => Ok(()),
            Self::Sqlite(sqlite) => sqlite.close().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => {
                postgres.close().await;
                Ok(())
            }
        }
    }
}

impl Store {
    /// Opens the records.
    pub(super) async fn open(
        config: &ServeConfig,
        clock: &Arc<dyn Clock>,
        seed: u64,
        role: Role,
    ) -> Result<Self, Failure> {
        #[cfg(not(feature = "postgres"))]
        let _ = role;
        match &config.records {
            RecordStore::Memory => {
                let memory = Arc::new(MemoryRecords::default());
                Ok(Self::of(memory, |_| Opened::Memory))
            }
            RecordStore::Sqlite(folder) => {
                let opened = SqliteRecords::open(SqliteConfig {
                    durability: match config.durability {
                        Durability::Full => sqlite::Durability::Full,
                        Durability::Os => sqlite::Durability::Os,
                    },
                    hash_seed: seed,
                    ..SqliteConfig::new(folder, Arc::clone(clock))
                });
                let opened = opened.map_err(|error| trouble::open(&error, folder, config.lang))?;
                Ok(Self::of(Arc::new(opened), Opened::Sqlite))
            }
            #[cfg(feature = "postgres")]
            RecordStore::Postgres(url) => open_postgres(config, url, role).await,
        }
    }

    fn of<R: Records + Settings>(store: Arc<R>, opened: impl FnOnce(Arc<R>) -> Opened) -> Self {
        Self {
            records: Arc::<R>::clone(&store),
            settings: Arc::<R>::clone(&store),
            members: None,
            opened: opened(store),
        }
    }
}

/// Nothing waits for a distant queue: it is used when it is there.
pub(super) fn open_queue(queue: &HintQueue) -> Arc<dyn Queue> {
    match queue {
        HintQueue::Memory => Arc::new(MemoryQueue::default()),
        #[cfg(feature = "rabbitmq")]
        HintQueue::Rabbitmq(config) => {
            let built_in = super::commands::built_in();
            let kinds = built_in.kinds();
            let kinds = kinds.iter().filter_map(|kind| Kind::new(&kind.name).ok());
            let config = config.clone().with_kinds_everywhere(kinds.collect());
            Arc::new(tareas_adapters::RabbitmqQueue::start(config))
        }
    }
}

/// What the processes on one queue tell each other of ended tasks.
pub(super) fn open_news(queue: &HintQueue, role: Role) -> Option<Arc<dyn News>> {
    #[cfg(not(feature = "rabbitmq"))]
    let _ = role;
    match queue {
        HintQueue::Memory => None,
        #[cfg(feature = "rabbitmq")]
        HintQueue::Rabbitmq(config) => {
            use tareas_adapters::queue::rabbitmq::RabbitmqNews;

            let hears = role == Role::Server;
            Some(Arc::new(RabbitmqNews::start(config.clone(), hears)))
        }
    }
}

/// Opens the blobs; a bucket is tried out.
pub(crate) async fn open_blobs(blobs: &BlobStore, lang: Lang) -> Result<Arc<dyn Blobs>, Failure> {
    match blobs {
        BlobStore::Folder(folder) => match FolderBlobs::open(folder) {
            Ok(blobs) => Ok(Arc::new(blobs)),
            Err(error) => Err(trouble::data(folder, &error, lang)),
        },
        #[cfg(feature = "s3")]
        BlobStore::S3(bucket) => {
            let keys = crate::config::s3_keys(lang)?;
            match tareas_adapters::S3Blobs::open(bucket.clone(), &keys).await {
                Ok(blobs) => Ok(Arc::new(blobs)),
                Err(error) => Err(trouble::cannot_start(&error, lang)),
            }
        }
    }
}

#[cfg(feature = "postgres")]
async fn open_postgres(
    config: &ServeConfig,
    url: &crate::config::SecretUrl,
    role: Role,
) -> Result<Store, Failure> {
    use tareas_adapters::PostgresRecords;
    use tareas_adapters::records::postgres::PostgresOptions;

    let lang = config.lang;
    let server = match role {
        Role::Server => server_id(&config.data),
        // A node has no folder: what it leaves behind is taken back by the others.
        Role::Node => fresh_id(),
    };
    let server = server.map_err(|error| trouble::data(&config.data, &error, lang))?;
    let trouble = |error| trouble::postgres(&error, url, lang);
    let mut options = PostgresOptions::new(url.reveal(), server).map_err(trouble)?;
    options.local_blobs = matches!(config.blobs, BlobStore::Folder(_));
    let records = Arc::new(PostgresRecords::open(options).await.map_err(trouble)?);
    let members: Arc<dyn Members> = records.clone();
    Ok(Store {
        members: Some(members),
        ..Store::of(records, Opened::Postgres)
    })
}

/// The identity of the server that uses this folder; made at its first start.
#[cfg(feature = "postgres")]
fn server_id(folder: &Path) -> std::io::Result<u128> {
    use std::io::{Error, ErrorKind, Write};

    std::fs::create_dir_all(folder)?;
    let path = folder.join(SERVER_ID);
    match std::fs::read_to_string(&path) {
        Ok(text) => u128::from_str_radix(text.trim(), 16).map_err(|error| {
            let what = format!("{}: {error}", path.display());
            Error::new(ErrorKind::InvalidData, what)
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let server = fresh_id()?;
            let mut file = std::fs::File::create_new(&path)?;
            writeln!(file, "{server:032x}")?;
            file.sync_all()?;
            Ok(server)
        }
        Err(error) => Err(error),
    }
}

#[cfg(feature = "postgres")]
fn fresh_id() -> std::io::Result<u128> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(u128::from_be_bytes(bits))
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_server_in_all_its_lives() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let first = server_id(&data).unwrap();
        assert_eq!(server_id(&data).unwrap(), first);
        assert_ne!(server_id(folder.path()).unwrap(), first);
        std::fs::write(data.join(SERVER_ID), "").unwrap();
        assert!(server_id(&data).is_err());
    }
}
