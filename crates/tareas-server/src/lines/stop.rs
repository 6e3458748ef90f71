//! The end of the server, as a connection hears of it.

use std::pin::Pin;
use std::task::Context;

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::ServerState;

/// Whether the server is about to stop.
///
/// A connection has tokens of its own, below those of the server, since a token that all
/// connections ask at every turn would make them wait for each other.
pub(super) struct Stop {
    finishing: CancellationToken,
    closing: CancellationToken,
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
    pub(super) fn new(state: &ServerState) -> Self {
        let finishing = state.shutdown.child_token();
        let closing = state.close_now.child_token();
        let wakers = [&finishing, &closing].map(|token| Box::pin(token.clone().cancelled_owned()));
        Self { finishing, closing, wakers, is_registered: false }
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
        self.finishing.is_cancelled()
    }

    /// The connection is to be closed, whatever it owes.
    pub(super) fn is_closing_now(&self) -> bool {
        self.closing.is_cancelled()
    }
}
