//! The store alone: one thread decides whole lives of short tasks (submit, claim, settle) as fast
//! as the writer takes them. No sockets, no pool; in this process.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tareas_adapters::SqliteRecords;
use tareas_adapters::records::sqlite::{SqliteConfig, SqliteStats, write_lives};
use tareas_engine::ports::{BoxError, SystemClock};
use tareas_protocol::Code;
use tareas_protocol::code::exit;

use super::disk;
use crate::cli::Session;
use crate::output::Failure;
use crate::text::Text;

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
    runtime.block_on(write_lives(&records, tasks))?;
    let rate = tasks as f64 / began.elapsed().as_secs_f64();
    let stats = records.stats();
    runtime.block_on(records.close())?;
    Ok((rate, stats))
}
