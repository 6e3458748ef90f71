//! The lines of a persistent process: what it is asked, what it answers.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::command::compact::on_one_line;
use crate::command::environment;
use crate::{Context, HandlerError};

/// Longest delay that a process may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

/// Writes the line that asks for one task into `line`.
pub(super) fn ask(line: &mut Vec<u8>, context: &Context, payload: &[u8]) {
    line.clear();
    line.extend_from_slice(b"{\"task_id\":\"");
    line.extend_from_slice(environment::task_id(context).as_bytes());
    line.extend_from_slice(b"\",\"attempt\":");
    line.extend_from_slice(context.attempt().to_string().as_bytes());
    // Names of kinds and queues need no escapes.
    line.extend_from_slice(b",\"kind\":\"");
    line.extend_from_slice(context.kind().as_bytes());
    line.extend_from_slice(b"\",\"queue\":\"");
    line.extend_from_slice(context.queue().as_bytes());
    line.extend_from_slice(b"\",\"deadline_ms\":");
    let left = u64::try_from(context.remaining().as_millis()).unwrap_or(u64::MAX);
    line.extend_from_slice(left.to_string().as_bytes());
    if let Some(trace) = context.trace() {
        append_text(line, b",\"traceparent\":", &trace.parent);
        if let Some(state) = &trace.state {
            append_text(line, b",\"tracestate\":", state);
        }
    }
    line.extend_from_slice(b",\"payload\":");
    line.extend_from_slice(&on_one_line(payload));
    line.extend_from_slice(b"}\n");
}

fn append_text(line: &mut Vec<u8>, name: &[u8], text: &str) {
    line.extend_from_slice(name);
    line.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
}

/// One line of a process.
#[derive(Debug, Default, Deserialize)]
struct Said<'a> {
    progress: Option<f64>,
    message: Option<String>,
    log: Option<String>,
    output: Option<String>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    error: Option<SaidError>,
}

#[derive(Debug, Deserialize)]
struct SaidError {
    message: String,
    name: Option<String>,
    retryable: Option<bool>,
    retry_after_ms: Option<u64>,
}

/// `null` is a result too.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// Takes one line; the answer, if it is one. A line that is no JSON object of the protocol is a
/// line of the log: something printed it.
pub(super) fn take(line: &[u8], context: &Context) -> Option<Result<Bytes, HandlerError>> {
    let Ok(said) = serde_json::from_slice::<Said<'_>>(line) else {
        context.log(String::from_utf8_lossy(line));
        return None;
    };
    if let Some(text) = said.log {
        context.log(text);
    }
    if let Some(piece) = said.output {
        context.output(piece);
    }
    if let Some(percent) = said.progress {
        context.progress(percent, said.message.unwrap_or_default());
    }
    match (said.result, said.error) {
        (_, Some(error)) => Some(Err(error.into())),
        (Some(result), None) => Some(Ok(Bytes::copy_from_slice(result.get().as_bytes()))),
        (None, None) => None,
    }
}

impl From<SaidError> for HandlerError {
    fn from(said: SaidError) -> Self {
        let error = match said.retryable {
            Some(false) => Self::rejected(said.message),
            _ => Self::retry(said.message),
        };
        let error = match said.name {
            Some(name) => error.named(name),
            None => error,
        };
        match said.retry_after_ms {
            Some(delay) if error.retryable => {
                error.after(Duration::from_millis(delay).min(RETRY_AFTER_MAX))
            }
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(line: &str) -> Option<Result<Bytes, HandlerError>> {
        super::take(line.as_bytes(), &Context::detached("x"))
    }

    #[test]
    fn a_request_is_one_line_of_json() {
        let mut line = Vec::new();
        ask(&mut line, &Context::detached("resize"), b"{\n\"a\": 1}");
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let read: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(
            (&read["kind"], &read["payload"]["a"]),
            (&"resize".into(), &1.into())
        );
        assert_eq!(
            (&read["attempt"], &read["queue"]),
            (&1.into(), &"default".into())
        );
    }

    #[test]
    fn answers_and_what_comes_before_them() {
        assert_eq!(take(r#"{"result":null}"#).unwrap().unwrap(), "null");
        assert_eq!(take(r#"{"result":[1, 2]}"#).unwrap().unwrap(), "[1, 2]");
        for talk in [
            r#"{"progress":4}"#,
            r#"{"log":"x"}"#,
            r#"{"output":"x"}"#,
            "printed",
            "[1]",
            "{}",
        ] {
            assert!(take(talk).is_none(), "{talk}");
        }
        let error = take(r#"{"error":{"message":"no","retryable":false}}"#).unwrap();
        assert!(!error.unwrap_err().retryable);
        let later = take(r#"{"error":{"message":"busy","name":"lock","retry_after_ms":5}}"#);
        let later = later.unwrap().unwrap_err();
        assert_eq!((later.name.as_str(), later.retryable), ("lock", true));
        assert_eq!(later.retry_after, Some(Duration::from_millis(5)));
    }
}
