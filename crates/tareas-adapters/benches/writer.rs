//! How fast the SQLite store takes decisions: one thread decides whole lives of short tasks
//! (submit, claim, settle) as fast as the writer takes them.
//!
//! `cargo bench -p tareas-adapters --bench writer -- [TASKS] [BATCH] [folded|apart]`
//!
//! `folded`: each batch is decided from submission to end at once. `apart`: a batch ends only
//! when its submission is on disk, so each task costs two statements.

#![expect(clippy::print_stdout, reason = "a bench tells its figures")]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use tareas_adapters::records::sqlite::{SqliteConfig, SqliteRecords};
use tareas_core::{
    Batch, Body, Command, Ending, Fence, Jitter, Kind, NewTask, Position, Priority, QueueName,
    SessionId, Spec, TaskId, Timestamp,
};
use tareas_engine::ports::{Clock, Records, SystemClock};

const TASKS: usize = 1_000_000;
const BATCH: usize = 256;
/// Decisions wait while this many tasks are not written.
const JOURNAL_MAX: usize = 16_384;
const SESSION: SessionId = SessionId(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let number = |index: usize, default| -> Result<usize, std::num::ParseIntError> {
        arguments
            .get(index)
            .map_or(Ok(default), |text| text.parse())
    };
    let (tasks, batch) = (number(0, TASKS)?, number(1, BATCH)?);
    let is_apart = arguments.get(2).is_some_and(|how| how == "apart");
    let folder = tempfile::tempdir()?;
    let clock = Arc::new(SystemClock);
    let records = SqliteRecords::open(SqliteConfig::new(folder.path(), clock.clone()))?;
    let load = Load {
        payload: Bytes::from_static(br#"{"n":5}"#),
        kind: Kind::new("square")?,
    };

    let began = Instant::now();
    let mut deciding = Duration::ZERO;
    let mut last = Position::ZERO;
    let mut open = Vec::new();
    for first in (0..tasks).step_by(batch) {
        let ids = load.ids(clock.now(), first, batch.min(tasks - first));
        let commands = load.submissions(&ids, clock.now());
        let deciding_began = Instant::now();
        last = decide(&records, clock.now(), commands).await?;
        deciding += deciding_began.elapsed();
        open.push((last, ids));
        if is_apart && open.len() * batch < JOURNAL_MAX {
            continue;
        }
        for (position, ids) in open.drain(..) {
            if is_apart {
                until_durable(&records, position).await?;
            }
            let deciding_began = Instant::now();
            decide(&records, clock.now(), Load::claims(&ids)).await?;
            last = decide(&records, clock.now(), Load::ends(&ids)).await?;
            deciding += deciding_began.elapsed();
        }
        while records.stats().journal_tasks > JOURNAL_MAX {
            until_durable(&records, records.durable()).await?;
        }
    }
    for (_, ids) in open {
        decide(&records, clock.now(), Load::claims(&ids)).await?;
        last = decide(&records, clock.now(), Load::ends(&ids)).await?;
    }
    until_durable(&records, last).await?;
    report(&records, tasks, began.elapsed(), deciding)?;
    records.close().await?;
    let size = std::fs::metadata(folder.path().join("tareas.db"))?.len();
    println!("file                {:>10} MiB", size >> 20);
    Ok(())
}

fn report(
    records: &SqliteRecords,
    tasks: usize,
    took: Duration,
    deciding: Duration,
) -> Result<(), Box<dyn Error>> {
    let stats = records.stats();
    let per = |duration: Duration, n: u64| duration.as_secs_f64() * 1e6 / n as f64;
    println!("tasks               {tasks:>10}");
    println!(
        "rows per second     {:>10.0}",
        stats.rows as f64 / took.as_secs_f64()
    );
    println!("us per row          {:>10.3}", per(took, stats.rows));
    // What the machine does besides counts less here than in the time that went by.
    println!("cpu us per row      {:>10.3}", per(cpu_time()?, stats.rows));
    println!("us to decide a task {:>10.3}", per(deciding, tasks as u64));
    println!(
        "folded              {:>9.1}%",
        100.0 * stats.folded as f64 / stats.rows as f64
    );
    println!("commits             {:>10}", stats.commits);
    println!(
        "rows per commit     {:>10}",
        stats.rows / stats.commits.max(1)
    );
    println!("commit p50          {:>10.2?}", stats.commit_p50);
    println!("commit p99          {:>10.2?}", stats.commit_p99);
    println!("checkpoints         {:>10}", stats.checkpoints);
    println!("write-ahead log     {:>10} MiB", stats.wal_bytes >> 20);
    Ok(())
}

/// Processor time of all threads so far, that of preparing the load included.
fn cpu_time() -> Result<Duration, Box<dyn Error>> {
    let used = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = |time: TimeVal| Duration::from_micros(time.num_microseconds().unsigned_abs());
    Ok(micros(used.user_time()) + micros(used.system_time()))
}

async fn decide(
    records: &SqliteRecords,
    now: Timestamp,
    commands: Vec<Command>,
) -> Result<Position, Box<dyn Error>> {
    let applied = records.apply(Batch { now, commands }).await?;
    let refused = applied
        .outcomes
        .iter()
        .find(|outcome| outcome.task().is_none());
    match refused {
        Some(outcome) => Err(format!("refused: {outcome:?}").into()),
        None => Ok(applied.position),
    }
}

async fn until_durable(records: &SqliteRecords, position: Position) -> Result<(), Box<dyn Error>> {
    if records.durable() < position {
        records.durable_after(Position(position.0 - 1)).await?;
    } else if records.durable() == position {
        records.durable_after(position).await?;
    }
    Ok(())
}

struct Load {
    payload: Bytes,
    kind: Kind,
}

impl Load {
    fn ids(&self, now: Timestamp, first: usize, count: usize) -> Vec<TaskId> {
        // In order, as the ids of one server are.
        (first..first + count)
            .map(|n| TaskId::v7(now, (n as u128) << 34))
            .collect()
    }

    fn submissions(&self, ids: &[TaskId], now: Timestamp) -> Vec<Command> {
        let spec = |id: &TaskId| Spec {
            id: *id,
            kind: self.kind.clone(),
            queue: QueueName::default(),
            priority: Priority::default(),
            payload: Body::Inline(self.payload.clone()),
            submitted_at: now,
            options: None,
        };
        let submission = |id| {
            Command::Submit(NewTask {
                spec: Arc::new(spec(id)),
                due_at: None,
                id_is_fresh: true,
                quick: true,
            })
        };
        ids.iter().map(submission).collect()
    }

    fn claims(ids: &[TaskId]) -> Vec<Command> {
        let claim = |id: &TaskId| Command::Claim {
            task: *id,
            expected_attempt: 0,
            session: SESSION,
            token: None,
        };
        ids.iter().map(claim).collect()
    }

    fn ends(ids: &[TaskId]) -> Vec<Command> {
        let result = Body::Inline(Bytes::from_static(b"25"));
        let settle = |id: &TaskId| Command::Settle {
            task: *id,
            fence: Fence {
                attempt: 1,
                token: None,
            },
            ending: Ending::Succeeded(result.clone()),
            jitter: Jitter::default(),
        };
        ids.iter().map(settle).collect()
    }
}
