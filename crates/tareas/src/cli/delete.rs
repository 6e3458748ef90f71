//! `tareas delete`: remove finished tasks before their time.

use clap::Args;
use tareas_protocol::code::exit;

use super::bulk::{Action, ManyArgs};
use super::{Outcome, Session};
use crate::output::Format;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    /// The tasks
    #[arg(required_unless_present = "filter")]
    ids: Vec<String>,
    #[command(flatten)]
    many: ManyArgs,
}

const MANY: Action = Action {
    name: "delete",
    question: Text::BulkAskDelete,
    done: Text::BulkDeleted,
};

pub(super) fn run(args: &DeleteArgs, session: &Session) -> Outcome {
    if let Some(outcome) = args.many.run(MANY, session) {
        return outcome;
    }
    let ids = args
        .ids
        .iter()
        .map(|id| session.id(id))
        .collect::<Result<Vec<_>, _>>()?;
    let http = session.connect()?.http();
    for id in ids {
        let deleted = http.delete(&format!("/v1/tasks/{id}"));
        deleted
            .and_then(|response| response.accepted())
            .map_err(session.failed())?;
        session.voice.result(&match session.voice.format {
            Format::Table => format!("{id}  {}", Text::Deleted.plain(session.lang())),
            Format::Id => id.to_string(),
            Format::Json | Format::Jsonl => format!(r#"{{"task_id":"{id}","deleted":true}}"#),
        });
    }
    Ok(exit::OK)
}
