//! What a server says to a remote worker: written and read.
//!
//! Events are not answers: they come when there is something to say. A reader ignores members
//! and events that it does not know.

use super::append_tail;
use crate::error::ErrorObject;
use crate::id::{TaskIdBytes, format_id, parse_id};
use crate::json::{Flaw, FlawKind, Object, Scanner, append_on_one_line, append_string, append_u64};
use crate::lease::{LeaseBytes, format_lease, parse_lease};
use crate::request::{Held, append_trace};
use crate::trace::{TraceParent, parse_traceparent};
use std::borrow::Cow;

/// The session that a worker has from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session<'a> {
    /// Its name, for people.
    pub session: Cow<'a, str>,
    /// The secret with which to go on with it after the connection was lost.
    pub resume: Cow<'a, str>,
    /// The worker says something at least this often.
    pub beat_ms: u64,
    /// Whether this is the session that the worker asked to go on with.
    pub resumed: bool,
    /// Of what the worker said it holds: what it must stop and forget.
    pub dropped: Vec<Held>,
}

impl Session<'_> {
    /// Appends the event.
    pub fn append_to(&self, out: &mut Vec<u8>, reference: Option<&str>) {
        out.extend_from_slice(b"{\"event\":\"session\",\"session\":");
        append_string(out, &self.session);
        out.extend_from_slice(b",\"resume\":");
        append_string(out, &self.resume);
        out.extend_from_slice(b",\"beat_ms\":");
        append_u64(out, self.beat_ms);
        out.extend_from_slice(b",\"resumed\":");
        out.extend_from_slice(if self.resumed {
            b"true".as_slice()
        } else {
            b"false"
        });
        out.extend_from_slice(b",\"drop\":[");
        for (index, held) in self.dropped.iter().enumerate() {
            out.extend_from_slice(if index > 0 {
                b",[\"".as_slice()
            } else {
                b"[\""
            });
            out.extend_from_slice(&format_id(&held.task_id));
            out.extend_from_slice(b"\",");
            append_u64(out, held.attempt);
            out.extend_from_slice(b",\"");
            out.extend_from_slice(&format_lease(&held.lease));
            out.extend_from_slice(b"\"]");
        }
        out.push(b']');
        append_tail(out, reference);
    }
}

/// An attempt for a worker to run.
#[derive(Debug, Clone, Copy)]
pub struct Assign<'a> {
    /// The attempt, and what proves that it was given.
    pub held: Held,
    /// Which handler.
    pub kind: &'a str,
    /// JSON text.
    pub payload: &'a [u8],
    /// The lane it came from.
    pub queue: &'a str,
    /// How long it may run, from now on.
    pub deadline_ms: u64,
    /// The span that it was sent by.
    pub traceparent: Option<TraceParent>,
    /// What tracing systems add to that.
    pub tracestate: Option<&'a str>,
}

impl Assign<'_> {
    /// Appends the event; `metadata` gives what the submitter attached.
    pub fn append_to<'m>(
        &self,
        out: &mut Vec<u8>,
        metadata: impl Iterator<Item = (&'m str, &'m str)>,
    ) {
        out.reserve(256 + self.payload.len());
        out.extend_from_slice(b"{\"event\":\"assign\",\"task_id\":\"");
        out.extend_from_slice(&format_id(&self.held.task_id));
        out.extend_from_slice(b"\",\"attempt\":");
        append_u64(out, self.held.attempt);
        out.extend_from_slice(b",\"lease\":\"");
        out.extend_from_slice(&format_lease(&self.held.lease));
        out.extend_from_slice(b"\",\"kind\":");
        append_string(out, self.kind);
        out.extend_from_slice(b",\"queue\":");
        append_string(out, self.queue);
        out.extend_from_slice(b",\"deadline_ms\":");
        append_u64(out, self.deadline_ms);
        append_metadata(out, metadata);
        append_trace(out, self.traceparent, self.tracestate);
        out.extend_from_slice(b",\"payload\":");
        append_on_one_line(out, self.payload);
        out.push(b'}');
    }
}

fn append_metadata<'m>(out: &mut Vec<u8>, entries: impl Iterator<Item = (&'m str, &'m str)>) {
    let mut is_any = false;
    for (key, value) in entries {
        let opening: &[u8] = if is_any { b"," } else { b",\"metadata\":{" };
        out.extend_from_slice(opening);
        append_string(out, key);
        out.push(b':');
        append_string(out, value);
        is_any = true;
    }
    if is_any {
        out.push(b'}');
    }
}

/// Appends that a running attempt is to stop.
pub fn append_cancel_event(out: &mut Vec<u8>, task_id: &TaskIdBytes, attempt: u64) {
    out.extend_from_slice(b"{\"event\":\"cancel\",\"task_id\":\"");
    out.extend_from_slice(&format_id(task_id));
    out.extend_from_slice(b"\",\"attempt\":");
    append_u64(out, attempt);
    out.push(b'}');
}

/// Appends that this server gives no more work.
pub fn append_drain_event(out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"event\":\"drain\"}");
}

/// Appends the answer to a sign of life.
pub fn append_beat_answer(out: &mut Vec<u8>, reference: Option<&str>) {
    out.extend_from_slice(b"{\"beat\":true");
    append_tail(out, reference);
}

/// Appends that an ending is recorded: the worker may forget it.
pub fn append_recorded(out: &mut Vec<u8>, task_id: &TaskIdBytes, reference: Option<&str>) {
    out.extend_from_slice(b"{\"task_id\":\"");
    out.extend_from_slice(&format_id(task_id));
    out.extend_from_slice(b"\",\"recorded\":true");
    append_tail(out, reference);
}

/// Appends the answer to `many`: how many endings are recorded, which attempts are no longer
/// this worker's, and which items could not be taken.
pub fn append_many_answer(
    out: &mut Vec<u8>,
    recorded: u64,
    stale: &[TaskIdBytes],
    errors: &[(usize, ErrorObject)],
    reference: Option<&str>,
) {
    out.extend_from_slice(b"{\"recorded\":");
    append_u64(out, recorded);
    if !stale.is_empty() {
        out.extend_from_slice(b",\"stale\":[");
        for (index, id) in stale.iter().enumerate() {
            out.extend_from_slice(if index > 0 { b",\"".as_slice() } else { b"\"" });
            out.extend_from_slice(&format_id(id));
            out.push(b'"');
        }
        out.push(b']');
    }
    if !errors.is_empty() {
        out.extend_from_slice(b",\"errors\":[");
        for (index, (item, error)) in errors.iter().enumerate() {
            out.extend_from_slice(if index > 0 {
                b",{\"item\":".as_slice()
            } else {
                b"{\"item\":"
            });
            append_u64(out, *item as u64);
            out.extend_from_slice(b",\"error\":");
            error.append_object(out);
            out.push(b'}');
        }
        out.push(b']');
    }
    append_tail(out, reference);
}

/// One line of a server, as a remote worker reads it.
#[derive(Debug, Clone, PartialEq)]
pub enum Told<'a> {
    /// It has a session.
    Session(Session<'a>),
    /// It is to run an attempt.
    Assign(Box<Assigned<'a>>),
    /// An attempt is to stop.
    Cancel {
        /// The task.
        task_id: TaskIdBytes,
        /// The attempt.
        attempt: u64,
    },
    /// The server gives no more work.
    Drain,
    /// The answer to a line of `many`.
    Many {
        /// The line, by the number it was sent with.
        reference: u64,
        /// Attempts that are no longer this worker's.
        stale: Vec<TaskIdBytes>,
    },
    /// A refusal.
    Error(Box<ErrorObject>),
    /// Anything else: the server is alive.
    Other,
}

/// An assignment, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Assigned<'a> {
    /// The attempt, and what proves that it was given.
    pub held: Held,
    /// Which handler.
    pub kind: Cow<'a, str>,
    /// JSON text.
    pub payload: &'a str,
    /// What the submitter attached.
    pub metadata: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The lane it came from.
    pub queue: Cow<'a, str>,
    /// How long it may run.
    pub deadline_ms: u64,
    /// The span that it was sent by.
    pub traceparent: Option<TraceParent>,
    /// What tracing systems add to that.
    pub tracestate: Option<Cow<'a, str>>,
}

/// Reads what a server tells a worker, one line after the other, and keeps its memory.
#[derive(Debug, Default)]
pub struct ToldReader {
    scanner: Scanner,
}

impl ToldReader {
    /// A reader that has not allocated anything yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one line.
    ///
    /// # Errors
    /// When it is not a JSON object, or an event lacks what belongs to it.
    pub fn read<'a>(&mut self, line: &'a [u8]) -> Result<Told<'a>, Flaw> {
        let text = std::str::from_utf8(line).map_err(|error| Flaw {
            kind: FlawKind::NotUtf8,
            at: error.valid_up_to(),
        })?;
        let parts = Parts(self.scanner.envelope(text)?);
        let incomplete = Flaw {
            kind: FlawKind::UnexpectedEnd,
            at: text.len(),
        };
        let told = match parts.text("event").as_deref() {
            Some("assign") => parts.assigned().map(|found| Told::Assign(Box::new(found))),
            Some("session") => parts.session().map(Told::Session),
            Some("cancel") => parts.cancel(),
            Some("drain") => Some(Told::Drain),
            Some(_) => Some(Told::Other),
            None => Some(parts.answer()),
        };
        told.ok_or(incomplete)
    }
}

struct Parts<'s, 'a>(Object<'s, 'a>);

impl<'a> Parts<'_, 'a> {
    fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.0.string(self.0.find(name)?)
    }

    fn raw(&self, name: &str) -> Option<&'a str> {
        self.0.find(name).map(|member| self.0.value(member))
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.raw(name)?.parse().ok()
    }

    fn id(&self) -> Option<TaskIdBytes> {
        parse_id(&self.text("task_id")?)
    }

    fn assigned(&self) -> Option<Assigned<'a>> {
        Some(Assigned {
            held: Held {
                task_id: self.id()?,
                attempt: self.number("attempt")?,
                lease: parse_lease(&self.text("lease")?)?,
            },
            kind: self.text("kind")?,
            payload: self.raw("payload")?,
            metadata: self.raw("metadata").map(pairs).unwrap_or_default(),
            queue: self.text("queue")?,
            deadline_ms: self.number("deadline_ms")?,
            traceparent: self.text("traceparent").and_then(|t| parse_traceparent(&t)),
            tracestate: self.text("tracestate"),
        })
    }

    fn session(&self) -> Option<Session<'a>> {
        Some(Session {
            session: self.text("session")?,
            resume: self.text("resume")?,
            beat_ms: self.number("beat_ms")?,
            resumed: self.raw("resumed") == Some("true"),
            dropped: self.raw("drop").map(held_list).unwrap_or_default(),
        })
    }

    fn cancel(&self) -> Option<Told<'a>> {
        let (task_id, attempt) = (self.id()?, self.number("attempt")?);
        Some(Told::Cancel { task_id, attempt })
    }

    fn answer(&self) -> Told<'a> {
        if let Some(error) = self.raw("error").and_then(ErrorObject::parse) {
            return Told::Error(Box::new(error));
        }
        match (self.raw("recorded"), self.number("ref")) {
            (Some(_), Some(reference)) => Told::Many {
                reference,
                stale: self.raw("stale").map(ids).unwrap_or_default(),
            },
            _ => Told::Other,
        }
    }
}

fn pairs(text: &str) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    let mut scanner = Scanner::new();
    let Ok(object) = scanner.envelope(text) else {
        return Vec::new();
    };
    let pair = |member| Some((object.key(member), object.string(member)?));
    object.members().iter().filter_map(pair).collect()
}

fn elements(text: &str) -> impl Iterator<Item = &str> {
    let mut spans = Vec::new();
    // What is not an array has no elements.
    let _ = Scanner::array(text, usize::MAX - 1, &mut spans);
    spans.into_iter().map(move |span| span.of(text))
}

fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

fn ids(text: &str) -> Vec<TaskIdBytes> {
    let ids = elements(text).filter_map(|element| parse_id(quoted(element)?));
    ids.collect()
}

fn held_list(text: &str) -> Vec<Held> {
    let one = |element| {
        let mut parts = elements(element);
        let task_id = parse_id(quoted(parts.next()?)?)?;
        let attempt = parts.next()?.parse().ok()?;
        let lease: LeaseBytes = parse_lease(quoted(parts.next()?)?)?;
        Some(Held {
            task_id,
            attempt,
            lease,
        })
    };
    elements(text).filter_map(one).collect()
}
