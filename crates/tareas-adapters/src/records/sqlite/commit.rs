//! One commit: rows, what hangs on them, and the transaction around it all.

use rusqlite::{Connection, Result, Statement, ffi};
use tareas_core::Timestamp;
use tareas_core::ledger::{Cut, Row};
use tareas_engine::failpoint::{self, Injected};

use super::boot::key;
use super::shared::{AskedSession, SessionChange};
use super::statements::Statements;

const INSERT_KEY: &str = "INSERT INTO keys(key, id) VALUES(?1, ?2)";
const ADD_COUNT: &str = "INSERT INTO counts(queue, state, n) VALUES(?1, ?2, ?3) \
    ON CONFLICT(queue, state) DO UPDATE SET n = n + excluded.n";
const SET_PAUSED: &str = "INSERT INTO queues(name, paused) VALUES(?1, ?2) \
    ON CONFLICT(name) DO UPDATE SET paused = excluded.paused";
const SET_HIGH: &str = "INSERT INTO meta(key, value) VALUES(?1, ?2) \
    ON CONFLICT(key) DO UPDATE SET value = excluded.value";
const OPEN_SESSION: &str = "INSERT INTO sessions(session, name, slots, opened_at, resume) \
    VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(session) DO UPDATE SET name = excluded.name, \
    slots = excluded.slots, resume = excluded.resume";
const REMEMBER_KIND: &str = "INSERT INTO kinds(name) VALUES(?1) ON CONFLICT(name) DO NOTHING";
const CLOSE_SESSION: &str = "DELETE FROM sessions WHERE session = ?1";

/// Why a commit did not happen.
#[derive(Debug)]
pub(super) enum Failed {
    /// SQLite could not do it.
    Sqlite(rusqlite::Error),
    /// The disk does not hold what the ledger believes.
    Diverged {
        /// The row.
        seq: u64,
        /// How many rows its statement changed, instead of one.
        changed: usize,
    },
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(error) => write!(f, "a commit failed: {error}"),
            Self::Diverged { seq, changed } => {
                write!(
                    f,
                    "the write of task number {seq} changed {changed} rows instead of one"
                )
            }
        }
    }
}

/// What a commit holds besides tasks.
#[derive(Debug)]
pub(super) struct Extras<'a> {
    pub(super) sessions: &'a [AskedSession],
    pub(super) now: Timestamp,
}

/// The connection that writes, with its statements.
#[derive(Debug)]
pub(super) struct Transactions<'c> {
    connection: &'c Connection,
    statements: Statements<'c>,
    begin: Statement<'c>,
    commit: Statement<'c>,
    insert_key: Statement<'c>,
    add_count: Statement<'c>,
    set_high: Statement<'c>,
}

impl<'c> Transactions<'c> {
    /// Prepares all statements.
    pub(super) fn prepare(connection: &'c Connection) -> Result<Self> {
        Ok(Self {
            connection,
            statements: Statements::prepare(connection)?,
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            commit: connection.prepare("COMMIT")?,
            insert_key: connection.prepare(INSERT_KEY)?,
            add_count: connection.prepare(ADD_COUNT)?,
            set_high: connection.prepare(SET_HIGH)?,
        })
    }

    /// Begins a transaction.
    pub(super) fn begin(&mut self) -> Result<(), Failed> {
        self.begin.raw_execute()?;
        Ok(())
    }

    /// Writes the rows of tasks.
    pub(super) fn write_rows(&mut self, rows: &[Row]) -> Result<(), Failed> {
        self.statements.write(rows)?;
        pass("mid_statements")
    }

    /// Writes all that is not a row of a task.
    pub(super) fn write_rest(&mut self, pieces: &[Cut], extras: &Extras<'_>) -> Result<(), Failed> {
        for piece in pieces {
            for (key, id) in &piece.keys {
                self.insert_key.execute((key.as_str(), id.as_bytes()))?;
            }
            for change in &piece.counts {
                let row = (change.queue.as_str(), change.phase as i64, change.by);
                self.add_count.execute(row)?;
            }
            for (queue, paused) in &piece.queues {
                self.connection
                    .execute(SET_PAUSED, (queue.as_str(), paused))?;
            }
        }
        for asked in extras.sessions {
            self.write_session(&asked.change, extras)?;
        }
        if let Some(last) = pieces.last() {
            self.set_high
                .execute((key::HIGH_SEQ, last.high_seq.cast_signed()))?;
            self.set_high
                .execute((key::HIGH_PLACE, last.high_place.0))?;
        }
        Ok(())
    }

    fn write_session(&self, change: &SessionChange, extras: &Extras<'_>) -> Result<(), Failed> {
        match change {
            SessionChange::Open(opened) => {
                let session = opened.id.0.cast_signed();
                let (worker, now) = (opened.worker.as_deref(), extras.now.as_micros());
                let name = worker.unwrap_or_default();
                let row = (session, name, opened.slots, now, &opened.resume);
                self.connection.execute(OPEN_SESSION, row)?;
            }
            SessionChange::Kinds(kinds) => {
                for kind in kinds {
                    self.connection.execute(REMEMBER_KIND, [kind.as_str()])?;
                }
            }
            SessionChange::Close { session } => {
                self.connection
                    .execute(CLOSE_SESSION, [session.0.cast_signed()])?;
            }
        }
        Ok(())
    }

    /// Makes it durable.
    pub(super) fn commit(&mut self) -> Result<(), Failed> {
        pass("before_commit")?;
        self.commit.raw_execute()?;
        Ok(())
    }

    /// Takes back what was written since `begin`.
    pub(super) fn roll_back(&mut self) -> Result<(), Failed> {
        // Some errors have rolled back by themselves.
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }
}

/// Passes a failpoint; an injected error looks like one of SQLite's.
fn pass(name: &str) -> Result<(), Failed> {
    let code = match failpoint::hit(name) {
        None => return Ok(()),
        Some(Injected::Full) => ffi::SQLITE_FULL,
        Some(Injected::Io) => ffi::SQLITE_IOERR,
    };
    Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None).into())
}
