//! `tareas requeue`: put failed or cancelled tasks back in line.

use clap::Args;
use tareas_protocol::code::exit;

use super::bulk::{Action, ManyArgs};
use super::{Outcome, Session, submit};
use crate::output::Format;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct RequeueArgs {
    /// The tasks
    #[arg(required_unless_present = "filter")]
    ids: Vec<String>,
    #[command(flatten)]
    many: ManyArgs,
}

const MANY: Action = Action {
    name: "requeue",
    question: Text::BulkAskRequeue,
    done: Text::BulkRequeued,
};

pub(super) fn run(args: &RequeueArgs, session: &Session) -> Outcome {
    if let Some(outcome) = args.many.run(MANY, session) {
        return outcome;
    }
    let ids = args
        .ids
        .iter()
        .map(|id| session.id(id))
        .collect::<Result<Vec<_>, _>>()?;
    let client = session.connect()?;
    for id in ids {
        let acknowledged = client.requeue(id).map_err(session.failed())?;
        match session.voice.format {
            Format::Table => {
                let word = Text::Requeued.plain(session.lang());
                session.voice.result(&format!("{id}  {word}"));
            }
            _ => submit::tell_accepted(session, acknowledged),
        }
    }
    Ok(exit::OK)
}
