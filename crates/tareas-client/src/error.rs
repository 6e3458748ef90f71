//! Why a client did not get what it asked for.

use std::io;
use std::time::Duration;

use tareas_protocol::{Code, ErrorObject, Lang};

use crate::{Address, TaskId};

/// Why a request has no answer, or not the wanted one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not an address of a server.
    #[error("`{text}` is not the address of a server: {reason}")]
    Address {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Not the id of a task.
    #[error("`{text}` is not a task id")]
    TaskId {
        /// What was given.
        text: String,
    },
    /// Nobody answers there; nothing was sent.
    #[error("cannot reach the server at {address}")]
    Unreachable {
        /// Where.
        address: Address,
        /// How often it was tried.
        tries: u32,
        /// For how long.
        elapsed: Duration,
        /// What the system said.
        source: io::Error,
    },
    /// The connection ended and could not be had again in time.
    #[error("the connection to {address} was lost")]
    ConnectionLost {
        /// Where.
        address: Address,
        /// The task whose outcome is unknown. It is safe to submit it again under its id.
        task_id: Option<TaskId>,
    },
    /// An answer that should come at once did not come.
    #[error("the server at {address} does not answer")]
    NoAnswer {
        /// Where.
        address: Address,
    },
    /// The server refused; its own words.
    #[error("{0}")]
    Refused(Box<ErrorObject>),
    /// The time to wait is over; the task goes on.
    #[error("task {task_id} has not ended in time")]
    WaitTimedOut {
        /// The task.
        task_id: TaskId,
    },
    /// The server said something that this client does not understand.
    #[error("the server's answer is not understood: {what}")]
    Malformed {
        /// What it was, shortened.
        what: String,
    },
}

impl Error {
    /// The stable code of this error, if it is one that the table knows.
    pub fn code(&self) -> Option<Code> {
        Some(match self {
            Self::Address { .. } | Self::TaskId { .. } => Code::InvalidValue,
            Self::Unreachable { .. } | Self::NoAnswer { .. } => Code::Unreachable,
            Self::ConnectionLost { .. } => Code::ConnectionLost,
            Self::Refused(object) => return object.code(),
            Self::WaitTimedOut { .. } => return None,
            Self::Malformed { .. } => Code::Malformed,
        })
    }

    /// The error as the wire would say it: with a code, a message and a hint.
    pub fn object(&self, lang: Lang) -> Option<ErrorObject> {
        if let Self::Refused(object) = self {
            return Some((**object).clone());
        }
        Some(ErrorObject::new(self.code()?, lang).message(self.to_string()))
    }
}
