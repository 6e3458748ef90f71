//! `tareas serve`: put together ([`compose`]), told ([`banner`]), and taken down in order.

mod access;
mod backends;
mod banner;
mod commands;
mod compose;
mod door;
mod history;
mod identity;
mod log;
mod notify;
mod pool_link;
mod readings;
mod store;
#[cfg(feature = "failpoints")]
mod test_hooks;
mod trouble;
mod webhooks;

use std::convert::Infallible;
use std::time::Duration;

use tareas_protocol::Code;
use tareas_protocol::code::exit;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(crate) use access::{chances, open as open_access};
pub(crate) use commands::{RUN_COMMAND, registry_with};
pub(crate) use compose::{Role, System};
pub(crate) use store::open_blobs;
pub(crate) use trouble::cannot_start;
pub(crate) use trouble::with_sources;

use crate::config::{CommandKind, ServeConfig};
use crate::output::{Failure, Voice};
use crate::text::Text;

/// Ends with this when the store has stopped: an input or output error of the system.
const EXIT_STORE_STOPPED: u8 = 74;

/// Behind a balancer, tasks of the last connections have this long before the drain begins.
const LAST_ANSWERS_WITHIN: Duration = Duration::from_secs(1);

/// Reads the commands of the configuration again.
pub(crate) type ReadAgain<'a> = &'a dyn Fn() -> Result<Vec<CommandKind>, Failure>;

/// Runs a server, or a node, until it is told to stop; the exit code.
pub(crate) fn run(
    config: &ServeConfig,
    role: Role,
    read_again: ReadAgain<'_>,
    voice: &Voice,
) -> Result<u8, Failure> {
    log::start(config);
    let runtime = runtime(voice)?;
    runtime.block_on(async {
        let mut signals = Signals::listen(voice)?;
        let mut hangup = listen(SignalKind::hangup(), voice)?;
        let system = System::start(config, role).await?;
        banner::tell(config, role, &system, voice);
        notify::tell(notify::State::Ready);
        let ended = until_told(&system, &mut signals, &mut hangup, read_again, voice).await;
        notify::tell(notify::State::Stopping);
        system.announce_leaving();
        if ended.is_ok() {
            let_balancers_notice(&system, config.drain_delay, &mut signals, voice).await;
        }
        let stopped = stop(system, config.drain_grace, &mut signals, voice).await;
        ended.and(stopped)
    })
}

/// The runtime of sockets and timers; the pool of tasks has threads of its own.
pub(crate) fn runtime(voice: &Voice) -> Result<Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread()
        .thread_name("tareas-io")
        .enable_all()
        .build();
    built.map_err(|error| trouble::cannot_start(&error, voice.lang))
}

/// Waits for a signal, or for what a server cannot live with.
async fn until_told(
    system: &System,
    signals: &mut Signals,
    hangup: &mut Signal,
    read_again: ReadAgain<'_>,
    voice: &Voice,
) -> Result<(), Failure> {
    tokio::select! {
        () = signals.next() => Ok(()),
        never = reload(system, hangup, read_again, voice) => match never {},
        stopped = system.store_stopped() => {
            let reason = stopped.reason;
            let values: crate::text::Values<'_> = &[("reason", &reason)];
            Err(Failure::new(Code::Unavailable, voice.lang, Text::StoreStopped, values)
                .with_hint(Text::StoreStoppedHint.plain(voice.lang))
                .with_exit(EXIT_STORE_STOPPED))
        }
        () = system.service_failed() => {
            Err(Failure::new(Code::Bug, voice.lang, Text::ServiceFailed, &[]))
        }
    }
}

/// Goes on for a while, so that balancers send nothing new to a port that is about to close. A
/// second signal ends the wait.
#[expect(
    clippy::disallowed_methods,
    reason = "a drain goes by the clock of the machine"
)]
async fn let_balancers_notice(
    system: &System,
    delay: Duration,
    signals: &mut Signals,
    voice: &Voice,
) {
    if delay.is_zero() {
        return;
    }
    let seconds = delay.as_secs_f32();
    voice.say(&voice.text(Text::Leaving, &[("seconds", &seconds)]));
    let notice = async {
        tokio::time::sleep(delay).await;
        system.answer_what_came_last(LAST_ANSWERS_WITHIN).await;
    };
    tokio::select! {
        () = notice => {}
        () = signals.next() => {}
    }
}

/// Drains; a second signal releases what runs at once.
async fn stop(
    system: System,
    grace: Duration,
    signals: &mut Signals,
    voice: &Voice,
) -> Result<u8, Failure> {
    let (running, seconds) = (system.running(), grace.as_secs());
    voice.say(&voice.text(
        Text::Draining,
        &[("running", &running), ("seconds", &seconds)],
    ));
    let hurry = system.hurry();
    let stopping = system.stop(grace);
    tokio::pin!(stopping);
    let is_stored = tokio::select! {
        is_stored = &mut stopping => is_stored,
        () = signals.next() => {
            voice.say(Text::DrainSecond.plain(voice.lang));
            hurry.now();
            stopping.await
        }
    };
    is_stored.map_err(|stopped| {
        let values: crate::text::Values<'_> = &[("reason", &stopped.reason)];
        Failure::new(Code::Unavailable, voice.lang, Text::StoreStopped, values)
            .with_hint(Text::StoreStoppedHint.plain(voice.lang))
            .with_exit(EXIT_STORE_STOPPED)
    })?;
    voice.say(Text::Stopped.plain(voice.lang));
    Ok(exit::OK)
}

/// At each SIGHUP, exchanges the commands for those of the configuration as it is then, and the
/// certificate for the one that is in its files. What is wrong changes nothing.
async fn reload(
    system: &System,
    hangup: &mut Signal,
    read_again: ReadAgain<'_>,
    voice: &Voice,
) -> Infallible {
    loop {
        hangup.recv().await;
        system.guard.note_reload().await;
        if let Err(error) = system.guard.reload_tls() {
            voice.warn(&voice.text(Text::TlsNotReloaded, &[("what", &error)]));
        }
        match read_again() {
            Ok(kinds) => {
                system.replace_commands(&kinds);
                voice.say(&voice.text(Text::Reloaded, &[("count", &kinds.len())]));
            }
            Err(failure) => {
                voice.say(Text::NotReloaded.plain(voice.lang));
                failure.tell(voice);
            }
        }
    }
}

/// Takes a signal over from the system.
fn listen(kind: SignalKind, voice: &Voice) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| trouble::cannot_start(&error, voice.lang))
}

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes both over from the system.
    pub(crate) fn listen(voice: &Voice) -> Result<Self, Failure> {
        Ok(Self {
            terminate: listen(SignalKind::terminate(), voice)?,
            interrupt: listen(SignalKind::interrupt(), voice)?,
        })
    }

    /// Waits for the next of either.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
