//! Why a migration did not come to its end.

use smol_str::SmolStr;
use tareas_core::TaskId;

use super::Whole;
use crate::ports::PortError;

/// Why a migration stopped. Whatever has arrived by then stays for the next run.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The target holds tasks.
    #[error("the target holds tasks already")]
    Occupied,
    /// The target is half full of what came from elsewhere.
    #[error("the target holds an unfinished migration from {from}")]
    OfAnother {
        /// From where.
        from: String,
    },
    /// The store to read from failed.
    #[error("reading failed")]
    Read(#[source] PortError),
    /// The store to write to failed.
    #[error("writing failed")]
    Write(#[source] PortError),
    /// The bytes that a task refers to are not what was recorded.
    #[error("the bytes {key} of task {task} {what}")]
    Blob {
        /// Which task.
        task: TaskId,
        /// Which bytes.
        key: SmolStr,
        /// What is wrong with them.
        what: &'static str,
    },
    /// What arrived is not what was sent.
    #[error("what arrived is not what was sent: {what}")]
    Differs {
        /// The first difference, in words.
        what: String,
        /// What was sent.
        sent: Box<Whole>,
        /// What arrived.
        arrived: Box<Whole>,
    },
}
