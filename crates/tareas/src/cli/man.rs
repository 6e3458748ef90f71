//! `tareas man`: the manual, made from the commands themselves.

use std::path::{Path, PathBuf};

use clap::Args;
use clap_mangen::Man;
use tareas_protocol::Code;
use tareas_protocol::code::exit;

use super::{Outcome, Session};
use crate::output::{Failure, spoken};
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Write one page per command into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &ManArgs, session: &Session) -> Outcome {
    let command = super::command(session.lang());
    match &args.out {
        None => {
            let mut page = Vec::new();
            // Writing to memory cannot fail.
            let _ = Man::new(command).render(&mut page);
            session
                .voice
                .result(String::from_utf8_lossy(&page).trim_end());
        }
        Some(folder) => {
            let written = write_all(command, folder);
            written.map_err(|error| {
                let (lang, path) = (session.lang(), folder.display());
                Failure::new(
                    Code::InvalidValue,
                    lang,
                    Text::CannotWrite,
                    &[("path", &path)],
                )
                .because(spoken(&error, lang))
                .with_hint("")
            })?;
        }
    }
    Ok(exit::OK)
}

fn write_all(command: clap::Command, folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)
}
