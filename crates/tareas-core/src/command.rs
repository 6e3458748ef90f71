//! What the engine asks of a store, and what it is told: the vocabulary of the `Records` port.
//!
//! All identity and chance is inside the commands, so a batch that is applied twice gives the
//! same outcomes and changes nothing the second time.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use smol_str::SmolStr;

use crate::{
    Ending, Fence, Jitter, Kind, NewTask, Phase, Place, Position, Priority, QueueName, RanBy,
    SessionId, Task, TaskId, Timestamp, Token,
};

/// Commands that are decided together, in order, at one instant.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The instant of all decisions in this batch.
    pub now: Timestamp,
    /// At most [`crate::limits::BATCH_COMMANDS_MAX`].
    pub commands: Vec<Command>,
}

/// One thing that may happen to one task. T-numbers are the rows of `docs/lifecycle.md`.
#[derive(Clone, Debug)]
pub enum Command {
    /// T1: accept a task.
    Submit(NewTask),
    /// T3: start an attempt.
    Claim {
        /// Which task.
        task: TaskId,
        /// The attempt number that the hint was made for; any other hint is out of date.
        expected_attempt: u64,
        /// Whose pool will run it.
        session: SessionId,
        /// Unguessable half of the fence, for pools of other processes.
        token: Option<Token>,
    },
    /// T4, T5, T6, T9: an attempt has ended, says the one who holds its lease.
    Settle {
        /// Which task.
        task: TaskId,
        /// The lease it was run under.
        fence: Fence,
        /// How it ended.
        ending: Ending,
        /// Chance for the delay of a retry.
        jitter: Jitter,
    },
    /// T8: an attempt is over its limit, or did not heed a cancel request in time.
    Overdue {
        /// Which task.
        task: TaskId,
        /// Which attempt.
        attempt: u64,
        /// Who ran it, when that is known.
        ran_by: Option<RanBy>,
        /// Chance for the delay of a retry.
        jitter: Jitter,
    },
    /// T10: stop it, or ask the attempt that runs to stop.
    Cancel {
        /// Which task.
        task: TaskId,
        /// Who asks.
        by: Actor,
        /// Only while the task has this version.
        only: Option<u64>,
    },
    /// T12: an operator puts a failed or cancelled task back in line.
    Requeue {
        /// Which task.
        task: TaskId,
        /// Who asks.
        by: Actor,
        /// Only while the task has this version.
        only: Option<u64>,
    },
    /// T14: an operator removes a finished task before its time.
    Delete {
        /// Which task.
        task: TaskId,
        /// Who asks.
        by: Actor,
        /// Only while the task has this version.
        only: Option<u64>,
    },
}

impl Command {
    /// The task that this is about.
    pub fn task(&self) -> TaskId {
        match self {
            Self::Submit(new) => new.spec.id,
            Self::Claim { task, .. }
            | Self::Settle { task, .. }
            | Self::Overdue { task, .. }
            | Self::Cancel { task, .. }
            | Self::Requeue { task, .. }
            | Self::Delete { task, .. } => *task,
        }
    }
}

/// Who asked for something that a person may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A client, by its name or address.
    Client(SmolStr),
    /// The system itself.
    System,
}

/// What was decided: one outcome per command, in order.
#[derive(Clone, Debug)]
pub struct Applied {
    /// One per command.
    pub outcomes: Vec<Outcome>,
    /// The newest decision that these outcomes have seen. Nobody may be told of them before
    /// this position is durable.
    pub position: Position,
}

/// What came of one command.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Decided now; this is the task afterwards.
    Done(Task),
    /// It was so already: the same command was applied before. This is the task now.
    Already(Task),
    /// Refused; nothing was changed.
    Refused(Rejected),
}

impl Outcome {
    /// The task, unless the command was refused.
    pub fn task(&self) -> Option<&Task> {
        match self {
            Self::Done(task) | Self::Already(task) => Some(task),
            Self::Refused(_) => None,
        }
    }
}

/// Why a command was refused. A refusal changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The fence does not match: another attempt owns the task, or it has ended.
    #[error("another attempt owns the task, or it has ended")]
    Stale,
    /// No such task.
    #[error("no such task")]
    NotFound,
    /// The id or the key belongs to a task with other content.
    #[error("the same identity was used for other content, by task {of}")]
    Mismatch {
        /// The task that has it.
        of: TaskId,
    },
    /// A new id whose own time is too old or too far ahead.
    #[error("the time inside the task id is outside the accepted window")]
    IdWindow,
    /// The queue is paused.
    #[error("the queue is paused")]
    Paused,
    /// The task is in a state in which this cannot be done.
    #[error("a task that is {} does not allow this", phase.name())]
    WrongState {
        /// The state it is in.
        phase: Phase,
    },
    /// The task is not as the one who asks has seen it.
    #[error("the task has changed: its version is {version}")]
    Changed {
        /// The version that it has.
        version: u64,
    },
    /// The start of its attempt before is not on disk yet: try again once it is.
    #[error("the attempt before is not durable yet")]
    Undurable {
        /// The position to wait for.
        until: Position,
    },
    /// Too much is waiting to be written.
    #[error("too much is waiting to be written")]
    Overloaded,
    /// The queue holds as many tasks as it may.
    #[error("the queue is full")]
    QueueFull,
    /// The disk is nearly full.
    #[error("the disk is nearly full")]
    StorageFull,
}

/// Finds tasks by their state and decides each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// T2: scheduled tasks whose time has come.
    Due,
    /// T11: tasks that were not started in time.
    Expired,
    /// T7: tasks of a session that is gone. Only its `slots` oldest claims can have been
    /// started; the others go back uncharged.
    Reclaim {
        /// The session that is gone.
        session: SessionId,
        /// How many tasks it could run at once.
        slots: u16,
        /// Whose session it was, as people call it, when that is known.
        worker: Option<SmolStr>,
    },
    /// T13: finished tasks past their retention.
    Prune,
}

/// A wish for work: up to as many tasks as there are tokens, from these lanes.
#[derive(Clone, Debug)]
pub struct Want {
    /// Lanes to look at; within one queue the higher priority first.
    pub queues: Vec<QueueName>,
    /// Only tasks of these kinds, which the pool has handlers for; of any when absent. Others are
    /// passed over: they hold nobody up.
    pub kinds: Option<Arc<HashSet<Kind>>>,
    /// The labels that the pool has: tasks that require others are passed over, too. Of any when
    /// absent.
    pub labels: Option<Arc<BTreeSet<SmolStr>>>,
    /// Whose pool will run them.
    pub session: SessionId,
    /// One per claim.
    pub tokens: Vec<Option<Token>>,
    /// The instant of the claims.
    pub now: Timestamp,
}

impl Want {
    /// Whether a task is of a kind that is wanted, and requires no label that is not there.
    pub fn is_for(&self, task: &Task) -> bool {
        let (kinds, labels) = (self.kinds.as_ref(), self.labels.as_ref());
        let requires = &task.spec.options().requires;
        kinds.is_none_or(|kinds| kinds.contains(&task.spec.kind))
            && labels.is_none_or(|labels| requires.iter().all(|label| labels.contains(label)))
    }
}

/// One line of waiting tasks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    /// The queue.
    pub queue: QueueName,
    /// The priority within it.
    pub priority: Priority,
}

/// Tells that a task may be ready. May be lost, doubled or out of date: the claim decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The task.
    pub task: TaskId,
    /// The number of its last attempt when the hint was made.
    pub attempt: u64,
    /// Its place in line.
    pub place: Place,
    /// It has killed an executor before: it runs alone.
    pub suspect: bool,
}
