//! `tareas show`: everything about a task.

use clap::Args;
use tareas_protocol::code::exit;

use super::task_object::Members;
use super::{Outcome, Session};
use crate::output::{Failure, Format, Voice, table};

/// The members in the order in which a person asks for them.
const ORDER: [&str; 22] = [
    "task_id",
    "status",
    "reason",
    "kind",
    "queue",
    "priority",
    "payload",
    "result",
    "result_ref",
    "artifacts",
    "attempt",
    "max_attempts",
    "worker",
    "submitted_at",
    "due_at",
    "started_at",
    "finished_at",
    "expires_at",
    "idempotency_key",
    "metadata",
    "requires",
    "trace_id",
];
/// Longer values are cut for a person; `-o json` has all of them.
const VALUE_CHARS_MAX: usize = 200;

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The task
    id: String,
}

pub(super) fn run(args: &ShowArgs, session: &Session) -> Outcome {
    let id = session.id(&args.id)?;
    let json = session.connect()?.status(id).map_err(session.failed())?;
    match session.voice.format {
        Format::Json | Format::Jsonl => session.voice.result(&json),
        Format::Id => session.voice.result(&id.to_string()),
        Format::Table => show(&json, &session.voice)?,
    }
    Ok(exit::OK)
}

fn show(json: &str, voice: &Voice) -> Result<(), Failure> {
    let task = Members::read(json, voice.lang)?;
    let mut rows = Vec::new();
    for name in ORDER {
        match task.text(name) {
            Some(value) if !matches!(&*value, "{}" | "[]") => {
                let value = if name == "status" {
                    voice.paint.status(&value)
                } else {
                    cut(&value)
                };
                rows.push(vec![name.to_owned(), value]);
            }
            _ => {}
        }
    }
    if let Some(progress) = task.object("progress") {
        let (percent, message) = (progress.shown("percent"), progress.shown("message"));
        rows.push(vec![
            "progress".to_owned(),
            format!("{percent} % {message}").trim().to_owned(),
        ]);
    }
    if let Some(why) = task.object("why") {
        rows.push(vec!["why".to_owned(), why.shown("message")]);
    }
    for error in task.object("error").iter() {
        rows.push(vec!["error".to_owned(), spoken_error(error)]);
    }
    for attempt in task.objects("attempts") {
        rows.push(vec![
            format!("attempt {}", attempt.shown("attempt")),
            spoken_attempt(&attempt),
        ]);
    }
    let text = table(&[], &rows);
    voice.result(&text);
    Ok(())
}

fn spoken_attempt(attempt: &Members) -> String {
    let error = attempt.object("error").map(|error| spoken_error(&error));
    let named = |name: &str, member: &str| {
        let said = attempt.shown(member);
        (!said.is_empty()).then(|| format!("{name} {said}"))
    };
    let parts = [
        attempt.text("outcome"),
        attempt.text("finished_at"),
        attempt.text("worker"),
        named("thread", "thread"),
        named("exit", "exit_code"),
        named("signal", "signal"),
        error,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

/// `MESSAGE [CODE]`.
pub(super) fn spoken_error(error: &Members) -> String {
    format!("{} [{}]", cut(&error.shown("message")), error.shown("code"))
}

fn cut(value: &str) -> String {
    let plain = value.replace(['\n', '\r', '\t'], " ");
    match plain.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &plain[..at]),
        None => plain,
    }
}
