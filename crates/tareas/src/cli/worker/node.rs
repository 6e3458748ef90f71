//! A worker node: takes hints from RabbitMQ and writes PostgreSQL itself, like a server.

use clap::Args;

use super::WorkerArgs;
use crate::cli::{Outcome, Session};
use crate::config::{CommandKind, Flags, ServeConfig};
use crate::serve::{self, Role};

#[derive(Debug, Args)]
pub(super) struct NodeArgs {
    /// Who is told of ready tasks: amqp://…
    #[arg(long, value_name = "URL")]
    queue: Option<String>,
    /// Where tasks are kept: postgres://…
    #[arg(long, value_name = "URL")]
    records: Option<String>,
    /// Where large bytes are kept: s3://…
    #[arg(long, value_name = "URL")]
    blobs: Option<String>,
    /// How long a silent process is believed to be alive [default: 15s]
    #[arg(long, value_name = "TIME")]
    lease: Option<String>,
    /// What is logged: error, warn, info, debug, or a filter [default: warn]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// Shape of the log: text or json [default: text]
    #[arg(long, value_name = "SHAPE")]
    log_format: Option<String>,
}

impl NodeArgs {
    /// Whether a store or a queue was named, which is what a node works with.
    pub(super) fn is_meant(&self) -> bool {
        self.queue.is_some() || self.records.is_some() || self.blobs.is_some()
    }
}

/// The flags of a node as settings.
pub(super) fn flags(args: &WorkerArgs) -> Flags {
    let node = &args.node;
    let one = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
    let grace = args
        .drain_grace
        .map(|grace| format!("{}ms", grace.as_millis()));
    vec![
        ("queue", one(&node.queue)),
        ("records", one(&node.records)),
        ("blobs", one(&node.blobs)),
        (
            "threads",
            one(&args.threads.map(|threads| threads.to_string())),
        ),
        ("drain_grace", one(&grace)),
        ("lease", one(&node.lease)),
        ("log", one(&node.log)),
        ("log_format", one(&node.log_format)),
    ]
}

/// Runs a node until it is told to stop.
pub(super) fn run(args: &WorkerArgs, config: &ServeConfig, session: &Session) -> Outcome {
    config.check_node()?;
    let read_again = || {
        let configuration = session.configuration(flags(args))?;
        CommandKind::all_of(&configuration, session.lang())
    };
    serve::run(config, Role::Node, &read_again, &session.voice)
}
