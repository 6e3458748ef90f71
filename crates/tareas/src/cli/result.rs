//! `tareas result`: how a task ended, without waiting.

use clap::Args;
use tareas_client::Looked;
use tareas_protocol::Code;

use super::{Outcome, Session, end};
use crate::output::Failure;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct ResultArgs {
    /// The task
    id: String,
}

pub(super) fn run(args: &ResultArgs, session: &Session) -> Outcome {
    let id = session.id(&args.id)?;
    match session.connect()?.result(id).map_err(session.failed())? {
        Looked::Ended(ended) => Ok(end::tell(&session.voice, id, &ended)),
        Looked::Unfinished(status) => {
            let lang = session.lang();
            let values: crate::text::Values<'_> = &[("id", &id), ("status", &status.as_str())];
            let hint = Text::NotFinishedHint.fill(lang, &[("id", &id)]);
            Err(Failure::new(Code::NotFinished, lang, Text::NotFinished, values).with_hint(hint))
        }
    }
}
