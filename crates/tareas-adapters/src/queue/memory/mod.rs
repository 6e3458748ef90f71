//! A queue in this process: lanes of hints behind one lock.
//!
//! Each lane keeps a bounded head of its line; what does not fit is only in the records, and is
//! refilled from there when there is room again. Receivers that wait cost nothing: a publication
//! wakes one of them, and whoever leaves hints behind wakes the next.

mod lane;
mod lanes;
pub(super) mod rounds;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tareas_core::{Hint, Lane, QueueName};
use tareas_engine::ports::{Delivery, PortError, Queue, QueueDepth, Receipt, Spilled};
use tokio::sync::Notify;

use self::rounds::Rounds;

/// How many hints one lane holds, if not said.
pub const HEADS_MAX: usize = 50_000;

/// Hints in memory.
#[derive(Debug)]
pub struct MemoryQueue {
    state: Mutex<State>,
    /// There are hints that nobody has been woken for.
    ready: Notify,
}

#[derive(Debug)]
struct State {
    rounds: Rounds,
    is_closed: bool,
}

impl MemoryQueue {
    /// An empty queue whose lanes hold at most `heads_max` hints each.
    pub fn new(heads_max: usize) -> Self {
        let state = State {
            rounds: Rounds::new(heads_max),
            is_closed: false,
        };
        Self {
            state: Mutex::new(state),
            ready: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the lanes, then wakes a receiver when there is something for it.
    fn change(&self, change: impl FnOnce(&mut Rounds)) {
        let mut state = self.lock();
        change(&mut state.rounds);
        let has_hints = state.rounds.has_hints();
        drop(state);
        if has_hints {
            self.ready.notify_one();
        }
    }

    /// Takes what there is; `None` when the queue is closed.
    fn take(&self, max: usize) -> Option<Vec<Delivery>> {
        let mut state = self.lock();
        if state.is_closed {
            return None;
        }
        let taken = state.rounds.take(max);
        let has_more = !taken.is_empty() && state.rounds.has_hints();
        drop(state);
        if has_more {
            self.ready.notify_one();
        }
        Some(taken)
    }
}

impl Default for MemoryQueue {
    fn default() -> Self {
        Self::new(HEADS_MAX)
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn publish(&self, lane: &Lane, hints: &[Hint]) -> Result<(), PortError> {
        self.change(|rounds| rounds.publish(lane, hints));
        Ok(())
    }

    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        loop {
            // Made before looking, so that a close between looking and waiting is not missed;
            // a publication in between leaves a permit.
            let ready = self.ready.notified();
            match self.take(max) {
                None => return Ok(Vec::new()),
                Some(taken) if !taken.is_empty() => return Ok(taken),
                Some(_) => ready.await,
            }
        }
    }

    fn try_receive(&self, max: usize) -> Vec<Delivery> {
        self.take(max).unwrap_or_default()
    }

    /// A hint that was taken is nowhere any more.
    fn acknowledge(&self, _receipts: &[Receipt]) {}

    fn is_shared(&self) -> bool {
        false
    }

    fn spilled(&self) -> Vec<Spilled> {
        self.lock().rounds.spilled()
    }

    async fn refill(
        &self,
        spilled: &Spilled,
        hints: &[Hint],
        is_all: bool,
    ) -> Result<(), PortError> {
        self.change(|rounds| rounds.refill(spilled, hints, is_all));
        Ok(())
    }

    fn pause(&self, queue: &QueueName, paused: bool) {
        self.change(|rounds| rounds.pause(queue, paused));
    }

    fn depth(&self) -> Vec<QueueDepth> {
        self.lock().rounds.depth()
    }

    fn close(&self) {
        self.lock().is_closed = true;
        self.ready.notify_waiters();
    }
}
