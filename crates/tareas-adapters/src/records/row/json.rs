//! What is stored as small texts: options, failures, references to blobs.
//!
//! These shapes are part of the format of the databases. They have types of their own, so that a change in
//! core cannot change what is on disk.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use tareas_core::{
    Backoff, Blob, Body, Cause, Failure, ProcessEnd, RanBy, RetryPolicy, Timestamp, TraceContext,
};

/// Options of a task that differ from the defaults.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct StoredOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<StoredRetry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    requires: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_until: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<StoredTrace>,
}

/// Numbers as digits of sixteen: those of JSON are not large enough everywhere.
#[derive(Debug, Serialize, Deserialize)]
struct StoredTrace {
    id: String,
    span: String,
    flags: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredRetry {
    max_attempts: u32,
    initial_us: u64,
    max_us: u64,
    /// As text: a number would not always come back as the same bits.
    factor: String,
}

/// What went wrong in one attempt.
#[derive(Debug, Serialize, Deserialize)]
struct StoredFailure {
    cause: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backtrace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    worker: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thread: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signal: Option<i32>,
}

/// Bytes for the column `options`.
pub(super) fn options_text(options: &tareas_core::Options) -> Vec<u8> {
    bytes(&StoredOptions {
        expires_at: options.expires_at.map(Timestamp::as_micros),
        timeout_us: options.timeout.map(micros),
        retry: options.retry.as_ref().map(|retry| StoredRetry {
            max_attempts: retry.max_attempts,
            initial_us: micros(retry.backoff.initial),
            max_us: micros(retry.backoff.max),
            factor: retry.backoff.factor.to_string(),
        }),
        retention_us: options.retention.map(micros),
        key: options.idempotency_key.as_ref().map(SmolStr::to_string),
        metadata: options.metadata.clone(),
        requires: options.requires.iter().map(SmolStr::to_string).collect(),
        keep_until: options.keep_until.map(Timestamp::as_micros),
        trace: options.trace.as_ref().map(StoredTrace::of),
    })
}

/// Options from the column `options`.
pub(crate) fn options(text: &[u8]) -> Result<tareas_core::Options, serde_json::Error> {
    let stored: StoredOptions = serde_json::from_slice(text)?;
    let retry = |retry: StoredRetry| RetryPolicy {
        max_attempts: retry.max_attempts,
        backoff: Backoff {
            initial: Duration::from_micros(retry.initial_us),
            max: Duration::from_micros(retry.max_us),
            factor: retry.factor.parse().unwrap_or(Backoff::default().factor),
        },
    };
    Ok(tareas_core::Options {
        expires_at: stored.expires_at.map(Timestamp::from_micros),
        timeout: stored.timeout_us.map(Duration::from_micros),
        retry: stored.retry.map(retry),
        retention: stored.retention_us.map(Duration::from_micros),
        idempotency_key: stored.key.map(SmolStr::from),
        metadata: stored.metadata,
        requires: stored.requires.into_iter().map(SmolStr::from).collect(),
        keep_until: stored.keep_until.map(Timestamp::from_micros),
        trace: stored.trace.and_then(StoredTrace::read),
    })
}

impl StoredTrace {
    fn of(trace: &TraceContext) -> Self {
        Self {
            id: format!("{:032x}", trace.trace_id),
            span: format!("{:016x}", trace.span_id),
            flags: trace.flags,
            state: trace.state.as_ref().map(SmolStr::to_string),
        }
    }

    /// A trace that cannot be read is no reason not to run a task.
    fn read(self) -> Option<TraceContext> {
        Some(TraceContext {
            trace_id: u128::from_str_radix(&self.id, 16).ok()?,
            span_id: u64::from_str_radix(&self.span, 16).ok()?,
            flags: self.flags,
            state: self.state.map(SmolStr::from),
        })
    }
}

/// Bytes for the columns `error`.
pub(crate) fn failure_text(failure: &Failure) -> Vec<u8> {
    bytes(&StoredFailure {
        cause: failure.cause.name().to_owned(),
        name: failure.name.clone(),
        message: failure.message.clone(),
        backtrace: failure.backtrace.clone(),
        worker: failure.ran_by.as_ref().map(|by| by.worker.clone()),
        thread: failure.ran_by.as_ref().and_then(|by| by.thread),
        exit_code: failure.process_end.and_then(ProcessEnd::exit_code),
        signal: failure.process_end.and_then(ProcessEnd::signal),
    })
}

/// A failure from the columns `error`.
pub(crate) fn failure(text: &[u8]) -> Result<Failure, serde_json::Error> {
    let stored: StoredFailure = serde_json::from_slice(text)?;
    let cause = Cause::from_name(&stored.cause).unwrap_or(Cause::Handler);
    let StoredFailure {
        name,
        message,
        backtrace,
        worker,
        thread,
        exit_code,
        signal,
        ..
    } = stored;
    Ok(Failure {
        cause,
        name,
        message,
        backtrace,
        ran_by: worker.map(|worker| RanBy { worker, thread }),
        process_end: ProcessEnd::of(exit_code, signal),
    })
}

/// Text for the columns that refer to blobs: `key|bytes|sha256`.
pub(super) fn blob_text(blob: &Blob) -> String {
    use std::fmt::Write;

    let mut text = format!("{}|{}|", blob.key, blob.bytes);
    for byte in &blob.sha256 {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A reference to a blob from its text; `None` when it is not one.
pub(crate) fn blob(text: &str) -> Option<Body> {
    let mut parts = text.rsplitn(3, '|');
    let (hex, bytes, key) = (parts.next()?, parts.next()?, parts.next()?);
    let mut sha256 = [0; 32];
    if hex.len() != 2 * sha256.len() || !hex.is_ascii() {
        return None;
    }
    for (byte, digits) in sha256.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    let blob = Blob {
        key: SmolStr::new(key),
        bytes: bytes.parse().ok()?,
        sha256,
    };
    Some(Body::Blob(Box::new(blob)))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts and numbers are JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_back() {
        let asked = tareas_core::Options {
            expires_at: Some(Timestamp::from_micros(-3)),
            timeout: Some(Duration::from_micros(7)),
            retry: Some(RetryPolicy {
                max_attempts: 9,
                backoff: Backoff {
                    factor: 1.1 + 0.2,
                    ..Backoff::default()
                },
            }),
            retention: Some(Duration::ZERO),
            idempotency_key: Some(SmolStr::new("ñ\0key")),
            metadata: BTreeMap::from([("a".to_owned(), "b|\u{0}".to_owned())]),
            requires: vec![SmolStr::new("gpu")],
            keep_until: Some(Timestamp::from_micros(1)),
            trace: Some(TraceContext {
                trace_id: u128::MAX - 7,
                span_id: 1,
                flags: 1,
                state: Some(SmolStr::new("vendor=1")),
            }),
        };
        assert_eq!(options(&options_text(&asked)).unwrap(), asked);
        let nothing = tareas_core::Options::default();
        assert_eq!(options_text(&nothing), b"{}");
        assert_eq!(options(b"{}").unwrap(), nothing);
    }

    #[test]
    fn references_to_blobs_come_back() {
        let sha256 = std::array::from_fn(|n| n as u8 * 7);
        let expected = Blob {
            key: SmolStr::new("t/x/in"),
            bytes: 70_000,
            sha256,
        };
        let text = blob_text(&expected);
        assert_eq!(blob(&text), Some(Body::Blob(Box::new(expected))));
        for damaged in ["", "a|1|zz", "a|b|c", &text[..text.len() - 1]] {
            assert_eq!(blob(damaged), None, "{damaged}");
        }
    }

    #[test]
    fn failures_come_back() {
        let went_wrong = Failure {
            cause: Cause::Timeout,
            name: Some("E".to_owned()),
            message: "\0\u{1F600}".to_owned(),
            backtrace: Some("at 1".to_owned()),
            ran_by: Some(RanBy {
                worker: "w1".to_owned(),
                thread: Some(2),
            }),
            process_end: Some(ProcessEnd::Exit(70)),
        };
        assert_eq!(failure(&failure_text(&went_wrong)).unwrap(), went_wrong);
    }
}
