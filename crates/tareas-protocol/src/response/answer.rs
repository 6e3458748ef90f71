//! Answers in, for clients: what a line of a server says.
//!
//! Members that a reader does not know are ignored, so that an older client understands a newer
//! server.

use super::Status;
use crate::error::ErrorObject;
use crate::id::{TaskIdBytes, parse_id};
use crate::json::{Flaw, FlawKind, Member, Object, Scanner, ValueKind};
use std::borrow::Cow;

/// One JSON line of a server.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<'a> {
    /// The task that it is about.
    pub task_id: Option<TaskIdBytes>,
    /// The JSON text of the `ref` that it echoes.
    pub reference: Option<&'a str>,
    /// What it says.
    pub said: Said<'a>,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Said<'a> {
    /// A task was accepted; or this is its state now, in answer to `result` or `cancel`.
    Acknowledged {
        /// The state.
        status: Status,
        /// Whether the task was there already.
        duplicate: bool,
    },
    /// A task has succeeded; the JSON text of its result.
    Succeeded(&'a str),
    /// A task has succeeded with a result that did not fit; the JSON text of `result_ref`.
    SucceededElsewhere(&'a str),
    /// A task has failed.
    Failed {
        /// The reason.
        reason: Cow<'a, str>,
        /// What the last attempt failed of.
        error: Box<ErrorObject>,
    },
    /// A task was cancelled; the reason.
    Cancelled(Cow<'a, str>),
    /// The time of a `wait` is over; the state of the task.
    TimedOut(Status),
    /// A running task was asked to stop.
    CancelRequested,
    /// A refusal, or an error of the connection.
    Error(Box<ErrorObject>),
    /// The answer to a batch; the JSON text of the array.
    Batch(&'a str),
    /// The answer to a `ping`.
    Pong,
    /// The whole task object; its JSON text.
    Task(&'a str),
    /// Something else; its JSON text.
    Other(&'a str),
}

/// Reads answers, one after the other, and keeps its memory between them.
#[derive(Debug, Default)]
pub struct AnswerReader {
    scanner: Scanner,
}

impl AnswerReader {
    /// A reader that has not allocated anything yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one line of a server.
    pub fn read<'a>(&mut self, line: &'a [u8]) -> Result<Answer<'a>, Flaw> {
        let text = std::str::from_utf8(line).map_err(|error| Flaw {
            kind: FlawKind::NotUtf8,
            at: error.valid_up_to(),
        })?;
        // A server is trusted with the number of keys of a result, not with nesting.
        let object = self.scanner.envelope(text)?;
        Ok(Parts::of(&object).answer(&object))
    }
}

impl<'a> Answer<'a> {
    /// Reads one line of a server. For many lines, an [`AnswerReader`] is cheaper.
    pub fn parse(line: &'a [u8]) -> Result<Self, Flaw> {
        AnswerReader::new().read(line)
    }
}

/// The members that tell answers apart.
#[derive(Default)]
struct Parts<'s> {
    task_id: Option<&'s Member>,
    reference: Option<&'s Member>,
    status: Option<&'s Member>,
    result: Option<&'s Member>,
    result_ref: Option<&'s Member>,
    reason: Option<&'s Member>,
    error: Option<&'s Member>,
    tasks: Option<&'s Member>,
    duplicate: bool,
    timed_out: bool,
    cancel_requested: bool,
    pong: bool,
    is_task_object: bool,
}

impl<'s> Parts<'s> {
    #[inline]
    fn of(object: &Object<'s, '_>) -> Self {
        let mut parts = Self::default();
        for member in object.members() {
            let is_true = member.kind == ValueKind::True;
            match object.key(member).as_bytes() {
                b"task_id" => parts.task_id = Some(member),
                b"status" => parts.status = Some(member),
                b"result" => parts.result = Some(member),
                b"ref" => parts.reference = Some(member),
                b"result_ref" => parts.result_ref = Some(member),
                b"reason" => parts.reason = Some(member),
                b"error" => parts.error = Some(member),
                b"tasks" => parts.tasks = Some(member),
                b"duplicate" => parts.duplicate = is_true,
                b"timed_out" => parts.timed_out = is_true,
                b"cancel_requested" => parts.cancel_requested = is_true,
                b"pong" => parts.pong = is_true,
                b"kind" => parts.is_task_object = true,
                _ => {}
            }
        }
        parts
    }

    #[inline]
    fn answer<'a>(&self, object: &Object<'s, 'a>) -> Answer<'a> {
        let task_id = self.task_id.and_then(|member| object.string(member));
        Answer {
            task_id: task_id.as_deref().and_then(parse_id),
            reference: self.reference.map(|member| object.value(member)),
            said: self.said(object),
        }
    }

    #[inline]
    fn said<'a>(&self, object: &Object<'s, 'a>) -> Said<'a> {
        let status = self.status.and_then(|member| object.string(member));
        let Some(status) = status.as_deref().and_then(Status::parse) else {
            return self.without_status(object);
        };
        if self.is_task_object {
            return Said::Task(object.text());
        }
        if self.timed_out {
            return Said::TimedOut(status);
        }
        if self.cancel_requested {
            return Said::CancelRequested;
        }
        let reason = || self.reason.and_then(|member| object.string(member));
        let said = match status {
            Status::Succeeded => self.success(object),
            Status::Failed => self.failure(object).map(|error| Said::Failed {
                reason: reason().unwrap_or_default(),
                error,
            }),
            Status::Cancelled => reason().map(Said::Cancelled),
            _ => None,
        };
        // An ended state without what belongs to an end is said of a duplicate, or of a task
        // that this very line has cancelled.
        said.unwrap_or(Said::Acknowledged {
            status,
            duplicate: self.duplicate,
        })
    }

    #[inline]
    fn success<'a>(&self, object: &Object<'s, 'a>) -> Option<Said<'a>> {
        let result = self
            .result
            .map(|member| Said::Succeeded(object.value(member)));
        result.or_else(|| {
            let elsewhere = object.value(self.result_ref?);
            Some(Said::SucceededElsewhere(elsewhere))
        })
    }

    fn failure(&self, object: &Object<'_, '_>) -> Option<Box<ErrorObject>> {
        let error = ErrorObject::parse(object.value(self.error?))?;
        Some(Box::new(error))
    }

    fn without_status<'a>(&self, object: &Object<'s, 'a>) -> Said<'a> {
        if let Some(mut error) = self.failure(object) {
            let task_id = self.task_id.and_then(|member| object.string(member));
            error.task_id = task_id.as_deref().and_then(parse_id).or(error.task_id);
            error.reference = self.reference.map(|member| object.value(member).to_owned());
            return Said::Error(error);
        }
        if let Some(tasks) = self.tasks {
            return Said::Batch(object.value(tasks));
        }
        if self.pong {
            return Said::Pong;
        }
        Said::Other(object.text())
    }
}
