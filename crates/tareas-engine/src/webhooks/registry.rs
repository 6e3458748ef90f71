//! The webhooks that are known, and the mark of this process.
//!
//! They are held in memory and read again every two seconds, so that what another server has
//! changed is heeded soon; what is changed here is heeded at once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tareas_core::Timestamp;
use tokio::sync::Notify;

use super::{DeliveryPhase, Ended, Message, NewDelivery, Webhook, WebhookId};
use crate::Engine;
use crate::ports::{Egress, EndMark, PortError, WebhookRecords};

/// Writes messages.
pub trait Writer: std::fmt::Debug + Send + Sync + 'static {
    /// Tells of an end.
    fn end(&self, ended: &Ended) -> Message;

    /// Tells of nothing: to see whether it arrives. `id` is its name.
    fn test(&self, webhook: &Webhook, id: &str, now: Timestamp) -> Message;
}

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Webhooks at once.
    pub webhooks_max: usize,
    /// Deliveries of one webhook that wait; then it is disabled.
    pub waiting_max: usize,
    /// How long deliveries that have ended are kept.
    pub kept_for: Duration,
    /// How many of them, all webhooks together.
    pub kept_max: usize,
    /// How long every delivery must fail for a webhook to be disabled.
    pub failing_max: Duration,
    /// How long deliveries belong to whoever makes them: more than all that are claimed together
    /// can take. After that they are made again, since that server may be gone.
    pub claimed_for: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            webhooks_max: 50,
            waiting_max: 1_000_000,
            kept_for: Duration::from_secs(7 * 24 * 60 * 60),
            kept_max: 100_000,
            failing_max: Duration::from_secs(5 * 24 * 60 * 60),
            claimed_for: Duration::from_secs(120),
        }
    }
}

/// What the webhooks of an engine are made of.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Where they are stored.
    pub store: Arc<dyn WebhookRecords>,
    /// The way out.
    pub egress: Arc<dyn Egress>,
    /// Who writes messages.
    pub writer: Arc<dyn Writer>,
    /// How much is kept.
    pub terms: Terms,
}

/// What was tried since the start of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Deliveries that were taken.
    pub delivered: u64,
    /// Tries that failed and are repeated.
    pub retried: u64,
    /// Deliveries that were given up.
    pub given_up: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) delivered: AtomicU64,
    pub(super) retried: AtomicU64,
    pub(super) given_up: AtomicU64,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Webhooks {
    pub(super) engine: Arc<Engine>,
    pub(super) store: Arc<dyn WebhookRecords>,
    pub(super) egress: Arc<dyn Egress>,
    pub(super) writer: Arc<dyn Writer>,
    pub(super) terms: Terms,
    /// One life of this process, as marks know it.
    pub(super) owner: u64,
    pub(super) counters: Counters,
    /// Wakes the sender: webhooks have changed, or deliveries were recorded.
    pub(super) stirred: Notify,
    known: Mutex<Arc<[Webhook]>>,
    /// Held while webhooks are read, or found to be all disabled: what was read last stands.
    turn: tokio::sync::Mutex<()>,
    is_marked: AtomicBool,
    /// The recorder has stopped, and has left nothing but what ended since.
    is_left: AtomicBool,
}

impl Webhooks {
    /// The webhooks of this engine. What ends from now on is told; call it before anything can
    /// end, and before the services start.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open(engine: Arc<Engine>, parts: Parts) -> Result<Arc<Self>, PortError> {
        let Parts {
            store,
            egress,
            writer,
            terms,
        } = parts;
        let webhooks = Self {
            owner: engine.chance.draw() >> 1,
            engine,
            store,
            egress,
            writer,
            terms,
            counters: Counters::default(),
            stirred: Notify::new(),
            known: Mutex::new(Arc::from([])),
            turn: tokio::sync::Mutex::default(),
            is_marked: AtomicBool::new(false),
            is_left: AtomicBool::new(false),
        };
        webhooks.refresh().await?;
        Ok(Arc::new(webhooks))
    }

    /// All of them, as they were read last.
    pub fn known(&self) -> Arc<[Webhook]> {
        Arc::clone(&self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One of them.
    pub fn get(&self, id: &WebhookId) -> Option<Webhook> {
        self.known().iter().find(|known| known.id == *id).cloned()
    }

    /// What was tried since the start.
    pub fn tried(&self) -> Tried {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tried {
            delivered: read(&self.counters.delivered),
            retried: read(&self.counters.retried),
            given_up: read(&self.counters.given_up),
        }
    }

    /// Reads what is stored.
    ///
    /// # Errors
    /// When the store does not answer: what was read last stands.
    pub async fn refresh(&self) -> Result<(), PortError> {
        let _turn = self.turn.lock().await;
        let stored = self.store.webhooks().await?;
        if stored.iter().any(Webhook::is_enabled) && !self.is_marked() {
            // What ends from now on is looked for after a crash.
            self.mark(self.engine.now()).await?;
        }
        self.engine.tap.set(&stored);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let has_changed = known[..] != stored[..];
        *known = stored.into();
        drop(known);
        if has_changed {
            self.stirred.notify_one();
        }
        Ok(())
    }

    /// Records deliveries and has them made.
    pub(super) async fn record(&self, deliveries: &[NewDelivery]) -> Result<usize, PortError> {
        let new = self.store.record(deliveries).await?;
        if new > 0 {
            self.stirred.notify_one();
        }
        Ok(new)
    }

    /// What ended in this process before then is recorded. No task that ended later is removed.
    pub(super) async fn mark(&self, upto: Timestamp) -> Result<(), PortError> {
        let mark = EndMark {
            owner: self.owner,
            upto,
            beat_at: self.engine.now(),
        };
        self.store.set_mark(mark).await?;
        self.is_marked.store(true, Ordering::SeqCst);
        let all = self.store.marks().await?;
        let lowest = all.iter().map(|mark| mark.upto).min();
        self.engine.tap.hold_pruning(lowest);
        Ok(())
    }

    /// Takes the mark away while no webhook is enabled.
    pub(super) async fn unmark_if_shut(&self) -> Result<(), PortError> {
        let _turn = self.turn.lock().await;
        match self.is_marked() && !self.engine.tap.is_open() {
            true => self.unmark().await,
            false => Ok(()),
        }
    }

    /// Nothing of this process has to be looked for any more.
    pub(super) async fn unmark(&self) -> Result<(), PortError> {
        let marks = self.store.marks().await?;
        for mark in marks.into_iter().filter(|mark| mark.owner == self.owner) {
            self.store.remove_mark(mark).await?;
        }
        self.is_marked.store(false, Ordering::SeqCst);
        self.engine.tap.hold_pruning(None);
        Ok(())
    }

    pub(super) fn is_marked(&self) -> bool {
        self.is_marked.load(Ordering::SeqCst)
    }

    /// The recorder has stopped; whether it has recorded everything.
    pub(super) fn leave_the_rest(&self, is_all: bool) {
        self.is_left.store(is_all, Ordering::SeqCst);
    }

    pub(super) fn is_left(&self) -> bool {
        self.is_left.load(Ordering::SeqCst)
    }

    /// How many webhooks are being delivered to, fail, and were disabled by themselves.
    pub fn health(&self) -> [(&'static str, usize); 3] {
        let known = self.known();
        let count = |of: fn(&Webhook) -> bool| known.iter().filter(|known| of(known)).count();
        let is_well = |known: &Webhook| known.is_enabled() && known.failing_since.is_none();
        let fails = |known: &Webhook| known.is_enabled() && known.failing_since.is_some();
        [
            ("well", count(is_well)),
            ("failing", count(fails)),
            ("disabled", count(|known| !known.is_enabled())),
        ]
    }

    pub(super) fn count(&self, phase: Option<DeliveryPhase>) {
        let counter = match phase {
            Some(DeliveryPhase::Delivered) => &self.counters.delivered,
            Some(_) => &self.counters.given_up,
            None => &self.counters.retried,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
