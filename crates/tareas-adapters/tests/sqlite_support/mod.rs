//! Stores in folders of their own, and the ways in which they end.

#![expect(dead_code, reason = "each test file uses a part of it")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tareas_adapters::SqliteRecords;
use tareas_adapters::records::sqlite::SqliteConfig;
use tareas_core::{
    Applied, Batch, Body, Cause, Command, Ending, Failure, Fence, Jitter, Kind, NewTask, Options,
    Outcome, Position, Priority, QueueName, SessionId, Spec, Task, TaskId, Timestamp,
};
use tareas_engine::contract::Fresh;
use tareas_engine::contract::records::Store;
use tareas_engine::ports::{Records, TestClock};
use tempfile::TempDir;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
pub(crate) const SESSION: SessionId = SessionId(7);

/// A configuration for tests: small, and with a clock that stands still.
pub(crate) fn config(folder: &Path) -> SqliteConfig {
    SqliteConfig {
        disk_reserve_bytes: Some(1 << 20),
        ..SqliteConfig::new(folder, Arc::new(TestClock::new(NOW)))
    }
}

/// How the lives of a store end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// In order.
    Closed,
    /// As after `kill -9`: the next life starts from copies of the files as they were.
    Killed,
}

/// Makes stores, and opens them again over what they kept.
#[derive(Debug)]
pub(crate) struct Lives {
    death: Death,
    live_max: usize,
    folders: Mutex<Vec<TempDir>>,
    last: Mutex<Option<Arc<SqliteRecords>>>,
}

impl Lives {
    pub(crate) fn new(death: Death, live_max: usize) -> Self {
        Self {
            death,
            live_max,
            folders: Mutex::new(Vec::new()),
            last: Mutex::new(None),
        }
    }

    fn open_in(&self, folder: &Path) -> Arc<SqliteRecords> {
        let config = SqliteConfig {
            live_max: self.live_max,
            ..config(folder)
        };
        let records = Arc::new(SqliteRecords::open(config).expect("it opens"));
        if self.death == Death::Killed {
            *self.last.lock().unwrap() = Some(Arc::clone(&records));
        }
        records
    }

    fn fresh_folder(&self) -> PathBuf {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_owned();
        self.folders.lock().unwrap().push(folder);
        path
    }
}

#[async_trait]
impl Fresh<dyn Store> for Lives {
    async fn open(&self) -> Arc<dyn Store> {
        self.open_in(&self.fresh_folder())
    }

    async fn reopen(&self, old: Arc<dyn Store>) -> Arc<dyn Store> {
        let folder = self
            .folders
            .lock()
            .unwrap()
            .last()
            .unwrap()
            .path()
            .to_owned();
        if self.death == Death::Closed {
            drop(old);
            return self.open_in(&folder);
        }
        let last = self.last.lock().unwrap().take().expect("it was opened");
        let next = self.fresh_folder();
        copy_as_killed(&last, &folder, &next);
        self.open_in(&next)
    }
}

/// Copies the files of a store that is open, as a kill at this moment would leave them.
pub(crate) fn copy_as_killed(records: &SqliteRecords, from: &Path, to: &Path) {
    let _hold = records.hold_commits();
    // A commit that has begun may still be under way.
    std::thread::sleep(Duration::from_millis(20));
    for name in ["tareas.db", "tareas.db-wal"] {
        fs::copy(from.join(name), to.join(name)).expect("a copy");
    }
}

pub(crate) fn id(number: u128) -> TaskId {
    TaskId::v7(NOW, number)
}

pub(crate) fn text(text: &str) -> Body {
    Body::Inline(Bytes::copy_from_slice(text.as_bytes()))
}

pub(crate) fn spec(number: u128) -> Spec {
    Spec {
        id: id(number),
        kind: Kind::new("square").unwrap(),
        queue: QueueName::default(),
        priority: Priority::default(),
        payload: text(r#"{"n":5}"#),
        submitted_at: NOW,
        options: None,
    }
}

pub(crate) fn keyed(number: u128, key: &str) -> Spec {
    let options = Options {
        idempotency_key: Some(key.into()),
        ..Options::default()
    };
    Spec {
        options: Some(Box::new(options)),
        ..spec(number)
    }
}

pub(crate) fn submit(spec: Spec) -> Command {
    Command::Submit(NewTask {
        spec: Arc::new(spec),
        due_at: None,
        id_is_fresh: false,
        quick: false,
    })
}

pub(crate) fn claim(task: TaskId, expected_attempt: u64) -> Command {
    Command::Claim {
        task,
        expected_attempt,
        session: SESSION,
        token: None,
    }
}

pub(crate) fn settle(task: TaskId, attempt: u64, ending: Ending) -> Command {
    let fence = Fence {
        attempt,
        token: None,
    };
    Command::Settle {
        task,
        fence,
        ending,
        jitter: Jitter(0),
    }
}

pub(crate) fn success(result: &str) -> Ending {
    Ending::Succeeded(text(result))
}

pub(crate) fn failure(message: &str, retryable: bool) -> Ending {
    let failure = Failure {
        cause: Cause::Handler,
        name: Some("Error".to_owned()),
        message: message.to_owned(),
        backtrace: None,
        ran_by: None,
        process_end: None,
    };
    Ending::Failed {
        failure: Arc::new(failure),
        retryable,
        retry_after: None,
    }
}

pub(crate) async fn apply(records: &SqliteRecords, commands: Vec<Command>) -> Applied {
    records
        .apply(Batch { now: NOW, commands })
        .await
        .expect("decided")
}

/// Applies one command that must be decided.
pub(crate) async fn done(records: &SqliteRecords, command: Command) -> Task {
    match apply(records, vec![command]).await.outcomes.remove(0) {
        Outcome::Done(task) => task,
        other => panic!("not done: {other:?}"),
    }
}

/// Submits, claims and ends a task.
pub(crate) async fn run(records: &SqliteRecords, spec: Spec, ending: Ending) -> Task {
    let id = spec.id;
    done(records, submit(spec)).await;
    done(records, claim(id, 0)).await;
    done(records, settle(id, 1, ending)).await
}

pub(crate) async fn until_durable(records: &SqliteRecords, position: Position) {
    if position > records.durable() {
        records
            .durable_after(Position(position.0 - 1))
            .await
            .expect("durable");
    }
}

/// Waits until everything decided so far is on disk.
pub(crate) async fn all_durable(records: &SqliteRecords) {
    let (_, position) = records.load(&[]).await.expect("the position");
    until_durable(records, position).await;
}
