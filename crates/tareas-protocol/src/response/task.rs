//! The whole task object.

use super::{ResultText, Status, append_head, append_tail};
use crate::error::ErrorObject;
use crate::id::TaskIdBytes;
use crate::json::{append_on_one_line, append_string, append_u64};
use crate::time::append_instant;

/// Everything there is to say about a task. Times are microseconds since 1970.
///
/// Members that do not apply (`None`) are left out of the object; `attempts`, `metadata` and
/// `requires` are always there.
#[derive(Debug, Clone)]
pub struct TaskView<'a> {
    /// Which task.
    pub task_id: TaskIdBytes,
    /// Its state.
    pub status: Status,
    /// Why it failed or was cancelled.
    pub reason: Option<&'a str>,
    /// What is to be done.
    pub kind: &'a str,
    /// The queue.
    pub queue: &'a str,
    /// 0 to 9.
    pub priority: u8,
    /// The payload, as JSON text; left out of lists.
    pub payload: Option<&'a [u8]>,
    /// The result of one that succeeded; left out of lists.
    pub result: Option<ResultText<'a>>,
    /// How many files it has left; those are at `/v1/tasks/ID/artifacts`.
    pub artifacts: usize,
    /// Why the last attempt failed.
    pub error: Option<&'a ErrorObject>,
    /// The number of the last attempt that started, 0 before the first.
    pub attempt: u64,
    /// How many attempts there may be.
    pub max_attempts: u64,
    /// The attempts that are remembered, in their order.
    pub attempts: &'a [AttemptView<'a>],
    /// How far the handler says it is.
    pub progress: Option<ProgressView<'a>>,
    /// When it was accepted.
    pub submitted_at_us: i64,
    /// Not before then.
    pub due_at_us: Option<i64>,
    /// When the last attempt started.
    pub started_at_us: Option<i64>,
    /// When it ended.
    pub finished_at_us: Option<i64>,
    /// Not started any more after then.
    pub expires_at_us: Option<i64>,
    /// Who runs it, or ran it last.
    pub worker: Option<&'a str>,
    /// Notes of the client.
    pub metadata: &'a [(&'a str, &'a str)],
    /// Labels that a worker must have.
    pub requires: &'a [&'a str],
    /// Its idempotency key.
    pub idempotency_key: Option<&'a str>,
    /// The trace that it belongs to.
    pub trace_id: Option<&'a str>,
    /// Why it is waiting, while it is.
    pub why: Option<WhyView<'a>>,
}

/// One attempt at a task.
#[derive(Debug, Clone, Copy, Default)]
pub struct AttemptView<'a> {
    /// Its number, from 1.
    pub attempt: u64,
    /// Who ran it.
    pub worker: Option<&'a str>,
    /// Which of its threads, counted from 1.
    pub thread: Option<u32>,
    /// The code that the handler's own process ended with.
    pub exit_code: Option<i32>,
    /// The signal that ended the handler's own process.
    pub signal: Option<i32>,
    /// When it started.
    pub started_at_us: Option<i64>,
    /// When it ended.
    pub finished_at_us: Option<i64>,
    /// `succeeded`, `failed`, `timed_out`, `lost`, `released` or `cancelled`, when it has ended.
    pub outcome: Option<&'a str>,
    /// What it failed of.
    pub error: Option<&'a ErrorObject>,
    /// What its handler calls that, such as `ValueError`.
    pub error_type: Option<&'a str>,
    /// Where in the handler it happened.
    pub backtrace: Option<&'a str>,
}

/// How far a handler says it is.
#[derive(Debug, Clone, Copy)]
pub struct ProgressView<'a> {
    /// 0 to 100.
    pub percent: u8,
    /// What it says besides.
    pub message: Option<&'a str>,
}

/// Why a task is waiting.
#[derive(Debug, Clone, Copy)]
pub struct WhyView<'a> {
    /// The reason, as a word for programs.
    pub code: &'a str,
    /// The reason, for a person.
    pub message: &'a str,
    /// What to do about it.
    pub hint: &'a str,
}

impl TaskView<'_> {
    /// Appends the task object, as the answer to the line with this `ref`.
    pub fn append_to(&self, out: &mut Vec<u8>, reference: Option<&str>) {
        append_head(out, &self.task_id, self.status.as_str());
        member_text(out, "reason", self.reason);
        member_text(out, "kind", Some(self.kind));
        member_text(out, "queue", Some(self.queue));
        member_number(out, "priority", self.priority.into());
        if let Some(payload) = self.payload {
            name(out, "payload");
            append_on_one_line(out, payload);
        }
        if let Some(result) = &self.result {
            result.append_member(out, &self.task_id);
        }
        if self.artifacts > 0 {
            member_number(out, "artifacts", self.artifacts as u64);
        }
        member_error(out, self.error);
        self.append_run(out);
        self.append_times(out);
        self.append_wishes(out);
        append_tail(out, reference);
    }

    fn append_run(&self, out: &mut Vec<u8>) {
        member_number(out, "attempt", self.attempt);
        member_number(out, "max_attempts", self.max_attempts);
        name(out, "attempts");
        list(out, b"[]", self.attempts, |out, attempt| {
            attempt.append_to(out);
        });
        if let Some(progress) = &self.progress {
            name(out, "progress");
            out.extend_from_slice(b"{\"percent\":");
            append_u64(out, progress.percent.into());
            member_text(out, "message", progress.message);
            out.push(b'}');
        }
    }

    fn append_times(&self, out: &mut Vec<u8>) {
        member_time(out, "submitted_at", Some(self.submitted_at_us));
        member_time(out, "due_at", self.due_at_us);
        member_time(out, "started_at", self.started_at_us);
        member_time(out, "finished_at", self.finished_at_us);
        member_time(out, "expires_at", self.expires_at_us);
    }

    fn append_wishes(&self, out: &mut Vec<u8>) {
        member_text(out, "worker", self.worker);
        name(out, "metadata");
        list(out, b"{}", self.metadata, |out, (key, value)| {
            append_string(out, key);
            out.push(b':');
            append_string(out, value);
        });
        name(out, "requires");
        list(out, b"[]", self.requires, |out, label| {
            append_string(out, label);
        });
        member_text(out, "idempotency_key", self.idempotency_key);
        member_text(out, "trace_id", self.trace_id);
        if let Some(why) = &self.why {
            name(out, "why");
            why.append_to(out);
        }
    }
}

impl AttemptView<'_> {
    fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"attempt\":");
        append_u64(out, self.attempt);
        member_text(out, "worker", self.worker);
        if let Some(thread) = self.thread {
            member_number(out, "thread", thread.into());
        }
        for (name, number) in [("exit_code", self.exit_code), ("signal", self.signal)] {
            if let Some(number) = number.and_then(|number| u64::try_from(number).ok()) {
                member_number(out, name, number);
            }
        }
        member_time(out, "started_at", self.started_at_us);
        member_time(out, "finished_at", self.finished_at_us);
        member_text(out, "outcome", self.outcome);
        member_error(out, self.error);
        member_text(out, "type", self.error_type);
        member_text(out, "backtrace", self.backtrace);
        out.push(b'}');
    }
}

impl WhyView<'_> {
    /// Appends the `why` object, which HTTP also serves by itself.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"code\":");
        append_string(out, self.code);
        member_text(out, "message", Some(self.message));
        member_text(out, "hint", Some(self.hint));
        out.push(b'}');
    }
}

/// Appends `,"name":`.
fn name(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn member_text(out: &mut Vec<u8>, key: &str, text: Option<&str>) {
    if let Some(text) = text {
        name(out, key);
        append_string(out, text);
    }
}

fn member_number(out: &mut Vec<u8>, key: &str, number: u64) {
    name(out, key);
    append_u64(out, number);
}

fn member_time(out: &mut Vec<u8>, key: &str, micros: Option<i64>) {
    if let Some(micros) = micros {
        name(out, key);
        append_instant(out, micros);
    }
}

fn member_error(out: &mut Vec<u8>, error: Option<&ErrorObject>) {
    if let Some(error) = error {
        name(out, "error");
        error.append_object(out);
    }
}

fn list<T>(out: &mut Vec<u8>, brackets: &[u8; 2], items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    out.push(brackets[0]);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(brackets[1]);
}
