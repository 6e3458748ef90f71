//! Databases for tests of the records in PostgreSQL.

#![expect(clippy::unwrap_used, reason = "these are tests")]
#![expect(dead_code, reason = "each test file uses a part of it")]

use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use tareas_adapters::PostgresRecords;
use tareas_adapters::records::postgres::PostgresOptions;
use tareas_core::{
    Body, Command, Ending, Jitter, Kind, NewTask, Outcome, Priority, QueueName, SessionId, Spec,
    Task, TaskId, Timestamp, Token,
};
use tareas_engine::contract::Fresh;
use tareas_engine::contract::records::Store;
use tareas_engine::ports::{Clock, SystemClock};
use tareas_services::{Postgres, Service, is_missing};
use tokio::runtime::Runtime;

/// A new database for each store; the last one is in use.
pub(crate) struct Databases {
    /// Nothing when it is not installed.
    postgres: Option<Arc<Postgres>>,
    last: Mutex<String>,
}

impl Databases {
    /// On the instance that the tests share.
    pub(crate) fn new() -> Self {
        Self {
            postgres: (!is_missing(Service::Postgres)).then(Postgres::shared),
            last: Mutex::default(),
        }
    }
}

/// An empty database on the instance that the tests share; nothing when none is installed.
pub(crate) fn url() -> Option<(Arc<Postgres>, String)> {
    (!is_missing(Service::Postgres)).then(|| {
        let postgres = Postgres::shared();
        let url = postgres.database();
        (postgres, url)
    })
}

/// Opens the records in a database, as the server with this identity.
pub(crate) async fn open(url: &str, server: u128) -> PostgresRecords {
    let options = PostgresOptions::new(url, server).unwrap();
    PostgresRecords::open(options).await.unwrap()
}

#[async_trait]
impl Fresh<dyn Store> for Databases {
    async fn open(&self) -> Arc<dyn Store> {
        let url = self.postgres.as_ref().expect("it is installed").database();
        self.last.lock().unwrap().clone_from(&url);
        Arc::new(open(&url, 1).await)
    }

    fn is_absent(&self) -> bool {
        self.postgres.is_none()
    }

    async fn reopen(&self, old: Arc<dyn Store>) -> Arc<dyn Store> {
        drop(old);
        let url = self.last.lock().unwrap().clone();
        Arc::new(open(&url, 1).await)
    }
}

/// The session of all claims here.
pub(crate) const SESSION: SessionId = SessionId(7);

/// An instant of today, to the millisecond: ids are made of it.
pub(crate) static NOW: LazyLock<Timestamp> =
    LazyLock::new(|| Timestamp::from_millis(SystemClock.now().as_millis()));

/// A runtime like that of the server.
pub(crate) fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

/// Runs one statement.
pub(crate) async fn sql(url: &str, statement: &str) {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client.batch_execute(statement).await.unwrap();
}

/// The one number that a query answers.
pub(crate) async fn number(url: &str, query: &str) -> i64 {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client.query_one(query, &[]).await.unwrap().get(0)
}

/// A small task.
pub(crate) fn submission(id: TaskId) -> Spec {
    Spec {
        id,
        kind: Kind::new("square").unwrap(),
        queue: QueueName::default(),
        priority: Priority::default(),
        payload: Body::Inline(Bytes::from_static(br#"{"n":5}"#)),
        submitted_at: *NOW,
        options: None,
    }
}

pub(crate) fn submit(spec: Spec) -> Command {
    submit_with(spec, false)
}

/// As by a server that says of the id that it has made it just now, or that it has not.
pub(crate) fn submit_with(spec: Spec, id_is_fresh: bool) -> Command {
    Command::Submit(NewTask {
        spec: Arc::new(spec),
        due_at: None,
        id_is_fresh,
        quick: false,
    })
}

pub(crate) fn claim(task: TaskId, expected_attempt: u64) -> Command {
    let token = Token::new(task.as_u128() ^ (u128::from(expected_attempt) << 64));
    Command::Claim {
        task,
        expected_attempt,
        session: SESSION,
        token: Some(token),
    }
}

/// Its attempt succeeded.
pub(crate) fn settle(task: &Task) -> Command {
    settle_as(
        task,
        Ending::Succeeded(Body::Inline(Bytes::from_static(b"25"))),
    )
}

/// Its attempt ended so.
pub(crate) fn settle_as(task: &Task, ending: Ending) -> Command {
    let fence = tareas_core::ledger::fence(task).unwrap();
    Command::Settle {
        task: task.id(),
        fence,
        ending,
        jitter: Jitter(0),
    }
}

/// The task of an outcome that must be done.
pub(crate) fn done(outcome: &Outcome) -> &Task {
    match outcome {
        Outcome::Done(task) => task,
        other => panic!("{other:?}"),
    }
}
