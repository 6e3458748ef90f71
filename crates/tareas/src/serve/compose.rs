//! The whole system on one screen: adapters → engine → pool → faces, and down again.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tareas_adapters::records::sqlite::BootReport;
use tareas_core::limits::RETENTION_DEFAULT;
use tareas_core::{Position, SessionId};
use tareas_engine::ports::{Clock, Members, Queue, Settings, Stopped, SystemClock};
use tareas_engine::services::Supervisor;
use tareas_engine::webhooks::Webhooks;
use tareas_engine::{Claimer, Dispatcher, Engine, EngineConfig};
use tareas_engine::{LeaseTerms, Membership, Patience, Ports};
use tareas_protocol::{Lang, response};
use tareas_server::listener::Protection;
use tareas_server::{Limits, Listener, ServerConfig, ServerState, listener};
use tareas_worker::{Pool, PoolOptions, Registry};
use tokio::runtime::Handle;

use super::access::Guard;
use super::backends::backends;
use super::commands::Commands;
use super::door;
use super::history;
use super::identity;
use super::pool_link::{PoolLink, PoolView};
use super::store::{self, Opened, Store};
use super::trouble;
use super::webhooks;
use crate::config::{CommandKind, Durability, ServeConfig};
use crate::output::Failure;
use crate::traces::Traces;

/// How long connections may take to be given the last answers, once every task has ended.
const ANSWER_GRACE: Duration = Duration::from_secs(5);
/// How often it is looked whether nobody waits any more.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How long the records may take to be told of the last ends.
const SETTLE_GRACE: Duration = Duration::from_secs(10);
/// How long services may take to end.
const SERVICE_GRACE: Duration = Duration::from_secs(5);

/// What a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Faces, and threads that run tasks.
    Server,
    /// Threads that run tasks, and nothing else.
    Node,
}

/// A running server, or node.
#[derive(Debug)]
pub(crate) struct System {
    engine: Arc<Engine>,
    /// The store to be closed.
    store: Opened,
    supervisor: Supervisor,
    webhooks: Arc<Webhooks>,
    pool: Option<Arc<Pool>>,
    commands: Mutex<Commands>,
    /// Nodes have none.
    listener: Option<Listener>,
    /// Access control and TLS.
    pub(crate) guard: Guard,
    traces: Traces,
    /// Tasks that were taken back from an earlier life.
    pub(crate) recovered: usize,
    /// How long the start took.
    pub(crate) started_in: Duration,
}

impl System {
    /// Puts everything together and begins to listen. What was started is stopped again when
    /// a later step fails.
    pub(crate) async fn start(config: &ServeConfig, role: Role) -> Result<Self, Failure> {
        let (lang, began) = (config.lang, Instant::now());
        let traces = Traces::start();
        let mut server = server_config(config)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let chance = [(); 3].map(|()| getrandom::u64().unwrap_or(0x9E37_79B9));
        let store = Store::open(config, &clock, chance[0], role).await?;
        let guard = Guard::open(config, role, &clock).await?;
        guard.protect(&mut server);
        let queue = store::open_queue(&config.queue);
        pause_again(&*store.settings, &*queue);
        let ports = Ports {
            records: store.records,
            settings: store.settings,
            queue,
            blobs: store::open_blobs(&config.blobs, lang).await?,
            clock: Arc::clone(&clock),
        };
        let session = SessionId(chance[1] >> 1 | 1);
        let engine = Engine::new(
            ports,
            EngineConfig {
                name: identity::of(config, role).name.into(),
                careful_until: clock.now() + careful_for(store.opened.boot()),
                accept_unknown_kinds: config.accept_unknown_kinds,
                membership: store.members.map(|others| membership(config, role, others)),
                retention: Some(config.retention).filter(|kept| *kept != RETENTION_DEFAULT),
                patience: patience(config.session_ttl),
                secret: secret(lang)?,
                tracer: traces.tracer(),
                ..EngineConfig::new(session, config.threads, chance[2])
            },
        );
        let webhooks = webhooks::open(config, &engine).await?;
        server.webhooks = Some(Arc::clone(&webhooks));
        let mut commands = Commands::default();
        let mut registry = Arc::default();
        commands.install(&config.kinds, &engine, |made| registry = made);
        let recovered = engine
            .recover()
            .await
            .map_err(|error| trouble::engine(&error, lang))?;
        let supervisor = Supervisor::new();
        let readings = traces.with_counts(store.opened.readings());
        let (readings, counts) = door::with_counts(readings);
        let state = ServerState::with_readings(Arc::clone(&engine), server, readings);
        let listener = match role {
            Role::Server => Some(listen(state, lang)?),
            Role::Node => None,
        };
        history::start_services((config, role), &engine, &supervisor);
        door::open((config, role), &engine, &clock, counts, &supervisor);
        guard.keep(&supervisor);
        webhooks::keep(&webhooks, role, &supervisor);
        let pool = start_pool(&engine, &supervisor, (registry, &traces), (config, role))?;
        let (store, started_in) = (store.opened, began.elapsed());
        Ok(Self {
            engine,
            store,
            supervisor,
            webhooks,
            pool,
            commands: Mutex::new(commands),
            listener,
            guard,
            traces,
            recovered,
            started_in,
        })
    }

    /// Where it listens.
    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        self.listener.as_ref().map_or(&[], Listener::addresses)
    }

    /// What was found in the store.
    pub(crate) fn boot(&self) -> Option<&BootReport> {
        self.store.boot()
    }

    /// Has tasks that begin from now on run by these commands. What runs goes on as it began.
    pub(crate) fn replace_commands(&self, kinds: &[CommandKind]) {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        commands.install(kinds, &self.engine, |registry| {
            if let Some(pool) = &self.pool {
                pool.replace_registry(registry);
            }
        });
    }

    /// How many tasks run here now.
    pub(crate) fn running(&self) -> usize {
        self.pool.as_ref().map_or(0, |pool| pool.slots().len())
    }

    /// Waits until nothing more can be durable.
    pub(crate) async fn store_stopped(&self) -> Stopped {
        loop {
            if let Err(stopped) = self.engine.durable_after(Position(u64::MAX - 1)).await {
                return stopped;
            }
        }
    }

    /// Waits until one of the services has failed.
    pub(crate) async fn service_failed(&self) {
        self.supervisor.failed().await;
    }

    /// Takes no new connections, and gives tasks that connections wait for some time to begin
    /// and to end, at most `within`: what has not begun when [`stop`](Self::stop) is called
    /// stays in the records, for a later life or for other servers.
    #[expect(
        clippy::disallowed_methods,
        reason = "a drain goes by the clock of the machine"
    )]
    pub(crate) async fn answer_what_came_last(&self, within: Duration) {
        let Some(listener) = &self.listener else {
            return;
        };
        listener.stop_accepting();
        let until = Instant::now() + within;
        loop {
            // First, so that what was accepted a moment ago has asked by now.
            tokio::time::sleep(LOOK_AGAIN).await;
            if self.engine.watched() == 0 || Instant::now() >= until {
                return;
            }
        }
    }

    /// Says that this server is not ready any more, while it still takes everything.
    pub(crate) fn announce_leaving(&self) {
        if let Some(listener) = &self.listener {
            listener.announce_leaving();
        }
    }

    /// What ends a running [`stop`](Self::stop) early.
    pub(crate) fn hurry(&self) -> Hurry {
        Hurry {
            pool: self.pool.clone(),
        }
    }

    /// Takes everything down, in the order in which nothing is lost: no more connections, no
    /// more claims, what runs ends or is given back, the last answers leave, all of it is on
    /// disk.
    pub(crate) async fn stop(self, grace: Duration) -> Result<(), Stopped> {
        if let Some(listener) = &self.listener {
            listener.stop_accepting();
        }
        self.engine.drain();
        if let Some(pool) = self.pool {
            // A panic in there has released what it could; the rest is found at the next start.
            let _ = tokio::task::spawn_blocking(move || pool.stop(grace)).await;
            if !self.engine.until_settled(SETTLE_GRACE).await {
                tracing::warn!("some ends were not recorded; the others take these tasks back");
            }
        }
        if let Some(listener) = self.listener {
            listener.finish(ANSWER_GRACE).await;
        }
        self.supervisor.stop(SERVICE_GRACE).await;
        self.webhooks.close().await;
        if let Err(error) = self.engine.depart().await {
            tracing::warn!(%error, "the other processes were not told of the end");
        }
        let stored = self.store.close().await;
        self.traces.finish().await;
        stored
    }
}

/// Ends a drain early.
#[derive(Debug)]
pub(crate) struct Hurry {
    pool: Option<Arc<Pool>>,
}

impl Hurry {
    /// What runs is given back at once.
    pub(crate) fn now(self) {
        if let Some(pool) = self.pool {
            tokio::task::spawn_blocking(move || pool.stop(Duration::ZERO));
        }
    }
}

fn listen(state: Arc<ServerState>, lang: Lang) -> Result<Listener, Failure> {
    let listener = Listener::start(state);
    listener.map_err(|error| Failure::refused(error.to_error(lang)))
}

fn server_config(config: &ServeConfig) -> Result<ServerConfig, Failure> {
    let refused = |error: tareas_server::ListenError| Failure::refused(error.to_error(config.lang));
    let found = |texts: &[String]| {
        let found = texts.iter().map(|text| listener::parse_address(text));
        let found = found.collect::<Result<Vec<_>, _>>().map_err(refused)?;
        Ok::<Vec<SocketAddr>, Failure>(found.concat())
    };
    let (bind, proxied) = (found(&config.listen.plain)?, found(&config.listen.proxied)?);
    let protection = Protection {
        has_access: config.access,
        is_private: config.tls.is_some() || config.trusted_network,
        is_insecure: config.insecure,
    };
    for addresses in [&bind, &proxied] {
        listener::check_exposure(addresses, protection).map_err(refused)?;
    }
    Ok(ServerConfig {
        bind,
        proxied,
        trusted_proxies: config.listen.trusted.clone(),
        redaction: config.redaction.clone(),
        public_url: config.public_url.clone(),
        insecure: config.insecure,
        trusted_network: config.trusted_network,
        durability: match config.durability {
            Durability::Full => response::Durability::Full,
            Durability::Os => response::Durability::Os,
        },
        version: env!("CARGO_PKG_VERSION").to_owned(),
        lang: config.lang,
        backends: backends(config),
        limits: Limits {
            unframed_wait: config.unframed_wait,
            ..Limits::default()
        },
        // Who is let in, and through what, is opened with the records.
        ..ServerConfig::default()
    })
}

/// How this process is one of several.
fn membership(config: &ServeConfig, role: Role, members: Arc<dyn Members>) -> Membership {
    Membership {
        members,
        identity: identity::of(config, role),
        terms: LeaseTerms::new(config.lease),
        news: store::open_news(&config.queue, role),
    }
}

/// A worker whose connection is lost has a third of the time to come back that a silent one has.
fn patience(session_ttl: Duration) -> Patience {
    Patience {
        session_ttl,
        reconnect_grace: session_ttl / 3,
        ..Patience::default()
    }
}

/// What leases of remote workers are made of must be beyond guessing.
fn secret(lang: Lang) -> Result<[u8; 32], Failure> {
    let mut secret = [0; 32];
    match getrandom::fill(&mut secret) {
        Ok(()) => Ok(secret),
        Err(error) => {
            let error = std::io::Error::other(error.to_string());
            Err(trouble::cannot_start(&error, lang))
        }
    }
}

/// How long what was found at the start asks for care.
fn careful_for(boot: Option<&BootReport>) -> Duration {
    let careful_for = boot.map_or(Duration::ZERO, |boot| boot.careful_for);
    #[cfg(feature = "failpoints")]
    let careful_for = super::test_hooks::careful_for(careful_for);
    careful_for
}

/// The queue forgets at every start what an operator has paused.
fn pause_again(settings: &dyn Settings, queue: &dyn Queue) {
    for (name, is_paused) in settings.queues() {
        if is_paused {
            queue.pause(&name, true);
        }
    }
}

fn start_pool(
    engine: &Arc<Engine>,
    supervisor: &Supervisor,
    (registry, traces): (Arc<Registry>, &Traces),
    (config, role): (&ServeConfig, Role),
) -> Result<Option<Arc<Pool>>, Failure> {
    if config.threads == 0 {
        return Ok(None);
    }
    let dispatcher = Arc::new(Dispatcher::new(Arc::clone(engine)));
    if engine.shares_records() {
        supervisor.spawn(Box::new(Claimer::new(Arc::clone(&dispatcher))));
    }
    let link = PoolLink::new(
        Arc::clone(engine),
        Arc::clone(&dispatcher),
        Handle::current(),
        identity::of(config, role).name,
    );
    let options = PoolOptions {
        threads: config.threads.into(),
        ..PoolOptions::default()
    };
    let started = Pool::start(registry, traces.around(Arc::new(link)), options);
    let pool = Arc::new(started.map_err(|error| trouble::cannot_start(&error, config.lang))?);
    engine.set_pool(Arc::new(PoolView::of(&pool, &dispatcher)));
    Ok(Some(pool))
}
