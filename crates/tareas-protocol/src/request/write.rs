//! Requests out, for clients: what the decoder reads back as the same request.

use super::{Backoff, Logs, Options, Submission};
use crate::id::{TaskIdBytes, format_id};
use crate::json::{append_on_one_line, append_string, append_u64};
use crate::time::append_instant;
use crate::trace::TraceParent;

/// Appends a submission in the full form, as one JSON text without a newline.
pub fn append_submission(out: &mut Vec<u8>, submission: &Submission<'_>) {
    out.extend_from_slice(b"{\"cmd\":\"submit\",\"kind\":");
    append_string(out, &submission.kind);
    out.extend_from_slice(b",\"payload\":");
    submission.payload.append_to(out);
    if let Some(id) = &submission.task_id {
        append_id(out, id);
    }
    if let Some(options) = &submission.options {
        append_options(out, options);
    }
    if !submission.wait {
        out.extend_from_slice(b",\"wait\":false");
    }
    append_ref(out, submission.reference);
    out.push(b'}');
}

/// Appends a command about a task (`status`, `result`, `wait`, `cancel`, `requeue`), as one JSON
/// text without a newline. `timeout_ms` belongs to `wait` alone.
pub fn append_command(
    out: &mut Vec<u8>,
    command: &str,
    task_id: &TaskIdBytes,
    timeout_ms: Option<u64>,
    reference: Option<&str>,
) {
    out.extend_from_slice(b"{\"cmd\":");
    append_string(out, command);
    append_id(out, task_id);
    append_number(out, "timeout_ms", timeout_ms);
    append_ref(out, reference);
    out.push(b'}');
}

/// Appends the command `logs`, as one JSON text without a newline.
pub fn append_logs_command(out: &mut Vec<u8>, logs: &Logs<'_>, reference: Option<&str>) {
    out.extend_from_slice(b"{\"cmd\":\"logs\"");
    append_id(out, &logs.task_id);
    if logs.follow {
        out.extend_from_slice(b",\"follow\":true");
    }
    append_text(out, "after", logs.after.as_deref());
    append_ref(out, reference);
    out.push(b'}');
}

fn append_id(out: &mut Vec<u8>, id: &TaskIdBytes) {
    out.extend_from_slice(b",\"task_id\":\"");
    out.extend_from_slice(&format_id(id));
    out.push(b'"');
}

fn append_ref(out: &mut Vec<u8>, reference: Option<&str>) {
    if let Some(reference) = reference {
        out.extend_from_slice(b",\"ref\":");
        append_on_one_line(out, reference.as_bytes());
    }
}

fn append_options(out: &mut Vec<u8>, options: &Options<'_>) {
    append_text(out, "queue", options.queue.as_deref());
    append_number(out, "priority", options.priority.map(u64::from));
    append_number(out, "delay_ms", options.delay_ms);
    append_time(out, "due_at", options.due_at_us);
    append_time(out, "expires_at", options.expires_at_us);
    append_number(out, "timeout_ms", options.timeout_ms);
    append_number(out, "max_attempts", options.max_attempts.map(u64::from));
    if let Some(backoff) = &options.backoff {
        append_backoff(out, backoff);
    }
    append_text(out, "idempotency_key", options.idempotency_key.as_deref());
    append_number(out, "retention_ms", options.retention_ms);
    if !options.metadata.is_empty() {
        append_name(out, "metadata");
        for (index, (key, value)) in options.metadata.iter().enumerate() {
            out.push(if index == 0 { b'{' } else { b',' });
            append_string(out, key);
            out.push(b':');
            append_string(out, value);
        }
        out.push(b'}');
    }
    if !options.requires.is_empty() {
        append_name(out, "requires");
        for (index, label) in options.requires.iter().enumerate() {
            out.push(if index == 0 { b'[' } else { b',' });
            append_string(out, label);
        }
        out.push(b']');
    }
    append_trace(out, options.traceparent, options.tracestate.as_deref());
}

/// Appends the members that say where in a trace something belongs.
pub(crate) fn append_trace(out: &mut Vec<u8>, parent: Option<TraceParent>, state: Option<&str>) {
    if let Some(parent) = parent {
        append_text(out, "traceparent", Some(&parent.to_string()));
        append_text(out, "tracestate", state);
    }
}

fn append_backoff(out: &mut Vec<u8>, backoff: &Backoff) {
    append_name(out, "backoff");
    let from = out.len();
    append_number(out, "initial_ms", backoff.initial_ms);
    append_number(out, "max_ms", backoff.max_ms);
    if let Some(factor) = backoff.factor {
        append_name(out, "factor");
        out.extend_from_slice(factor.to_string().as_bytes());
    }
    // The comma before the first member becomes the brace.
    match out.get_mut(from) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}

fn append_name(out: &mut Vec<u8>, name: &str) {
    out.push(b',');
    append_string(out, name);
    out.push(b':');
}

fn append_text(out: &mut Vec<u8>, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        append_name(out, name);
        append_string(out, text);
    }
}

fn append_number(out: &mut Vec<u8>, name: &str, number: Option<u64>) {
    if let Some(number) = number {
        append_name(out, name);
        append_u64(out, number);
    }
}

/// Instants travel as milliseconds; what is finer is lost.
fn append_time(out: &mut Vec<u8>, name: &str, micros: Option<i64>) {
    if let Some(micros) = micros {
        append_name(out, name);
        append_instant(out, micros);
    }
}
