//! The statements of the writer, prepared once.
//!
//! A short task is one INSERT of its final state; that, a task that was only accepted, and one that
//! was given to a worker have statements of their own ([`Inserts`]). Whatever else is new has one
//! INSERT for all. What changes has one UPDATE, except that the success of a task that was
//! running changes less than that: an index costs, whether its columns get other values or not.

use rusqlite::{Connection, Result, Statement};
use tareas_core::ledger::{Row, Write};
use tareas_core::{State, Task};

use super::commit::Failed;
use super::inserts::{Inserts, Shape};
use super::row::{Image, PAYLOAD_IN_ROW_MAX, blob_column, failure_text, inline_column};
use super::row::{options_column, payload_apart};

const INSERT: &str = "INSERT INTO tasks(queue, kind, seq, id, version, state, reason, place, \
    due_at, session, held_place, deadline_at, token, attempt, charged, crashes, \
    cancel_requested, started_at, finished_at, expires_at, prune_at, error, result, result_blob, \
    priority, submitted_at, options, payload, payload_blob) \
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, \
    ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29)";
const UPDATE: &str = "UPDATE tasks SET version = ?5, state = ?6, reason = ?7, place = ?8, \
    due_at = ?9, session = ?10, held_place = ?11, deadline_at = ?12, token = ?13, attempt = ?14, \
    charged = ?15, crashes = ?16, cancel_requested = ?17, started_at = ?18, finished_at = ?19, \
    expires_at = ?20, prune_at = ?21, error = ?22, result = ?23, result_blob = ?24 \
    WHERE seq = ?3 AND version = ?4";
/// From running to succeeded, and nothing in between: what it does not name stays as it was.
const SUCCEED: &str = "UPDATE tasks SET version = ?3, state = 3, session = NULL, \
    held_place = NULL, deadline_at = NULL, finished_at = ?4, prune_at = ?5, error = NULL, \
    result = ?6, result_blob = ?7 WHERE seq = ?1 AND version = ?2";
/// Where the columns that an UPDATE may change begin, in both statements above.
const CHANGING: usize = 5;

const DELETE: &str = "DELETE FROM tasks WHERE seq = ?1 AND version = ?2";
const DELETE_PAYLOAD: &str = "DELETE FROM payloads WHERE seq = ?1";
const DELETE_ATTEMPTS: &str = "DELETE FROM attempts WHERE seq = ?1";
const DELETE_KEY: &str = "DELETE FROM keys WHERE key = ?1 AND id = ?2";
const INSERT_PAYLOAD: &str = "INSERT INTO payloads(seq, bytes) VALUES(?1, ?2)";
const INSERT_ATTEMPT: &str = "INSERT INTO attempts(seq, attempt, started_at, ended_at, outcome, \
    error) VALUES(?1, ?2, ?3, ?4, ?5, ?6)";

/// Prepared statements that write rows.
#[derive(Debug)]
pub(super) struct Statements<'c> {
    insert_succeeded: Inserts<'c>,
    insert_queued: Inserts<'c>,
    insert_running: Inserts<'c>,
    insert: Statement<'c>,
    update: Statement<'c>,
    succeed: Statement<'c>,
    delete: Statement<'c>,
    delete_payload: Statement<'c>,
    delete_attempts: Statement<'c>,
    delete_key: Statement<'c>,
    insert_payload: Statement<'c>,
    insert_attempt: Statement<'c>,
}

impl<'c> Statements<'c> {
    /// Prepares all of them.
    pub(super) fn prepare(connection: &'c Connection) -> Result<Self> {
        Ok(Self {
            insert_succeeded: Inserts::prepare(connection, Shape::Succeeded)?,
            insert_queued: Inserts::prepare(connection, Shape::Queued)?,
            insert_running: Inserts::prepare(connection, Shape::Running)?,
            insert: connection.prepare(INSERT)?,
            update: connection.prepare(UPDATE)?,
            succeed: connection.prepare(SUCCEED)?,
            delete: connection.prepare(DELETE)?,
            delete_payload: connection.prepare(DELETE_PAYLOAD)?,
            delete_attempts: connection.prepare(DELETE_ATTEMPTS)?,
            delete_key: connection.prepare(DELETE_KEY)?,
            insert_payload: connection.prepare(INSERT_PAYLOAD)?,
            insert_attempt: connection.prepare(INSERT_ATTEMPT)?,
        })
    }

    /// Writes rows. New rows of the common shapes come last, many at a time: nothing else in
    /// the same commit is about their tasks, and a row that makes room for one of their ids or
    /// keys is removed before.
    pub(super) fn write(&mut self, rows: &[Row]) -> std::result::Result<(), Failed> {
        let (mut succeeded, mut queued, mut running) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let shape = if row.write == Write::Insert {
                Shape::of(&row.task)
            } else {
                None
            };
            match shape {
                Some(Shape::Succeeded) => succeeded.push(row),
                Some(Shape::Queued) => queued.push(row),
                Some(Shape::Running) => running.push(row),
                None => self.write_rare(row)?,
            }
            if !row.endings.is_empty() && !is_gone(row) {
                self.insert_endings(row)?;
            }
        }
        self.insert_succeeded.write(&succeeded)?;
        self.insert_queued.write(&queued)?;
        self.insert_running.write(&running)?;
        Ok(())
    }

    /// Writes one row by itself; it must change exactly one row of `tasks`.
    fn write_rare(&mut self, row: &Row) -> std::result::Result<(), Failed> {
        let changed = match row.write {
            Write::Nothing => return Ok(()),
            Write::Insert => self.insert_row(row)?,
            Write::Update { base } if is_success_of_running(&row.task, base) => {
                self.succeed_row(row, base)?
            }
            Write::Update { base } => self.update_row(row, base)?,
            Write::Delete { base } => self.delete_row(row, base)?,
        };
        match changed {
            1 => Ok(()),
            _ => Err(Failed::Diverged {
                seq: row.seq,
                changed,
            }),
        }
    }

    fn insert_row(&mut self, row: &Row) -> Result<usize> {
        let task = &row.task;
        let apart = payload_apart(task);
        if let Some(text) = apart {
            self.insert_payload
                .raw_bind_parameter(1, row.seq.cast_signed())?;
            self.insert_payload.raw_bind_parameter(2, text)?;
            self.insert_payload.raw_execute()?;
        }
        let statement = &mut self.insert;
        statement.raw_bind_parameter(1, task.spec.queue.as_str())?;
        statement.raw_bind_parameter(2, task.spec.kind.as_str())?;
        statement.raw_bind_parameter(3, row.seq.cast_signed())?;
        statement.raw_bind_parameter(4, task.id().as_bytes().as_slice())?;
        let next = bind_changing(statement, task)?;
        let inline = inline_column(&task.spec.payload).filter(|_| apart.is_none());
        statement.raw_bind_parameter(next, task.spec.priority.level())?;
        statement.raw_bind_parameter(next + 1, task.spec.submitted_at.as_micros())?;
        statement.raw_bind_parameter(next + 2, options_column(task))?;
        statement.raw_bind_parameter(next + 3, inline)?;
        statement.raw_bind_parameter(next + 4, blob_column(&task.spec.payload))?;
        statement.raw_execute()
    }

    fn update_row(&mut self, row: &Row, base: u64) -> Result<usize> {
        let statement = &mut self.update;
        statement.raw_bind_parameter(3, row.seq.cast_signed())?;
        statement.raw_bind_parameter(4, base.cast_signed())?;
        bind_changing(statement, &row.task)?;
        statement.raw_execute()
    }

    fn succeed_row(&mut self, row: &Row, base: u64) -> Result<usize> {
        let (statement, task) = (&mut self.succeed, &row.task);
        let result = task.result.as_ref();
        statement.raw_bind_parameter(1, row.seq.cast_signed())?;
        statement.raw_bind_parameter(2, base.cast_signed())?;
        statement.raw_bind_parameter(3, task.version.cast_signed())?;
        statement.raw_bind_parameter(4, task.finished_at.map(|at| at.as_micros()))?;
        statement.raw_bind_parameter(5, task.prune_at().map(|at| at.as_micros()))?;
        statement.raw_bind_parameter(6, result.and_then(inline_column))?;
        statement.raw_bind_parameter(7, result.and_then(blob_column))?;
        statement.raw_execute()
    }

    fn delete_row(&mut self, row: &Row, base: u64) -> Result<usize> {
        let (seq, task) = (row.seq.cast_signed(), &row.task);
        self.delete.raw_bind_parameter(1, seq)?;
        self.delete.raw_bind_parameter(2, base.cast_signed())?;
        let changed = self.delete.raw_execute()?;
        if task.spec.payload.inline_len() > PAYLOAD_IN_ROW_MAX {
            self.delete_payload.raw_bind_parameter(1, seq)?;
            self.delete_payload.raw_execute()?;
        }
        self.delete_attempts.raw_bind_parameter(1, seq)?;
        self.delete_attempts.raw_execute()?;
        if let Some(key) = &task.spec.options().idempotency_key {
            self.delete_key.raw_bind_parameter(1, key.as_str())?;
            self.delete_key
                .raw_bind_parameter(2, task.id().as_bytes().as_slice())?;
            self.delete_key.raw_execute()?;
        }
        Ok(changed)
    }

    fn insert_endings(&mut self, row: &Row) -> Result<()> {
        let statement = &mut self.insert_attempt;
        for ended in &row.endings {
            statement.raw_bind_parameter(1, row.seq.cast_signed())?;
            statement.raw_bind_parameter(2, ended.attempt.cast_signed())?;
            statement.raw_bind_parameter(3, ended.started_at.map(|at| at.as_micros()))?;
            statement.raw_bind_parameter(4, ended.ended_at.as_micros())?;
            statement.raw_bind_parameter(5, ended.outcome as i64)?;
            statement.raw_bind_parameter(6, ended.failure.as_deref().map(failure_text))?;
            statement.raw_execute()?;
        }
        Ok(())
    }
}

/// Binds the columns that a transition may change; returns the parameter after them.
fn bind_changing(statement: &mut Statement<'_>, task: &Task) -> Result<usize> {
    let image = Image::of(task);
    let mut at = CHANGING;
    let mut next = || {
        at += 1;
        at - 1
    };
    statement.raw_bind_parameter(next(), task.version.cast_signed())?;
    statement.raw_bind_parameter(next(), image.state)?;
    statement.raw_bind_parameter(next(), image.reason)?;
    statement.raw_bind_parameter(next(), image.place)?;
    statement.raw_bind_parameter(next(), image.due_at)?;
    statement.raw_bind_parameter(next(), image.session)?;
    statement.raw_bind_parameter(next(), image.held_place)?;
    statement.raw_bind_parameter(next(), image.deadline_at)?;
    statement.raw_bind_parameter(next(), image.token.as_ref().map(<[u8; 16]>::as_slice))?;
    statement.raw_bind_parameter(next(), task.attempt.cast_signed())?;
    statement.raw_bind_parameter(next(), task.charged)?;
    statement.raw_bind_parameter(next(), task.crashes)?;
    statement.raw_bind_parameter(next(), task.cancel_requested)?;
    statement.raw_bind_parameter(next(), image.started_at)?;
    statement.raw_bind_parameter(next(), image.finished_at)?;
    statement.raw_bind_parameter(next(), image.expires_at)?;
    statement.raw_bind_parameter(next(), image.prune_at)?;
    statement.raw_bind_parameter(next(), image.error)?;
    statement.raw_bind_parameter(next(), task.result.as_ref().and_then(inline_column))?;
    statement.raw_bind_parameter(next(), image.result_blob)?;
    Ok(at)
}

/// A task that has succeeded, one transition after it was written, was running when it was.
fn is_success_of_running(task: &Task, base: u64) -> bool {
    matches!(task.state, State::Succeeded) && task.version == base + 1
}

fn is_gone(row: &Row) -> bool {
    matches!(row.write, Write::Delete { .. } | Write::Nothing)
}
