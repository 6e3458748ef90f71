//! The store alone: one thread decides whole lives of short tasks (submit, claim, settle) as fast
//! as the writer takes them. No sockets, no pool; in this process.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use serde_json::json;
use tareas_adapters::SqliteRecords;
use tareas_adapters::records::sqlite::{SqliteConfig, SqliteStats};
use tareas_core::{
    Batch, Body, Command, Ending, Fence, Jitter, Kind, NewTask, Position, Priority, QueueName,
    SessionId, Spec, TaskId, Timestamp,
};
use tareas_engine::ports::{BoxError, Clock, Records, SystemClock};
use tareas_protocol::Code;
use tareas_protocol::code::exit;

use super::disk;
use crate::cli::Session;
use crate::output::Failure;
use crate::text::Text;

/// Tasks decided at once.
const BATCH: u64 = 256;
/// Decisions wait while this many tasks are not written.
const JOURNAL_MAX: usize = 16_384;
const SESSION: SessionId = SessionId(1);

/// Measures and reports.
pub(crate) fn run(tasks: u64, runs: u32, scratch: &Path, session: &Session) -> Result<u8, Failure> {
    let failed = |error: BoxError| {
        Failure::new(Code::Bug, session.lang(), Text::BenchNoServer, &[])
            .because(error.to_string())
            .with_hint("")
    };
    let disk = disk::measure(scratch);
    let mut measured = Vec::new();
    for _ in 0..runs {
        measured.push(one(tasks, scratch).map_err(failed)?);
    }
    measured.sort_by(|a, b| a.0.total_cmp(&b.0));
    let rates: Vec<f64> = measured.iter().map(|(rate, _)| *rate).collect();
    let (median, stats) = measured[measured.len() / 2];
    let rows_per_commit = stats.rows / stats.commits.max(1);
    let fsync = disk.map(|disk| disk.quantile(0.5).as_micros());
    let voice = &session.voice;
    if voice.format.is_json() {
        voice.result(
            &json!({
                "method": "store alone", "tasks": tasks, "rates": rates, "median_rate": median,
                "tasks_per_commit": rows_per_commit, "fdatasync_4k_p50_us": fsync,
            })
            .to_string(),
        );
        return Ok(exit::OK);
    }
    let rates: Vec<String> = rates.iter().map(|rate| format!("{rate:.0}")).collect();
    voice.result("method          the store alone: submit, claim and settle, fsync per commit");
    voice.result(&format!("rates           {} tasks/s", rates.join(", ")));
    voice.result(&format!("median          {median:.0} tasks/s"));
    voice.result(&format!("tasks/commit    {rows_per_commit}"));
    if let Some(fsync) = fsync {
        voice.result(&format!("fdatasync 4 KiB p50 {fsync} us"));
    }
    Ok(exit::OK)
}

/// One run in a fresh folder: tasks per second until all of them are on disk.
fn one(tasks: u64, scratch: &Path) -> Result<(f64, SqliteStats), BoxError> {
    let folder = tempfile::Builder::new()
        .prefix("tareas-bench-")
        .tempdir_in(scratch)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let records = SqliteRecords::open(SqliteConfig::new(folder.path(), Arc::new(SystemClock)))?;
    let began = Instant::now();
    runtime.block_on(live(&records, tasks))?;
    let rate = tasks as f64 / began.elapsed().as_secs_f64();
    let stats = records.stats();
    runtime.block_on(records.close())?;
    Ok((rate, stats))
}

async fn live(records: &SqliteRecords, tasks: u64) -> Result<(), BoxError> {
    let kind = Kind::new("square")?;
    let mut last = Position::ZERO;
    for first in (0..tasks).step_by(BATCH as usize) {
        let now = SystemClock.now();
        let ids: Vec<TaskId> = (first..tasks.min(first + BATCH))
            // In order, as the ids of one server are.
            .map(|number| TaskId::v7(now, u128::from(number) << 34))
            .collect();
        for commands in [
            ids.iter().map(|id| submit(*id, &kind, now)).collect(),
            ids.iter().map(|id| claim(*id)).collect(),
            ids.iter().map(|id| settle(*id)).collect(),
        ] {
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

fn submit(id: TaskId, kind: &Kind, now: Timestamp) -> Command {
    let spec = Spec {
        id,
        kind: kind.clone(),
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
        session: SESSION,
        token: None,
    }
}

fn settle(task: TaskId) -> Command {
    Command::Settle {
        task,
        fence: Fence {
            attempt: 1,
            token: None,
        },
        ending: Ending::Succeeded(Body::Inline(Bytes::from_static(b"25"))),
        jitter: Jitter::default(),
    }
}
