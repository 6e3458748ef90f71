//! What a worker holds and what it has to say: behind one lock, held for microseconds.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use tareas_protocol::request::{Held, Reported};
use tareas_worker::Pool;

use super::WorkerOptions;
use super::given::Given;
use super::state::{Key, State};
use crate::Address;

/// What was not begun this long after it came is given back: others may be free.
const HOARD_MAX: Duration = Duration::from_millis(300);

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) address: Address,
    pub(super) options: WorkerOptions,
    state: Mutex<State>,
    /// There is work for a thread.
    pub(super) work: Condvar,
    /// There is something to be written.
    pub(super) out: Condvar,
    /// Something was recorded, or the connection changed.
    pub(super) news: Condvar,
    pool: OnceLock<Weak<Pool>>,
}

impl Desk {
    pub(super) fn new(address: Address, options: WorkerOptions) -> Self {
        Self {
            address,
            options,
            state: Mutex::new(State::new()),
            work: Condvar::new(),
            out: Condvar::new(),
            news: Condvar::new(),
            pool: OnceLock::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_pool(&self, pool: &Arc<Pool>) {
        // One worker has one pool.
        let _ = self.pool.set(Arc::downgrade(pool));
    }

    pub(super) fn is_connected(&self) -> bool {
        self.lock().has_session
    }

    pub(super) fn wait_connected(&self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        let unconnected = |state: &mut State| !state.has_session && !state.has_left;
        let waited = self.news.wait_timeout_while(self.lock(), left, unconnected);
        waited.unwrap_or_else(PoisonError::into_inner).0.has_session
    }

    /// These attempts are this worker's now.
    pub(super) fn given(&self, given: &mut Vec<Given>) {
        let now = Instant::now();
        let mut state = self.lock();
        state.heard_at = now;
        if given.is_empty() {
            return;
        }
        let (is_alone, is_draining) = (given.len() == 1, state.is_draining);
        for Given { assignment, lease } in given.drain(..) {
            let key = (assignment.task_id, assignment.attempt);
            state.held.insert(key, lease);
            match is_draining {
                true => state.say(key, Reported::Released),
                false => state.waiting.push_back((now, assignment)),
            }
        }
        drop(state);
        match (is_draining, is_alone) {
            (true, _) => self.out.notify_one(),
            (false, true) => self.work.notify_one(),
            (false, false) => self.work.notify_all(),
        }
    }

    /// An attempt is to stop: what has not begun is given back, the other is asked to end.
    pub(super) fn stop_one(&self, key: Key) {
        let mut state = self.lock();
        if state.take_waiting(key) {
            state.say(key, Reported::Released);
            drop(state);
            return self.out.notify_one();
        }
        drop(state);
        self.cancel(key);
    }

    fn cancel(&self, (task, attempt): Key) {
        if let Some(pool) = self.pool.get().and_then(Weak::upgrade) {
            pool.cancel(task, attempt);
        }
    }

    /// The server has given these to others: they are forgotten.
    pub(super) fn forget(&self, dropped: &[Held]) {
        for held in dropped {
            let key = (u128::from_be_bytes(held.task_id), held.attempt);
            let was_waiting = {
                let mut state = self.lock();
                state.held.remove(&key);
                state.take_waiting(key)
            };
            if !was_waiting {
                self.cancel(key);
            }
        }
        self.news.notify_all();
    }

    /// A line was answered: what it said is recorded, or nobody wants to know.
    pub(super) fn answered(&self, reference: u64) {
        self.lock().answered(reference);
        self.news.notify_all();
    }

    /// Gives back what has waited too long to begin.
    pub(super) fn stop_hoarding(&self, now: Instant) {
        let mut state = self.lock();
        let is_late = |at: Instant| now.saturating_duration_since(at) > HOARD_MAX;
        let mut late = Vec::new();
        while let Some((at, _)) = state.waiting.back()
            && is_late(*at)
        {
            late.extend(state.waiting.pop_back());
        }
        for (_, assignment) in &late {
            let key = (assignment.task_id, assignment.attempt);
            state.say(key, Reported::Released);
        }
    }

    /// Nobody was reached for so long that the server has given everything to others.
    pub(super) fn give_up_all(&self) {
        let running = {
            let mut state = self.lock();
            state.waiting.clear();
            state.held.keys().copied().collect::<Vec<_>>()
        };
        running.into_iter().for_each(|key| self.cancel(key));
    }

    pub(super) fn take_no_more(&self) {
        let mut state = self.lock();
        state.is_draining = true;
        for (_, assignment) in std::mem::take(&mut state.waiting) {
            let key = (assignment.task_id, assignment.attempt);
            state.say(key, Reported::Released);
        }
        drop(state);
        self.out.notify_all();
    }

    /// Waits until everything is recorded, and ends the link.
    pub(super) fn leave(&self, until: Instant) {
        let left = until.saturating_duration_since(Instant::now());
        let unrecorded = |state: &mut State| !state.held.is_empty() && !state.has_left;
        let waited = self.news.wait_timeout_while(self.lock(), left, unrecorded);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.has_left = true;
        drop(state);
        self.out.notify_all();
        self.work.notify_all();
        self.news.notify_all();
    }
}
