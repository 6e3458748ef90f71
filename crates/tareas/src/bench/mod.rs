//! The load generator: drives a server, reads every result, checks it, and says how it measured.
//!
//! | load | what it shows | where |
//! |---|---|---|
//! | pipelined | how much goes through a few busy connections | [`pipelined`] |
//! | closed loop | what many clients feel that wait for each answer | [`closed`] |
//! | batches | how fast tasks are accepted | [`batches`] |
//! | store | what the disk and one writer record, without sockets | [`store`] |
//!
//! The server is always another process. The client's own share is kept small: lines are made
//! once and written in large pieces, answers are found by `memchr` and read from their end.
//! Beside the figure stand what the disk costs and, for the closed loop, what the same clients get
//! from a server that does nothing but answer ([`bare`]): machines differ, ratios less so.

pub(crate) mod bare;
mod batches;
mod check;
mod closed;
mod commits;
mod disk;
mod histogram;
mod lines;
mod pipelined;
mod report;
mod spawn;
mod stop;
pub(crate) mod store;

use std::path::PathBuf;
use std::time::Duration;

use tareas_client::Address;
use tareas_protocol::Code;
use tareas_protocol::code::exit;

use crate::cli::Session;
use crate::output::Failure;
use crate::text::Text;
use histogram::Histogram;
use report::Report;
use spawn::Spawned;

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The kind of load.
    pub(crate) load: Load,
    /// How many connections.
    pub(crate) connections: usize,
    /// Tasks per run, unless there is a duration.
    pub(crate) tasks: u64,
    /// How long a run takes.
    pub(crate) duration: Option<Duration>,
    /// Least size of a payload.
    pub(crate) payload_bytes: usize,
    /// How often to measure.
    pub(crate) runs: u32,
    /// Where to measure the disk, and where a spawned server keeps its data.
    pub(crate) scratch: PathBuf,
    /// The server to start.
    pub(crate) spawn: Option<Spawn>,
}

/// A kind of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// Many unanswered tasks per connection.
    Pipelined {
        /// How many.
        window: u32,
        /// Text lines rather than JSON.
        is_text: bool,
    },
    /// One unanswered task per connection.
    Closed {
        /// Text lines rather than JSON.
        is_text: bool,
    },
    /// Batches, acknowledged alone.
    Batches {
        /// Tasks per batch.
        size: u32,
    },
}

/// How a server is started for the benchmark.
#[derive(Clone, Debug)]
pub(crate) struct Spawn {
    /// Threads of its pool.
    pub(crate) threads: Option<u16>,
    /// Its durability.
    pub(crate) durability: Option<String>,
}

/// What one run showed.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// Tasks that were answered.
    pub(crate) tasks: u64,
    /// From the first byte sent to the last answer.
    pub(crate) elapsed: Duration,
    /// Answers that were wrong, refused or missing.
    pub(crate) wrong: u64,
    /// The first of them.
    pub(crate) first_wrong: Option<String>,
    /// Round trips, for the closed loop.
    pub(crate) latency: Option<Histogram>,
}

impl Run {
    /// Tasks per second.
    pub(crate) fn rate(&self) -> f64 {
        self.tasks as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// Adds what another connection of the same run showed.
    pub(crate) fn add(&mut self, other: Self) {
        self.tasks += other.tasks;
        self.elapsed = self.elapsed.max(other.elapsed);
        self.wrong += other.wrong;
        self.first_wrong = self.first_wrong.take().or(other.first_wrong);
    }
}

/// Measures and reports; the exit code is 1 when a result was wrong.
pub(crate) fn run(plan: &Plan, session: &Session) -> Result<u8, Failure> {
    let spawned = plan
        .spawn
        .as_ref()
        .map(|spawn| Spawned::start(spawn, &plan.scratch, session));
    let spawned = spawned.transpose()?;
    let address = match &spawned {
        Some(server) => server.address().clone(),
        None => session.server()?,
    };
    let disk = disk::measure(&plan.scratch);
    let bare = bare_rate(plan, session)?;
    let before = commits::read(&address, session);
    let mut runs = Vec::new();
    for number in 1..=plan.runs {
        let run = one(plan, &address).map_err(session.failed())?;
        let progress = [
            ("run", &number as &dyn std::fmt::Display),
            ("runs", &plan.runs),
        ];
        let text = session.voice.text(Text::BenchRun, &progress);
        session
            .voice
            .say(&format!("{text}: {:.0} tasks/s", run.rate()));
        runs.push(run);
    }
    let commits = commits::read(&address, session).since(&before);
    let report = Report {
        plan,
        address: &address,
        runs: &runs,
        commits: &commits,
        disk: disk.as_ref(),
        bare,
    };
    report.tell(&session.voice);
    drop(spawned);
    verdict(&runs, session)
}

/// What a bare server does with the same clients, where sockets are most of the cost: in the
/// closed loop.
fn bare_rate(plan: &Plan, session: &Session) -> Result<Option<f64>, Failure> {
    if !matches!(plan.load, Load::Closed { .. }) {
        return Ok(None);
    }
    let server = Spawned::bare(session)?;
    let run = one(plan, server.address()).map_err(session.failed())?;
    Ok(Some(run.rate()))
}

/// One pipelined run of so many tasks.
pub(crate) fn burst(address: &Address, tasks: u64) -> tareas_client::Result<Run> {
    let (window, is_text) = (8_000, false);
    let plan = Plan {
        load: Load::Pipelined { window, is_text },
        connections: 1,
        tasks,
        duration: None,
        payload_bytes: 0,
        runs: 1,
        scratch: PathBuf::new(),
        spawn: None,
    };
    one(&plan, address)
}

fn one(plan: &Plan, address: &Address) -> tareas_client::Result<Run> {
    match plan.load {
        Load::Pipelined { window, is_text } => pipelined::run(plan, window, is_text, address),
        Load::Closed { is_text } => closed::run(plan, is_text, address),
        Load::Batches { size } => batches::run(plan, size, address),
    }
}

/// 0, or why the results are not to be trusted.
pub(crate) fn verdict(runs: &[Run], session: &Session) -> Result<u8, Failure> {
    let count: u64 = runs.iter().map(|run| run.wrong).sum();
    if count == 0 {
        return Ok(exit::OK);
    }
    let first = runs
        .iter()
        .find_map(|run| run.first_wrong.clone())
        .unwrap_or_default();
    Err(Failure::new(
        Code::Bug,
        session.lang(),
        Text::BenchWrong,
        &[("count", &count)],
    )
    .because(first)
    .with_hint("")
    .with_exit(exit::TASK_FAILED))
}
