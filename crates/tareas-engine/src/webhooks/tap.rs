//! The tap: what has ended in this process and is not recorded as deliveries yet.
//!
//! It is shut while no webhook is enabled: then an end costs one look at a flag. Open, it keeps what
//! some webhook wants, up to a number and a size; what runs over is found in the records later.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tareas_core::{Position, Task, Timestamp};
use tokio::sync::Notify;

use super::{Ended, Webhook};

/// Ends that are held.
const ENDS_MAX: usize = 16_384;
/// Bytes that they take together, roughly.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// A thread may take so long from deciding an end to noting it here, and clocks may differ by so
/// much.
pub(super) const SLACK: Duration = Duration::from_secs(60);

/// See the module's documentation.
#[derive(Debug)]
pub struct Tap {
    is_open: AtomicBool,
    /// No finished task whose retention ended later is removed.
    prune_until: AtomicI64,
    held: Mutex<Held>,
    filled: Notify,
}

/// What was noted since the last look.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Who wants to be told.
    webhooks: Arc<[Webhook]>,
    /// What has ended.
    pub(super) ends: Vec<Ended>,
    /// When all of it may be told.
    pub(super) position: Position,
    /// Some ends did not fit.
    pub(super) ran_over: bool,
    bytes: usize,
}

impl Default for Tap {
    fn default() -> Self {
        Self {
            is_open: AtomicBool::new(false),
            prune_until: AtomicI64::new(i64::MAX),
            held: Mutex::default(),
            filled: Notify::new(),
        }
    }
}

impl Tap {
    /// Notes these ends, as far as somebody wants them. Called on threads of the pool.
    #[inline]
    pub(crate) fn note<'a>(&self, position: Position, ended: impl Iterator<Item = &'a Task>) {
        if self.is_open.load(Ordering::Acquire) {
            self.keep(position, ended);
        }
    }

    /// Until when the retention of a task must have ended for it to be removed now.
    pub(crate) fn prune_until(&self, now: Timestamp) -> Timestamp {
        now.min(Timestamp::from_micros(
            self.prune_until.load(Ordering::Acquire),
        ))
    }

    /// Some ends may have been recorded without being noted here: the records are asked.
    pub(crate) fn doubt(&self) {
        if self.is_open() {
            self.lock().ran_over = true;
        }
    }

    pub(super) fn hold_pruning(&self, until: Option<Timestamp>) {
        let until = until.map_or(i64::MAX, |until| (until - SLACK).as_micros());
        self.prune_until.store(until, Ordering::Release);
    }

    /// Has ends noted for these, from now on.
    pub(super) fn set(&self, webhooks: &[Webhook]) {
        let enabled: Vec<Webhook> = webhooks
            .iter()
            .filter(|w| w.is_enabled())
            .cloned()
            .collect();
        let mut held = self.lock();
        self.is_open.store(!enabled.is_empty(), Ordering::Release);
        held.webhooks = enabled.into();
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// What was noted since the last time.
    pub(super) fn take(&self) -> Held {
        let mut held = self.lock();
        let webhooks = Arc::clone(&held.webhooks);
        let rest = Held {
            webhooks,
            ..Held::default()
        };
        std::mem::replace(&mut *held, rest)
    }

    /// Waits until something is noted.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    fn keep<'a>(&self, position: Position, ended: impl Iterator<Item = &'a Task>) {
        let mut held = self.lock();
        for task in ended {
            if !held.webhooks.iter().any(|known| known.wants_end_of(task)) {
                continue;
            }
            let Some(ended) = Ended::of(task) else {
                continue;
            };
            held.position = held.position.max(position);
            let bytes = ended.bytes();
            if held.ends.len() >= ENDS_MAX || held.bytes + bytes > BYTES_MAX {
                held.ran_over = true;
                continue;
            }
            held.bytes += bytes;
            held.ends.push(ended);
        }
        if !held.ends.is_empty() {
            self.filled.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
