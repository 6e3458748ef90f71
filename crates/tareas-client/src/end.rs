//! What a server says about a task, in types of the client's own.

use tareas_protocol::ErrorObject;
use tareas_protocol::response::{Answer, Said, Status};

use crate::{Error, Result, TaskId};

/// How a task ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// With a result: its JSON text.
    Succeeded(String),
    /// Without one, for good.
    Failed {
        /// `attempts_exhausted`, `rejected`, `timeout` or `poison`.
        reason: String,
        /// What the last attempt failed of.
        error: Box<ErrorObject>,
    },
    /// It was given up.
    Cancelled {
        /// `requested` or `expired`.
        reason: String,
    },
}

impl End {
    /// The state that this end is.
    pub fn status(&self) -> Status {
        match self {
            Self::Succeeded(_) => Status::Succeeded,
            Self::Failed { .. } => Status::Failed,
            Self::Cancelled { .. } => Status::Cancelled,
        }
    }
}

/// A task was accepted: it is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The task.
    pub task_id: TaskId,
    /// Queued or scheduled; of a duplicate, what it is now.
    pub status: Status,
    /// It had been accepted before, under the same identity.
    pub is_duplicate: bool,
}

/// One answer, owned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    Acknowledged(Acknowledged),
    Ended(End),
    /// Succeeded with a result that is too long for a line.
    Elsewhere,
    TimedOut,
    CancelRequested,
    /// The JSON text of something else.
    Json(String),
}

impl Reply {
    /// What a line says, or the refusal that it is.
    pub(crate) fn of(answer: &Answer<'_>) -> Result<Self> {
        let acknowledged = |status, is_duplicate| {
            let task_id = answer.task_id.map(TaskId::from_bytes);
            let task_id = task_id.ok_or_else(|| malformed("an answer without task_id"))?;
            Ok(Self::Acknowledged(Acknowledged {
                task_id,
                status,
                is_duplicate,
            }))
        };
        Ok(match &answer.said {
            Said::Acknowledged { status, duplicate } => return acknowledged(*status, *duplicate),
            Said::Succeeded(json) => Self::Ended(End::Succeeded((*json).to_owned())),
            Said::SucceededElsewhere(_) => Self::Elsewhere,
            Said::Failed { reason, error } => Self::Ended(End::Failed {
                reason: reason.to_string(),
                error: error.clone(),
            }),
            Said::Cancelled(reason) => Self::Ended(End::Cancelled {
                reason: reason.to_string(),
            }),
            Said::TimedOut(_) => Self::TimedOut,
            Said::CancelRequested => Self::CancelRequested,
            Said::Error(object) => return Err(Error::Refused(object.clone())),
            Said::Pong => Self::Json("{\"pong\":true}".to_owned()),
            Said::Batch(json) | Said::Task(json) | Said::Other(json) => {
                Self::Json((*json).to_owned())
            }
        })
    }
}

pub(crate) fn malformed(what: &str) -> Error {
    Error::Malformed {
        what: what.chars().take(200).collect(),
    }
}
