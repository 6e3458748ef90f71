//! Answers: what a server says back, written and read.
//!
//! Each encoder appends one JSON text, or one line of text, to a `Vec<u8>`, without a newline:
//! [`end_line`] adds that. JSON that comes from elsewhere (results, payloads, `ref`) must be
//! valid and is kept on one line. Nothing is allocated besides the buffer's own growth.

mod ack;
mod answer;
mod end;
mod log;
mod session;
mod task;
mod text;
mod worker;

pub use ack::{
    Acknowledgement, Durability, append_batch, append_cancel_requested, append_cancelled,
    append_status, append_wait_timed_out,
};
pub use answer::{Answer, AnswerReader, Said};
pub use end::{BlobRef, End, ResultText};
pub use log::{AttemptLog, Logged, append_logs};
pub use session::{Hello, append_authenticated, append_pong};
pub use task::{AttemptView, ProgressView, TaskView, WhyView};
pub use text::append_end_text;
pub use worker::{
    Assign, Assigned, Session, Told, ToldReader, append_beat_answer, append_cancel_event,
    append_drain_event, append_many_answer, append_recorded,
};

use crate::id::{ID_TEXT_LEN, TaskIdBytes, write_id};
use crate::json::append_on_one_line;

/// The states of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Waits for its time, or for its next attempt.
    Scheduled,
    /// Waits for a worker.
    Queued,
    /// Runs.
    Running,
    /// Has a result.
    Succeeded,
    /// Has failed for good.
    Failed,
    /// Was given up.
    Cancelled,
}

impl Status {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Scheduled,
        Self::Queued,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word on the wire.
    #[inline]
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the word on the wire.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether a task in this state has ended.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// Ends a line.
#[inline]
pub fn end_line(out: &mut Vec<u8>) {
    out.push(b'\n');
}

/// Every answer about a task begins alike, so it is copied whole and the id written over it.
const HEAD: &[u8; 60] = b"{\"task_id\":\"00000000-0000-0000-0000-000000000000\",\"status\":\"";
const ID_AT: usize = 12;

/// Appends `{"task_id":"…","status":"…"`, to be gone on with.
#[inline]
fn append_head(out: &mut Vec<u8>, id: &TaskIdBytes, status: &str) {
    let mut head = *HEAD;
    if let Some(text) = head[ID_AT..].first_chunk_mut::<ID_TEXT_LEN>() {
        write_id(id, text);
    }
    out.extend_from_slice(&head);
    out.extend_from_slice(status.as_bytes());
    out.push(b'"');
}

/// Appends the `ref`, if there is one, and closes the object.
#[inline]
fn append_tail(out: &mut Vec<u8>, reference: Option<&str>) {
    if let Some(reference) = reference {
        out.extend_from_slice(b",\"ref\":");
        append_on_one_line(out, reference.as_bytes());
    }
    out.push(b'}');
}
