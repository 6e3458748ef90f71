//! INSERT statements for the shapes that nearly all new tasks have, many rows at a time.
//!
//! Much of the cost of a small INSERT is its beginning and its end: cursors on the table and
//! all its indexes are opened and closed. Sixteen rows in one statement share that, which
//! takes a third off a row. Queue and kind are bound only when they differ from those bound
//! at the same place before: bindings stay.

use rusqlite::{Connection, Result, Statement};
use tareas_core::ledger::Row;
use tareas_core::{Body, Kind, QueueName, State, Task};

use super::row::{Image, PAYLOAD_IN_ROW_MAX, inline_column};

/// Rows of one statement.
const ROWS: usize = 16;

/// A shape of new rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// All of the life of a task that succeeded without anything worth a word.
    Succeeded,
    /// A task that was accepted, and nothing else.
    Queued,
    /// A task that was accepted and claimed for the first time: its claim has to be durable before
    /// a worker elsewhere is given it.
    Running,
}

impl Shape {
    /// The shape of a new task, unless it is a rare one.
    pub(super) fn of(task: &Task) -> Option<Self> {
        let Body::Inline(payload) = &task.spec.payload else {
            return None;
        };
        if task.spec.options.is_some() {
            return None;
        }
        match (task.state, &task.result) {
            (State::Succeeded, Some(Body::Inline(_))) => {
                let is_plain = task.last_token.is_none()
                    && task.failure.is_none()
                    && task.charged == 0
                    && task.crashes == 0
                    && !task.cancel_requested;
                is_plain.then_some(Self::Succeeded)
            }
            (State::Queued { .. }, None) => {
                let is_plain = task.version == 1 && payload.len() <= PAYLOAD_IN_ROW_MAX;
                is_plain.then_some(Self::Queued)
            }
            (State::Running(_), None) => {
                let is_plain = task.attempt == 1
                    && task.failure.is_none()
                    && task.charged == 0
                    && task.crashes == 0
                    && !task.cancel_requested
                    && payload.len() <= PAYLOAD_IN_ROW_MAX;
                is_plain.then_some(Self::Running)
            }
            _ => None,
        }
    }

    fn sql(self, rows: usize) -> String {
        let (columns, row) = match self {
            Self::Succeeded => (
                "queue, kind, seq, id, version, priority, attempt, submitted_at, started_at, \
                 finished_at, prune_at, payload, result, state",
                "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 3)",
            ),
            Self::Queued => (
                "queue, kind, seq, id, priority, submitted_at, place, payload, version, state",
                "(?, ?, ?, ?, ?, ?, ?, ?, 1, 1)",
            ),
            Self::Running => (
                "queue, kind, seq, id, priority, submitted_at, version, started_at, session, \
                 held_place, deadline_at, token, payload, attempt, state",
                "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 2)",
            ),
        };
        format!(
            "INSERT INTO tasks({columns}) VALUES {}",
            vec![row; rows].join(", ")
        )
    }

    /// Parameters per row.
    fn parameters(self) -> usize {
        match self {
            Self::Succeeded => 13,
            Self::Queued => 8,
            Self::Running => 13,
        }
    }

    /// Binds one row behind its queue and kind; `at` is the first parameter after them.
    fn bind(self, statement: &mut Statement<'_>, at: usize, row: &Row) -> Result<()> {
        let task = &row.task;
        let payload = inline_column(&task.spec.payload);
        statement.raw_bind_parameter(at, row.seq.cast_signed())?;
        statement.raw_bind_parameter(at + 1, task.id().as_bytes().as_slice())?;
        match self {
            Self::Succeeded => {
                let result = task.result.as_ref().and_then(inline_column);
                statement.raw_bind_parameter(at + 2, task.version.cast_signed())?;
                statement.raw_bind_parameter(at + 3, task.spec.priority.level())?;
                statement.raw_bind_parameter(at + 4, task.attempt.cast_signed())?;
                statement.raw_bind_parameter(at + 5, task.spec.submitted_at.as_micros())?;
                statement.raw_bind_parameter(at + 6, task.started_at.map(|at| at.as_micros()))?;
                statement.raw_bind_parameter(at + 7, task.finished_at.map(|at| at.as_micros()))?;
                statement.raw_bind_parameter(at + 8, task.prune_at().map(|at| at.as_micros()))?;
                statement.raw_bind_parameter(at + 9, payload)?;
                statement.raw_bind_parameter(at + 10, result)
            }
            Self::Queued => {
                statement.raw_bind_parameter(at + 2, task.spec.priority.level())?;
                statement.raw_bind_parameter(at + 3, task.spec.submitted_at.as_micros())?;
                statement.raw_bind_parameter(at + 4, task.place().map(|place| place.0))?;
                statement.raw_bind_parameter(at + 5, payload)
            }
            Self::Running => {
                let image = Image::of(task);
                let token = image.token.as_ref().map(<[u8; 16]>::as_slice);
                statement.raw_bind_parameter(at + 2, task.spec.priority.level())?;
                statement.raw_bind_parameter(at + 3, task.spec.submitted_at.as_micros())?;
                statement.raw_bind_parameter(at + 4, task.version.cast_signed())?;
                statement.raw_bind_parameter(at + 5, image.started_at)?;
                statement.raw_bind_parameter(at + 6, image.session)?;
                statement.raw_bind_parameter(at + 7, image.held_place)?;
                statement.raw_bind_parameter(at + 8, image.deadline_at)?;
                statement.raw_bind_parameter(at + 9, token)?;
                statement.raw_bind_parameter(at + 10, payload)
            }
        }
    }
}

/// The statements of one shape.
#[derive(Debug)]
pub(super) struct Inserts<'c> {
    shape: Shape,
    many: Bound<'c>,
    one: Bound<'c>,
}

impl<'c> Inserts<'c> {
    /// Prepares them.
    pub(super) fn prepare(connection: &'c Connection, shape: Shape) -> Result<Self> {
        Ok(Self {
            shape,
            many: Bound::prepare(connection, shape, ROWS)?,
            one: Bound::prepare(connection, shape, 1)?,
        })
    }

    /// Inserts rows of this shape.
    pub(super) fn write(&mut self, rows: &[&Row]) -> Result<()> {
        for rows in rows.chunks(ROWS) {
            if rows.len() == ROWS {
                self.many.write(self.shape, rows)?;
                continue;
            }
            for row in rows {
                self.one.write(self.shape, &[row])?;
            }
        }
        Ok(())
    }
}

/// A statement, and the names that are bound in each of its rows.
#[derive(Debug)]
struct Bound<'c> {
    statement: Statement<'c>,
    names: Vec<Option<(QueueName, Kind)>>,
}

impl<'c> Bound<'c> {
    fn prepare(connection: &'c Connection, shape: Shape, rows: usize) -> Result<Self> {
        Ok(Self {
            statement: connection.prepare(&shape.sql(rows))?,
            names: vec![None; rows],
        })
    }

    fn write(&mut self, shape: Shape, rows: &[&Row]) -> Result<()> {
        let places = (1..).step_by(shape.parameters());
        for ((row, at), names) in rows.iter().zip(places).zip(&mut self.names) {
            bind_names(&mut self.statement, at, names, &row.task)?;
            shape.bind(&mut self.statement, at + 2, row)?;
        }
        self.statement.raw_execute().map(|_| ())
    }
}

fn bind_names(
    statement: &mut Statement<'_>,
    at: usize,
    bound: &mut Option<(QueueName, Kind)>,
    task: &Task,
) -> Result<()> {
    let (queue, kind) = (&task.spec.queue, &task.spec.kind);
    if bound
        .as_ref()
        .is_some_and(|bound| bound.0 == *queue && bound.1 == *kind)
    {
        return Ok(());
    }
    statement.raw_bind_parameter(at, queue.as_str())?;
    statement.raw_bind_parameter(at + 1, kind.as_str())?;
    *bound = Some((queue.clone(), kind.clone()));
    Ok(())
}
