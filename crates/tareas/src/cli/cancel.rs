//! `tareas cancel`: give tasks up.

use clap::Args;
use tareas_client::Cancel;
use tareas_protocol::code::exit;

use super::bulk::{Action, ManyArgs};
use super::{Outcome, Session};
use crate::output::Format;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    /// The tasks
    #[arg(required_unless_present = "filter")]
    ids: Vec<String>,
    #[command(flatten)]
    many: ManyArgs,
}

const MANY: Action = Action {
    name: "cancel",
    question: Text::BulkAskCancel,
    done: Text::BulkCancelled,
};

pub(super) fn run(args: &CancelArgs, session: &Session) -> Outcome {
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
        let cancel = client.cancel(id).map_err(session.failed())?;
        let (word, json) = match cancel {
            Cancel::Done => (Text::Cancelled, r#""status":"cancelled""#),
            Cancel::Requested => (
                Text::CancelRequested,
                r#""status":"running","cancel_requested":true"#,
            ),
        };
        session.voice.result(&match session.voice.format {
            Format::Table => format!("{id}  {}", word.plain(session.lang())),
            Format::Id => id.to_string(),
            Format::Json | Format::Jsonl => format!(r#"{{"task_id":"{id}",{json}}}"#),
        });
    }
    Ok(exit::OK)
}
