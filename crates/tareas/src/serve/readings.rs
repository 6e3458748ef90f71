//! What the adapters count, as metrics.

use std::sync::Arc;
use std::time::Duration;

use tareas_adapters::SqliteRecords;
use tareas_server::metrics::{Reading, Readings, STORAGE_FULL};

/// The readings of an embedded store.
#[derive(Debug)]
pub(super) struct SqliteReadings(pub(super) Arc<SqliteRecords>);

impl Readings for SqliteReadings {
    fn read(&self) -> Vec<Reading> {
        let stats = self.0.stats();
        vec![
            counter("tareas_store_commits", "Commits.", stats.commits),
            counter("tareas_store_rows", "Rows of tasks written.", stats.rows),
            counter(
                "tareas_store_folded_rows",
                "Rows that hold all of the life of a task.",
                stats.folded,
            ),
            counter(
                "tareas_store_commit_retries",
                "Commits that found no room and were tried again.",
                stats.retries,
            ),
            counter(
                "tareas_store_checkpoints",
                "Checkpoints of the write-ahead log.",
                stats.checkpoints,
            ),
            seconds(
                "tareas_store_commit_p50_seconds",
                "Half of the commits took no longer.",
                stats.commit_p50,
            ),
            seconds(
                "tareas_store_commit_p99_seconds",
                "99 of 100 commits took no longer.",
                stats.commit_p99,
            ),
            bytes(
                "tareas_store_wal_bytes",
                "Size of the write-ahead log.",
                stats.wal_bytes,
            ),
            gauge(
                "tareas_store_journal_tasks",
                "Tasks that wait to be written.",
                stats.journal_tasks as f64,
            ),
            bytes(
                "tareas_store_journal_bytes",
                "Payloads and results that wait to be written.",
                stats.journal_bytes as u64,
            ),
            gauge(
                "tareas_store_live_tasks",
                "Tasks in memory.",
                stats.live_tasks as f64,
            ),
            gauge(
                STORAGE_FULL,
                "1 while nothing is accepted because there is no room.",
                f64::from(u8::from(stats.is_full)),
            ),
        ]
    }
}

/// The readings of records in PostgreSQL.
#[cfg(feature = "postgres")]
#[derive(Debug)]
pub(super) struct PostgresReadings(pub(super) Arc<tareas_adapters::PostgresRecords>);

#[cfg(feature = "postgres")]
impl Readings for PostgresReadings {
    fn read(&self) -> Vec<Reading> {
        let stats = self.0.stats();
        vec![
            counter(
                "tareas_store_statements",
                "Statements that wrote, or read in order to write.",
                stats.statements(),
            ),
            counter("tareas_store_rows", "Rows of tasks written.", stats.rows()),
            counter(
                "tareas_store_collisions",
                "Statements that met another one and were sent again.",
                stats.collisions(),
            ),
            counter(
                "tareas_store_connects",
                "Connections made to the database.",
                stats.connects(),
            ),
        ]
    }
}

fn gauge(name: &'static str, help: &'static str, value: f64) -> Reading {
    Reading {
        name,
        help,
        unit: None,
        only_grows: false,
        value,
    }
}

fn counter(name: &'static str, help: &'static str, value: u64) -> Reading {
    Reading {
        only_grows: true,
        ..gauge(name, help, value as f64)
    }
}

fn bytes(name: &'static str, help: &'static str, value: u64) -> Reading {
    Reading {
        unit: Some("bytes"),
        ..gauge(name, help, value as f64)
    }
}

fn seconds(name: &'static str, help: &'static str, value: Duration) -> Reading {
    Reading {
        unit: Some("seconds"),
        ..gauge(name, help, value.as_secs_f64())
    }
}
