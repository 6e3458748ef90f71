//! Requests: what a client's line or HTTP body asks for.
//!
//! [`Decoder`] turns one line into a [`Line`], borrowing from it. A line that begins with `{`
//! is JSON and answered in JSON; any other is text and answered in text. Members that a request
//! does not have are refused, as are members that stand twice.
//!
//! A JSON line with `op` is a submission in the short form: every member but `op`, `task_id`
//! and `ref` is its payload, whatever it is called. A line without `op` is a command, named by
//! `cmd`.
//!
//! Not decided here: whether a kind or task exists, whether a task id is inside its window,
//! and anything else that needs more than the line itself.

mod command;
mod decode;
mod expected;
mod fault;
mod field;
mod names;
mod options;
mod payload;
mod submission;
mod text;
mod worker;
mod worker_write;
mod write;

pub use decode::Decoder;
pub use expected::Expected;
pub use fault::{Fault, Refusal};
pub use options::{Backoff, Metadata, Options};
pub use payload::Payload;
pub use submission::Submission;
pub use worker::{Failed, Held, Item, Report, Reported, Work};
pub use worker_write::{append_beat, append_many, append_report, append_work};
pub(crate) use write::append_trace;
pub use write::{append_command, append_logs_command, append_submission};

use crate::id::TaskIdBytes;
use crate::lang::Lang;
use std::borrow::Cow;
use std::fmt;

/// How a line is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// One line of text, in the order of the text lines.
    Text,
    /// JSON objects.
    Json,
}

impl Face {
    /// The face of a line, from its first byte that is not blank.
    #[inline]
    #[must_use]
    pub fn of(line: &[u8]) -> Self {
        let first = line.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
        if first == Some(&b'{') {
            Self::Json
        } else {
            Self::Text
        }
    }
}

/// One line of a client.
#[derive(Debug)]
pub struct Line<'a> {
    /// How to answer it.
    pub face: Face,
    /// The JSON text of its `ref`, to be echoed in everything said about this line.
    pub reference: Option<&'a str>,
    /// What it asks for, or why it is refused.
    pub request: Result<Request<'a>, Box<Refusal>>,
}

/// What a line asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Request<'a> {
    /// A task, said in text.
    Text {
        /// The kind of the task.
        kind: &'a str,
        /// What follows it, without the blanks around; the payload, as a JSON string.
        rest: &'a str,
    },
    /// A task, said in JSON.
    Submit(Submission<'a>),
    /// Several tasks.
    Batch(Batch<'a>),
    /// The whole task object.
    Status {
        /// Which task.
        task_id: TaskIdBytes,
    },
    /// The end of a task, if it has ended.
    Result {
        /// Which task.
        task_id: TaskIdBytes,
    },
    /// The end of a task, as soon as it has ended.
    Wait {
        /// Which task.
        task_id: TaskIdBytes,
        /// How long to wait at most; one hour when the line does not say.
        timeout_ms: u64,
    },
    /// That a task be given up.
    Cancel {
        /// Which task.
        task_id: TaskIdBytes,
    },
    /// That a failed task be queued again.
    Requeue {
        /// Which task.
        task_id: TaskIdBytes,
    },
    /// What the attempts of a task have said.
    Logs(Logs<'a>),
    /// A sign of life.
    Ping,
    /// Who the server is.
    Hello {
        /// The language in which this connection wants messages, if it says.
        lang: Option<Lang>,
    },
    /// To be known by this token from now on.
    Auth {
        /// The token.
        token: Token<'a>,
    },
    /// A remote worker is there.
    Work(Box<Work<'a>>),
    /// A remote worker is still there.
    Beat {
        /// How many tasks it takes at once from now on, if that changes; 0 for none.
        slots: Option<u16>,
    },
    /// What a remote worker says about an attempt.
    Report(Report<'a>),
    /// The same about several attempts.
    Many(Vec<Item<'a>>),
    /// To be given every answer that is owed, and the end of the connection.
    Leave,
    /// The kinds, with an example each.
    Help,
}

/// Asks for what the attempts of a task have said.
#[derive(Debug, Clone, PartialEq)]
pub struct Logs<'a> {
    /// Which task.
    pub task_id: TaskIdBytes,
    /// Also for what they will say, until the task has ended.
    pub follow: bool,
    /// Where a reader that comes back goes on: the `at` of the last event that it has seen.
    pub after: Option<Cow<'a, str>>,
}

/// One submission of several: decoded, or refused by itself.
pub type Decoded<'a> = Result<Submission<'a>, Box<Refusal>>;

/// Several submissions in one line, each decoded by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch<'a> {
    /// The submissions in their order, or why one of them is refused.
    pub tasks: Vec<Decoded<'a>>,
    /// Whether the ends follow the answer. A `wait` of a single task counts for nothing.
    pub wait: bool,
}

/// A secret that does not show itself in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Token<'a>(Cow<'a, str>);

impl<'a> Token<'a> {
    /// A secret.
    #[must_use]
    pub fn of(secret: Cow<'a, str>) -> Self {
        Self(secret)
    }

    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// Whether `name` can be the name of a kind, queue, label or idempotency key.
#[inline]
#[must_use]
pub fn is_name(name: &str) -> bool {
    let fits = (1..=crate::limits::NAME_BYTES_MAX).contains(&name.len());
    fits && name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-'))
}
