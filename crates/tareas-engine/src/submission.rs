//! What a face hands in: a submission that has been read, but not judged yet.

use std::time::Duration;

use bytes::Bytes;
use tareas_core::task::Options;
use tareas_core::{Kind, Priority, QueueName, TaskId, Timestamp};

/// A task somebody wants done.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Identity, when the client chose one.
    pub id: Option<TaskId>,
    /// Which handler.
    pub kind: Kind,
    /// Which lane.
    pub queue: QueueName,
    /// Order among the tasks of its lane.
    pub priority: Priority,
    /// JSON text.
    pub payload: Bytes,
    /// When it may run.
    pub due: Due,
    /// What is rarely said.
    pub options: Option<Box<Options>>,
    /// Tell the listener under this tag when the task has ended; `None` for no.
    pub watch: Option<u64>,
}

impl Submission {
    /// A submission with all defaults.
    pub fn new(kind: Kind, payload: Bytes) -> Self {
        Self {
            id: None,
            kind,
            queue: QueueName::default(),
            priority: Priority::default(),
            payload,
            due: Due::Now,
            options: None,
            watch: None,
        }
    }
}

/// When a task may run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Due {
    /// At once.
    #[default]
    Now,
    /// Not before this instant.
    At(Timestamp),
    /// After this delay, counted from its acceptance.
    After(Duration),
}

impl Due {
    /// The instant, seen from `now`; `None` for at once.
    pub fn instant(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Now => None,
            Self::At(at) => Some(at),
            Self::After(delay) if delay.is_zero() => None,
            Self::After(delay) => Some(now + delay),
        }
    }
}
