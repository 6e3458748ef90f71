//! Filling a store. Tasks are numbered as they arrive: that is their order of acceptance.
//!
//! Each call is one transaction, its progress included, and on disk when it returns.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Statement};
use tareas_core::ledger::Row;
use tareas_core::{Place, Priority, QueueName, State};
use tareas_engine::failpoint;
use tareas_engine::ports::{
    Beside, Clock, Export, Import, PortError, Progress, Standing, SystemClock, WholeTask,
};

use super::{Held, Lent, SqliteExport, damaged, read, unavailable};
use crate::records::row::{progress, progress_text};
use crate::records::sqlite::boot::{key, meta, meta_number, set_meta};
use crate::records::sqlite::commit::Failed;
use crate::records::sqlite::folder::Folder;
use crate::records::sqlite::statements::Statements;
use crate::records::sqlite::{OpenError, SqliteConfig, open};

const HAS_TASKS: &str = "SELECT EXISTS (SELECT 1 FROM tasks)";
const INSERT_KEY: &str = "INSERT INTO keys(key, id) VALUES(?1, ?2)";
const ADD_COUNT: &str = "INSERT INTO counts(queue, state, n) VALUES(?1, ?2, 1) \
    ON CONFLICT(queue, state) DO UPDATE SET n = n + 1";
const IS_TAKEN: &str = "SELECT 1 FROM tasks WHERE queue = ?1 AND priority = ?2 AND place = ?3";
const SET_QUEUE: &str = "INSERT INTO queues(name, paused) VALUES(?1, ?2) \
    ON CONFLICT(name) DO UPDATE SET paused = excluded.paused";
const ADD_KIND: &str = "INSERT INTO kinds(name) VALUES(?1) ON CONFLICT(name) DO NOTHING";
const ADD_SESSION: &str = "INSERT INTO sessions(session, name, slots, opened_at, resume) \
    VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(session) DO NOTHING";
const FORGET_IMPORT: &str = "DELETE FROM meta WHERE key = ?1";
/// Nobody reads meanwhile, so the log may be brought home whenever it has grown.
const CHECKPOINT_PAGES: i64 = 4_000;

/// A store that is filled as a whole. Its folder is held for this process alone.
#[derive(Debug)]
pub struct SqliteImport(SqliteExport);

impl SqliteImport {
    /// Opens the store of a data folder, and makes both where they are missing.
    ///
    /// # Errors
    /// [`OpenError::InUse`] when a server has it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let folder = Folder::open(path)?;
        let config = SqliteConfig::new(path, Arc::new(SystemClock));
        let connection = open::writer(&folder, &config)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        // What arrives was never started from here.
        let suspect_seq = 0;
        Ok(Self(SqliteExport(Lent::new(Held {
            connection,
            suspect_seq,
            _folder: folder,
        }))))
    }

    async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, PortError> {
        let lent = &mut self.0.0;
        lent.with(|held| work(&mut held.connection).map_err(write_error))
            .await
    }
}

#[async_trait]
impl Import for SqliteImport {
    async fn standing(&mut self) -> Result<Standing, PortError> {
        self.0.0.with(|held| standing(&held.connection)).await
    }

    async fn begin(&mut self, progress: &Progress) -> Result<(), PortError> {
        let text = progress_text(progress);
        let noted = self.with(move |connection| Ok(set_meta(connection, key::IMPORT, text)?));
        noted.await
    }

    async fn put(&mut self, tasks: &[WholeTask], progress: &Progress) -> Result<(), PortError> {
        let (tasks, text) = (tasks.to_vec(), progress_text(progress));
        self.with(move |connection| put(connection, tasks, &text))
            .await
    }

    async fn put_beside(&mut self, beside: &Beside) -> Result<(), PortError> {
        let beside = beside.clone();
        self.with(move |connection| put_beside(connection, &beside))
            .await
    }

    fn arrived(&mut self) -> &mut dyn Export {
        &mut self.0
    }

    async fn finish(&mut self) -> Result<(), PortError> {
        self.with(finish).await
    }
}

fn standing(connection: &Connection) -> Result<Standing, PortError> {
    if let Some(text) = meta::<String>(connection, key::IMPORT).map_err(read)? {
        return Ok(Standing::Unfinished(progress(&text).map_err(damaged)?));
    }
    let has_tasks = connection.query_row(HAS_TASKS, [], |row| row.get(0));
    Ok(match has_tasks.map_err(read)? {
        true => Standing::Occupied,
        false => Standing::Empty,
    })
}

fn put(connection: &mut Connection, tasks: Vec<WholeTask>, progress: &str) -> Result<(), Failed> {
    let transaction = connection.transaction()?;
    let high_seq = meta_number(&transaction, key::HIGH_SEQ)?.unwrap_or(0);
    let high_place = meta_number(&transaction, key::HIGH_PLACE)?.unwrap_or(Place::START.0);
    let rows = rows(&transaction, high_seq, tasks)?;
    Statements::prepare(&transaction)?.write(&rows)?;
    write_keys_and_counts(&transaction, &rows)?;
    let places = rows.iter().filter_map(place).map(|place| place.0);
    let high_place = places.chain([high_place]).max().unwrap_or(high_place);
    set_meta(&transaction, key::HIGH_SEQ, high_seq + rows.len() as i64)?;
    set_meta(&transaction, key::HIGH_PLACE, high_place)?;
    set_meta(&transaction, key::IMPORT, progress)?;
    // A test ends the process here: nothing of this has arrived then.
    let _ = failpoint::hit("before_import_commit");
    transaction.commit()?;
    Ok(())
}

/// The place in line that the row has, or will have when its attempt is given back.
fn place(row: &Row) -> Option<Place> {
    row.task
        .place()
        .or(row.task.lease().map(|lease| lease.place))
}

fn rows(
    connection: &Connection,
    high_seq: i64,
    tasks: Vec<WholeTask>,
) -> rusqlite::Result<Vec<Row>> {
    let mut places = Places {
        is_taken: connection.prepare(IS_TAKEN)?,
        given: HashSet::new(),
    };
    let mut rows = Vec::with_capacity(tasks.len());
    for (WholeTask { mut task, attempts }, seq) in tasks.into_iter().zip(high_seq + 1..) {
        if let State::Queued { place } = task.state {
            let (queue, priority) = (&task.spec.queue, task.spec.priority);
            let place = places.next(queue, priority, place)?;
            task.state = State::Queued { place };
        }
        rows.push(Row::arriving(seq.cast_unsigned(), task, attempts));
    }
    Ok(rows)
}

/// Places in line, each of which only one task of a lane can have here. In a store that several
/// servers shared two tasks may have had the same.
struct Places<'c> {
    is_taken: Statement<'c>,
    /// In this transaction, and not written yet.
    given: HashSet<(QueueName, Priority, Place)>,
}

impl Places<'_> {
    /// The place, or the next that is free.
    fn next(
        &mut self,
        queue: &QueueName,
        priority: Priority,
        mut place: Place,
    ) -> rusqlite::Result<Place> {
        loop {
            let lane = (queue.as_str(), priority.level(), place.0);
            let taken: Option<i64> = self.is_taken.query_row(lane, |row| row.get(0)).optional()?;
            if taken.is_none() && self.given.insert((queue.clone(), priority, place)) {
                return Ok(place);
            }
            place = Place(place.0 + 1);
        }
    }
}

fn write_keys_and_counts(connection: &Connection, rows: &[Row]) -> rusqlite::Result<()> {
    let mut insert_key = connection.prepare_cached(INSERT_KEY)?;
    let mut add_count = connection.prepare_cached(ADD_COUNT)?;
    for row in rows {
        let spec = &row.task.spec;
        if let Some(key) = &spec.options().idempotency_key {
            insert_key.execute((key.as_str(), spec.id.as_bytes()))?;
        }
        add_count.execute((spec.queue.as_str(), row.task.phase() as i64))?;
    }
    Ok(())
}

fn put_beside(connection: &mut Connection, beside: &Beside) -> Result<(), Failed> {
    let transaction = connection.transaction()?;
    for (queue, paused) in &beside.queues {
        transaction.execute(SET_QUEUE, (queue.as_str(), paused))?;
    }
    for kind in &beside.kinds {
        transaction.execute(ADD_KIND, [kind.as_str()])?;
    }
    let now = SystemClock.now().as_micros();
    for session in &beside.sessions {
        let row = (
            session.id.0.cast_signed(),
            session.worker.as_deref().unwrap_or_default(),
            session.slots,
            now,
            session.resume,
        );
        transaction.execute(ADD_SESSION, row)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Leaves the store as an orderly end does.
fn finish(connection: &mut Connection) -> Result<(), Failed> {
    let transaction = connection.transaction()?;
    let high_seq = meta_number(&transaction, key::HIGH_SEQ)?.unwrap_or(0);
    set_meta(&transaction, key::HIGH_SEQ, high_seq)?;
    set_meta(&transaction, key::SUSPECT_SEQ, 0)?;
    set_meta(&transaction, key::CLEAN, 1)?;
    transaction.execute(FORGET_IMPORT, [key::IMPORT])?;
    transaction.commit()?;
    Ok(())
}

fn write_error(failed: Failed) -> PortError {
    match failed {
        Failed::Sqlite(error) => match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => PortError::Conflict {
                what: format!("a task or a key: {error}"),
            },
            Some(ErrorCode::DiskFull) => PortError::Full { adapter: "sqlite" },
            _ => unavailable(error),
        },
        Failed::Diverged { .. } => damaged(failed.to_string()),
    }
}
