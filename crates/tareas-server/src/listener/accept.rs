//! The accept loop of one address.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::bind::BACKLOG;
use super::files::Reserve;
use super::greet::{self, Welcome};
use super::silent::Silent;
use super::sniff::Sniffed;
use crate::ServerState;
use crate::state::Counted;

/// Pause when the process has no files left.
const PAUSE_WITHOUT_FILES: Duration = Duration::from_millis(100);
/// Connections beyond the limit, to ask whether the server is alive and ready and for nothing else: it must not be
/// restarted because it has much to do. There are files for them ([`super::files`]).
pub(super) const PROBES_MAX: usize = 32;
/// Peers that vanished without a word are noticed after this silence and a few probes.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(15);

/// Accepts connections from one socket.
#[derive(Debug)]
pub(super) struct Acceptor {
    pub(super) socket: TcpListener,
    /// Whether connections come from balancers and begin with a PROXY header.
    pub(super) is_proxied: bool,
    pub(super) room: usize,
    /// Of [`PROBES_MAX`].
    pub(super) probes: Arc<Semaphore>,
    pub(super) silent: Arc<Silent>,
    pub(super) state: Arc<ServerState>,
    pub(super) connections: TaskTracker,
}

impl Acceptor {
    /// Accepts until it is dropped.
    pub(super) async fn run(&self) {
        let mut reserve = Reserve::new();
        loop {
            match self.socket.accept().await {
                Ok((stream, peer)) => self.admit(stream, peer),
                Err(error) if is_out_of_files(&error) => {
                    tracing::error!(%error, "no file left for a connection");
                    reserve.give_up();
                    if let Ok((stream, _)) = self.socket.accept().await {
                        self.turn_away(&stream);
                    }
                    tokio::time::sleep_until(tokio::time::Instant::now() + PAUSE_WITHOUT_FILES)
                        .await;
                    reserve.take_back();
                }
                // The peer was gone before it was accepted.
                Err(error) => tracing::debug!(%error, "not accepted"),
            }
        }
    }

    /// Accepts what the system has connected by now: closing the socket would break it off.
    pub(super) fn take_the_rest(&self) {
        for _ in 0..BACKLOG {
            match self.socket.accept().now_or_never() {
                Some(Ok((stream, peer))) => self.admit(stream, peer),
                Some(Err(_)) | None => return,
            }
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr) {
        let counts = &self.state.connections;
        counts.accepted.fetch_add(1, Ordering::Relaxed);
        let probing = PROBES_MAX - self.probes.available_permits();
        let is_full = counts.open.load(Ordering::Relaxed) >= self.room + probing;
        let probe = match is_full.then(|| Arc::clone(&self.probes).try_acquire_owned()) {
            None => None,
            Some(Ok(probe)) => Some(probe),
            Some(Err(_)) => return self.turn_away(&stream),
        };
        let welcome = match probe {
            None => Welcome::Anybody,
            Some(_) => Welcome::Probes,
        };
        prepare(&stream);
        let state = Arc::clone(&self.state);
        let (silent, is_proxied) = (self.silent.enter(), self.is_proxied);
        // Counted here, not in the spawned work, so that a burst cannot slip past the limit.
        counts.open.fetch_add(1, Ordering::Relaxed);
        self.connections.spawn(async move {
            let _probe = probe;
            let _counted = Counted::already_in(&state.connections.open);
            match is_proxied {
                true => greet::greet_handed(stream, peer, &state, silent, welcome).await,
                false => greet::greet(stream, peer, &state, silent, welcome).await,
            }
        });
    }

    /// One line and an end. A new socket has room for one line, so nothing waits here.
    fn turn_away(&self, stream: &TcpStream) {
        let line = greet::no_room(Sniffed::Undecided, &self.state);
        // A peer that does not get the line sees the end all the same.
        let _ = stream.try_write(&line);
    }
}

fn prepare(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY);
    // A connection works without either, if less well.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}

fn is_out_of_files(error: &io::Error) -> bool {
    use nix::errno::Errno;
    let errno = error.raw_os_error().map(Errno::from_raw);
    matches!(
        errno,
        Some(Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM)
    )
}
