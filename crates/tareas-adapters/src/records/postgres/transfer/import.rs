//! Filling the records. Each call is one transaction, its progress included.

use async_trait::async_trait;
use tareas_engine::failpoint;
use tareas_engine::ports::{Beside, Export, Import, PortError, Progress, Standing, WholeTask};
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::arriving::{
    ADD_COUNTS, Added, Attempts, INSERT_ATTEMPTS, INSERT_KEYS, INSERT_TASKS, Keys, Tasks,
};
use super::{IMPORTS, PostgresExport, be_alone, connect};
use crate::records::postgres::days::Days;
use crate::records::postgres::fault::{Fault, OpenError};
use crate::records::postgres::link::Link;
use crate::records::postgres::refresh::lock_key;
use crate::records::postgres::row::{self, session_uuid};
use crate::records::postgres::{PostgresOptions, migrate};
use crate::records::row::{progress, progress_text};

const HAS_TASKS: &str = "SELECT EXISTS (SELECT FROM tareas.tasks)";
const PROGRESS: &str = "SELECT i.progress FROM tareas.import i";
const MAKE: &str = "CREATE TABLE tareas.import (progress text NOT NULL); \
    INSERT INTO tareas.import VALUES ('');";
const NOTE: &str = "UPDATE tareas.import SET progress = $1";
/// What runs was claimed, and what waits has entered a line.
const FINISH: &str = "DELETE FROM tareas.claims; \
    INSERT INTO tareas.claims (claim, session_id, ids) \
      SELECT gen_random_uuid(), t.session_id, array_agg(t.id) FROM tareas.tasks t \
      WHERE t.session_id IS NOT NULL GROUP BY t.session_id; \
    SELECT tareas.line_up(); \
    DROP TABLE tareas.import;";
const SET_QUEUES: &str = "INSERT INTO tareas.queues (name, paused) \
    SELECT * FROM unnest($1::text[], $2::bool[]) \
    ON CONFLICT (name) DO UPDATE SET paused = excluded.paused";
const ADD_KINDS: &str = "INSERT INTO tareas.kinds (name) SELECT unnest($1::text[]) \
    ON CONFLICT (name) DO NOTHING";
/// A process that has ended and was not declared gone yet: whoever serves next will, and takes
/// back what its sessions hold.
const ADD_SERVER: &str = "INSERT INTO tareas.servers (server_id, lock_key, expires_at) \
    VALUES ($1, $2, statement_timestamp()) \
    ON CONFLICT (server_id) DO UPDATE SET state = 0, expires_at = statement_timestamp()";
/// Also of remote workers, which cannot come back to them: nobody here knows their server.
const ADD_SESSIONS: &str = "INSERT INTO tareas.sessions (session_id, server_id, slots, worker) \
    SELECT d.session, $1, d.slots, d.worker \
    FROM unnest($2::uuid[], $3::int4[], $4::text[]) AS d(session, slots, worker) \
    ON CONFLICT (session_id) DO NOTHING";
/// The identity of the processes that ended before the migration: "migrated" in ASCII.
const MIGRATED: u128 = 0x6d69_6772_6174_6564;

/// Records that are filled as a whole. As long as it is open nobody can serve from them.
#[derive(Debug)]
pub struct PostgresImport {
    /// Holds the lock.
    link: Link,
    days: Days,
    arrived: PostgresExport,
}

impl PostgresImport {
    /// Opens the records, and makes the schema where it is missing. Must be called inside the
    /// runtime that is to write.
    ///
    /// # Errors
    /// [`OpenError::Served`] when somebody serves from them or did a moment ago.
    pub async fn open(options: PostgresOptions) -> Result<Self, OpenError> {
        let link = connect(&options).await?;
        migrate::run(&link).await?;
        be_alone(&link).await?;
        let arrived = PostgresExport::over(connect(&options).await?);
        let days = Days::default();
        Ok(Self {
            link,
            days,
            arrived,
        })
    }

    async fn read_standing(&self) -> Result<Standing, Fault> {
        if self.asked(IMPORTS).await? {
            let rows = self.link.rows(PROGRESS, &[]).await?;
            let row = rows
                .first()
                .ok_or_else(|| row::damaged("an import that says nothing"))?;
            let noted = progress(row::get(row, 0)?).map_err(row::damaged)?;
            return Ok(Standing::Unfinished(noted));
        }
        Ok(match self.asked(HAS_TASKS).await? {
            true => Standing::Occupied,
            false => Standing::Empty,
        })
    }

    async fn asked(&self, sql: &'static str) -> Result<bool, Fault> {
        let rows = self.link.rows(sql, &[]).await?;
        rows.first().map_or(Ok(false), |row| row::get(row, 0))
    }

    /// All of it or nothing.
    async fn atomically(&self, work: impl Future<Output = Result<(), Fault>>) -> Result<(), Fault> {
        self.link.run("BEGIN").await?;
        match work.await {
            Ok(()) => {
                // A test ends the process here: nothing of this has arrived then.
                let _ = failpoint::hit("before_import_commit");
                self.link.run("COMMIT").await
            }
            Err(fault) => {
                // The fault that counts is the one before.
                let _ = self.link.run("ROLLBACK").await;
                Err(fault)
            }
        }
    }

    async fn insert(&self, tasks: &[WholeTask], progress: &Progress) -> Result<(), Fault> {
        let (keys, attempts) = (Keys::of(tasks), Attempts::of(tasks));
        self.link.rows(INSERT_KEYS, &keys.values()).await?;
        self.link
            .rows(INSERT_TASKS, &Tasks::of(tasks).values())
            .await?;
        self.link.rows(INSERT_ATTEMPTS, &attempts.values()).await?;
        self.link
            .rows(ADD_COUNTS, &Added::of(tasks).values())
            .await?;
        self.link.rows(NOTE, &[&progress_text(progress)]).await?;
        Ok(())
    }

    async fn set_beside(&self, beside: &Beside) -> Result<(), Fault> {
        let names: Vec<&str> = beside.queues.keys().map(|queue| queue.as_str()).collect();
        let paused: Vec<bool> = beside.queues.values().copied().collect();
        self.link.rows(SET_QUEUES, &[&names, &paused]).await?;
        let kinds: Vec<&str> = beside.kinds.iter().map(|kind| kind.as_str()).collect();
        self.link.rows(ADD_KINDS, &[&kinds]).await?;
        if beside.sessions.is_empty() {
            return Ok(());
        }
        let server = Uuid::from_u128(MIGRATED);
        self.link
            .rows(ADD_SERVER, &[&server, &lock_key(MIGRATED)])
            .await?;
        let sessions: Vec<Uuid> = beside.sessions.iter().map(|s| session_uuid(s.id)).collect();
        let slots: Vec<i32> = beside.sessions.iter().map(|s| i32::from(s.slots)).collect();
        let workers: Vec<Option<&str>> = beside
            .sessions
            .iter()
            .map(|s| s.worker.as_deref())
            .collect();
        self.link
            .rows(ADD_SESSIONS, &[&server, &sessions, &slots, &workers])
            .await?;
        Ok(())
    }
}

/// A task or key that is there already is told apart.
fn write_error(fault: Fault) -> PortError {
    let source = match &fault {
        Fault::Exists(_) => {
            return PortError::Conflict {
                what: "a task or a key".to_owned(),
            };
        }
        Fault::Refused(source) | Fault::Damaged(source) => source,
        _ => return fault.into_port_error(),
    };
    let told = source.downcast_ref::<tokio_postgres::Error>();
    match told.and_then(tokio_postgres::Error::code) {
        Some(code) if *code == SqlState::DISK_FULL => PortError::Full {
            adapter: "PostgreSQL",
        },
        _ => fault.into_port_error(),
    }
}

#[async_trait]
impl Import for PostgresImport {
    async fn standing(&mut self) -> Result<Standing, PortError> {
        self.read_standing().await.map_err(Fault::into_port_error)
    }

    async fn begin(&mut self, progress: &Progress) -> Result<(), PortError> {
        let text = progress_text(progress);
        let made = self.atomically(async {
            self.link.run(MAKE).await?;
            self.link.rows(NOTE, &[&text]).await.map(drop)
        });
        made.await.map_err(Fault::into_port_error)
    }

    async fn put(&mut self, tasks: &[WholeTask], progress: &Progress) -> Result<(), PortError> {
        let ids = tasks.iter().map(|whole| whole.task.id());
        let made = self.days.make_for(&self.link, ids).await;
        made.map_err(Fault::into_port_error)?;
        let inserted = self.atomically(self.insert(tasks, progress)).await;
        inserted.map_err(write_error)
    }

    async fn put_beside(&mut self, beside: &Beside) -> Result<(), PortError> {
        let set = self.atomically(self.set_beside(beside)).await;
        set.map_err(write_error)
    }

    fn arrived(&mut self) -> &mut dyn Export {
        &mut self.arrived
    }

    async fn finish(&mut self) -> Result<(), PortError> {
        let finished = self.link.run(FINISH).await;
        finished.map_err(Fault::into_port_error)
    }
}
