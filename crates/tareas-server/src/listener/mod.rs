//! The listener: accepts connections and hands each to the face that it speaks to.
//!
//! One port speaks everything. The first bytes of a connection decide: an HTTP request line or
//! the HTTP/2 preface goes to [`crate::http`], a TLS hello is answered that TLS is not spoken
//! here, anything else goes to [`crate::lines`]. A connection that says nothing costs a file and
//! a few hundred bytes, and may stay until the idle limit, or until too many others are silent.
//!
//! The server never opens more connections than it has files for: beyond the limit, a
//! connection is told so in one line and closed.

mod accept;
mod bind;
mod files;
mod greet;
mod prefixed;
mod silent;
mod sniff;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use bind::{ListenError, check_exposure, parse_address};
pub use prefixed::Prefixed;
pub use sniff::{Sniffed, sniff};

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
        check_exposure(&state.config.bind, state.config.insecure)?;
        let sockets = state
            .config
            .bind
            .iter()
            .map(|address| bind::bind(*address))
            .collect::<Result<Vec<_>, _>>()?;
        let room = files::connections_max(state.config.limits.connections_max);
        let silent_max = state.config.limits.silent_connections_max;
        let silent_max = silent_max.unwrap_or_else(|| (room / 2).max(SILENT_MIN));
        let silent = Arc::new(silent::Silent::new(silent_max));
        let listener = Self {
            state,
            accepting: CancellationToken::new(),
            connections: TaskTracker::new(),
        };
        listener
            .state
            .set_bound(sockets.iter().filter_map(|s| s.local_addr().ok()).collect());
        for socket in sockets {
            listener.accept_from(socket, room, Arc::clone(&silent));
        }
        Ok(listener)
    }

    fn accept_from(
        &self,
        socket: tokio::net::TcpListener,
        room: usize,
        silent: Arc<silent::Silent>,
    ) {
        let acceptor = accept::Acceptor {
            socket,
            room,
            silent,
            state: Arc::clone(&self.state),
            connections: self.connections.clone(),
        };
        let stop = self.accepting.clone();
        self.connections.spawn(async move {
            stop.run_until_cancelled(acceptor.run()).await;
        });
    }

    /// The addresses it listens on, with the ports that were given.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.state.bound()
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
