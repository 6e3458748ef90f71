//! The bulk actions of one life of the process: those that wait, the one that runs, the last that
//! have ended.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tareas_core::Timestamp;
use tokio::sync::{Notify, watch};

use super::{BulkId, BulkOrder, BulkState, BulkView};

/// Bulk actions that may wait for the one that runs.
pub const BULKS_WAITING_MAX: usize = 16;
/// Bulk actions that are remembered.
pub const BULKS_KEPT: usize = 100;

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Bulks {
    entries: Mutex<VecDeque<Entry>>,
    arrived: Notify,
}

#[derive(Debug)]
struct Entry {
    order: BulkOrder,
    view: watch::Sender<BulkView>,
    is_stopped: bool,
}

impl Entry {
    fn new(id: BulkId, order: BulkOrder, now: Timestamp) -> Self {
        let view = BulkView {
            id,
            action: order.action,
            filter: order.written.clone(),
            is_dry_run: order.is_dry_run,
            most: order.most,
            state: BulkState::Waiting,
            matched: 0,
            done: 0,
            skipped: 0,
            kinds: Vec::new(),
            samples: Vec::new(),
            oldest: None,
            newest: None,
            asked_at: now,
            started_at: None,
            ended_at: None,
        };
        Self {
            order,
            view: watch::Sender::new(view),
            is_stopped: false,
        }
    }

    fn state(&self) -> BulkState {
        self.view.borrow().state
    }
}

impl Bulks {
    /// Takes one into the line; `None` when too many wait.
    pub(super) fn take(&self, id: BulkId, order: BulkOrder, now: Timestamp) -> Option<BulkView> {
        let mut entries = self.lock();
        let is_waiting = |entry: &&Entry| entry.state() == BulkState::Waiting;
        if entries.iter().filter(is_waiting).count() >= BULKS_WAITING_MAX {
            return None;
        }
        let entry = Entry::new(id, order, now);
        let view = entry.view.borrow().clone();
        entries.push_back(entry);
        // What has ended is forgotten first; what waits or runs is fewer than what is kept.
        if entries.len() > BULKS_KEPT
            && let Some(index) = entries.iter().position(|entry| entry.state().has_ended())
        {
            entries.remove(index);
        }
        drop(entries);
        self.arrived.notify_one();
        Some(view)
    }

    /// Waits for one to come.
    pub(super) async fn arrival(&self) {
        self.arrived.notified().await;
    }

    /// The oldest that waits, as running from now on.
    pub(super) fn begin(&self, now: Timestamp) -> Option<(BulkId, BulkOrder)> {
        let entries = self.lock();
        let mut waiting = entries
            .iter()
            .filter(|entry| entry.state() == BulkState::Waiting);
        let entry = waiting.next()?;
        entry.view.send_modify(|view| {
            view.state = BulkState::Running;
            view.started_at = Some(now);
        });
        let id = entry.view.borrow().id;
        Some((id, entry.order.clone()))
    }

    /// Counts something, and says whether to go on.
    pub(super) fn note(&self, id: BulkId, change: impl FnOnce(&mut BulkView)) -> bool {
        let entries = self.lock();
        let Some(entry) = find(&entries, id) else {
            return false;
        };
        entry.view.send_modify(change);
        !entry.is_stopped
    }

    /// Ends one.
    pub(super) fn end(&self, id: BulkId, state: BulkState, now: Timestamp) {
        self.note(id, |view| {
            view.state = state;
            view.ended_at = Some(now);
        });
    }

    pub(super) fn stop(&self, id: BulkId, now: Timestamp) -> Option<BulkView> {
        let mut entries = self.lock();
        let entry = entries
            .iter_mut()
            .find(|entry| entry.view.borrow().id == id)?;
        entry.is_stopped = true;
        if entry.state() == BulkState::Waiting {
            entry.view.send_modify(|view| {
                view.state = BulkState::Stopped;
                view.ended_at = Some(now);
            });
        }
        let view = entry.view.borrow().clone();
        Some(view)
    }

    pub(super) fn watch(&self, id: BulkId) -> Option<watch::Receiver<BulkView>> {
        find(&self.lock(), id).map(|entry| entry.view.subscribe())
    }

    pub(super) fn all(&self) -> Vec<BulkView> {
        let entries = self.lock();
        let newest_first = entries.iter().rev();
        newest_first
            .map(|entry| entry.view.borrow().clone())
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(entries: &VecDeque<Entry>, id: BulkId) -> Option<&Entry> {
    entries.iter().find(|entry| entry.view.borrow().id == id)
}
