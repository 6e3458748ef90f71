//! One connection: made with the settings of its purpose, its statements prepared once.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};

use futures_util::StreamExt;
use tareas_core::Task;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};

use super::fault::Fault;
use super::instant::Instant;
use super::row;
use super::{PostgresOptions, days};

/// What a connection is for, and so how its statements are planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Statements over ids: always by the primary key, planned once.
    ById,
    /// Statements that find tasks by their state: by an index, in order.
    ByState,
    /// Pages and settings: by an index, in order, however few rows there are.
    Pages,
    /// What is asked once.
    Seldom,
}

/// Any value of a statement.
pub(super) type Value<'a> = &'a (dyn ToSql + Sync);

/// Whatever a server's defaults are: wait for the disk, do not hang, and be known by name.
const ALWAYS: &str = "SET synchronous_commit = on; SET statement_timeout = '30s'; \
    SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '30s'; \
    SET timezone = 'UTC'; SET client_min_messages = warning; SET jit = off;";
/// The planner must not change its mind about these when the statistics change.
const PLANNED: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
    SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;";
/// What nobody waits for longer.
const SHORT: &str = "SET statement_timeout = '10s';";

/// Which process of PostgreSQL this connection is served by.
const SERVED_BY: &str =
    "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()";
/// Ends a process and waits up to a second until it has ended; nothing when it has already.
const END_BACKEND: &str = "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity \
    WHERE pid = $1 AND backend_start = $2";
/// How often that is asked for before it is an error.
const END_TRIES_MAX: usize = 5;

/// A process of PostgreSQL that serves one connection, or did: no other one is ever equal to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backend {
    pid: i32,
    since: Instant,
}

/// A connection. It ends when this is dropped.
pub(super) struct Link {
    client: Client,
    backend: Backend,
    prepared: Mutex<HashMap<Asked, Statement>>,
}

/// A statement, over the partition of one day or over all.
type Asked = (&'static str, Option<i32>);

impl Link {
    /// Connects. Must be called inside the runtime that the connection is to live in.
    pub(super) async fn open(options: &PostgresOptions, purpose: Purpose) -> Result<Self, Fault> {
        let mut config = options.config.clone();
        if config.get_application_name().is_none() {
            config.application_name(format!("tareas {:08x}", options.server as u32));
        }
        let unreachable = |error: tokio_postgres::Error| Fault::Unreachable(error.into());
        let (client, connection) = config.connect(NoTls).await.map_err(unreachable)?;
        tokio::spawn(async move {
            // Whoever waits for an answer is told of the error; it need not be told twice.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to PostgreSQL ended");
            }
        });
        let (planned, short) = match purpose {
            Purpose::ById | Purpose::ByState => (PLANNED, ""),
            Purpose::Pages => (PLANNED, SHORT),
            Purpose::Seldom => ("", SHORT),
        };
        client
            .batch_execute(&format!("{ALWAYS}{planned}{short}"))
            .await
            .map_err(unreachable)?;
        let served_by = client.query_one(SERVED_BY, &[]).await;
        let served_by = served_by.map_err(unreachable)?;
        let backend = Backend {
            pid: row::get(&served_by, 0)?,
            since: row::get(&served_by, 1)?,
        };
        Ok(Self {
            client,
            backend,
            prepared: Mutex::default(),
        })
    }

    /// Who serves this connection.
    pub(super) fn backend(&self) -> Backend {
        self.backend
    }

    /// Ends the process that served another connection, and returns when it has ended: what it
    /// had not committed by then is undone.
    pub(super) async fn end_backend(&self, backend: Backend) -> Result<(), Fault> {
        for _ in 0..END_TRIES_MAX {
            let found = self
                .rows(END_BACKEND, &[&backend.pid, &backend.since])
                .await?;
            if found.is_empty() {
                return Ok(());
            }
        }
        let why = "the process of PostgreSQL that served the connection before does not end";
        Err(Fault::Unreachable(why.into()))
    }

    /// Whether the connection has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Rows of a statement that is prepared at its first use.
    pub(super) async fn rows(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Fault> {
        self.rows_of(None, sql, values).await
    }

    /// The same about tasks of one day: over its partition alone, which spares the search for the
    /// right one for each task.
    ///
    /// # Errors
    /// [`Fault::NoPartition`] when the partition has gone since this was prepared: nothing was
    /// done, and another connection goes over all partitions.
    pub(super) async fn rows_of(
        &self,
        day: Option<i32>,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Fault> {
        let statement = self.statement(sql, day).await?;
        Ok(self.client.query(&statement, values).await?)
    }

    /// Tasks that a statement answers with, about as many as told.
    pub(super) async fn tasks(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        about: usize,
    ) -> Result<Vec<Task>, Fault> {
        self.collect(None, sql, values, about, row::task).await
    }

    /// What is made of the rows of a statement about tasks of one day, or of any, each as it
    /// comes; about as many as told.
    pub(super) async fn collect<T>(
        &self,
        day: Option<i32>,
        sql: &'static str,
        values: &[Value<'_>],
        about: usize,
        mut read: impl FnMut(&Row) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let statement = self.statement(sql, day).await?;
        let values = values.iter().copied();
        let mut rows = pin!(self.client.query_raw(&statement, values).await?);
        let mut all = Vec::with_capacity(about);
        while let Some(row) = rows.next().await {
            all.push(read(&row?)?);
        }
        Ok(all)
    }

    /// Statements without values or answers.
    pub(super) async fn run(&self, sql: &str) -> Result<(), Fault> {
        Ok(self.client.batch_execute(sql).await?)
    }

    /// The driver's own client.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    async fn statement(&self, sql: &'static str, day: Option<i32>) -> Result<Statement, Fault> {
        if let Some(statement) = self.lock().get(&(sql, day)) {
            return Ok(statement.clone());
        }
        let Some(day) = day else {
            return self.prepare((sql, None), sql).await;
        };
        match self.prepare((sql, Some(day)), &days::over(sql, day)).await {
            Err(Fault::NoPartition(_)) => Box::pin(self.statement(sql, None)).await,
            prepared => prepared,
        }
    }

    async fn prepare(&self, asked: Asked, sql: &str) -> Result<Statement, Fault> {
        let statement = self.client.prepare(sql).await.map_err(not_sent)?;
        let mut prepared = self.lock();
        // The day before may still be asked for.
        let is_old = |of: Option<i32>| of.zip(asked.1).is_some_and(|(of, day)| of < day - 1);
        prepared.retain(|(_, of), _| !is_old(*of));
        prepared.insert(asked, statement.clone());
        Ok(statement)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Asked, Statement>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Preparing changes nothing: when the connection ends meanwhile, nothing was done.
fn not_sent(error: tokio_postgres::Error) -> Fault {
    match Fault::from(error) {
        Fault::Lost(source) => Fault::Unreachable(source),
        other => other,
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}
