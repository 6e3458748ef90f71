//! What every face of the server shares: the engine, the configuration, the open connections.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tareas_core::Timestamp;
use tareas_engine::Engine;
use tareas_engine::access::Access;
use tareas_engine::webhooks::Webhooks;
use tareas_protocol::Lang;
use tareas_protocol::response::Durability;
use tokio_util::sync::CancellationToken;

use crate::backends::Backends;
use crate::http::HttpState;
use crate::limits::Limits;
use crate::listener::{Protection, Tls, TrustedProxies};
use crate::metrics::{NoReadings, Readings};
use crate::redaction::Redaction;

/// How a server is set up.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where to listen.
    pub bind: Vec<SocketAddr>,
    /// Where to listen for balancers: every connection there begins with a PROXY header.
    pub proxied: Vec<SocketAddr>,
    /// From which addresses such a header is believed.
    pub trusted_proxies: TrustedProxies,
    /// Under which URL browsers reach it, when that is not the bind address.
    pub public_url: Option<String>,
    /// Listen beyond loopback though there is no access control.
    pub insecure: bool,
    /// Who may do what; `None` when whoever reaches the server may do everything.
    pub access: Option<Arc<Access>>,
    /// Who is told of ended tasks; `None` where that is not offered.
    pub webhooks: Option<Arc<Webhooks>>,
    /// Certificate and key; `None` when TLS is not spoken.
    pub tls: Option<Arc<Tls>>,
    /// Nobody listens in between the clients and this server, though it listens beyond loopback.
    pub trusted_network: bool,
    /// What an acknowledgement stands for.
    pub durability: Durability,
    /// Version of the program.
    pub version: String,
    /// The language of connections that do not choose one.
    pub lang: Lang,
    /// What stands behind the ports, for people.
    pub backends: Backends,
    /// Members of payloads and results that pages do not show.
    pub redaction: Redaction,
    /// What connections are allowed.
    pub limits: Limits,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            bind: vec![SocketAddr::from(([127, 0, 0, 1], 5000))],
            proxied: Vec::new(),
            trusted_proxies: TrustedProxies::default(),
            public_url: None,
            insecure: false,
            access: None,
            webhooks: None,
            tls: None,
            trusted_network: false,
            durability: Durability::Full,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            lang: Lang::En,
            backends: Backends::default(),
            redaction: Redaction::default(),
            limits: Limits::default(),
        }
    }
}

impl ServerConfig {
    /// Whether browsers reach it through something that speaks TLS for it.
    pub fn is_behind_tls(&self) -> bool {
        let url = self.public_url.as_deref().unwrap_or_default();
        url.get(..8)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
    }

    /// Whether nobody comes from another machine: it listens on loopback alone, and as far as it
    /// was told nothing in front of it brings others there.
    pub(crate) fn is_for_this_machine(&self) -> bool {
        let is_local = |bind: &SocketAddr| bind.ip().to_canonical().is_loopback();
        self.bind.iter().all(is_local) && self.proxied.is_empty() && !self.is_behind_tls()
    }

    /// Whether a connection from there is only taken when it is encrypted.
    pub(crate) fn must_encrypt(&self, peer: IpAddr) -> bool {
        let is_local = peer.to_canonical().is_loopback();
        self.tls.is_some() && !self.trusted_network && !self.insecure && !is_local
    }

    /// How long a connection may say nothing at first.
    pub(crate) fn patience(&self) -> Duration {
        match self.access {
            Some(_) => self.limits.authenticate_within,
            None => self.limits.idle_after,
        }
    }

    /// What protects the addresses beyond loopback.
    pub fn protection(&self) -> Protection {
        Protection {
            has_access: self.access.is_some(),
            is_private: self.tls.is_some() || self.trusted_network,
            is_insecure: self.insecure,
        }
    }

    /// What a task survives: `fsync` (on disk) or `os` (handed to the operating system).
    pub fn durability_label(&self) -> &'static str {
        self.durability.as_str().unwrap_or("fsync")
    }
}

/// What every face of the server shares.
#[derive(Debug)]
pub struct ServerState {
    /// What is behind the faces.
    pub engine: Arc<Engine>,
    /// How this server is set up.
    pub config: ServerConfig,
    /// Cancelled when the server stops: connections finish what they owe and end. Cancelled by
    /// [`Listener::finish`](crate::Listener::finish) and nobody else.
    pub shutdown: CancellationToken,
    /// Cancelled when the grace of that is over: connections close whatever they owe.
    pub close_now: CancellationToken,
    /// The connections, counted.
    pub connections: Connections,
    /// What is told in `/metrics` beside what the engine counts.
    pub readings: Box<dyn Readings>,
    /// What the HTTP face shares between its connections.
    pub http: HttpState,
    /// When this server started.
    pub started_at: Timestamp,
    bound: OnceLock<Vec<SocketAddr>>,
    /// What the tokens say, for those who ask at every turn: asking a token takes a lock.
    is_leaving: AtomicBool,
    is_finishing: AtomicBool,
    is_closing_now: AtomicBool,
}

impl ServerState {
    /// The state of a server that has not begun to listen.
    pub fn new(engine: Arc<Engine>, config: ServerConfig) -> Arc<Self> {
        Self::with_readings(engine, config, Box::new(NoReadings))
    }

    /// The same, with readings of what is behind the ports.
    pub fn with_readings(
        engine: Arc<Engine>,
        config: ServerConfig,
        readings: Box<dyn Readings>,
    ) -> Arc<Self> {
        Arc::new(Self {
            readings,
            started_at: engine.now(),
            engine,
            config,
            shutdown: CancellationToken::new(),
            close_now: CancellationToken::new(),
            connections: Connections::default(),
            http: HttpState::default(),
            bound: OnceLock::new(),
            is_leaving: AtomicBool::new(false),
            is_finishing: AtomicBool::new(false),
            is_closing_now: AtomicBool::new(false),
        })
    }

    /// The addresses that it listens on, with the ports that were given, those for balancers
    /// last; empty before it does.
    pub fn bound(&self) -> &[SocketAddr] {
        self.bound.get().map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether the server is about to stop: it still takes everything, but says that it is not
    /// ready, so that balancers send nothing new.
    pub fn is_leaving(&self) -> bool {
        self.is_leaving.load(Ordering::Relaxed)
    }

    pub(crate) fn leave(&self) {
        self.is_leaving.store(true, Ordering::Relaxed);
    }

    /// Whether connections are to finish what they owe and end.
    pub(crate) fn is_finishing(&self) -> bool {
        self.is_finishing.load(Ordering::Relaxed)
    }

    /// Whether connections are to close whatever they owe.
    pub(crate) fn is_closing_now(&self) -> bool {
        self.is_closing_now.load(Ordering::Relaxed)
    }

    pub(crate) fn finish(&self) {
        self.is_finishing.store(true, Ordering::Relaxed);
        self.shutdown.cancel();
    }

    pub(crate) fn close_now(&self) {
        self.is_closing_now.store(true, Ordering::Relaxed);
        self.close_now.cancel();
    }

    pub(crate) fn set_bound(&self, bound: Vec<SocketAddr>) {
        // A state serves one listener; a second one would keep the first one's addresses.
        let _ = self.bound.set(bound);
    }
}

/// The connections, counted.
#[derive(Debug, Default)]
pub struct Connections {
    /// Open now, whatever they speak.
    pub open: AtomicUsize,
    /// Open now and speaking lines.
    pub lines: AtomicUsize,
    /// Open now and speaking HTTP.
    pub http: AtomicUsize,
    /// Accepted since the start.
    pub accepted: AtomicU64,
    /// Turned away since the start, because there was no room.
    pub turned_away: AtomicU64,
    /// Turned away since the start, because of a PROXY header: there was none where there must
    /// be one, or one where there must be none, or not from a trusted address.
    pub unproxied: AtomicU64,
    /// Closed since the start, because they had said nothing and too many others had not either.
    pub silenced: AtomicU64,
    /// Closed since the start, because they took nothing of what was sent to them.
    pub stalled: AtomicU64,
}

/// One counted connection: dropping it counts it out.
#[derive(Debug)]
pub struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    /// Counts one in.
    pub fn in_on(gauge: &'a AtomicUsize) -> Self {
        gauge.fetch_add(1, Ordering::Relaxed);
        Self(gauge)
    }

    /// One that was counted in before.
    pub fn already_in(gauge: &'a AtomicUsize) -> Self {
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
