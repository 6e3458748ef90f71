//! Acknowledgements, and the short answers about a task that has not ended.

use super::{Status, append_head, append_tail};
use crate::error::ErrorObject;
use crate::id::TaskIdBytes;

/// What an acknowledgement stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// On disk. The usual, so it goes without saying.
    #[default]
    Full,
    /// Handed to the operating system: survives a crash of the process, not of the machine.
    Os,
    /// On disk, on more than one machine.
    Replicated,
}

impl Durability {
    /// The word on the wire, where one is said.
    #[must_use]
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Full => None,
            Self::Os => Some("os"),
            Self::Replicated => Some("replicated"),
        }
    }
}

/// A task has been accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledgement<'a> {
    /// The task.
    pub task_id: TaskIdBytes,
    /// Queued or scheduled; of a duplicate, whatever it is now.
    pub status: Status,
    /// Whether the task was there already.
    pub duplicate: bool,
    /// What it stands for.
    pub durability: Durability,
    /// The `ref` of the line.
    pub reference: Option<&'a str>,
}

impl Acknowledgement<'_> {
    /// Appends the acknowledgement.
    #[inline]
    pub fn append_to(&self, out: &mut Vec<u8>) {
        append_head(out, &self.task_id, self.status.as_str());
        if self.duplicate {
            out.extend_from_slice(b",\"duplicate\":true");
        }
        if let Some(durability) = self.durability.as_str() {
            out.extend_from_slice(b",\"durability\":\"");
            out.extend_from_slice(durability.as_bytes());
            out.push(b'"');
        }
        append_tail(out, self.reference);
    }
}

/// Appends the answer to a batch: for each task its acknowledgement or its error.
pub fn append_batch<'t>(
    out: &mut Vec<u8>,
    tasks: impl IntoIterator<Item = Result<Acknowledgement<'t>, &'t ErrorObject>>,
    reference: Option<&str>,
) {
    out.extend_from_slice(b"{\"tasks\":[");
    for (index, task) in tasks.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match task {
            Ok(acknowledgement) => acknowledgement.append_to(out),
            Err(error) => error.append_answer(out),
        }
    }
    out.push(b']');
    append_tail(out, reference);
}

/// Appends the answer to `result` about a task that has not ended.
pub fn append_status(
    out: &mut Vec<u8>,
    task_id: &TaskIdBytes,
    status: Status,
    reference: Option<&str>,
) {
    append_head(out, task_id, status.as_str());
    append_tail(out, reference);
}

/// Appends the answer to `wait` when its time is over before the task is.
pub fn append_wait_timed_out(
    out: &mut Vec<u8>,
    task_id: &TaskIdBytes,
    status: Status,
    reference: Option<&str>,
) {
    append_head(out, task_id, status.as_str());
    out.extend_from_slice(b",\"timed_out\":true");
    append_tail(out, reference);
}

/// Appends the answer to `cancel` when the task is cancelled by it.
pub fn append_cancelled(out: &mut Vec<u8>, task_id: &TaskIdBytes, reference: Option<&str>) {
    append_status(out, task_id, Status::Cancelled, reference);
}

/// Appends the answer to `cancel` when the task runs and was asked to stop.
pub fn append_cancel_requested(out: &mut Vec<u8>, task_id: &TaskIdBytes, reference: Option<&str>) {
    append_head(out, task_id, Status::Running.as_str());
    out.extend_from_slice(b",\"cancel_requested\":true");
    append_tail(out, reference);
}
