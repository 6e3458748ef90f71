//! What stands behind the ports, for the dashboard: products and places, never a secret.

use std::path::Path;

use tareas_server::{Backend, Backends};

use crate::config::{BlobStore, HintQueue, RecordStore, ServeConfig};

/// The products that a configuration chooses.
pub(super) fn backends(config: &ServeConfig) -> Backends {
    Backends {
        queue: queue(&config.queue),
        records: records(&config.records),
        blobs: blobs(&config.blobs),
    }
}

fn queue(queue: &HintQueue) -> Backend {
    match queue {
        HintQueue::Memory => Backend::own("memory", ""),
        #[cfg(feature = "rabbitmq")]
        HintQueue::Rabbitmq(rabbitmq) => Backend::shared("RabbitMQ", rabbitmq.place()),
    }
}

fn records(records: &RecordStore) -> Backend {
    match records {
        RecordStore::Memory => Backend::own("memory", ""),
        RecordStore::Sqlite(folder) => {
            let file = folder.join(crate::config::DATABASE);
            Backend::own("SQLite", shown(&file))
        }
        #[cfg(feature = "postgres")]
        RecordStore::Postgres(url) => Backend::shared("PostgreSQL", place(&url.to_string())),
    }
}

fn blobs(blobs: &BlobStore) -> Backend {
    match blobs {
        BlobStore::Folder(folder) => Backend::own("files", shown(folder)),
        #[cfg(feature = "s3")]
        BlobStore::S3(bucket) => Backend::shared("S3", bucket.place()),
    }
}

/// A path, without what says nothing.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

/// Host, port and path of a URL: not who connects, not how.
#[cfg(feature = "postgres")]
fn place(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    place.to_owned()
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn a_place_holds_no_secret() {
        let url = "postgres://ana:p%40ss@db.example:5432/tareas?password=x";
        assert_eq!(place(url), "db.example:5432/tareas");
        assert_eq!(place("postgres:///tareas?host=/run"), "/tareas");
    }
}
