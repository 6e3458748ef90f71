//! The ports [`Export`] and [`Import`]: records that nobody serves, read or filled as a whole.
//!
//! They move tasks as they are, and decide nothing: a task that waits goes on waiting for the
//! same instant, and one that was running is found running by the process that serves next,
//! which takes it back as after any end of a process.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;
use tareas_core::{Attempt, Kind, QueueName, Task};

use super::{Counts, PortError, StoredSession};

/// Most tasks of one leaf.
pub const LEAF_TASKS_MAX: usize = 2_000;
/// A leaf ends when its payloads and results have reached so many bytes.
pub const LEAF_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A task with all that belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct WholeTask {
    /// The task.
    pub task: Task,
    /// Its attempts that did not succeed, oldest first.
    pub attempts: Vec<Attempt>,
}

/// Where a leaf ended: a text that only the adapter which made it understands. It holds as long
/// as nothing is served from the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(pub String);

/// Some tasks, in order of acceptance. Never empty.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// At most [`LEAF_TASKS_MAX`], and not much more than [`LEAF_BYTES_MAX`].
    pub tasks: Vec<WholeTask>,
    /// The next leaf begins after it.
    pub mark: Mark,
}

/// What records hold beside tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// The queues that an operator has paused or resumed, and whether each is paused.
    pub queues: BTreeMap<QueueName, bool>,
    /// The kinds that remote workers have ever announced.
    pub kinds: BTreeSet<Kind>,
    /// The sessions that hold tasks, in order of their ids: of processes that have ended.
    pub sessions: Vec<StoredSession>,
}

/// How far an import has come, as the target keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The records that it comes from, in words: nobody else may go on with it.
    pub from: String,
    /// Where the last leaf that arrived ended.
    pub mark: Option<Mark>,
    /// Tasks that have arrived.
    pub tasks: u64,
}

/// What a place for records holds before anything is put into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No task.
    Empty,
    /// An import that has not ended.
    Unfinished(Progress),
    /// Tasks that no import is bringing.
    Occupied,
}

/// Records that are read as a whole. As long as it is open, nobody can serve from them.
#[async_trait]
pub trait Export: fmt::Debug + Send {
    /// The tasks after a mark, or the first ones; nothing when there are no more. Every task is
    /// in exactly one leaf, wherever the marks were.
    ///
    /// A task of which a start may be unrecorded comes with an attempt number that is one higher:
    /// no number is ever given to a handler twice.
    async fn leaf(&mut self, after: Option<&Mark>) -> Result<Option<Leaf>, PortError>;

    /// What there is beside tasks.
    async fn beside(&mut self) -> Result<Beside, PortError>;

    /// How many tasks there are, as the records maintain it.
    async fn counts(&mut self) -> Result<Counts, PortError>;
}

/// Records that are filled as a whole. As long as they are not [finished](Self::finish), no
/// process can serve from them, also after this one was killed.
#[async_trait]
pub trait Import: fmt::Debug + Send {
    /// What is there.
    async fn standing(&mut self) -> Result<Standing, PortError>;

    /// Begins an import into records without tasks; durable on return.
    async fn begin(&mut self, progress: &Progress) -> Result<(), PortError>;

    /// Adds tasks that are not there yet, and notes how far this is: both or neither, durable on
    /// return. A place in line that is taken already becomes the next free one.
    ///
    /// # Errors
    /// Nothing is added when a task or a key is there already.
    async fn put(&mut self, tasks: &[WholeTask], progress: &Progress) -> Result<(), PortError>;

    /// Sets what is beside tasks; doing so twice is fine.
    async fn put_beside(&mut self, beside: &Beside) -> Result<(), PortError>;

    /// What has arrived, to be read again.
    fn arrived(&mut self) -> &mut dyn Export;

    /// Ends the import: from now on the records can be served from.
    async fn finish(&mut self) -> Result<(), PortError>;
}
