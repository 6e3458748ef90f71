//! What remote workers say, written: what the decoder reads back as the same request.

use super::{Failed, Held, Report, Reported, Work};
use crate::id::format_id;
use crate::json::{append_on_one_line, append_string, append_u64};
use crate::lease::format_lease;

/// Appends `work`, as one JSON text without a newline.
pub fn append_work(out: &mut Vec<u8>, work: &Work<'_>) {
    out.extend_from_slice(b"{\"cmd\":\"work\"");
    if let Some(name) = &work.name {
        append_member(out, "name");
        append_string(out, name);
    }
    for (name, list) in [
        ("queues", &work.queues),
        ("kinds", &work.kinds),
        ("labels", &work.labels),
    ] {
        if !list.is_empty() {
            append_member(out, name);
            append_list(out, list, |out, name| append_string(out, name));
        }
    }
    append_member(out, "slots");
    append_u64(out, work.slots.into());
    append_member(out, "prefetch");
    append_u64(out, work.prefetch.into());
    if let Some(resume) = &work.resume {
        append_member(out, "resume");
        append_string(out, resume.reveal());
    }
    if !work.holding.is_empty() {
        append_member(out, "holding");
        append_list(out, &work.holding, append_holding);
    }
    out.push(b'}');
}

fn append_holding(out: &mut Vec<u8>, held: &Held) {
    out.extend_from_slice(b"[\"");
    out.extend_from_slice(&format_id(&held.task_id));
    out.extend_from_slice(b"\",");
    append_u64(out, held.attempt);
    out.extend_from_slice(b",\"");
    out.extend_from_slice(&format_lease(&held.lease));
    out.extend_from_slice(b"\"]");
}

/// Appends a sign of life; `slots` when that changes.
pub fn append_beat(out: &mut Vec<u8>, slots: Option<u16>) {
    out.extend_from_slice(b"{\"cmd\":\"beat\"");
    if let Some(slots) = slots {
        append_member(out, "slots");
        append_u64(out, slots.into());
    }
    out.push(b'}');
}

/// Appends several reports, each a JSON text of its own, joined by commas already.
pub fn append_many(out: &mut Vec<u8>, items: &[u8], reference: u64) {
    out.extend_from_slice(b"{\"cmd\":\"many\",\"ref\":");
    append_u64(out, reference);
    out.extend_from_slice(b",\"items\":[");
    out.extend_from_slice(items);
    out.extend_from_slice(b"]}");
}

/// Appends what is to be said about one attempt, as one JSON text without a newline.
pub fn append_report(out: &mut Vec<u8>, report: &Report<'_>) {
    let command = match &report.said {
        Reported::Done { .. } => "done",
        Reported::Failed(_) => "fail",
        Reported::Released => "release",
        Reported::Progress { .. } => "progress",
        Reported::Log { .. } => "log",
        Reported::Output { .. } | Reported::Partial { .. } => "output",
        Reported::Artifact { .. } => "artifact",
    };
    out.extend_from_slice(b"{\"cmd\":\"");
    out.extend_from_slice(command.as_bytes());
    out.extend_from_slice(b"\",\"task_id\":\"");
    out.extend_from_slice(&format_id(&report.held.task_id));
    out.extend_from_slice(b"\",\"attempt\":");
    append_u64(out, report.held.attempt);
    out.extend_from_slice(b",\"lease\":\"");
    out.extend_from_slice(&format_lease(&report.held.lease));
    out.push(b'"');
    append_said(out, &report.said);
    out.push(b'}');
}

fn append_said(out: &mut Vec<u8>, said: &Reported<'_>) {
    match said {
        Reported::Done { result, run_us } => {
            if let Some(result) = result {
                append_member(out, "result");
                append_on_one_line(out, result.as_bytes());
            }
            append_number(out, "run_us", *run_us);
        }
        Reported::Failed(failed) => append_failed(out, failed),
        Reported::Released => {}
        Reported::Progress { percent, message } => {
            append_member(out, "percent");
            out.extend_from_slice(percent.to_string().as_bytes());
            append_text(out, "message", message);
        }
        Reported::Log { text } | Reported::Partial { text } => append_text(out, "text", text),
        Reported::Output { chunk } => append_text(out, "chunk", chunk),
        Reported::Artifact {
            name,
            media_type,
            chunk,
        } => {
            append_text(out, "name", name);
            if let Some(media_type) = media_type {
                append_text(out, "type", media_type);
            }
            append_text(out, "chunk", chunk);
        }
    }
}

fn append_failed(out: &mut Vec<u8>, failed: &Failed<'_>) {
    append_member(out, "error");
    out.extend_from_slice(b"{\"message\":");
    append_string(out, &failed.message);
    if let Some(name) = &failed.name {
        append_text(out, "name", name);
    }
    if let Some(backtrace) = &failed.backtrace {
        append_text(out, "backtrace", backtrace);
    }
    let number = |number: Option<i32>| number.and_then(|number| u64::try_from(number).ok());
    append_number(out, "exit_code", number(failed.exit_code));
    append_number(out, "signal", number(failed.signal));
    out.push(b'}');
    if !failed.retryable {
        append_member(out, "retryable");
        out.extend_from_slice(b"false");
    }
    append_number(out, "retry_after_ms", failed.retry_after_ms);
    if failed.timed_out {
        append_member(out, "timed_out");
        out.extend_from_slice(b"true");
    }
    append_number(out, "thread", failed.thread.map(u64::from));
    append_number(out, "run_us", failed.run_us);
}

fn append_member(out: &mut Vec<u8>, name: &str) {
    out.push(b',');
    append_string(out, name);
    out.push(b':');
}

fn append_text(out: &mut Vec<u8>, name: &str, text: &str) {
    append_member(out, name);
    append_string(out, text);
}

fn append_number(out: &mut Vec<u8>, name: &str, number: Option<u64>) {
    if let Some(number) = number {
        append_member(out, name);
        append_u64(out, number);
    }
}

fn append_list<T>(out: &mut Vec<u8>, list: &[T], append: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (index, element) in list.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        append(out, element);
    }
    out.push(b']');
}
