//! What the faces, the sweeps and the writer share: the ledger behind one lock.
//!
//! The lock is held for decisions only: no I/O, no await. The writer is notified only when it
//! sleeps and there is a reason to wake, so a loaded store makes no system calls for that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};

use tareas_core::{Kind, Ledger, SessionId};
use tareas_engine::ports::{Stopped, StoredSession};
use tokio::sync::{Notify, oneshot};

use super::durable::Durable;

/// What the writer is doing, as far as those who decide must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// It will look by itself.
    Busy,
    /// It sleeps until there is something to write.
    Idle,
    /// It sleeps until the quick tasks of its round have ended.
    Folding,
}

/// A change that an operator or the start of a pool makes; written with the next commit.
#[derive(Debug)]
pub(super) enum SessionChange {
    Open(StoredSession),
    Close {
        session: SessionId,
    },
    /// A remote worker announces kinds.
    Kinds(Vec<Kind>),
}

/// A session change, and who waits for it to be durable.
#[derive(Debug)]
pub(super) struct AskedSession {
    pub(super) change: SessionChange,
    pub(super) done: oneshot::Sender<()>,
}

/// Everything behind the lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) ledger: Ledger,
    pub(super) mood: Mood,
    /// Tasks in the commit that is under way.
    pub(super) writing: usize,
    /// Commits that were published. While this stays, no task that a snapshot shows as it was
    /// has left memory.
    pub(super) published: u64,
    pub(super) sessions: Vec<AskedSession>,
    /// Commits are held back as long as this is not zero.
    pub(super) holds: usize,
    /// The store is closing: nothing is decided any more.
    pub(super) is_closing: bool,
    pub(super) is_stopped: bool,
}

impl State {
    /// Whether the writer has something to do.
    pub(super) fn has_work(&self) -> bool {
        self.ledger.is_dirty() || !self.sessions.is_empty()
    }

    /// Tasks whose rows may differ from what was decided.
    pub(super) fn unwritten(&self) -> usize {
        self.ledger.journal_len() + self.writing
    }
}

/// The state, its lock, and the durable position.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    wakes_writer: Condvar,
    /// The writer waits for quick tasks to end; new ones wait until it has taken those.
    is_folding: AtomicBool,
    fold_ended: Notify,
    pub(super) durable: Durable,
}

impl Shared {
    pub(super) fn new(ledger: Ledger) -> Self {
        Self {
            state: Mutex::new(State {
                ledger,
                mood: Mood::Busy,
                writing: 0,
                published: 0,
                sessions: Vec::new(),
                holds: 0,
                is_closing: false,
                is_stopped: false,
            }),
            wakes_writer: Condvar::new(),
            is_folding: AtomicBool::new(false),
            fold_ended: Notify::new(),
            durable: Durable::default(),
        }
    }

    /// Locks the state, whatever has happened: for looking, and for the writer.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| {
            // Somebody panicked in the middle of a decision: it must not become durable.
            self.durable.stop("a decision was cut short by a panic");
            let mut state = poisoned.into_inner();
            state.is_stopped = true;
            state
        })
    }

    /// Locks the state for deciding.
    ///
    /// # Errors
    /// When the store is closing or has stopped.
    pub(super) fn lock_to_decide(&self) -> Result<MutexGuard<'_, State>, Stopped> {
        let state = self.lock();
        if state.is_stopped {
            let reason = "the store has stopped".to_owned();
            return Err(self.durable.stopped().unwrap_or(Stopped { reason }));
        }
        if state.is_closing {
            return Err(Stopped {
                reason: "the store is closed".to_owned(),
            });
        }
        Ok(state)
    }

    /// Unlocks after a decision, and wakes the writer if that is what it sleeps for.
    pub(super) fn unlock(&self, mut state: MutexGuard<'_, State>) {
        let has_work = state.has_work();
        let is_reason = match state.mood {
            Mood::Busy => false,
            Mood::Idle => has_work || state.is_closing,
            Mood::Folding => state.ledger.round_is_folded() || state.is_closing,
        };
        if is_reason {
            state.mood = Mood::Busy;
        }
        drop(state);
        if is_reason {
            self.wakes_writer.notify_one();
        }
    }

    /// The writer begins to wait for quick tasks to end.
    pub(super) fn begin_fold(&self) {
        self.is_folding.store(true, Ordering::SeqCst);
    }

    /// It waits no longer.
    pub(super) fn end_fold(&self) {
        self.is_folding.store(false, Ordering::SeqCst);
        self.fold_ended.notify_waiters();
    }

    /// Lets the writer take the quick tasks that are about to end, before more of them come:
    /// those would be in its commit as well, half done, and cost two statements each.
    pub(super) async fn fold_ended(&self) {
        let ended = self.fold_ended.notified();
        if self.is_folding.load(Ordering::SeqCst) {
            ended.await;
        }
    }

    /// Where the writer sleeps.
    pub(super) fn wakes_writer(&self) -> &Condvar {
        &self.wakes_writer
    }

    /// Nothing more will be durable here: tells everybody who waits.
    pub(super) fn stop(&self, reason: &str) {
        let asked = {
            let mut state = self.lock();
            state.is_stopped = true;
            std::mem::take(&mut state.sessions)
        };
        drop(asked);
        self.durable.stop(reason);
    }
}
