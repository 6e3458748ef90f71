//! The end of the server, as a connection hears of it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;

use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::ServerState;

/// Whether the server is about to stop, and a wake-up when it is.
pub(super) struct Stop {
    state: Arc<ServerState>,
    /// What wakes the connection. Polled once: its work is always woken by the same waker.
    wakers: [Pin<Box<WaitForCancellationFutureOwned>>; 2],
    is_registered: bool,
}

impl std::fmt::Debug for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stop").finish_non_exhaustive()
    }
}

impl Stop {
    pub(super) fn new(state: &Arc<ServerState>) -> Self {
        let tokens = [&state.shutdown, &state.close_now];
        Self {
            state: Arc::clone(state),
            wakers: tokens.map(|token| Box::pin(token.clone().cancelled_owned())),
            is_registered: false,
        }
    }

    /// Has the polling work woken when the server stops.
    pub(super) fn register(&mut self, cx: &mut Context<'_>) {
        if !self.is_registered {
            self.is_registered = true;
            for waker in &mut self.wakers {
                // What it says is asked for below.
                let _ = waker.as_mut().poll(cx);
            }
        }
    }

    /// Nothing more is to be read; what is owed is to be given.
    pub(super) fn is_finishing(&self) -> bool {
        self.state.is_finishing()
    }

    /// The connection is to be closed, whatever it owes.
    pub(super) fn is_closing_now(&self) -> bool {
        self.state.is_closing_now()
    }
}
