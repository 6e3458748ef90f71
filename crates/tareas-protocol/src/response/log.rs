//! What the attempts of a task have said: as a whole, and line by line to whoever follows it.

use super::append_tail;
use crate::id::{TaskIdBytes, format_id};
use crate::json::{Object, Scanner, append_string, append_u64};
use std::borrow::Cow;

/// What one attempt has said, for [`append_logs`].
#[derive(Debug, Clone, Copy)]
pub struct AttemptLog<'a> {
    /// Its number.
    pub attempt: u64,
    /// The lines of its log.
    pub lines: &'a [String],
    /// What it had of its result, in pieces.
    pub output: &'a [String],
    /// Something of either was dropped.
    pub truncated: bool,
}

/// Appends the answer to `logs`: what all attempts have said so far.
pub fn append_logs<'a>(
    out: &mut Vec<u8>,
    task_id: &TaskIdBytes,
    attempts: impl Iterator<Item = AttemptLog<'a>>,
    reference: Option<&str>,
) {
    out.extend_from_slice(b"{\"task_id\":\"");
    out.extend_from_slice(&format_id(task_id));
    out.extend_from_slice(b"\",\"attempts\":[");
    for (index, log) in attempts.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        append_attempt(out, &log);
    }
    out.push(b']');
    append_tail(out, reference);
}

fn append_attempt(out: &mut Vec<u8>, log: &AttemptLog<'_>) {
    out.extend_from_slice(b"{\"attempt\":");
    append_u64(out, log.attempt);
    out.extend_from_slice(b",\"lines\":[");
    for (index, line) in log.lines.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        append_string(out, line);
    }
    out.extend_from_slice(b"],\"truncated\":");
    let truncated: &[u8] = if log.truncated { b"true" } else { b"false" };
    out.extend_from_slice(truncated);
    if !log.output.is_empty() {
        append_text(out, "output", &log.output.concat());
    }
    out.push(b'}');
}

/// One thing that a followed task has said, or its end.
#[derive(Debug, Clone, PartialEq)]
pub enum Logged<'a> {
    /// A line of the log.
    Line {
        /// The attempt.
        attempt: u64,
        /// Where a reader that comes back goes on.
        at: Cow<'a, str>,
        /// The line.
        text: Cow<'a, str>,
    },
    /// A piece of what there is of the result so far.
    Output {
        /// The attempt.
        attempt: u64,
        /// Where a reader that comes back goes on.
        at: Cow<'a, str>,
        /// The piece.
        text: Cow<'a, str>,
    },
    /// How far the attempt is.
    Progress {
        /// The attempt.
        attempt: u64,
        /// 0 to 100.
        percent: f64,
        /// What it is doing; may be empty.
        message: Cow<'a, str>,
    },
    /// Further lines or pieces of the attempt are dropped.
    Truncated {
        /// The attempt.
        attempt: u64,
    },
    /// The task has ended; nothing follows.
    End {
        /// `succeeded`, `failed` or `cancelled`.
        status: Cow<'a, str>,
    },
}

impl<'a> Logged<'a> {
    /// Appends the event.
    pub fn append_to(&self, out: &mut Vec<u8>, task_id: &TaskIdBytes, reference: Option<&str>) {
        let name = match self {
            Self::Line { .. } => "log",
            Self::Output { .. } => "output",
            Self::Progress { .. } => "progress",
            Self::Truncated { .. } => "truncated",
            Self::End { .. } => "end",
        };
        out.extend_from_slice(b"{\"event\":");
        append_string(out, name);
        out.extend_from_slice(b",\"task_id\":\"");
        out.extend_from_slice(&format_id(task_id));
        out.push(b'"');
        self.append_members(out);
        append_tail(out, reference);
    }

    fn append_members(&self, out: &mut Vec<u8>) {
        match self {
            Self::Line { attempt, at, text } | Self::Output { attempt, at, text } => {
                append_number(out, "attempt", *attempt);
                append_text(out, "at", at);
                append_text(out, "text", text);
            }
            Self::Progress {
                attempt,
                percent,
                message,
            } => {
                append_number(out, "attempt", *attempt);
                out.extend_from_slice(format!(",\"percent\":{percent}").as_bytes());
                append_text(out, "message", message);
            }
            Self::Truncated { attempt } => append_number(out, "attempt", *attempt),
            Self::End { status } => append_text(out, "status", status),
        }
    }

    /// Reads a line of a server; `None` when it is no such event.
    #[must_use]
    pub fn read(line: &'a str) -> Option<Self> {
        let mut scanner = Scanner::new();
        let object = scanner.envelope(line).ok()?;
        let text = |name| object.string(object.find(name)?);
        let attempt = || number(&object, "attempt");
        Some(match &*text("event")? {
            "log" => Self::Line {
                attempt: attempt()?,
                at: text("at")?,
                text: text("text")?,
            },
            "output" => Self::Output {
                attempt: attempt()?,
                at: text("at")?,
                text: text("text")?,
            },
            "progress" => Self::Progress {
                attempt: attempt()?,
                percent: number(&object, "percent")?,
                message: text("message")?,
            },
            "truncated" => Self::Truncated {
                attempt: attempt()?,
            },
            "end" => Self::End {
                status: text("status")?,
            },
            _ => return None,
        })
    }
}

fn number<T: std::str::FromStr>(object: &Object<'_, '_>, name: &str) -> Option<T> {
    object.value(object.find(name)?).parse().ok()
}

fn append_number(out: &mut Vec<u8>, name: &str, number: u64) {
    out.extend_from_slice(format!(",\"{name}\":").as_bytes());
    append_u64(out, number);
}

fn append_text(out: &mut Vec<u8>, name: &str, text: &str) {
    out.extend_from_slice(format!(",\"{name}\":").as_bytes());
    append_string(out, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_read_as_it_was_written() {
        let (attempt, at) = (2, Cow::Borrowed("2.7"));
        for logged in [
            Logged::Line {
                attempt,
                at: at.clone(),
                text: "a \"line\"\n".into(),
            },
            Logged::Output {
                attempt,
                at,
                text: "ñ".into(),
            },
            Logged::Progress {
                attempt,
                percent: 12.5,
                message: "".into(),
            },
            Logged::Truncated { attempt },
            Logged::End {
                status: "succeeded".into(),
            },
        ] {
            let mut line = Vec::new();
            logged.append_to(&mut line, &[7; 16], Some("1"));
            let line = String::from_utf8(line).unwrap_or_default();
            assert_eq!(Logged::read(&line), Some(logged), "{line}");
        }
        assert_eq!(Logged::read(r#"{"pong":true}"#), None);
    }
}
