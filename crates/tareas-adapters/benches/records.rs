//! What one life of a short task costs where it is written: `cargo bench -p tareas-adapters`.
//!
//! Lives are decided (submitted, claimed, settled) as fast as the writer of the embedded store
//! takes them, until all of them are on disk: what `tareas bench --store` does.
//!
//! `cargo bench -p tareas-adapters --bench records -- TASKS` writes so many, for counting
//! instructions.

use std::sync::Arc;
use std::time::Instant;

use tareas_adapters::SqliteRecords;
use tareas_adapters::records::sqlite::{SqliteConfig, write_lives};
use tareas_engine::ports::{BoxError, SystemClock};

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
    runtime.block_on(write_lives(&records, tasks))?;
    let rate = tasks as f64 / began.elapsed().as_secs_f64();
    println!("{rate:.0} tasks/s");
    Ok(runtime.block_on(records.close())?)
}
