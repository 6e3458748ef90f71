//! The engine: one object that faces and pools talk to.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use smol_str::SmolStr;
use tareas_core::{Kind, Place, Position, SessionId, TaskId, Timestamp};
use tokio::sync::{Notify, RwLock};

use crate::Refusal;
use crate::bulk::Bulks;
use crate::chance::Chance;
use crate::commands::CancelDeadlines;
use crate::dispatcher::OnTheirWay;
use crate::history::History;
use crate::kinds::Kinds;
use crate::membership::{Membership, Standing};
use crate::notes::Notes;
use crate::ports::{Blobs, Clock, Queue, Records, Settings, Stopped, Tracer};
use crate::remote::{Patience, Remote};
use crate::tally::Tally;
use crate::watch::{Listener, Listening, Watches};
use crate::webhooks::Tap;

/// What an engine is made of.
#[derive(Debug)]
pub struct Ports {
    /// What tasks are.
    pub records: Arc<dyn Records>,
    /// What an operator has set.
    pub settings: Arc<dyn Settings>,
    /// Who is told.
    pub queue: Arc<dyn Queue>,
    /// Large bytes.
    pub blobs: Arc<dyn Blobs>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// How an engine is set up.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The session of this process's own pool.
    pub session: SessionId,
    /// Threads of this process's own pool; none when 0.
    pub threads: u16,
    /// What people call this process; nothing when empty.
    pub name: SmolStr,
    /// 64 random bits of this boot.
    pub chance: u64,
    /// Starts of handlers wait for the disk until then: after an unclean boot.
    pub careful_until: Timestamp,
    /// How long a running attempt may take to heed a cancel request.
    pub cancel_grace: Duration,
    /// Let tasks of a kind that nobody has announced wait for a worker, instead of refusing them.
    pub accept_unknown_kinds: bool,
    /// Retention of finished tasks that say nothing of it, where it is not [`RETENTION_DEFAULT`]. Written down with
    /// each task when it is accepted, a few bytes each: when a task may be removed is told by the task alone, so
    /// that several servers on the same records agree on it, whatever each is configured to, and an id that a
    /// client chose is remembered for its window whatever becomes of the configuration.
    ///
    /// [`RETENTION_DEFAULT`]: tareas_core::limits::RETENTION_DEFAULT
    pub retention: Option<Duration>,
    /// How patient it is with remote workers.
    pub patience: Patience,
    /// 256 secret bits of this boot: leases and sessions of remote workers are made of them.
    pub secret: [u8; 32],
    /// How this process is one of several on the same records; `None` when it is alone.
    pub membership: Option<Membership>,
    /// Who records the spans of submissions; nobody, unless a collector is named.
    pub tracer: Option<Arc<dyn Tracer>>,
}

impl EngineConfig {
    /// Defaults for a pool of so many threads. Where there are remote workers, `secret` is to be
    /// replaced by one that nobody can guess.
    pub fn new(session: SessionId, threads: u16, chance: u64) -> Self {
        Self {
            session,
            threads,
            name: SmolStr::default(),
            chance,
            careful_until: Timestamp::EPOCH,
            cancel_grace: Duration::from_secs(30),
            accept_unknown_kinds: false,
            retention: None,
            patience: Patience::default(),
            secret: weak_secret(chance),
            membership: None,
            tracer: None,
        }
    }
}

fn weak_secret(chance: u64) -> [u8; 32] {
    let mut secret = [0; 32];
    secret[..8].copy_from_slice(&chance.to_be_bytes());
    secret
}

/// Asks a running attempt to stop: implemented by whoever runs this process's pool.
pub trait Pool: std::fmt::Debug + Send + Sync + 'static {
    /// Asks the attempt to stop; `false` when it is not running here.
    fn cancel(&self, task: TaskId, attempt: u64) -> bool;

    /// What each thread runs now: task, attempt, kind and for how long.
    fn slots(&self) -> Vec<PoolSlot>;
}

/// What one thread of a pool does.
#[derive(Clone, Debug)]
pub struct PoolSlot {
    /// Number of the thread.
    pub slot: usize,
    /// What it runs; `None` when it is idle.
    pub running: Option<Running>,
}

/// A running attempt.
#[derive(Clone, Debug)]
pub struct Running {
    /// The task.
    pub task: TaskId,
    /// The attempt.
    pub attempt: u64,
    /// The kind.
    pub kind: String,
    /// For how long.
    pub since: Duration,
}

/// The engine. Its verbs are in [`crate::commands`] and [`crate::queries`], one per file.
#[derive(Debug)]
pub struct Engine {
    pub(crate) ports: Ports,
    pub(crate) config: EngineConfig,
    pub(crate) chance: Chance,
    pub(crate) kinds: Kinds,
    pub(crate) watches: Arc<Watches>,
    pub(crate) tap: Tap,
    pub(crate) tally: Tally,
    pub(crate) history: History,
    pub(crate) notes: Notes,
    pub(crate) remote: Remote,
    /// Held for reading from the decision on a submission until its acknowledgement is queued;
    /// whoever finds tasks in the records takes it for writing before telling a pool of them.
    pub(crate) acknowledging: RwLock<()>,
    pub(crate) bulks: Bulks,
    pub(crate) next_due: NextDue,
    pub(crate) cancel_deadlines: CancelDeadlines,
    /// Tasks that are accepted and have not ended, as far as this process has seen them.
    pub(crate) open: AtomicI64,
    pub(crate) pool: OnceLock<Arc<dyn Pool>>,
    pub(crate) standing: Standing,
    pub(crate) started_at: Timestamp,
    /// Ends that are being recorded beside the threads that brought them.
    pub(crate) on_their_way: OnTheirWay,
    draining: AtomicBool,
}

impl Engine {
    /// An engine over these ports. Its services are started by [`crate::services::start`].
    pub fn new(ports: Ports, config: EngineConfig) -> Arc<Self> {
        Arc::new(Self {
            chance: Chance::new(config.chance),
            watches: Arc::new(Watches::new(config.chance.rotate_left(17))),
            tap: Tap::default(),
            remote: Remote::new(config.threads, config.secret),
            standing: Standing::new(config.session),
            started_at: ports.clock.now(),
            on_their_way: OnTheirWay::default(),
            ports,
            config,
            kinds: Kinds::default(),
            tally: Tally::default(),
            history: History::default(),
            notes: Notes::default(),
            acknowledging: RwLock::new(()),
            bulks: Bulks::default(),
            next_due: NextDue::default(),
            cancel_deadlines: CancelDeadlines::default(),
            open: AtomicI64::new(0),
            pool: OnceLock::new(),
            draining: AtomicBool::new(false),
        })
    }

    /// Now, by the engine's clock.
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// The known kinds.
    pub fn kinds(&self) -> &Kinds {
        &self.kinds
    }

    /// Names the kinds that the pool of this process has handlers for, and makes them known.
    /// Until then it is taken to have all.
    pub fn announce_own(&self, kinds: impl IntoIterator<Item = Kind>) {
        let kinds: HashSet<Kind> = kinds.into_iter().collect();
        self.kinds.announce(kinds.iter().cloned());
        self.remote.set_own_kinds(kinds);
        self.want_kinds();
    }

    /// What was counted since the start.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What this process did in the last day, as far as a historian has written it down.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Progress and logs of recent attempts.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Threads of this process's own pool.
    pub fn threads(&self) -> u16 {
        self.config.threads
    }

    /// How patient it is with remote workers.
    pub fn patience(&self) -> Patience {
        self.config.patience
    }

    /// The session of this process's own pool, in which it claims. Another one once this process
    /// was declared gone and has entered anew.
    pub fn session(&self) -> SessionId {
        self.standing.session()
    }

    /// Names the pool of this process; once.
    pub fn set_pool(&self, pool: Arc<dyn Pool>) {
        // A second pool would be a mistake in the wiring; the first stays.
        let _ = self.pool.set(pool);
    }

    /// What the threads of this process's pool do.
    pub fn slots(&self) -> Vec<PoolSlot> {
        self.pool.get().map(|pool| pool.slots()).unwrap_or_default()
    }

    /// Starts to tell a listener what it watches.
    pub fn listen(&self, listener: Arc<dyn Listener>) -> Listening {
        self.watches.listen(listener)
    }

    /// How many tasks are watched by somebody.
    pub fn watched(&self) -> usize {
        self.watches.len()
    }

    /// How many watch this task.
    pub fn watched_by(&self, task: TaskId) -> usize {
        self.watches.of(task)
    }

    /// How many hints the queue holds in memory, all lanes together.
    pub fn hints_held(&self) -> usize {
        let held: usize = self.ports.queue.depth().iter().map(|lane| lane.hints).sum();
        held + self.remote.shelved().0
    }

    /// Everything decided at or below it is on disk and may be told.
    pub fn durable(&self) -> Position {
        self.ports.records.durable()
    }

    /// Waits until `durable() > after`.
    ///
    /// # Errors
    /// When the store has stopped: nothing may be told any more.
    pub async fn durable_after(&self, after: Position) -> Result<Position, Stopped> {
        self.ports.records.durable_after(after).await
    }

    /// Waits until what was decided at `position` may be told.
    ///
    /// # Errors
    /// When the store has stopped: whether it was recorded is unknown.
    pub async fn until_durable(&self, position: Position) -> Result<(), Refusal> {
        while self.durable() < position {
            self.durable_after(self.durable()).await?;
        }
        Ok(())
    }

    /// Takes nothing new from now on; what is accepted goes on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
        self.ports.queue.close();
        self.remote.drain();
    }

    /// Whether it takes nothing new.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }
}

/// When the next scheduled task is due, as far as this process knows: wakes the timer early.
#[derive(Debug)]
pub(crate) struct NextDue {
    micros: AtomicI64,
    sooner: Notify,
}

impl Default for NextDue {
    fn default() -> Self {
        Self {
            micros: AtomicI64::new(i64::MAX),
            sooner: Notify::new(),
        }
    }
}

impl NextDue {
    pub(crate) fn note(&self, due_at: Timestamp) {
        let before = self.micros.fetch_min(due_at.as_micros(), Ordering::SeqCst);
        if due_at.as_micros() < before {
            self.sooner.notify_one();
        }
    }

    pub(crate) fn take(&self) -> Option<Timestamp> {
        let micros = self.micros.swap(i64::MAX, Ordering::SeqCst);
        (micros != i64::MAX).then(|| Timestamp::from_micros(micros))
    }

    pub(crate) async fn sooner(&self) {
        self.sooner.notified().await;
    }
}

/// The place before every other.
pub(crate) const FROM_THE_START: Place = Place::START;
