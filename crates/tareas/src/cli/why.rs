//! `tareas why`: why a task waits, or why it failed.

use clap::Args;
use tareas_protocol::code::exit;

use super::show::spoken_error;
use super::task_object::Members;
use super::{Outcome, Session};
use crate::output::Voice;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// The task
    id: String,
}

pub(super) fn run(args: &WhyArgs, session: &Session) -> Outcome {
    let id = session.id(&args.id)?;
    let json = session.connect()?.status(id).map_err(session.failed())?;
    let task = Members::read(&json, session.lang())?;
    match session.voice.format.is_json() {
        true => session.voice.result(task.raw("why").unwrap_or("null")),
        false => session.voice.result(&spoken(&task, &session.voice)),
    }
    Ok(exit::OK)
}

fn spoken(task: &Members, voice: &Voice) -> String {
    if let Some(why) = task.object("why") {
        let first = voice.text(Text::WaitsBecause, &[("message", &why.shown("message"))]);
        return match why.text("hint").filter(|hint| !hint.is_empty()) {
            Some(hint) => format!("{first}\n  {hint}"),
            None => first,
        };
    }
    let status = task.shown("status");
    if status == "running" {
        return voice.text(Text::RunsNow, &[]);
    }
    let status = match task.text("reason") {
        Some(reason) => format!("{status} ({reason})"),
        None => status,
    };
    let first = voice.text(Text::Ended, &[("status", &status)]);
    match task.object("error") {
        Some(error) => format!("{first}\n  {}", spoken_error(&error)),
        None => first,
    }
}
