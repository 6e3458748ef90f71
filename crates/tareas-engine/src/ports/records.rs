//! The `Records` port: what tasks are.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use smol_str::SmolStr;
use tareas_core::{
    Applied, Attempt, Batch, Hint, Kind, Lane, Phase, Place, Position, QueueName, SessionId, Sweep,
    Task, TaskId, Timestamp, Want,
};

use super::{ApplyError, PortError, Stopped};
use crate::filter::Filter;

/// What tasks are. Decided when [`apply`](Records::apply) returns; durable when
/// [`durable`](Records::durable) has reached its position.
///
/// The promise is atomic per command and ordered per task, not more. All identity and chance is
/// in the commands, so a batch may be applied again after an unknown outcome: it changes nothing
/// and gives the same outcomes (`Done` or `Already`).
#[async_trait]
pub trait Records: fmt::Debug + Send + Sync + 'static {
    /// Decides the commands in order, each against the state left by the one before.
    async fn apply(&self, batch: Batch) -> Result<Applied, ApplyError>;

    /// Claims the oldest queued tasks of the lanes, highest priority first: at most one per
    /// token. Suspects are left to their own lane.
    async fn claim_next(&self, want: Want) -> Result<Applied, ApplyError>;

    /// Finds at most `limit` tasks by their state and decides each. Level-triggered: what one
    /// pass misses, the next one finds.
    async fn sweep(
        &self,
        sweep: Sweep,
        now: Timestamp,
        limit: usize,
    ) -> Result<Applied, ApplyError>;

    /// Everything decided at or below it survives. Never goes back.
    fn durable(&self) -> Position;

    /// Waits until `durable() > after`.
    ///
    /// # Errors
    /// [`Stopped`]: nothing more will ever be durable here; nobody may be told anything any more.
    async fn durable_after(&self, after: Position) -> Result<Position, Stopped>;

    /// The next hints of a lane above `after`, in order. Decided view: sees every `apply` that
    /// returned before, whether it is on disk or not.
    async fn ready(&self, lane: &Lane, after: Place, limit: usize) -> Result<Vec<Hint>, PortError>;

    /// Decided view of these tasks, in the same order, with the position at which it may be told.
    async fn load(&self, ids: &[TaskId]) -> Result<(Vec<Option<Task>>, Position), PortError>;

    /// Durable view: one page of tasks, newest first: by when they were accepted, or by the time
    /// inside their ids where many servers accept them.
    async fn page(&self, query: &TaskQuery) -> Result<Page, PortError>;

    /// Attempts of one task that did not succeed, oldest first. Durable view.
    async fn attempts(&self, id: TaskId) -> Result<Vec<Attempt>, PortError>;

    /// How many tasks there are, by queue and phase. Maintained, never counted. Decided view.
    fn counts(&self) -> Counts;
}

/// What an operator has set. One adapter type implements this beside [`Records`].
#[async_trait]
pub trait Settings: fmt::Debug + Send + Sync + 'static {
    /// The queues that are known, and whether each is paused.
    fn queues(&self) -> BTreeMap<QueueName, bool>;

    /// Pauses or resumes a queue: no task of a paused queue is claimed. Returns the position at
    /// which this may be told.
    async fn pause(&self, queue: &QueueName, paused: bool) -> Result<Position, ApplyError>;

    /// Sessions of earlier lives of this process: what they still hold must be reclaimed, unless
    /// their worker comes back.
    fn lost_sessions(&self) -> Vec<StoredSession>;

    /// Records a session; durable on return.
    async fn open_session(&self, session: StoredSession) -> Result<(), PortError>;

    /// Says that nothing is held by a session any more.
    async fn close_session(&self, session: SessionId) -> Result<(), PortError>;

    /// The kinds that remote workers have ever announced.
    fn remembered_kinds(&self) -> Vec<Kind>;

    /// Records kinds that a remote worker announces; durable on return.
    async fn remember_kinds(&self, kinds: &[Kind]) -> Result<(), PortError>;
}

/// A session as it is recorded: what must be known of it after a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// Its name.
    pub id: SessionId,
    /// How many tasks it can run at once: so many of its claims can have been started.
    pub slots: u16,
    /// SHA-256 of the secret with which the worker of another process may go on with it.
    /// Absent for the pool of a process itself, which cannot come back.
    pub resume: Option<[u8; 32]>,
    /// What people call whoever runs in it, when that is known: the history of what it leaves
    /// behind names it.
    pub worker: Option<SmolStr>,
}

impl StoredSession {
    /// The session of a process's own pool.
    pub const fn of_own_pool(id: SessionId, slots: u16) -> Self {
        Self {
            id,
            slots,
            resume: None,
            worker: None,
        }
    }
}

/// Tasks per queue and phase.
pub type Counts = BTreeMap<QueueName, [u64; Phase::ALL.len()]>;

/// Which tasks, and which page of them.
#[derive(Clone, Debug, Default)]
pub struct TaskQuery {
    /// Which tasks. The records answer what [`Filter::finds`] says and leave the details to the
    /// engine.
    pub filter: Filter,
    /// Go on after this task of an earlier page.
    pub cursor: Option<PageCursor>,
    /// At most this many; bounded by the engine.
    pub limit: usize,
}

/// Where a page ended: an opaque number of the adapter that only grows older. Wide enough for
/// the order of acceptance as well as for a task's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageCursor(pub u128);

/// One page of tasks.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Newest first.
    pub tasks: Vec<Task>,
    /// For each of them: where a page that ended with it would go on.
    pub after: Vec<PageCursor>,
    /// Where the next page goes on, unless this was the last. A page may be shorter than asked
    /// and still have a next one: the scan of one page is bounded.
    pub next: Option<PageCursor>,
}
