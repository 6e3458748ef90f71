//! A row as a task. What cannot have been written is reported as damage, never guessed.

use std::sync::Arc;

use bytes::Bytes;
use smol_str::SmolStr;
use tareas_core::{
    Attempt, AttemptOutcome, Body, Failure, Kind, Lease, Phase, Place, Priority, QueueName, Reason,
    SessionId, Spec, State, Task, TaskId, Timestamp, Token, lifecycle,
};
use tareas_engine::ports::StoredSession;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use super::fault::Fault;
use super::instant::Instant;
use crate::ids::IdSet;
use crate::records::row as texts;

/// The columns that [`task`] reads, in its order; the table is called `t`.
macro_rules! columns {
    () => {
        "t.id, t.version, t.state, t.reason, t.queue, t.kind, t.priority, t.place, t.due_at, \
         t.session_id, t.held_place, t.token, t.attempt, t.charged, t.crashes, \
         t.cancel_requested, t.submitted_at, t.started_at, t.finished_at, t.deadline_at, \
         t.payload_blob, t.result_blob, t.error, t.options, t.payload, t.result"
    };
}
pub(super) use columns;

/// Numbers that most tasks have once they are claimed: a claim answers with NULL for them.
macro_rules! of_most {
    (version) => {
        2
    };
    (priority) => {
        5
    };
}

/// The columns that [`claimed`] reads, in its order; the table is called `t`. Neither what the claim
/// itself says is among them, nor what follows from it.
macro_rules! claimed_columns {
    () => {
        concat!(
            "t.id, t.queue, t.kind, t.held_place, t.submitted_at, t.payload, t.payload_blob, \
             t.options, t.error, nullif(t.priority, ",
            of_most!(priority),
            ") AS priority, nullif(t.version, ",
            of_most!(version),
            ") AS version, nullif(t.charged, 0) AS charged, nullif(t.crashes, 0) AS crashes"
        )
    };
}
pub(super) use {claimed_columns, of_most};

type Read<T> = Result<T, Fault>;

/// A task from the columns of `columns!`.
pub(super) fn task(row: &Row) -> Read<Task> {
    let state = state(row)?;
    let is_running = matches!(state, State::Running(_));
    let token = optional::<Uuid>(row, 11)?.map(|bits| Token::new(bits.as_u128()));
    Ok(Task {
        spec: Arc::new(spec(row, &WHOLE, priority(get(row, 6)?)?)?),
        version: get::<i64>(row, 1)?.cast_unsigned(),
        state,
        attempt: get::<i64>(row, 12)?.cast_unsigned(),
        charged: get::<i32>(row, 13)?.cast_unsigned(),
        crashes: get::<i32>(row, 14)?.cast_unsigned(),
        cancel_requested: get(row, 15)?,
        started_at: instant(row, 17)?,
        finished_at: instant(row, 18)?,
        last_token: if is_running { None } else { token },
        result: body(row, 25, 21)?,
        failure: failure(row, 22)?,
    })
}

/// A task that was claimed, from the columns of `claimed_columns!`: what core makes of the one that
/// waited. The statement must have done the same, and the contract of the records sees to it.
pub(super) fn claimed(row: &Row, by: &lifecycle::Claim, now: Timestamp) -> Read<Task> {
    let priority = priority(optional(row, 9)?.unwrap_or(of_most!(priority)))?;
    let place = Place(get(row, 3)?);
    let version = optional::<i64>(row, 10)?.unwrap_or(of_most!(version));
    let mut task = Task {
        spec: Arc::new(spec(row, &CLAIMED, priority)?),
        version: version.cast_unsigned() - 1,
        state: State::Queued { place },
        attempt: by.expected_attempt,
        charged: optional::<i32>(row, 11)?.unwrap_or(0).cast_unsigned(),
        crashes: optional::<i32>(row, 12)?.unwrap_or(0).cast_unsigned(),
        cancel_requested: false,
        started_at: None,
        finished_at: None,
        last_token: None,
        result: None,
        failure: failure(row, 8)?,
    };
    match lifecycle::claim(&mut task, by, now) {
        Ok(_) if task.lease().is_some() => Ok(task),
        _ => Err(damaged("a claim that differs from what was decided")),
    }
}

/// Many tasks.
pub(super) fn tasks(rows: &[Row]) -> Read<Vec<Task>> {
    rows.iter().map(task).collect()
}

/// Where the columns of what was submitted are.
struct SpecAt {
    queue: usize,
    kind: usize,
    submitted_at: usize,
    payload_blob: usize,
    options: usize,
    payload: usize,
}

/// In `columns!`.
const WHOLE: SpecAt = SpecAt {
    queue: 4,
    kind: 5,
    submitted_at: 16,
    payload_blob: 20,
    options: 23,
    payload: 24,
};

/// In `claimed_columns!`.
const CLAIMED: SpecAt = SpecAt {
    queue: 1,
    kind: 2,
    submitted_at: 4,
    payload: 5,
    payload_blob: 6,
    options: 7,
};

fn spec(row: &Row, at: &SpecAt, priority: Priority) -> Read<Spec> {
    let options = match optional::<&[u8]>(row, at.options)? {
        Some(text) => Some(Box::new(texts::options(text).map_err(damaged)?)),
        None => None,
    };
    Ok(Spec {
        id: id(row, 0)?,
        kind: Kind::new(get(row, at.kind)?).map_err(damaged)?,
        queue: QueueName::new(get(row, at.queue)?).map_err(damaged)?,
        priority,
        payload: body(row, at.payload, at.payload_blob)?
            .ok_or_else(|| damaged("a task without a payload"))?,
        submitted_at: get::<Instant>(row, at.submitted_at)?.into(),
        options,
    })
}

fn priority(level: i16) -> Read<Priority> {
    let level = u8::try_from(level).ok();
    let priority = level.and_then(Priority::new);
    priority.ok_or_else(|| damaged("a priority above 9"))
}

fn state(row: &Row) -> Read<State> {
    Ok(match phase(row, 2)? {
        Phase::Scheduled => State::Scheduled {
            due_at: get::<Instant>(row, 8)?.into(),
        },
        Phase::Queued => State::Queued {
            place: Place(get(row, 7)?),
        },
        Phase::Running => State::Running(Lease {
            session: session(row, 9)?,
            token: optional::<Uuid>(row, 11)?.map(|bits| Token::new(bits.as_u128())),
            deadline_at: get::<Instant>(row, 19)?.into(),
            place: Place(get(row, 10)?),
        }),
        Phase::Succeeded => State::Succeeded,
        Phase::Failed => State::Failed(reason(row)?),
        Phase::Cancelled => State::Cancelled(reason(row)?),
    })
}

fn reason(row: &Row) -> Read<Reason> {
    let number = i64::from(get::<i16>(row, 3)?);
    let mut all = Reason::ALL.into_iter();
    all.find(|reason| *reason as i64 == number)
        .ok_or_else(|| damaged("a reason that is none"))
}

/// A phase by its number.
pub(super) fn phase(row: &Row, column: usize) -> Read<Phase> {
    let number = usize::try_from(get::<i16>(row, column)?).unwrap_or(usize::MAX);
    let phase = Phase::ALL.get(number).copied();
    phase.ok_or_else(|| damaged("a state that is none"))
}

/// An ending from the columns attempt, started_at, ended_at, outcome, error.
pub(super) fn attempt(row: &Row) -> Read<Attempt> {
    let number = i64::from(get::<i16>(row, 3)?);
    let mut all = AttemptOutcome::ALL.into_iter();
    let outcome = all.find(|outcome| *outcome as i64 == number);
    Ok(Attempt {
        attempt: get::<i64>(row, 0)?.cast_unsigned(),
        started_at: instant(row, 1)?,
        ended_at: get::<Instant>(row, 2)?.into(),
        outcome: outcome.ok_or_else(|| damaged("an outcome that is none"))?,
        failure: failure(row, 4)?,
    })
}

/// The id of a task.
pub(super) fn id(row: &Row, column: usize) -> Read<TaskId> {
    Ok(TaskId::from_u128(get::<Uuid>(row, column)?.as_u128()))
}

/// What a statement that writes tells of its rows: `None` when it wrote all of them, else the ids
/// of those that it wrote.
pub(super) fn written(rows: &[Row]) -> Read<Option<IdSet>> {
    let row = rows
        .first()
        .ok_or_else(|| damaged("a write without an answer"))?;
    if get(row, 0)? {
        return Ok(None);
    }
    let ids = optional::<Vec<Uuid>>(row, 1)?.unwrap_or_default();
    let ids = ids.into_iter().map(|id| TaskId::from_u128(id.as_u128()));
    Ok(Some(ids.collect()))
}

/// A session.
pub(super) fn session(row: &Row, column: usize) -> Read<SessionId> {
    let bits = get::<Uuid>(row, column)?.as_u128();
    let number = u64::try_from(bits).map_err(damaged)?;
    Ok(SessionId(number))
}

/// A session from the columns session_id, slots, resume_hash, worker.
pub(super) fn stored_session(row: &Row) -> Read<StoredSession> {
    let resume = optional::<&[u8]>(row, 2)?;
    Ok(StoredSession {
        id: session(row, 0)?,
        slots: u16::try_from(get::<i32>(row, 1)?).unwrap_or(u16::MAX),
        // A hash of another length is of no use to anybody.
        resume: resume.and_then(|hash| hash.try_into().ok()),
        worker: optional::<&str>(row, 3)?.map(SmolStr::new),
    })
}

/// The name of a queue.
pub(super) fn queue(row: &Row, column: usize) -> Read<QueueName> {
    QueueName::new(get(row, column)?).map_err(damaged)
}

/// An idempotency key.
pub(super) fn key(row: &Row, column: usize) -> Read<SmolStr> {
    let text = std::str::from_utf8(get(row, column)?).map_err(damaged)?;
    Ok(SmolStr::new(text))
}

/// A task's id as the driver takes it.
pub(super) fn uuid(id: TaskId) -> Uuid {
    Uuid::from_u128(id.as_u128())
}

/// A session as the driver takes it.
pub(super) fn session_uuid(session: SessionId) -> Uuid {
    Uuid::from_u128(u128::from(session.0))
}

fn body(row: &Row, inline: usize, blob: usize) -> Read<Option<Body>> {
    if let Some(text) = optional::<&[u8]>(row, inline)? {
        return Ok(Some(Body::Inline(Bytes::copy_from_slice(text))));
    }
    match optional::<&str>(row, blob)? {
        Some(text) => match texts::blob(text) {
            Some(body) => Ok(Some(body)),
            None => Err(damaged("a reference to a blob that is none")),
        },
        None => Ok(None),
    }
}

fn failure(row: &Row, column: usize) -> Read<Option<Arc<Failure>>> {
    match optional::<&[u8]>(row, column)? {
        Some(text) => Ok(Some(Arc::new(texts::failure(text).map_err(damaged)?))),
        None => Ok(None),
    }
}

fn instant(row: &Row, column: usize) -> Read<Option<Timestamp>> {
    Ok(optional::<Instant>(row, column)?.map(Timestamp::from))
}

/// A value that must be there.
pub(super) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Read<T> {
    row.try_get(column).map_err(damaged)
}

fn optional<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Read<Option<T>> {
    row.try_get(column).map_err(damaged)
}

/// What cannot have been written.
pub(super) fn damaged(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault::Damaged(what.into())
}
