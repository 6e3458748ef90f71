//! A core task as the wire shows it: the one place where core types become wire types.

mod end;
mod error;
#[cfg(test)]
pub(crate) mod tests;
mod whole;

use tareas_core::{Phase, Task};
use tareas_protocol::TaskIdBytes;
use tareas_protocol::response::Status;

pub use end::{Shown, TaskEnd};
pub use error::{error_of, error_of_end};
pub use whole::{Whole, why_view};

/// The id of a task, for the wire.
pub fn id_of(task: &Task) -> TaskIdBytes {
    *task.id().as_bytes()
}

/// The wire's word for a phase.
pub fn status_of(phase: Phase) -> Status {
    match phase {
        Phase::Scheduled => Status::Scheduled,
        Phase::Queued => Status::Queued,
        Phase::Running => Status::Running,
        Phase::Succeeded => Status::Succeeded,
        Phase::Failed => Status::Failed,
        Phase::Cancelled => Status::Cancelled,
    }
}
