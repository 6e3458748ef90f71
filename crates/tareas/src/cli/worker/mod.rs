//! `tareas worker`: threads that run tasks, in a process without faces.
//!
//! Two kinds: a *remote worker* talks to a server and holds no credentials ([`remote`]); a
//! *worker node* is given the stores and the queue that servers share ([`node`]).

mod node;
mod remote;

use std::time::Duration;

use clap::Args;

use super::{Outcome, Session};
use crate::config::ServeConfig;

const EXAMPLES: &str = "\
Examples:
  tareas worker --server tcp://10.0.0.5:5000 --threads 8
  tareas worker --queues mail,default --kinds sha256 --label gpu --name w1
  tareas worker --queue amqp://guest:guest@127.0.0.1 \\
    --records postgres://tareas@127.0.0.1/tareas --blobs s3://tareas --threads 8

SIGTERM lets what runs end, a second one gives it back; SIGUSR1 prints what each thread of a
remote worker runs.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WorkerArgs {
    /// Threads that run tasks [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// How long running tasks may take when the worker stops [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = super::args::duration)]
    drain_grace: Option<Duration>,
    #[command(flatten)]
    remote: remote::RemoteArgs,
    #[command(flatten)]
    node: node::NodeArgs,
}

pub(super) fn run(args: &WorkerArgs, session: &Session) -> Outcome {
    let configuration = session.configuration(node::flags(args))?;
    let config = ServeConfig::of(&configuration, session.lang())?;
    // Named by a flag, or by a variable or file that servers here go by.
    match args.node.is_meant() || config.has_shared_records() {
        true => node::run(args, &config, session),
        false => remote::run(args, &config, session),
    }
}
