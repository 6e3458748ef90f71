//! Who waits for which end, and the ends that are ready to be brought to them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tareas_core::{Position, Task};
use tareas_engine::ports::ReplyAddress;
use tareas_engine::{End, Listener};
use tokio::sync::Notify;

/// Ends that are waited for at once; the senders of more letters are not told of the end.
const WAITING_MAX: usize = 65_536;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Replies {
    state: Mutex<State>,
    is_ready: Notify,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    waiting: HashMap<u64, ReplyAddress>,
    /// No more than were waiting.
    ready: VecDeque<Ready>,
}

/// An end, and where it goes.
#[derive(Debug)]
pub(super) struct Ready {
    /// Nothing of it may leave before this is durable.
    pub(super) position: Position,
    pub(super) to: ReplyAddress,
    pub(super) task: Task,
}

impl Replies {
    /// A tag for the end that is to go there; nothing when too many are waited for.
    pub(super) fn expect(&self, to: ReplyAddress) -> Option<u64> {
        let mut state = self.lock();
        if state.waiting.len() + state.ready.len() >= WAITING_MAX {
            tracing::warn!("too many ends are waited for: one will not be told");
            return None;
        }
        state.next += 1;
        let tag = state.next;
        state.waiting.insert(tag, to);
        Some(tag)
    }

    /// It will not be told.
    pub(super) fn forget(&self, tag: Option<u64>) {
        if let Some(tag) = tag {
            self.lock().waiting.remove(&tag);
        }
    }

    /// Waits for ends; all that are ready.
    pub(super) async fn ready(&self) -> Vec<Ready> {
        loop {
            let is_ready = self.is_ready.notified();
            let ready: Vec<Ready> = self.lock().ready.drain(..).collect();
            if !ready.is_empty() {
                return ready;
            }
            is_ready.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Replies {
    fn ended(&self, position: Position, ends: Vec<End>) {
        let mut state = self.lock();
        for End { tag, task } in ends {
            if let Some(to) = state.waiting.remove(&tag) {
                state.ready.push_back(Ready { position, to, task });
            }
        }
        drop(state);
        self.is_ready.notify_one();
    }
}
