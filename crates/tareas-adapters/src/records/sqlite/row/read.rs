//! A row as a task. What cannot have been written is reported as damage, never guessed.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::Row;
use rusqlite::types::Type;
use tareas_core::ledger::Stored;
use tareas_core::{
    Attempt, AttemptOutcome, Body, Failure, Kind, Lease, Phase, Place, Priority, QueueName, Reason,
    SessionId, Spec, State, Task, TaskId, Timestamp, Token,
};

use crate::records::row as json;

type Read<T> = rusqlite::Result<T>;

/// A task from the columns [`COLUMNS`](super::COLUMNS).
pub(crate) fn stored(row: &Row<'_>) -> Read<Stored> {
    let state = state(row)?;
    let token = token(row, 13)?;
    let is_running = matches!(state, State::Running(_));
    let task = Task {
        spec: Arc::new(spec(row)?),
        version: unsigned(row, 2)?,
        state,
        attempt: unsigned(row, 14)?,
        charged: row.get(15)?,
        crashes: row.get(16)?,
        cancel_requested: row.get(17)?,
        started_at: instant(row, 19)?,
        finished_at: instant(row, 20)?,
        last_token: if is_running { None } else { token },
        result: body(row, 25, 26)?,
        failure: failure(row, 22)?,
    };
    Ok(Stored {
        seq: unsigned(row, 0)?,
        task,
    })
}

fn spec(row: &Row<'_>) -> Read<Spec> {
    let options = match row.get_ref(21)?.as_blob_or_null()? {
        Some(text) => Some(Box::new(json::options(text).map_err(|e| damaged(21, e))?)),
        None => None,
    };
    let payload = body(row, 23, 24)?.ok_or_else(|| damaged(23, "a task without a payload"))?;
    Ok(Spec {
        id: id(row, 1)?,
        kind: Kind::new(row.get_ref(6)?.as_str()?).map_err(|e| damaged(6, e))?,
        queue: QueueName::new(row.get_ref(5)?.as_str()?).map_err(|e| damaged(5, e))?,
        priority: Priority::new(row.get(7)?).ok_or_else(|| damaged(7, "a priority above 9"))?,
        payload,
        submitted_at: Timestamp::from_micros(row.get(18)?),
        options,
    })
}

fn state(row: &Row<'_>) -> Read<State> {
    let number: u8 = row.get(3)?;
    let phase = *Phase::ALL
        .get(usize::from(number))
        .ok_or_else(|| damaged(3, "a state that is none"))?;
    Ok(match phase {
        Phase::Scheduled => State::Scheduled {
            due_at: Timestamp::from_micros(row.get(9)?),
        },
        Phase::Queued => State::Queued {
            place: Place(row.get(8)?),
        },
        Phase::Running => State::Running(Lease {
            session: SessionId(row.get::<_, i64>(10)?.cast_unsigned()),
            token: token(row, 13)?,
            deadline_at: Timestamp::from_micros(row.get(12)?),
            place: Place(row.get(11)?),
        }),
        Phase::Succeeded => State::Succeeded,
        Phase::Failed => State::Failed(reason(row)?),
        Phase::Cancelled => State::Cancelled(reason(row)?),
    })
}

fn reason(row: &Row<'_>) -> Read<Reason> {
    let number: i64 = row.get(4)?;
    let found = Reason::ALL
        .into_iter()
        .find(|reason| *reason as i64 == number);
    found.ok_or_else(|| damaged(4, "a reason that is none"))
}

/// An ending from the columns attempt, started_at, ended_at, outcome, error.
pub(crate) fn attempt(row: &Row<'_>) -> Read<Attempt> {
    let number: i64 = row.get(3)?;
    let outcome = AttemptOutcome::ALL
        .into_iter()
        .find(|outcome| *outcome as i64 == number);
    Ok(Attempt {
        attempt: unsigned(row, 0)?,
        started_at: instant(row, 1)?,
        ended_at: Timestamp::from_micros(row.get(2)?),
        outcome: outcome.ok_or_else(|| damaged(3, "an outcome that is none"))?,
        failure: failure(row, 4)?,
    })
}

/// A task id.
pub(crate) fn id(row: &Row<'_>, column: usize) -> Read<TaskId> {
    Ok(TaskId::from_bytes(row.get(column)?))
}

fn token(row: &Row<'_>, column: usize) -> Read<Option<Token>> {
    let bytes: Option<[u8; 16]> = row.get(column)?;
    Ok(bytes.map(|bytes| Token::new(u128::from_be_bytes(bytes))))
}

fn body(row: &Row<'_>, inline: usize, blob: usize) -> Read<Option<Body>> {
    if let Some(text) = row.get_ref(inline)?.as_blob_or_null()? {
        return Ok(Some(Body::Inline(Bytes::copy_from_slice(text))));
    }
    match row.get_ref(blob)?.as_str_or_null()? {
        Some(text) => match json::blob(text) {
            Some(body) => Ok(Some(body)),
            None => Err(damaged(blob, "a reference to a blob that is none")),
        },
        None => Ok(None),
    }
}

fn failure(row: &Row<'_>, column: usize) -> Read<Option<Arc<Failure>>> {
    match row.get_ref(column)?.as_blob_or_null()? {
        Some(text) => {
            let failure = json::failure(text).map_err(|e| damaged(column, e))?;
            Ok(Some(Arc::new(failure)))
        }
        None => Ok(None),
    }
}

fn instant(row: &Row<'_>, column: usize) -> Read<Option<Timestamp>> {
    Ok(row
        .get::<_, Option<i64>>(column)?
        .map(Timestamp::from_micros))
}

fn unsigned(row: &Row<'_>, column: usize) -> Read<u64> {
    Ok(row.get::<_, i64>(column)?.cast_unsigned())
}

fn damaged(
    column: usize,
    what: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, what.into())
}
