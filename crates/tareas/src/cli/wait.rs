//! `tareas wait`: until tasks have ended.

use std::time::Instant;

use clap::Args;
use tareas_protocol::code::exit;

use super::{Outcome, Session, end};

#[derive(Debug, Args)]
pub(crate) struct WaitArgs {
    /// The tasks; their results are printed in this order
    #[arg(required = true)]
    ids: Vec<String>,
}

/// Ends with the first code that is not 0.
pub(super) fn run(args: &WaitArgs, session: &Session) -> Outcome {
    let ids = args
        .ids
        .iter()
        .map(|id| session.id(id))
        .collect::<Result<Vec<_>, _>>()?;
    let client = session.connect()?;
    let until = session.timeout().map(|timeout| Instant::now() + timeout);
    let mut code = exit::OK;
    for id in ids {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let ended = client.wait(id, left).map_err(session.failed())?;
        let this = end::tell(&session.voice, id, &ended);
        code = if code == exit::OK { this } else { code };
    }
    Ok(code)
}
