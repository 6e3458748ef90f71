//! How a task ended.

use super::{Status, append_head, append_tail};
use crate::error::ErrorObject;
use crate::id::{TaskIdBytes, format_id};
use crate::json::{append_on_one_line, append_string, append_u64};

/// A result that is too long for a line, and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobRef<'a> {
    /// How long it is.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: &'a str,
}

/// A result, or where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultText<'a> {
    /// A JSON text of at most
    /// [`RESULT_INLINE_BYTES_MAX`](crate::limits::RESULT_INLINE_BYTES_MAX) bytes.
    Json(&'a [u8]),
    /// Longer.
    Blob(BlobRef<'a>),
}

/// The end of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End<'a> {
    /// It has a result.
    Succeeded {
        /// The result.
        result: ResultText<'a>,
    },
    /// It has failed for good.
    Failed {
        /// `attempts_exhausted`, `rejected`, `timeout` or `poison`.
        reason: &'a str,
        /// What the last attempt failed of.
        error: &'a ErrorObject,
    },
    /// It was given up.
    Cancelled {
        /// `requested` or `expired`.
        reason: &'a str,
    },
}

impl End<'_> {
    /// The state that this end is.
    #[inline]
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Succeeded { .. } => Status::Succeeded,
            Self::Failed { .. } => Status::Failed,
            Self::Cancelled { .. } => Status::Cancelled,
        }
    }

    /// Appends the end of the task with this id, as the answer to the line with this `ref`.
    #[inline]
    pub fn append_to(&self, out: &mut Vec<u8>, task_id: &TaskIdBytes, reference: Option<&str>) {
        append_head(out, task_id, self.status().as_str());
        match self {
            Self::Succeeded { result } => result.append_member(out, task_id),
            Self::Failed { reason, error } => {
                append_reason(out, reason);
                out.extend_from_slice(b",\"error\":");
                error.append_object(out);
            }
            Self::Cancelled { reason } => append_reason(out, reason),
        }
        append_tail(out, reference);
    }
}

impl ResultText<'_> {
    /// Appends `,"result":…` or `,"result_ref":{…}`.
    #[inline]
    pub(super) fn append_member(&self, out: &mut Vec<u8>, task_id: &TaskIdBytes) {
        match self {
            Self::Json(json) => {
                out.extend_from_slice(b",\"result\":");
                append_on_one_line(out, json);
            }
            Self::Blob(blob) => blob.append_member(out, task_id),
        }
    }
}

impl BlobRef<'_> {
    #[cold]
    fn append_member(&self, out: &mut Vec<u8>, task_id: &TaskIdBytes) {
        out.extend_from_slice(b",\"result_ref\":{\"bytes\":");
        append_u64(out, self.bytes);
        out.extend_from_slice(b",\"sha256\":");
        append_string(out, self.sha256);
        out.extend_from_slice(b",\"url\":\"");
        append_result_url(out, task_id);
        out.extend_from_slice(b"\"}");
    }
}

/// Appends the path under which HTTP serves the bytes of a result.
pub(super) fn append_result_url(out: &mut Vec<u8>, task_id: &TaskIdBytes) {
    out.extend_from_slice(b"/v1/tasks/");
    out.extend_from_slice(&format_id(task_id));
    out.extend_from_slice(b"/result");
}

fn append_reason(out: &mut Vec<u8>, reason: &str) {
    out.extend_from_slice(b",\"reason\":");
    append_string(out, reason);
}
