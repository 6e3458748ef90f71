//! What one life of a short task costs where it is written: `cargo bench -p tareas-adapters`.
//!
//! Lives are decided (submitted, claimed, settled) as fast as the writer of the embedded store
//! takes them, until all of them are on disk: what `tareas bench --store` does.
//!
//! `cargo bench -p tareas-adapters --bench records -- TASKS` writes so many, for counting
//! instructions.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tareas_adapters::SqliteRecords;
use tareas_adapters::records::sqlite::SqliteConfig;
use tareas_core::{
    Batch, Body, Command, Ending, Fence, Jitter, Kind, NewTask, Position, Priority, QueueName,
    SessionId, Spec, TaskId, Timestamp,
};
use tareas_engine::ports::{BoxError, Clock, Records, SystemClock};

/// Tasks decided at once.
const BATCH: u64 = 256;
/// Decisions wait while this many tasks are not written.
const JOURNAL_MAX: usize = 16_384;
/// Tasks, where none are asked for.
const TASKS: u64 = 1_000_000;

#[expect(clippy::print_stdout, reason = "a benchmark is read by people")]
fn main() -> Result<(), BoxError> {
    let asked = std::env::args().find_map(|word| word.parse().ok());
    let tasks: u64 = asked.unwrap_or(TASKS);
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let records = SqliteRecords::open(SqliteConfig::new(folder.path(), Arc::new(SystemClock)))?;
    let began = Instant::now();
    runtime.block_on(write(&records, tasks))?;
    let rate = tasks as f64 / began.elapsed().as_secs_f64();
    println!("{rate:.0} tasks/s");
    Ok(runtime.block_on(records.close())?)
}

/// Whole lives, a batch of each step at a time.
async fn write(records: &SqliteRecords, tasks: u64) -> Result<(), BoxError> {
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
