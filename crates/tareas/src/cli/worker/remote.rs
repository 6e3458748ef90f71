//! A remote worker: a pool of threads that runs the tasks of a server elsewhere, over a connection:
//! the built-in kinds, and the commands of its own `tareas.toml`.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tareas_client::Address;
use tareas_client::worker::{RemoteWorker, WorkerOptions};
use tareas_protocol::code::exit;
use tokio::signal::unix::{SignalKind, signal};

use super::WorkerArgs;
use crate::cli::{Outcome, Session};
use crate::config::ServeConfig;
use crate::output::Voice;
use crate::serve::{Signals, registry_with, runtime};
use crate::text::Text;
use crate::traces::Traces;

/// How long running tasks may take when the worker stops.
const DRAIN_GRACE: Duration = Duration::from_secs(30);
/// How long the first connection may take before it is said that there is none.
const FIRST_WAIT: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(super) struct RemoteArgs {
    /// Queues to take tasks from, separated by commas [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    queues: Vec<String>,
    /// Kinds to take, separated by commas [default: all that it has]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    kinds: Vec<String>,
    /// A label, for tasks that require it; repeatable
    #[arg(long, value_name = "NAME")]
    label: Vec<String>,
    /// What it is called [default: worker-PID]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// How many short tasks it holds beyond those it runs
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u16).range(..=8192))]
    prefetch: u16,
}

pub(super) fn run(args: &WorkerArgs, config: &ServeConfig, session: &Session) -> Outcome {
    let (address, voice) = (session.server()?, &session.voice);
    let options = WorkerOptions {
        credentials: session.credentials()?,
        ..options(args.threads, &args.remote)
    };
    let grace = args.drain_grace.unwrap_or(DRAIN_GRACE);
    let runtime = runtime(voice)?;
    let registry = Arc::new(registry_with(&config.kinds));
    let traces = Traces::start();
    let started =
        RemoteWorker::start_around(address.clone(), registry, options.clone(), |source| {
            traces.around(source)
        });
    let worker = Arc::new(started.map_err(|error| crate::serve::cannot_start(&error, voice.lang))?);
    tell(&worker, &address, &options, voice);
    runtime.block_on(async {
        let outcome = serve(worker, grace, voice).await;
        traces.finish().await;
        outcome
    })
}

fn options(threads: Option<u16>, args: &RemoteArgs) -> WorkerOptions {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.unwrap_or(u16::try_from(cores).unwrap_or(1));
    let own_name = || format!("worker-{}", std::process::id());
    WorkerOptions {
        name: args.name.clone().unwrap_or_else(own_name),
        queues: args.queues.clone(),
        kinds: args.kinds.clone(),
        labels: args.label.clone(),
        threads,
        prefetch: args.prefetch,
        ..WorkerOptions::default()
    }
}

/// What a worker says on stderr when it is ready.
fn tell(worker: &RemoteWorker, address: &Address, options: &WorkerOptions, voice: &Voice) {
    let all = |list: &[String]| match list.is_empty() {
        true => Text::WorkerAll.plain(voice.lang).to_owned(),
        false => list.join(", "),
    };
    let connected = match worker.wait_connected(FIRST_WAIT) {
        true => Text::WorkerConnected,
        false => Text::WorkerConnecting,
    };
    let (queues, kinds) = (all(&options.queues), all(&options.kinds));
    let version = env!("CARGO_PKG_VERSION");
    voice.say(&voice.text(
        connected,
        &[
            ("version", &version),
            ("name", &options.name),
            ("address", address),
        ],
    ));
    let values: crate::text::Values<'_> = &[
        ("threads", &options.threads),
        ("queues", &queues),
        ("kinds", &kinds),
    ];
    voice.say(&voice.text(Text::WorkerOffers, values));
}

/// Runs until it is told to stop.
async fn serve(worker: Arc<RemoteWorker>, grace: Duration, voice: &Voice) -> Outcome {
    let mut signals = Signals::listen(voice)?;
    let hear = |kind| signal(kind).map_err(|error| crate::serve::cannot_start(&error, voice.lang));
    let mut shown = hear(SignalKind::user_defined1())?;
    let mut hangup = hear(SignalKind::hangup())?;
    loop {
        tokio::select! {
            () = signals.next() => break,
            _ = shown.recv() => show(&worker, voice),
            _ = hangup.recv() => voice.warn(Text::WorkerNotReloaded.plain(voice.lang)),
        }
    }
    let (running, seconds) = (worker.slots().len(), grace.as_secs());
    voice.say(&voice.text(
        Text::Draining,
        &[("running", &running), ("seconds", &seconds)],
    ));
    let stopping = Arc::clone(&worker);
    let stopped = tokio::task::spawn_blocking(move || stopping.stop(grace));
    tokio::pin!(stopped);
    tokio::select! {
        _ = &mut stopped => {}
        () = signals.next() => {
            voice.say(Text::DrainSecond.plain(voice.lang));
            let hurried = Arc::clone(&worker);
            // A panic in there has released what it could.
            let _ = tokio::task::spawn_blocking(move || hurried.stop(Duration::ZERO)).await;
            let _ = stopped.await;
        }
    }
    voice.say(Text::Stopped.plain(voice.lang));
    Ok(exit::OK)
}

/// What each thread runs.
fn show(worker: &RemoteWorker, voice: &Voice) {
    let slots = worker.slots();
    if slots.is_empty() {
        return voice.say(Text::WorkerIdle.plain(voice.lang));
    }
    for view in slots {
        let id = tareas_core::TaskId::from_u128(view.task_id);
        voice.say(&format!(
            "{:>4}  {}  {id}  #{}  {} ms",
            view.slot,
            view.kind,
            view.attempt,
            view.running_for.as_millis()
        ));
    }
}
