//! The work by which the store alone is measured: `tareas bench --store`, and the count of what
//! one life costs.

use std::sync::Arc;

use bytes::Bytes;
use tareas_core::{
    Batch, Body, Command, Ending, Fence, Jitter, Kind, NewTask, Position, Priority, QueueName,
    SessionId, Spec, TaskId, Timestamp,
};
use tareas_engine::ports::{BoxError, Clock, Records, SystemClock};

use super::SqliteRecords;

/// Tasks decided at once.
const BATCH: u64 = 256;
/// Decisions wait while this many tasks are not written.
const JOURNAL_MAX: usize = 16_384;

/// Decides whole lives of short tasks (submitted, claimed, settled) as fast as the writer takes
/// them, a batch of each step at a time, until all of them are on disk.
///
/// # Errors
/// When the records decide nothing more.
pub async fn write_lives(records: &SqliteRecords, tasks: u64) -> Result<(), BoxError> {
    let mut last = Position::ZERO;
    for first in (0..tasks).step_by(BATCH as usize) {
        let now = SystemClock.now();
        let ids: Vec<TaskId> = (first..tasks.min(first + BATCH))
            // In order, as the ids of one server are.
            .map(|number| TaskId::v7(now, u128::from(number) << 34))
            .collect();
        let submits = ids.iter().map(|id| submit(*id, now)).collect();
        let claims = ids.iter().map(|id| claim(*id)).collect();
        let settles = ids.iter().map(|id| settle(*id)).collect();
        for commands in [submits, claims, settles] {
            last = records.apply(Batch { now, commands }).await?.position;
        }
        while records.stats().journal_tasks > JOURNAL_MAX {
            records.durable_after(records.durable()).await?;
        }
    }
    while records.durable() < last {
        records.durable_after(records.durable()).await?;
    }
    Ok(())
}

fn submit(id: TaskId, now: Timestamp) -> Command {
    let spec = Spec {
        id,
        kind: Kind::new("square").expect("a valid name"),
        queue: QueueName::default(),
        priority: Priority::default(),
        payload: Body::Inline(Bytes::from_static(br#"{"n":5}"#)),
        submitted_at: now,
        options: None,
    };
    Command::Submit(NewTask {
        spec: Arc::new(spec),
        due_at: None,
        id_is_fresh: true,
        quick: true,
    })
}

fn claim(task: TaskId) -> Command {
    Command::Claim {
        task,
        expected_attempt: 0,
        session: SessionId(1),
        token: None,
    }
}

fn settle(task: TaskId) -> Command {
    let fence = Fence {
        attempt: 1,
        token: None,
    };
    Command::Settle {
        task,
        fence,
        ending: Ending::Succeeded(Body::Inline(Bytes::from_static(b"25"))),
        jitter: Jitter::default(),
    }
}
