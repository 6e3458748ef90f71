//! What remote workers say: that they are there, and how the attempts they were given go.

use super::decode::Decoder;
use super::field::{Field, Fields};
use super::names::names;
use super::{Expected, Fault, Refusal, Request, Token};
use crate::id::TaskIdBytes;
use crate::json::{Scanner, Span, ValueKind};
use crate::lease::{LeaseBytes, parse_lease};
use crate::limits::{
    ARTIFACT_NAME_BYTES_MAX, ATTEMPT_TIMEOUT_MS_MAX, BACKTRACE_BYTES_MAX, HOLDING_MAX, LABELS_MAX,
    LOG_BYTES_MAX, MEDIA_TYPE_BYTES_MAX, MESSAGE_BYTES_MAX, NAME_BYTES_MAX, PREFETCH_MAX,
    SLOTS_MAX, TOKEN_BYTES_MAX, WORKER_KINDS_MAX, WORKER_QUEUES_MAX,
};
use std::borrow::Cow;

/// An attempt that a worker holds: both halves of the fence, and the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Held {
    /// The task.
    pub task_id: TaskIdBytes,
    /// The attempt that was assigned.
    pub attempt: u64,
    /// What the assignment was given with; proves that the worker was given it.
    pub lease: LeaseBytes,
}

/// A worker says that it is there, and what it can do.
#[derive(Debug, Clone, PartialEq)]
pub struct Work<'a> {
    /// What people call it.
    pub name: Option<Cow<'a, str>>,
    /// The queues it takes tasks from; all when empty.
    pub queues: Vec<Cow<'a, str>>,
    /// The kinds it has handlers for.
    pub kinds: Vec<Cow<'a, str>>,
    /// Its labels, for tasks that require some.
    pub labels: Vec<Cow<'a, str>>,
    /// How many tasks it runs at once.
    pub slots: u16,
    /// How many more it will hold, as long as all of them are short.
    pub prefetch: u16,
    /// The secret of the session that it wants to go on with.
    pub resume: Option<Token<'a>>,
    /// What it still holds of that session.
    pub holding: Vec<Held>,
}

/// What a worker says about one attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Report<'a> {
    /// The attempt.
    pub held: Held,
    /// What is to be said about it.
    pub said: Reported<'a>,
}

/// See [`Report`].
#[derive(Debug, Clone, PartialEq)]
pub enum Reported<'a> {
    /// It has a result.
    Done {
        /// The JSON text; `None` when it was sent before, in `output` lines.
        result: Option<&'a str>,
        /// How long it ran, in microseconds, if the worker says.
        run_us: Option<u64>,
    },
    /// It has none.
    Failed(Failed<'a>),
    /// It was not begun, or stopped as asked: it may be given to another.
    Released,
    /// How far it is.
    Progress {
        /// 0 to 100.
        percent: f64,
        /// What it is doing; may be empty.
        message: Cow<'a, str>,
    },
    /// Something for the task's log.
    Log {
        /// The text; may have several lines.
        text: Cow<'a, str>,
    },
    /// A piece of a result that is too long for one line.
    Output {
        /// The next piece of its JSON text.
        chunk: Cow<'a, str>,
    },
    /// A piece of what there is of the result so far, for whoever follows the task.
    Partial {
        /// The piece.
        text: Cow<'a, str>,
    },
    /// A piece of a file that goes with the result.
    Artifact {
        /// The name of the file; pieces under one name are one file.
        name: Cow<'a, str>,
        /// What it holds, as a media type; what its name tells when it is not said.
        media_type: Option<Cow<'a, str>>,
        /// The next piece, in Base64.
        chunk: Cow<'a, str>,
    },
}

/// How an attempt failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failed<'a> {
    /// What the error is called.
    pub name: Option<Cow<'a, str>>,
    /// One sentence.
    pub message: Cow<'a, str>,
    /// Where it happened.
    pub backtrace: Option<Cow<'a, str>>,
    /// The code that the handler's own process ended with, if it had one and it ended by itself.
    pub exit_code: Option<i32>,
    /// The signal that ended the handler's own process.
    pub signal: Option<i32>,
    /// Whether trying again can help.
    pub retryable: bool,
    /// When to try again; the back-off of the task when it is not said.
    pub retry_after_ms: Option<u64>,
    /// It ran over its limit.
    pub timed_out: bool,
    /// Which of the worker's threads ran it, counted from 1, if the worker says.
    pub thread: Option<u32>,
    /// How long it ran, in microseconds, if the worker says.
    pub run_us: Option<u64>,
}

/// One item of `many`: decoded, or refused by itself.
pub type Item<'a> = Result<Report<'a>, Box<Refusal>>;

type Refused<T> = Result<T, Box<Refusal>>;

const HELD_MEMBERS: [&str; 3] = ["task_id", "attempt", "lease"];
const WORK_MEMBERS: [&str; 10] = [
    "cmd", "ref", "name", "queues", "kinds", "labels", "slots", "prefetch", "resume", "holding",
];

/// Whether this names a report about one attempt.
pub(super) fn is_report(command: &str) -> bool {
    matches!(
        command,
        "done" | "fail" | "release" | "progress" | "log" | "output" | "artifact"
    )
}

pub(super) fn work<'a>(fields: &Fields<'_, 'a>) -> Refused<Request<'a>> {
    fields.only(&WORK_MEMBERS)?;
    let list = |name, most| match fields.find(name) {
        Some(field) => names(&field, most),
        None => Ok(Vec::new()),
    };
    let kinds = list("kinds", WORKER_KINDS_MAX)?;
    if kinds.is_empty() {
        return Err(Refusal::of(Fault::Missing { member: "kinds" }));
    }
    let work = Work {
        name: fields.find("name").map(Field::name).transpose()?,
        queues: list("queues", WORKER_QUEUES_MAX)?,
        kinds,
        labels: list("labels", LABELS_MAX)?,
        slots: small(fields, "slots", SLOTS_MAX)?.unwrap_or(1),
        prefetch: small(fields, "prefetch", PREFETCH_MAX)?.unwrap_or(0),
        resume: resume(fields)?,
        holding: match fields.find("holding") {
            Some(field) => holding(&field)?,
            None => Vec::new(),
        },
    };
    Ok(Request::Work(Box::new(work)))
}

fn resume<'a>(fields: &Fields<'_, 'a>) -> Refused<Option<Token<'a>>> {
    let field = fields.find("resume");
    let token = field.map(|field| field.string_within(TOKEN_BYTES_MAX).map(Token::of));
    token.transpose()
}

fn small(fields: &Fields<'_, '_>, name: &'static str, max: u16) -> Refused<Option<u16>> {
    let Some(field) = fields.find(name) else {
        return Ok(None);
    };
    let number = field.integer(0, max.into())?;
    Ok(u16::try_from(number).ok())
}

/// A sign of life, which may change how many tasks the worker takes at once.
pub(super) fn beat<'a>(fields: &Fields<'_, 'a>) -> Refused<Request<'a>> {
    fields.only(&["cmd", "ref", "slots"])?;
    let slots = small(fields, "slots", SLOTS_MAX)?;
    Ok(Request::Beat { slots })
}

/// Several reports in one line.
pub(super) fn many<'a>(fields: &Fields<'_, 'a>) -> Refused<Request<'a>> {
    fields.only(&["cmd", "ref", "items"])?;
    let Some(items) = fields.find("items") else {
        return Err(Refusal::of(Fault::Missing { member: "items" }));
    };
    if items.kind != ValueKind::Array {
        return Err(items.expected(Expected::Array));
    }
    // The line's own scanner still holds the members of the envelope.
    Decoder::new().reports(items.text).map(Request::Many)
}

/// Decodes one report; its command was looked at already.
pub(super) fn report<'a>(command: &str, fields: &Fields<'_, 'a>) -> Refused<Report<'a>> {
    let said = match command {
        "done" => {
            only(fields, &["result", "run_us"])?;
            let result = fields.find("result").map(|field| field.text);
            let run_us = run_us(fields)?;
            Reported::Done { result, run_us }
        }
        "fail" => Reported::Failed(failed(fields)?),
        "release" => {
            only(fields, &[])?;
            Reported::Released
        }
        "progress" => progress(fields)?,
        "log" => {
            only(fields, &["text"])?;
            let text = text(fields, "text", LOG_BYTES_MAX)?;
            Reported::Log { text }
        }
        "artifact" => artifact(fields)?,
        _ => output(fields)?,
    };
    let held = held(fields)?;
    Ok(Report { held, said })
}

fn only(fields: &Fields<'_, '_>, own: &[&'static str]) -> Refused<()> {
    let envelope = ["cmd", "ref"];
    let known: Vec<&'static str> = envelope
        .iter()
        .chain(&HELD_MEMBERS)
        .chain(own)
        .copied()
        .collect();
    fields.only(&known)
}

fn held(fields: &Fields<'_, '_>) -> Refused<Held> {
    let missing = |member| Refusal::of(Fault::Missing { member });
    let attempt = fields.find("attempt").ok_or_else(|| missing("attempt"))?;
    let lease = fields.find("lease").ok_or_else(|| missing("lease"))?;
    Ok(Held {
        task_id: fields.task_id()?.ok_or_else(|| missing("task_id"))?,
        attempt: attempt.integer(1, u64::MAX)?,
        lease: lease.lease()?,
    })
}

fn run_us(fields: &Fields<'_, '_>) -> Refused<Option<u64>> {
    let field = fields.find("run_us");
    let longest = ATTEMPT_TIMEOUT_MS_MAX * 2_000;
    field.map(|field| field.integer(0, longest)).transpose()
}

fn failed<'a>(fields: &Fields<'_, 'a>) -> Refused<Failed<'a>> {
    only(
        fields,
        &[
            "error",
            "retryable",
            "retry_after_ms",
            "timed_out",
            "thread",
            "run_us",
        ],
    )?;
    let flag = |name, otherwise| match fields.find(name) {
        Some(field) => field.boolean(),
        None => Ok(otherwise),
    };
    let retry_after = fields.find("retry_after_ms");
    let mut failed = Failed {
        name: None,
        message: Cow::Borrowed(""),
        backtrace: None,
        exit_code: None,
        signal: None,
        retryable: flag("retryable", true)?,
        retry_after_ms: retry_after
            .map(|field| field.integer(0, ATTEMPT_TIMEOUT_MS_MAX))
            .transpose()?,
        timed_out: flag("timed_out", false)?,
        thread: thread(fields)?,
        run_us: run_us(fields)?,
    };
    match fields.find("error") {
        Some(error) => failed.read_error(&error)?,
        None if failed.timed_out => {}
        None => return Err(Refusal::of(Fault::Missing { member: "error" })),
    }
    Ok(failed)
}

fn thread(fields: &Fields<'_, '_>) -> Refused<Option<u32>> {
    let Some(field) = fields.find("thread") else {
        return Ok(None);
    };
    let number = field.integer(1, SLOTS_MAX.into())?;
    Ok(u32::try_from(number).ok())
}

/// What a process ended with is never more.
fn process_number(field: &Field<'_>) -> Refused<i32> {
    let number = field.integer(0, u64::from(u8::MAX))?;
    Ok(i32::try_from(number).unwrap_or_default())
}

impl<'a> Failed<'a> {
    fn read_error(&mut self, field: &Field<'a>) -> Refused<()> {
        let mut scanner = Scanner::new();
        let object = field.object(&mut scanner);
        let object = object.ok_or_else(|| field.expected(Expected::Object))?;
        for member in object.members() {
            let part = |name| Field::new(name, &object, member);
            match &*object.key(member) {
                "name" => self.name = Some(part("error.name").string_within(NAME_BYTES_MAX)?),
                "message" => {
                    self.message = part("error.message").string_within(MESSAGE_BYTES_MAX)?;
                }
                "backtrace" => {
                    let text = part("error.backtrace").string_within(BACKTRACE_BYTES_MAX)?;
                    self.backtrace = Some(text);
                }
                "exit_code" => self.exit_code = Some(process_number(&part("error.exit_code"))?),
                "signal" => self.signal = Some(process_number(&part("error.signal"))?),
                key => {
                    let known = ["name", "message", "backtrace", "exit_code", "signal"];
                    return Err(Refusal::unknown(key, &known).under("/error"));
                }
            }
        }
        Ok(())
    }
}

fn progress<'a>(fields: &Fields<'_, 'a>) -> Refused<Reported<'a>> {
    only(fields, &["percent", "message"])?;
    let Some(percent) = fields.find("percent") else {
        return Err(Refusal::of(Fault::Missing { member: "percent" }));
    };
    let message = match fields.find("message") {
        Some(field) => field.string_within(MESSAGE_BYTES_MAX)?,
        None => Cow::Borrowed(""),
    };
    let percent = percent.number(0.0, 100.0)?;
    Ok(Reported::Progress { percent, message })
}

/// `chunk` is of the result, `text` for whoever follows.
fn output<'a>(fields: &Fields<'_, 'a>) -> Refused<Reported<'a>> {
    if fields.find("text").is_some() {
        only(fields, &["text"])?;
        let text = text(fields, "text", LOG_BYTES_MAX)?;
        return Ok(Reported::Partial { text });
    }
    only(fields, &["chunk"])?;
    let chunk = text(fields, "chunk", usize::MAX)?;
    Ok(Reported::Output { chunk })
}

fn artifact<'a>(fields: &Fields<'_, 'a>) -> Refused<Reported<'a>> {
    only(fields, &["name", "type", "chunk"])?;
    let media_type = fields.find("type");
    let media_type = media_type.map(|field| field.string_within(MEDIA_TYPE_BYTES_MAX));
    Ok(Reported::Artifact {
        name: text(fields, "name", ARTIFACT_NAME_BYTES_MAX)?,
        media_type: media_type.transpose()?,
        chunk: text(fields, "chunk", usize::MAX)?,
    })
}

fn text<'a>(fields: &Fields<'_, 'a>, member: &'static str, most: usize) -> Refused<Cow<'a, str>> {
    match fields.find(member) {
        Some(field) => field.string_within(most),
        None => Err(Refusal::of(Fault::Missing { member })),
    }
}

/// `[[task_id, attempt, lease], …]`.
fn holding(field: &Field<'_>) -> Refused<Vec<Held>> {
    let wrong = || field.expected(Expected::Holding);
    if field.kind != ValueKind::Array {
        return Err(wrong());
    }
    let mut entries: Vec<Span> = Vec::new();
    Scanner::array(field.text, HOLDING_MAX, &mut entries).map_err(Refusal::json)?;
    if entries.len() > HOLDING_MAX {
        return Err(wrong());
    }
    let mut parts: Vec<Span> = Vec::new();
    let held = entries.iter().map(|entry| {
        let entry = entry.of(field.text);
        parts.clear();
        Scanner::array(entry, 3, &mut parts).ok()?;
        let [id, attempt, lease] = parts[..] else {
            return None;
        };
        let inside = |span: Span| {
            let text = span.of(entry);
            text.strip_prefix('"')?.strip_suffix('"')
        };
        Some(Held {
            task_id: crate::id::parse_id(inside(id)?)?,
            attempt: attempt.of(entry).parse().ok()?,
            lease: parse_lease(inside(lease)?)?,
        })
    });
    let held: Option<Vec<Held>> = held.collect();
    held.ok_or_else(wrong)
}
