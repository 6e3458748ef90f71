//! The listener: accepts connections and hands each to the face that it speaks to.
//!
//! One port speaks everything. The first bytes of a connection decide: an HTTP request line or
//! the HTTP/2 preface goes to [`crate::http`], inside of TLS it is
//! looked again, anything else goes to [`crate::lines`]. A connection that says nothing costs a file and
//! a few hundred bytes, and may stay until the idle limit, or until too many others are silent.
//!
//! A listener may be declared for balancers. There, and only there, every connection begins with
//! a PROXY header, which says who the client is; it is believed from trusted addresses only.
//!
//! The server never opens more connections than it has files for: beyond the limit, a
//! connection is told so and closed, unless it is a probe that asks whether the server is alive.

mod accept;
mod bind;
mod files;
mod greet;
mod handed;
mod prefixed;
mod silent;
mod sniff;
mod tls;
mod trusted;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use bind::{ListenError, Protection, check_exposure, parse_address};
pub use prefixed::Prefixed;
pub use sniff::{Sniffed, sniff};
pub use tls::{Tls, TlsError};
pub use trusted::{NotNetwork, TrustedProxies};

use crate::ServerState;

/// How long connections get to close once they were told to close now.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// However few connections there may be, so many of them may say nothing.
const SILENT_MIN: usize = 64;

/// A listening server. Dropping it stops the accepting, not the connections.
#[derive(Debug)]
pub struct Listener {
    state: Arc<ServerState>,
    accepting: CancellationToken,
    connections: TaskTracker,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop_accepting();
    }
}

impl Listener {
    /// Binds every address of the configuration and begins to accept.
    ///
    /// # Errors
    /// When an address is refused because nobody would be asked for a token there, is taken, or
    /// cannot be bound.
    pub fn start(state: Arc<ServerState>) -> Result<Self, ListenError> {
        let config = &state.config;
        check_exposure(&config.bind, config.protection())?;
        check_exposure(&config.proxied, config.protection())?;
        let plain = config.bind.iter().map(|address| (*address, false));
        let proxied = config.proxied.iter().map(|address| (*address, true));
        let sockets = plain
            .chain(proxied)
            .map(|(address, is_proxied)| Ok((bind::bind(address)?, is_proxied)))
            .collect::<Result<Vec<_>, ListenError>>()?;
        let room = files::connections_max(config.limits.connections_max);
        let silent_max = config.limits.silent_connections_max;
        let silent_max = silent_max.unwrap_or_else(|| (room / 2).max(SILENT_MIN));
        let silent = Arc::new(silent::Silent::new(silent_max));
        let listener = Self {
            state,
            accepting: CancellationToken::new(),
            connections: TaskTracker::new(),
        };
        let probes = Arc::new(Semaphore::new(accept::PROBES_MAX));
        let bound = sockets.iter().filter_map(|(s, _)| s.local_addr().ok());
        listener.state.set_bound(bound.collect());
        for (socket, is_proxied) in sockets {
            listener.accept_from(accept::Acceptor {
                socket,
                is_proxied,
                room,
                probes: Arc::clone(&probes),
                silent: Arc::clone(&silent),
                state: Arc::clone(&listener.state),
                connections: listener.connections.clone(),
            });
        }
        Ok(listener)
    }

    fn accept_from(&self, acceptor: accept::Acceptor) {
        let stop = self.accepting.clone();
        self.connections.spawn(async move {
            stop.run_until_cancelled(acceptor.run()).await;
            acceptor.take_the_rest();
        });
    }

    /// The addresses it listens on, with the ports that were given; those for balancers last.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.state.bound()
    }

    /// Says on `/readyz` that the server is about to stop, while it still takes everything.
    pub fn announce_leaving(&self) {
        self.state.leave();
    }

    /// Takes no new connections from now on; the ones that are open go on.
    pub fn stop_accepting(&self) {
        self.accepting.cancel();
    }

    /// Tells every connection to finish what it owes and waits for that, at most `grace`; then
    /// has the rest closed. `false` when answers were left owed.
    pub async fn finish(&self, grace: Duration) -> bool {
        self.stop_accepting();
        self.state.finish();
        self.connections.close();
        let all_ended = tokio::time::timeout(grace, self.connections.wait())
            .await
            .is_ok();
        self.state.close_now();
        if !all_ended {
            let left = self.state.connections.open.load(Ordering::Relaxed);
            tracing::warn!(
                connections = left,
                "closed with answers owed: the grace is over"
            );
            // They are only being dropped now; the process need not wait for longer.
            let _ = tokio::time::timeout(CLOSE_WITHIN, self.connections.wait()).await;
        }
        all_ended
    }
}
