//! `tareas completions`: for a shell to load.

use clap::Args;
use clap_complete::Shell;
use tareas_protocol::code::exit;

use super::{Outcome, Session};

const EXAMPLES: &str = "\
Examples:
  tareas completions bash > ~/.local/share/bash-completion/completions/tareas
  tareas completions zsh > ~/.zfunc/_tareas";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs, session: &Session) -> Outcome {
    let mut script = Vec::new();
    let mut command = super::command(session.lang());
    clap_complete::generate(args.shell, &mut command, "tareas", &mut script);
    session
        .voice
        .result(String::from_utf8_lossy(&script).trim_end());
    Ok(exit::OK)
}
