//! What the threads of a pool share, and what can be done to all slots at once.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::runtime::{Handle, Runtime};

use super::PoolOptions;
use super::alarm::Alarm;
use super::exchange::Exchange;
use super::roster::Roster;
use super::slot::Slot;
use crate::{Assignment, Cause, Completion, Ending, Registry, Source};

pub(super) struct Shared {
    pub(super) registry: Exchange<Registry>,
    pub(super) source: Arc<dyn Source>,
    pub(super) options: PoolOptions,
    pub(super) slots: Box<[Slot]>,
    pub(super) alarm: Alarm,
    /// Pool threads that are not retired.
    pub(super) roster: Roster,
    /// The watcher, until it has ended.
    pub(super) watchers: Roster,
    runtime: Mutex<Option<Runtime>>,
    stopping: AtomicBool,
    retired: AtomicUsize,
}

impl Shared {
    pub(super) fn new(
        registry: Arc<Registry>,
        source: Arc<dyn Source>,
        options: PoolOptions,
        runtime: Option<Runtime>,
    ) -> Self {
        Self {
            registry: Exchange::new(registry),
            source,
            slots: (0..options.threads).map(|_| Slot::default()).collect(),
            options,
            alarm: Alarm::new(),
            roster: Roster::default(),
            watchers: Roster::default(),
            runtime: Mutex::new(runtime),
            stopping: AtomicBool::new(false),
            retired: AtomicUsize::new(0),
        }
    }

    /// The runtime of async handlers, while there is one.
    pub(super) fn runtime_handle(&self) -> Option<Handle> {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        runtime.as_ref().map(|runtime| runtime.handle().clone())
    }

    /// Ends the runtime without waiting, so that it may be called from an async context.
    pub(super) fn end_runtime(&self) {
        let runtime = self
            .runtime
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(SeqCst)
    }

    pub(super) fn retired(&self) -> usize {
        self.retired.load(SeqCst)
    }

    /// Takes nothing more, and gives back what has not begun.
    ///
    /// A thread that takes work at this moment either puts it into its slot before the loop
    /// below gets there, or sees `stopping` and gives it back itself.
    pub(super) fn close(&self) {
        self.stopping.store(true, SeqCst);
        self.source.close();
        for slot in &self.slots {
            let rest = std::mem::take(&mut slot.lock().rest);
            self.put_back(rest);
        }
    }

    /// Asks all that runs to end.
    pub(super) fn raise_all(&self, cause: Cause) {
        for slot in &self.slots {
            let handle = slot
                .lock()
                .running
                .as_ref()
                .map(|running| running.cancel.clone());
            if let Some(handle) = handle {
                handle.raise(cause);
            }
        }
    }

    /// Gives up on all that still runs; how many attempts that were.
    pub(super) fn abandon_all(&self) -> usize {
        let give_up = |slot: &usize| {
            let abandoned = self.slots[*slot]
                .lock()
                .abandon(Ending::Released, Instant::now());
            self.part_with(*slot, abandoned)
        };
        (0..self.slots.len()).filter(give_up).count()
    }

    /// Retires a slot's thread, which is over its time, unless it has just returned.
    pub(super) fn retire(&self, slot: usize) {
        let mut state = self.slots[slot].lock();
        // A thread that returned meanwhile may run another attempt, which nobody has told yet.
        let overdue = state
            .running
            .as_ref()
            .is_some_and(|r| r.overdue_since.is_some());
        if !overdue {
            return;
        }
        state.vacant = true;
        let abandoned = state.abandon(Ending::TimedOut, Instant::now());
        drop(state);
        self.retired.fetch_add(1, SeqCst);
        self.part_with(slot, abandoned);
    }

    fn part_with(
        &self,
        slot: usize,
        abandoned: Option<(Vec<Completion>, VecDeque<Assignment>)>,
    ) -> bool {
        let Some((mut done, rest)) = abandoned else {
            return false;
        };
        self.source.settle(slot, &mut done);
        self.put_back(rest);
        self.roster.leave();
        true
    }

    pub(super) fn put_back(&self, rest: VecDeque<Assignment>) {
        if !rest.is_empty() {
            self.source.put_back(rest.into());
        }
    }
}
