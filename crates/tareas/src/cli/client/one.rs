//! One task given as an argument: sent, its result printed, done.

use super::request::{Typed, read};
use super::talk::{Manner, Talk};
use crate::cli::client::interrupt::Interrupt;
use crate::cli::{Outcome, Session, end};
use crate::output::Failure;

pub(super) fn run(line: &str, session: &Session) -> Outcome {
    match read(line, session.lang()) {
        Typed::Nothing | Typed::Leave => Ok(0),
        Typed::Wrong(error) => Err(Failure::refused(*error)),
        Typed::Line(line) => {
            let talk = Talk::open(session, Manner::Bare, Interrupt::default())?;
            Ok(talk.line(&line))
        }
        Typed::Task(task) => {
            let client = session.connect()?;
            let ticket = client.submit_with(task.submit).map_err(session.failed())?;
            if task.in_background {
                session.voice.result(&ticket.task_id().to_string());
                return Ok(0);
            }
            let ended = ticket.wait(session.timeout()).map_err(session.failed())?;
            Ok(end::tell(&session.voice, ticket.task_id(), &ended))
        }
    }
}
