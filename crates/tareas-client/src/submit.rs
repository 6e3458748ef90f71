//! A submission: what is asked, with every option that the wire has.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tareas_protocol::json::append_string;
use tareas_protocol::request::{self, Options, Payload, append_submission};

use crate::TaskId;

pub use tareas_protocol::request::Backoff;
pub use tareas_protocol::trace::{TraceParent, parse_traceparent};

/// A task somebody wants done. What is `None` is left to the server.
#[derive(Clone, Debug, Default)]
pub struct Submit {
    /// Which handler.
    pub kind: String,
    /// Its input, as JSON text.
    pub payload: String,
    /// Its identity; made by the client when absent.
    pub task_id: Option<TaskId>,
    /// Which lane.
    pub queue: Option<String>,
    /// 0 (last) to 9 (first).
    pub priority: Option<u8>,
    /// Not before so long from its acceptance.
    pub delay: Option<Duration>,
    /// Not before this instant.
    pub due_at: Option<SystemTime>,
    /// Not started any more after this instant.
    pub expires_at: Option<SystemTime>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How many attempts there may be.
    pub max_attempts: Option<u32>,
    /// How long to wait between attempts.
    pub backoff: Option<Backoff>,
    /// Two submissions with one key are one task.
    pub idempotency_key: Option<String>,
    /// How long the task is kept after its end.
    pub retention: Option<Duration>,
    /// Words for people and programs.
    pub metadata: Vec<(String, String)>,
    /// Labels that a worker must have.
    pub requires: Vec<String>,
    /// The span that submits it, in a trace across programs.
    pub traceparent: Option<TraceParent>,
    /// What tracing systems add to that.
    pub tracestate: Option<String>,
}

impl Submit {
    /// A submission of a kind with a payload of JSON text.
    pub fn new(kind: impl Into<String>, payload: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            payload: payload.into(),
            ..Self::default()
        }
    }

    /// A submission whose payload is a string, as a text line would make it.
    pub fn words(kind: impl Into<String>, words: &str) -> Self {
        let mut payload = Vec::with_capacity(words.len() + 2);
        append_string(&mut payload, words);
        Self::new(kind, String::from_utf8_lossy(&payload))
    }

    /// The same submission as the wire shows it, such as a decoder found it in a line.
    pub fn from_wire(wire: &request::Submission<'_>) -> Self {
        let options = wire.options.as_deref().cloned().unwrap_or_default();
        Self {
            kind: wire.kind.to_string(),
            payload: String::from_utf8_lossy(&wire.payload.to_bytes()).into_owned(),
            task_id: wire.task_id.map(TaskId::from_bytes),
            queue: options.queue.map(Cow::into_owned),
            priority: options.priority,
            delay: options.delay_ms.map(Duration::from_millis),
            due_at: options.due_at_us.map(instant),
            expires_at: options.expires_at_us.map(instant),
            timeout: options.timeout_ms.map(Duration::from_millis),
            max_attempts: options.max_attempts,
            backoff: options.backoff,
            idempotency_key: options.idempotency_key.map(Cow::into_owned),
            retention: options.retention_ms.map(Duration::from_millis),
            metadata: options
                .metadata
                .into_iter()
                .map(|(key, value)| (key.into_owned(), value.into_owned()))
                .collect(),
            requires: options.requires.into_iter().map(Cow::into_owned).collect(),
            traceparent: options.traceparent,
            tracestate: options.tracestate.map(Cow::into_owned),
        }
    }

    /// Appends the line, without a newline.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>, reference: Option<&str>, wait: bool) {
        let submission = request::Submission {
            kind: Cow::Borrowed(&self.kind),
            payload: Payload::Json(Cow::Borrowed(&self.payload)),
            task_id: self.task_id.map(|id| *id.as_bytes()),
            reference,
            wait,
            options: Some(Box::new(self.options())),
        };
        append_submission(out, &submission);
    }

    fn options(&self) -> Options<'_> {
        let text = |text: &'_ Option<String>| text.clone().map(Cow::Owned);
        Options {
            queue: text(&self.queue),
            priority: self.priority,
            delay_ms: self.delay.map(millis),
            due_at_us: self.due_at.map(micros),
            expires_at_us: self.expires_at.map(micros),
            timeout_ms: self.timeout.map(millis),
            max_attempts: self.max_attempts,
            backoff: self.backoff,
            idempotency_key: text(&self.idempotency_key),
            retention_ms: self.retention.map(millis),
            metadata: self
                .metadata
                .iter()
                .map(|(k, v)| (k.into(), v.into()))
                .collect(),
            requires: self.requires.iter().map(Into::into).collect(),
            traceparent: self.traceparent,
            tracestate: text(&self.tracestate),
        }
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Microseconds since 1970, negative before.
fn micros(at: SystemTime) -> i64 {
    let whole = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    match at.duration_since(UNIX_EPOCH) {
        Ok(since) => whole(since),
        Err(before) => -whole(before.duration()),
    }
}

/// An instant from microseconds since 1970.
fn instant(micros: i64) -> SystemTime {
    let distance = Duration::from_micros(micros.unsigned_abs());
    if micros < 0 {
        UNIX_EPOCH - distance
    } else {
        UNIX_EPOCH + distance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(submit: &Submit, wait: bool) -> String {
        let mut out = Vec::new();
        submit.append_to(&mut out, Some("7"), wait);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_not_said_is_not_sent() {
        let line = line(&Submit::new("square", r#"{"n":5}"#), true);
        let expected = r#"{"cmd":"submit","kind":"square","payload":{"n":5},"ref":7}"#;
        assert_eq!(line, expected);
    }

    #[test]
    fn a_submission_of_the_wire_reads_back() {
        let sent = Submit {
            queue: Some("mail".into()),
            due_at: Some(UNIX_EPOCH + Duration::from_millis(1_700_000_000_123)),
            metadata: vec![("who".into(), "ana".into())],
            ..Submit::new("square", r#"{"n":5}"#)
        };
        let first = line(&sent, true);
        let mut decoder = tareas_protocol::request::Decoder::new();
        let decoded = decoder.line(first.as_bytes()).request;
        let Ok(request::Request::Submit(wire)) = decoded else {
            panic!("{first}")
        };
        assert_eq!(line(&Submit::from_wire(&wire), true), first);
    }

    #[test]
    fn options_have_the_names_of_the_wire() {
        let submit = Submit {
            queue: Some("mail".into()),
            delay: Some(Duration::from_secs(3)),
            metadata: vec![("who".into(), "ana".into())],
            idempotency_key: Some("k1".into()),
            ..Submit::words("sumar", "2 + 2")
        };
        let line = line(&submit, false);
        for part in [
            r#""payload":"2 + 2""#,
            r#""queue":"mail""#,
            r#""delay_ms":3000"#,
            r#""metadata":{"who":"ana"}"#,
            r#""idempotency_key":"k1""#,
            r#""wait":false"#,
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }
}
