//! What all parts of an open store share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tareas_core::{Kind, Outcome, Place, Position, QueueName, Rejected, Timestamp};
use tareas_engine::ports::{Stopped, StoredSession};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use super::PostgresOptions;
use super::days::Days;
use super::front::Front;
use super::held::Held;
use super::tally::Tally;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: PostgresOptions,
    /// The identity of this server.
    pub(super) server: Uuid,
    pub(super) front: Front,
    pub(super) days: Days,
    pub(super) tally: Tally,
    pub(super) stats: Stats,
    /// Earlier lives of this server, and how many tasks each could run at once.
    lost_sessions: Mutex<Vec<StoredSession>>,
    /// What workers had announced when this store was opened.
    kinds: Mutex<Vec<Kind>>,
    /// The queues that an operator has set, and whether each is paused.
    queues: Mutex<Queues>,
    held: Mutex<Held>,
    high_place: AtomicI64,
    /// Grows with every commit that changed something. Everything decided is durable.
    decided: watch::Sender<u64>,
    /// Why nothing more will ever be decided here.
    stopped: OnceLock<String>,
    /// Grows when connections that count must read their shards again.
    epoch: AtomicU64,
    /// Ends the services.
    pub(super) closing: Notify,
}

#[derive(Debug, Default)]
struct Queues {
    paused: BTreeMap<QueueName, bool>,
    /// Grows with every change made here: what was read before it is out of date.
    changes: u64,
}

/// What was done since the start.
#[derive(Debug, Default)]
pub struct Stats {
    pub(super) statements: AtomicU64,
    pub(super) rows: AtomicU64,
    pub(super) collisions: AtomicU64,
    pub(super) connects: AtomicU64,
}

impl Stats {
    /// Statements that wrote, or read in order to write.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// Rows that were written.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Statements that met another one and were sent again.
    pub fn collisions(&self) -> u64 {
        self.collisions.load(Ordering::Relaxed)
    }

    /// Connections made.
    pub fn connects(&self) -> u64 {
        self.connects.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// A store that begins to serve.
    pub(super) fn new(options: PostgresOptions, first_shard: i32, high_place: i64) -> Self {
        Self {
            server: Uuid::from_u128(options.server),
            options,
            front: Front::default(),
            days: Days::default(),
            tally: Tally::new(first_shard),
            stats: Stats::default(),
            lost_sessions: Mutex::default(),
            kinds: Mutex::default(),
            queues: Mutex::default(),
            held: Mutex::default(),
            high_place: AtomicI64::new(high_place),
            decided: watch::Sender::new(0),
            stopped: OnceLock::new(),
            epoch: AtomicU64::new(0),
            closing: Notify::new(),
        }
    }

    /// Sets `count` places apart, none of them before `now`: the ledger of a round gives those
    /// above the returned one.
    pub(super) fn places(&self, now: Timestamp, count: usize) -> Place {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let start = |high: i64| high.max(now.as_micros());
        let mut high = self.high_place.load(Ordering::SeqCst);
        loop {
            let next = start(high).saturating_add(count);
            let set = Ordering::SeqCst;
            match self.high_place.compare_exchange_weak(high, next, set, set) {
                Ok(_) => return Place(start(high)),
                Err(found) => high = found,
            }
        }
    }

    /// Connections that count are made again, each before its next statement.
    pub(super) fn begin_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// A connection that was made in another epoch counts wrongly.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Something was committed.
    pub(super) fn advance(&self) {
        self.decided.send_modify(|decided| *decided += 1);
    }

    /// How far everything is decided, which is how far everything is durable.
    pub(super) fn position(&self) -> Position {
        Position(*self.decided.borrow())
    }

    /// What is told of a claim that was not decided when others with it were: these must not be
    /// in doubt with it, since nobody else would run what they have claimed.
    pub(super) fn try_again(&self) -> Outcome {
        let until = self.position();
        Outcome::Refused(Rejected::Undurable { until })
    }

    /// Waits for the next commit that changes something.
    pub(super) async fn position_after(&self, after: Position) -> Result<Position, Stopped> {
        let mut decided = self.decided.subscribe();
        let is_stopped = || self.stopped.get().is_some();
        let grown = decided.wait_for(|decided| *decided > after.0 || is_stopped());
        let position = grown.await.map_or(0, |decided| *decided);
        match self.stopped.get() {
            Some(reason) if position <= after.0 => Err(Stopped {
                reason: reason.clone(),
            }),
            _ => Ok(Position(position)),
        }
    }

    /// Says that nothing more will be decided here.
    pub(super) fn stop(&self, reason: &str) {
        // The first reason stays.
        let _ = self.stopped.set(reason.to_owned());
        self.front.close();
        self.closing.notify_waiters();
        self.decided.send_modify(|_| ());
    }

    /// What this server runs.
    pub(super) fn running(&self) -> MutexGuard<'_, Held> {
        lock(&self.held)
    }

    /// The queues that an operator has set.
    pub(super) fn queues(&self) -> BTreeMap<QueueName, bool> {
        lock(&self.queues).paused.clone()
    }

    /// How often the queues were changed here.
    pub(super) fn queue_changes(&self) -> u64 {
        lock(&self.queues).changes
    }

    /// A queue was set here.
    pub(super) fn set_queue(&self, queue: &QueueName, paused: bool) {
        let mut queues = lock(&self.queues);
        queues.changes += 1;
        queues.paused.insert(queue.clone(), paused);
    }

    /// What is stored of the queues, unless one was changed here since `changes`.
    pub(super) fn install_queues(&self, found: BTreeMap<QueueName, bool>, changes: u64) {
        let mut queues = lock(&self.queues);
        if queues.changes == changes {
            queues.paused = found;
        }
    }

    /// Sessions of earlier lives.
    pub(super) fn lost(&self) -> MutexGuard<'_, Vec<StoredSession>> {
        lock(&self.lost_sessions)
    }

    /// Kinds that workers had announced.
    pub(super) fn kinds(&self) -> MutexGuard<'_, Vec<Kind>> {
        lock(&self.kinds)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
