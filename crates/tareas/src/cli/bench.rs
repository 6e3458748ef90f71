//! `tareas bench`: arguments of the benchmark.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Outcome, Session, args};
use crate::bench::{self, Load, Plan, Spawn};

const EXAMPLES: &str = "\
Examples:
  tareas bench                                   # one pipelined connection
  tareas bench --closed --connections 1000       # 1,000 clients that wait for each answer
  tareas bench --submit-only --batch 1000
  tareas bench --store                           # what this disk and processor can record
  tareas bench --spawn --threads 1 --durability full -o json

Every result is read and checked. The server is a process of its own, also with --spawn.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BenchArgs {
    /// Tasks per run
    #[arg(long, value_name = "N", default_value_t = 500_000)]
    tasks: u64,
    /// Run for so long instead
    #[arg(long = "for", value_name = "TIME", value_parser = args::duration)]
    duration: Option<Duration>,
    /// Connections [default: 1; 1000 with --closed]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    connections: Option<u32>,
    /// Unanswered tasks per pipelined connection
    #[arg(long, value_name = "N", default_value_t = 8_000)]
    window: u32,
    /// Each connection waits for its answer before it sends the next task
    #[arg(long, conflicts_with = "submit_only")]
    closed: bool,
    /// Submit in batches, without waiting for results
    #[arg(long)]
    submit_only: bool,
    /// Measure the store of this machine alone: whole lives of tasks, no sockets, no server
    #[arg(long, conflicts_with_all = ["closed", "submit_only", "spawn"])]
    store: bool,
    /// Tasks per batch
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    batch: u32,
    /// Pad the payload of each task to so many bytes; lines are JSON then
    #[arg(long, value_name = "BYTES", default_value_t = 0, conflicts_with_all = ["submit_only", "store"],
        value_parser = clap::value_parser!(u32).range(0..=65_536))]
    payload: u32,
    /// Form of the lines [default: json; text with --closed]
    #[arg(long, value_enum, value_name = "FORM")]
    form: Option<Form>,
    /// How often to measure; the median counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,
    /// Start a server of its own, in a temporary folder on a free port
    #[arg(long)]
    spawn: bool,
    /// Threads of that server
    #[arg(long, value_name = "N", requires = "spawn")]
    threads: Option<u16>,
    /// Durability of that server
    #[arg(long, value_name = "WORD", requires = "spawn", value_parser = ["full", "os"])]
    durability: Option<String>,
    /// Be the bare server that a figure is compared with
    #[arg(long, hide = true)]
    bare_server: bool,
    /// Folder for the data of that server, and for measuring the disk
    #[arg(long, value_name = "DIR")]
    scratch: Option<std::path::PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    // `square 5`
    Text,
    // `{"op":"square","n":5}`
    Json,
}

pub(super) fn run(args: &BenchArgs, session: &Session) -> Outcome {
    if args.bare_server {
        return Ok(bench::bare::serve());
    }
    let scratch = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
    if args.store {
        return bench::store::run(args.tasks, args.runs, &scratch, session);
    }
    let load = match (args.closed, args.submit_only) {
        (true, _) => Load::Closed {
            is_text: args.form != Some(Form::Json) && args.payload == 0,
        },
        (_, true) => Load::Batches {
            size: args.batch.clamp(1, 10_000),
        },
        _ => Load::Pipelined {
            window: args.window.max(1),
            is_text: args.form == Some(Form::Text) && args.payload == 0,
        },
    };
    let connections = args
        .connections
        .unwrap_or(if args.closed { 1_000 } else { 1 });
    let plan = Plan {
        load,
        connections: connections as usize,
        tasks: args.tasks.max(1),
        duration: args.duration,
        payload_bytes: args.payload as usize,
        runs: args.runs,
        scratch,
        spawn: args.spawn.then(|| Spawn {
            threads: args.threads,
            durability: args.durability.clone(),
        }),
    };
    bench::run(&plan, session)
}
