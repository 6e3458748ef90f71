//! The commands and the switches that all of them have.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

#[cfg(feature = "tui")]
use super::top;
use super::{
    audit, backup, bench, cancel, client, completions, config, delete, demo, events, explain, list,
    logs, man, migrate, queues, requeue, restore, result, serve, show, submit, token, wait,
    webhook, why, worker, workers,
};
use crate::output::{ColorChoice, Format};

/// Shown at the end of the long help.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0   done; accepted
  1   the task failed; a check failed
  2   wrong use, or refused: asking again gets the same answer
  3   stopped waiting; the task goes on
  4   login needed, or not allowed
  6   the task was cancelled
  7   the state forbids it, or the same key was used for something else
  69  server not reachable, or port taken
  70  a bug of ours
  74  the store stopped
  75  not now: full, draining, data folder in use
  78  invalid configuration, or refused to listen

First steps:
  tareas serve
  tareas submit sumar 2 + 2 --wait
  tareas client";

/// A distributed task system in one binary
#[derive(Debug, Parser)]
#[command(name = "tareas", version, after_long_help = EXIT_CODES)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) globals: Globals,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Globals {
    /// Where the server is: tcp://HOST:PORT, tls://HOST:PORT [default: tcp://127.0.0.1:5000]
    #[arg(short, long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// A file with the token to show [default: the variable TAREAS_TOKEN]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<String>,
    /// Certificates to trust instead of those of the system, a PEM file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) tls_ca: Option<String>,
    /// Shape of the results
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "SHAPE"
    )]
    pub(crate) output: Format,
    /// No talk, results and errors alone
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// More talk
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to colour
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
    /// Language of texts: en or es
    #[arg(long, global = true, value_name = "LANG", value_parser = ["en", "es"])]
    pub(crate) lang: Option<String>,
    /// How long to wait for results: 30s, 10m
    #[arg(long, global = true, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<std::time::Duration>,
    /// Configuration file [default: ./tareas.toml, /etc/tareas/tareas.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// For clap: a duration such as `30s`.
pub(super) fn duration(text: &str) -> Result<std::time::Duration, String> {
    let expected = "a duration such as 500ms, 30s, 10m or 1h30m is expected";
    crate::config::parse_duration(text).ok_or_else(|| expected.to_owned())
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the server, with a pool of threads that runs tasks
    #[command(alias = "servir")]
    Serve(Box<serve::ServeArgs>),
    /// Submit one task
    #[command(alias = "enviar")]
    Submit(submit::SubmitArgs),
    /// Talk to the server: a prompt, one task, or tasks through a pipe
    #[command(alias = "cliente")]
    Client(client::ClientArgs),
    /// Show everything about a task
    #[command(alias = "ver")]
    Show(show::ShowArgs),
    /// Say why a task waits, or why it failed
    Why(why::WhyArgs),
    /// Print what the attempts of a task have said
    Logs(logs::LogsArgs),
    /// List tasks, newest first
    #[command(alias = "listar")]
    List(list::ListArgs),
    /// Wait until tasks have ended
    #[command(alias = "esperar")]
    Wait(wait::WaitArgs),
    /// Print the result of a task
    Result(result::ResultArgs),
    /// Give tasks up
    Cancel(cancel::CancelArgs),
    /// Put failed or cancelled tasks back in line
    #[command(alias = "retry")]
    Requeue(requeue::RequeueArgs),
    /// Remove finished tasks
    Delete(delete::DeleteArgs),
    /// List, pause and resume queues
    #[command(alias = "colas")]
    Queues(queues::QueuesArgs),
    /// Run tasks in a process of its own: of a server elsewhere, or from shared stores
    #[command(aliases = ["trabajar", "trabajador"])]
    Worker(worker::WorkerArgs),
    /// List the workers
    #[command(alias = "trabajadores")]
    Workers(workers::WorkersArgs),
    /// Show the system live on the terminal
    #[cfg(feature = "tui")]
    Top(top::TopArgs),
    /// Follow the numbers of the system, as they change
    #[command(alias = "eventos")]
    Events(events::EventsArgs),
    /// Make, list and revoke tokens, and log in
    Token(token::TokenArgs),
    /// Have others told of ended tasks, and see what was delivered
    Webhook(webhook::WebhookArgs),
    /// Show who did what
    #[command(alias = "auditoria")]
    Audit(audit::AuditArgs),
    /// Say whether the server is ready
    Health,
    /// Look at everything that a server needs, and say what to do
    #[command(alias = "diagnostico")]
    Doctor,
    /// Copy all data to a file, while the server runs
    Backup(backup::BackupArgs),
    /// Make a data folder from a backup
    Restore(restore::RestoreArgs),
    /// Bring all tasks to other stores, or back, while no server runs
    #[command(alias = "migrar")]
    Migrate(migrate::MigrateArgs),
    /// Explain an error code
    Explain(explain::ExplainArgs),
    /// Measure: drive load and check every result
    Bench(bench::BenchArgs),
    /// See it work: a server of its own, real tasks, real sockets
    Demo(demo::DemoArgs),
    /// Check and show the configuration
    Config(config::ConfigArgs),
    /// Print completions for a shell
    Completions(completions::CompletionsArgs),
    /// Print the manual, or write all its pages
    Man(man::ManArgs),
}
