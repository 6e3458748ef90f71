//! What came over the wire, as the engine takes it: the one place where a decoded submission
//! becomes an engine's.

use std::time::Duration;

use bytes::Bytes;
use smol_str::SmolStr;
use tareas_core::task::Options;
use tareas_core::{Backoff, Kind, Priority, QueueName, RetryPolicy, TaskId, Timestamp};
use tareas_engine::{Due, Submission};
use tareas_protocol::request::{self, Fault, Refusal};

use crate::trace;

/// The submission of a decoded one. `payload` is its JSON text; `watch` is the tag under which
/// its end is told.
///
/// # Errors
/// When the kind or the queue cannot be a name, which the decoder has checked already.
pub fn submission(
    decoded: &request::Submission<'_>,
    kind: Kind,
    payload: Bytes,
    watch: Option<u64>,
) -> Result<Submission, Box<Refusal>> {
    let mut submission = Submission::new(kind, payload);
    submission.id = decoded.task_id.map(TaskId::from_bytes);
    submission.watch = watch;
    let Some(wanted) = &decoded.options else {
        return Ok(submission);
    };
    if let Some(queue) = &wanted.queue {
        submission.queue =
            QueueName::new(queue).map_err(|_| Refusal::of(Fault::Missing { member: "queue" }))?;
    }
    if let Some(priority) = wanted.priority.and_then(Priority::new) {
        submission.priority = priority;
    }
    submission.due = due(wanted);
    submission.options = options(wanted);
    Ok(submission)
}

/// The kind of a decoded submission.
///
/// # Errors
/// When it cannot be a name, which the decoder has checked already.
pub fn kind(name: &str) -> Result<Kind, Box<Refusal>> {
    Kind::new(name).map_err(|_| {
        Refusal::of(Fault::NotAKind {
            kind: name.to_owned(),
        })
    })
}

fn due(wanted: &request::Options<'_>) -> Due {
    match (wanted.delay_ms, wanted.due_at_us) {
        (Some(delay), _) => Due::After(Duration::from_millis(delay)),
        (None, Some(due_at)) => Due::At(Timestamp::from_micros(due_at)),
        (None, None) => Due::Now,
    }
}

/// What is rarely said; `None` when all of it is as by default.
fn options(wanted: &request::Options<'_>) -> Option<Box<Options>> {
    let entry = |(key, value): &(_, _)| {
        let (key, value): (&std::borrow::Cow<'_, str>, &std::borrow::Cow<'_, str>) = (key, value);
        (key.to_string(), value.to_string())
    };
    let options = Options {
        expires_at: wanted.expires_at_us.map(Timestamp::from_micros),
        timeout: wanted.timeout_ms.map(Duration::from_millis),
        retry: retry(wanted),
        retention: wanted.retention_ms.map(Duration::from_millis),
        idempotency_key: wanted.idempotency_key.as_deref().map(SmolStr::new),
        metadata: wanted.metadata.iter().map(entry).collect(),
        requires: wanted
            .requires
            .iter()
            .map(|label| SmolStr::new(&**label))
            .collect(),
        keep_until: None,
        trace: wanted
            .traceparent
            .map(|parent| trace::context(parent, wanted.tracestate.as_deref())),
    };
    (options != Options::default()).then(|| Box::new(options))
}

fn retry(wanted: &request::Options<'_>) -> Option<RetryPolicy> {
    if wanted.max_attempts.is_none() && wanted.backoff.is_none() {
        return None;
    }
    let usual = RetryPolicy::default();
    let asked = wanted.backoff.unwrap_or_default();
    let millis = |asked: Option<u64>, usual| asked.map_or(usual, Duration::from_millis);
    Some(RetryPolicy {
        max_attempts: wanted.max_attempts.unwrap_or(usual.max_attempts),
        backoff: Backoff {
            initial: millis(asked.initial_ms, usual.backoff.initial),
            max: millis(asked.max_ms, usual.backoff.max),
            factor: asked.factor.unwrap_or(usual.backoff.factor),
        },
    })
}

#[cfg(test)]
mod tests {
    use tareas_protocol::request::Decoder;

    use super::*;

    fn taken(body: &str) -> Submission {
        let mut decoder = Decoder::new();
        let decoded = decoder.submission(body.as_bytes()).unwrap();
        let kind = kind(&decoded.kind).unwrap();
        submission(&decoded, kind, decoded.payload.to_bytes(), Some(7)).unwrap()
    }

    #[test]
    fn the_short_form_has_all_defaults() {
        let submission = taken(r#"{"op":"square","n":5}"#);
        assert_eq!(submission.kind.as_str(), "square");
        assert_eq!(submission.payload, r#"{"n":5}"#);
        assert_eq!(submission.queue, QueueName::default());
        assert_eq!(submission.due, Due::Now);
        assert_eq!(submission.watch, Some(7));
        assert!(submission.options.is_none());
    }

    #[test]
    fn everything_that_may_be_asked_arrives() {
        let submission = taken(
            r#"{"kind":"mail","payload":[1],"queue":"slow","priority":9,"delay_ms":1500,
                "expires_at":1000,"timeout_ms":2000,"max_attempts":2,"retention_ms":3000,
                "backoff":{"initial_ms":10},"idempotency_key":"k","metadata":{"a":"b"},
                "requires":["gpu"],"task_id":"0190c1f0-0000-7000-8000-000000000001"}"#,
        );
        let options = submission.options.unwrap();
        let retry = options.retry.unwrap();
        assert_eq!(submission.queue.as_str(), "slow");
        assert_eq!(submission.priority, Priority::HIGHEST);
        assert_eq!(submission.due, Due::After(Duration::from_millis(1500)));
        assert!(submission.id.is_some());
        assert_eq!(options.expires_at, Some(Timestamp::from_millis(1000)));
        assert_eq!(options.timeout, Some(Duration::from_secs(2)));
        assert_eq!(
            (retry.max_attempts, retry.backoff.initial.as_millis()),
            (2, 10)
        );
        assert_eq!(retry.backoff.max, RetryPolicy::default().backoff.max);
        assert_eq!(options.idempotency_key.as_deref(), Some("k"));
        assert_eq!(options.metadata["a"], "b");
        assert_eq!(options.requires, ["gpu"]);
    }
}
