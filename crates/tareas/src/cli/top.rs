//! `tareas top`: the system on a terminal, as the map shows it.

use clap::Args;
use tareas_protocol::code::exit;

use super::{Outcome, Session};
use crate::output::{Failure, Format};
use crate::text::Text;
use crate::top::{self, Picture};

/// Size of a frame that nobody sees on a terminal.
const FRAME: (u16, u16) = (80, 24);

#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// Print one frame and end
    #[arg(long)]
    once: bool,
}

pub(super) fn run(args: &TopArgs, session: &Session) -> Outcome {
    let http = session.connect()?.http();
    let (lang, voice) = (session.lang(), &session.voice);
    if args.once || voice.format != Format::Table {
        let json = top::ask(&http).map_err(session.failed())?;
        match voice.format {
            Format::Table => {
                let picture = Picture::read(&json, top::failures(&http));
                voice.result(&top::still(
                    picture,
                    &session.server()?.to_string(),
                    lang,
                    FRAME,
                ));
            }
            _ => voice.result(&json),
        }
        return Ok(exit::OK);
    }
    let server = session.server()?.to_string();
    top::watch(&http, &server, lang).map_err(|error| {
        Failure::usage(lang, Text::TopNoTerminal, &[]).because(error.to_string())
    })?;
    Ok(exit::OK)
}
