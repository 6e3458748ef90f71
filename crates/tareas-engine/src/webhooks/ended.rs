//! The end of a task, as far as webhooks tell of it: small, and without the payload.

use std::sync::Arc;

use bytes::Bytes;
use smol_str::SmolStr;
use tareas_core::{Body, Failure, Kind, Phase, QueueName, Reason, Task, TaskId, Timestamp};

/// Longest result that is told with the end; a longer one is fetched by whoever wants it.
pub const RESULT_BYTES_MAX: usize = 4_096;
/// Longest message of an error that is told.
const MESSAGE_CHARS_MAX: usize = 1_024;
/// What an end takes in memory beside its result and its error, roughly.
const OWN_BYTES: usize = 320;

/// The result of a task that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResultNote {
    /// There is none.
    None,
    /// Its JSON text.
    Whole(Bytes),
    /// It is too long to be told: this many bytes.
    LeftOut(u64),
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which task.
    pub task: TaskId,
    /// The version of its record: tells this end from one after a requeue.
    pub version: u64,
    /// Its kind.
    pub kind: Kind,
    /// Its queue.
    pub queue: QueueName,
    /// Succeeded, failed or cancelled.
    pub phase: Phase,
    /// Why, unless it succeeded.
    pub reason: Option<Reason>,
    /// The number of its last attempt.
    pub attempt: u64,
    /// How often it may be tried.
    pub max_attempts: u32,
    /// When it was accepted.
    pub submitted_at: Timestamp,
    /// When its last attempt began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Its result.
    pub result: ResultNote,
    /// What went wrong; without what only its owner may see.
    pub failure: Option<Arc<Failure>>,
}

impl Ended {
    /// The end of a task; `None` when it has not ended. Copies little, and shares nothing that
    /// is large.
    pub fn of(task: &Task) -> Option<Self> {
        let finished_at = task.finished_at.filter(|_| task.state.is_terminal())?;
        let failed = task.phase() == Phase::Failed;
        Some(Self {
            task: task.id(),
            version: task.version,
            kind: task.spec.kind.clone(),
            queue: task.spec.queue.clone(),
            phase: task.phase(),
            reason: task.reason(),
            attempt: task.attempt,
            max_attempts: task.spec.retry().max_attempts,
            submitted_at: task.spec.submitted_at,
            started_at: task.started_at,
            finished_at,
            result: task.result.as_ref().map_or(ResultNote::None, note),
            failure: task.failure.as_deref().filter(|_| failed).map(shortened),
        })
    }

    /// Its name as a message, the same whoever tells of it: receivers know a repetition by it.
    pub fn message_id(&self) -> SmolStr {
        let (task, version) = (self.task.as_u128(), self.version);
        smol_str::format_smolstr!("msg_{task:032x}_{version}")
    }

    /// Roughly what it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        let result = match &self.result {
            ResultNote::Whole(text) => text.len(),
            _ => 0,
        };
        let failure = self.failure.as_ref().map_or(0, |f| f.message.len());
        OWN_BYTES + result + failure
    }
}

fn note(body: &Body) -> ResultNote {
    match body {
        // A copy: the bytes may be a small part of something large.
        Body::Inline(text) if text.len() <= RESULT_BYTES_MAX => {
            ResultNote::Whole(Bytes::copy_from_slice(text))
        }
        Body::Inline(text) => ResultNote::LeftOut(text.len() as u64),
        Body::Blob(blob) => ResultNote::LeftOut(blob.bytes),
    }
}

fn shortened(failure: &Failure) -> Arc<Failure> {
    let short = |text: &str| text.chars().take(MESSAGE_CHARS_MAX).collect();
    Arc::new(Failure {
        cause: failure.cause,
        name: failure.name.as_deref().map(short),
        message: short(&failure.message),
        backtrace: None,
        ran_by: None,
        process_end: None,
    })
}
