//! Remote workers: pools of other processes, which are given tasks over a connection.
//!
//! A worker opens a *session* ([`Engine::work`](crate::Engine::work)): it says which kinds it has
//! handlers for, which queues and labels, and how many tasks it runs at once. From then on tasks
//! are *matched*: what the queue hands out is sorted by who can run it ([`shelves`]), and the
//! [`Assigner`] claims tasks for sessions that have room. Rules that the rest relies on:
//!
//! - An assignment is handed to the [`Courier`] with the position of its claim, and leaves the
//!   process only when that is durable.
//! - A worker holds more than it runs only of short kinds, and only as much as it is expected to
//!   end within [`WINDOW`], so that no other worker idles while it hoards.
//! - A session is alive while its worker is heard of. When it dies, or its connection is gone for
//!   longer than the grace, what it held is taken back; what it says later is stale.
//! - A worker that comes back in time goes on with what it holds, also after a restart.
//!
//! | file | what it does |
//! |---|---|
//! | `fit`, `shelves` | who can run what, and the hints sorted by that |
//! | `routing`, `refill` | hints from the queue, and from the records, onto the shelves |
//! | `seek` | work that no hint came for, from the records |
//! | `session`, `roster` | what is known of one worker, and of all of them |
//! | `work`, `resume` | a worker comes, or comes back |
//! | `assign` | tasks for workers that have room |
//! | `report` | what workers say about their attempts |
//! | `decay` | sessions and attempts whose time is over |
//! | `look` | what people are shown |

mod assign;
mod decay;
mod fit;
mod look;
mod refill;
mod report;
mod resume;
mod roster;
mod routing;
mod secret;
mod seek;
mod session;
mod shelves;
mod work;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tareas_core::{Kind, QueueName, Spec, TaskId, Timestamp};
use tokio::sync::Notify;

pub(crate) use self::assign::Assigner;
use self::fit::Class;
pub(crate) use self::look::Lack;
pub use self::look::{LostWorker, WorkerState, WorkerView};
pub(crate) use self::refill::Refiller;
pub use self::report::{Said, Telling, Verdict};
use self::roster::Roster;
pub(crate) use self::routing::Router;
use self::secret::Secret;
pub(crate) use self::seek::Seeker;
use self::session::Session;
pub use self::session::{Assigned, Courier, HeldBy};
use self::shelves::Shelves;
pub use self::work::{Opened, SessionLink, WorkerHello};

/// How much work, by the clock, a worker holds beyond what it runs: per slot.
pub const WINDOW: Duration = Duration::from_millis(50);
/// How often a worker says something, if it has nothing to say.
pub const BEAT: Duration = Duration::from_secs(5);

/// How patient a server is with remote workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// A session of which nothing is heard for this long is dead. After a restart a worker has as
    /// long to come back.
    pub session_ttl: Duration,
    /// A worker whose connection was lost has this long to come back.
    pub reconnect_grace: Duration,
    /// How much longer than its limit an attempt may take to be reported.
    pub deadline_slack: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            session_ttl: Duration::from_secs(15),
            reconnect_grace: Duration::from_secs(5),
            deadline_slack: Duration::from_secs(2),
        }
    }
}

impl Patience {
    /// How often a worker must say something to be sure to be taken for alive.
    pub fn beat(&self) -> Duration {
        BEAT.min(self.session_ttl / 3)
    }
}

/// Everything about remote workers, and about who can run what.
#[derive(Debug)]
pub(crate) struct Remote {
    /// The kinds of this process's own pool; unknown means any.
    own_kinds: RwLock<Option<Arc<HashSet<Kind>>>>,
    has_own_threads: bool,
    /// Tasks are sorted by who can run them. From the first time that this matters.
    is_matching: AtomicBool,
    matching: Notify,
    shelves: Mutex<Shelves>,
    roster: Mutex<Roster>,
    /// There is something on a shelf for this process's own pool.
    own_ready: Notify,
    /// There is something on a shelf, or a worker has room.
    changed: Notify,
    /// A worker has room.
    room: Notify,
    secret: Secret,
}

impl Remote {
    pub(crate) fn new(threads: u16, secret: [u8; 32]) -> Self {
        Self {
            own_kinds: RwLock::new(None),
            has_own_threads: threads > 0,
            is_matching: AtomicBool::new(false),
            matching: Notify::new(),
            shelves: Mutex::default(),
            roster: Mutex::default(),
            own_ready: Notify::new(),
            changed: Notify::new(),
            room: Notify::new(),
            secret: Secret::new(secret),
        }
    }

    /// What the pool of this process has handlers for, from now on.
    pub(crate) fn set_own_kinds(&self, kinds: HashSet<Kind>) {
        let mut own = self
            .own_kinds
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *own = Some(Arc::new(kinds));
    }

    /// What the pool of this process has handlers for; unknown means any.
    pub(crate) fn own_kinds(&self) -> Option<Arc<HashSet<Kind>>> {
        let own = self
            .own_kinds
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        own.clone()
    }

    /// Whether the pool of this process can run such a task.
    pub(crate) fn is_for_own_pool(&self, spec: &Spec) -> bool {
        let needs_labels = spec
            .options
            .as_ref()
            .is_some_and(|options| !options.requires.is_empty());
        self.has_own_threads && !needs_labels && self.is_own_kind(&spec.kind)
    }

    fn is_own_kind(&self, kind: &Kind) -> bool {
        let own = self
            .own_kinds
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        own.as_ref().is_none_or(|own| own.contains(kind))
    }

    /// Whether tasks are sorted by who can run them.
    pub(crate) fn is_matching(&self) -> bool {
        self.is_matching.load(Ordering::Acquire)
    }

    /// From now on tasks are sorted by who can run them: there is a worker, or a task that the
    /// pool of this process cannot run.
    pub(crate) fn start_matching(&self) {
        if !self.is_matching.swap(true, Ordering::AcqRel) {
            self.matching.notify_waiters();
        }
    }

    /// Waits until tasks are matched.
    pub(crate) async fn until_matching(&self) {
        let mut begun = std::pin::pin!(self.matching.notified());
        // Before it looks: what begins from here on wakes it.
        begun.as_mut().enable();
        if !self.is_matching() {
            begun.await;
        }
    }

    /// Stops or starts giving out tasks of a queue.
    pub(crate) fn pause(&self, queue: &QueueName, paused: bool) {
        self.shelves().pause(queue, paused);
        if !paused {
            self.own_ready.notify_one();
            self.changed.notify_one();
        }
    }

    /// A worker has come, or has room for more.
    fn has_room(&self) {
        self.changed.notify_one();
        self.room.notify_one();
    }

    /// Whether any worker is connected.
    fn has_workers(&self) -> bool {
        let roster = self.roster();
        roster
            .sessions
            .values()
            .any(|session| session.courier().is_some())
    }

    /// The kinds that can be run here, by the pool of this process or by a worker that is, or may
    /// come back.
    fn kinds_here(&self) -> HashSet<Kind> {
        let own = self.own_kinds().filter(|_| self.has_own_threads);
        let mut kinds = own.map(|own| (*own).clone()).unwrap_or_default();
        for session in self.roster().sessions.values() {
            kinds.extend(session.fit.kinds.iter().cloned());
        }
        kinds
    }

    /// Whether the pool of this process, or a worker, can run such a task.
    fn is_for_anybody(&self, spec: &Spec) -> bool {
        let class = Class::of(spec);
        let can_run = |session: &Session| session.fit.can_run(&spec.queue, &class);
        self.is_for_own_pool(spec) || self.roster().sessions.values().any(can_run)
    }

    /// Hints on shelves, and whether some were dropped that must be read from the records again.
    pub(crate) fn shelved(&self) -> (usize, bool) {
        let shelves = self.shelves();
        (shelves.len(), shelves.has_spilled())
    }

    /// Ends the waits of the pool's threads, and tells the workers.
    pub(crate) fn drain(&self) {
        self.own_ready.notify_waiters();
        self.roster().drain();
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What workers were given until then, and have not told the end of.
    pub(crate) fn given_before(&self, until: Timestamp) -> Vec<(TaskId, u64)> {
        let roster = self.roster();
        let given = roster.sessions.values().flat_map(|session| &session.given);
        let old = given.filter(|(_, given)| given.given_at <= until);
        old.map(|(task, given)| (*task, given.attempt)).collect()
    }

    fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
