//! The two kinds of spans, in the words of the semantic conventions for messaging: `send` for a
//! submission, `process` for an attempt. What has no word there is called `tareas.…`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{Link, SpanId, SpanKind, Status};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use smol_str::SmolStr;
use tareas_core::{TaskId, Timestamp, TraceContext};
use tareas_engine::ports::Sent;
use tareas_server::codes::code_of;

use super::recorder::{own, remote};

/// An attempt that has ended.
#[derive(Debug)]
pub(super) struct Processed<'a> {
    /// Its own span.
    pub(super) span: &'a TraceContext,
    /// The span of its submission.
    pub(super) creation: &'a TraceContext,
    pub(super) task: TaskId,
    pub(super) attempt: u64,
    pub(super) queue: &'a SmolStr,
    pub(super) kind: &'a SmolStr,
    pub(super) began_at: Timestamp,
    pub(super) run_time: Duration,
    /// What kind of error it ended with, and what was said of it.
    pub(super) error: Option<(String, String)>,
}

/// `send QUEUE`: from the arrival of a submission to the decision about it.
pub(super) fn of_submission(sent: &Sent<'_>, scope: InstrumentationScope) -> SpanData {
    let mut attributes = messaging("send", sent.queue.as_str(), sent.kind.as_str());
    attributes.extend(sent.task.map(message_id));
    let refused = sent.error.map(|refusal| {
        attributes.push(KeyValue::new("error.type", code_of(refusal).name()));
        Status::error(refusal.to_string())
    });
    SpanData {
        span_context: own(sent.span),
        parent_span_id: sent.parent.map_or(SpanId::INVALID, |p| p.span_id.into()),
        parent_span_is_remote: sent.parent.is_some(),
        span_kind: SpanKind::Producer,
        name: format!("send {}", sent.queue).into(),
        start_time: instant(sent.began_at),
        end_time: instant(sent.ended_at),
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: refused.unwrap_or_default(),
        instrumentation_scope: scope,
    }
}

/// `process QUEUE`: an attempt, below its submission and linked with it.
pub(super) fn of_attempt(processed: Processed<'_>, scope: InstrumentationScope) -> SpanData {
    let mut attributes = messaging("process", processed.queue, processed.kind);
    let attempt = i64::try_from(processed.attempt).unwrap_or(i64::MAX);
    attributes.extend([
        message_id(processed.task),
        KeyValue::new("tareas.task.attempt", attempt),
    ]);
    let failed = processed.error.map(|(name, message)| {
        attributes.push(KeyValue::new("error.type", name));
        Status::error(message)
    });
    let mut links = SpanLinks::default();
    links
        .links
        .push(Link::with_context(remote(processed.creation)));
    let start_time = instant(processed.began_at);
    SpanData {
        span_context: own(processed.span),
        parent_span_id: processed.creation.span_id.into(),
        parent_span_is_remote: true,
        span_kind: SpanKind::Consumer,
        name: format!("process {}", processed.queue).into(),
        start_time,
        end_time: start_time + processed.run_time,
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links,
        status: failed.unwrap_or_default(),
        instrumentation_scope: scope,
    }
}

/// What every span of a task says.
fn messaging(operation: &'static str, queue: &str, kind: &str) -> Vec<KeyValue> {
    vec![
        KeyValue::new("messaging.system", "tareas"),
        KeyValue::new("messaging.operation.name", operation),
        KeyValue::new("messaging.operation.type", operation),
        KeyValue::new("messaging.destination.name", queue.to_owned()),
        KeyValue::new("tareas.task.kind", kind.to_owned()),
    ]
}

fn message_id(task: TaskId) -> KeyValue {
    KeyValue::new("messaging.message.id", task.to_string())
}

fn instant(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or(0))
}
