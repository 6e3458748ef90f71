//! `tareas client`: a prompt for people, bare results through a pipe, or one task.
//!
//! What is typed is read here as the server would read it, and sent as a submission with an id
//! of its own: so a lost connection never loses or doubles a task.

mod interrupt;
mod one;
mod printer;
mod prompt;
mod request;
mod stream;
mod talk;

use std::io::IsTerminal;

use clap::{Args, ValueEnum};

use super::{Outcome, Session};

const EXAMPLES: &str = "\
Examples:
  tareas client
  tareas client sumar 2 + 2
  tareas client '{\"op\":\"square\",\"n\":5}'
  printf 'sumar 2 + 2\\nsquare 5\\n' | tareas client

At the prompt: TASK, TASK & to go on without waiting, help, exit.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub(crate) struct ClientArgs {
    /// One task, as text or JSON; without it, tasks are read from the terminal or the pipe
    task: Vec<String>,
    /// Whether to prompt; auto: when a person types
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    prompt: Prompt,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Prompt {
    // When stdin is a terminal.
    #[default]
    Auto,
    // Also through a pipe, with the full texts.
    Always,
    // Never: bare results.
    Never,
}

pub(super) fn run(args: &ClientArgs, session: &Session) -> Outcome {
    if !args.task.is_empty() {
        return one::run(&args.task.join(" "), session);
    }
    let is_typed = std::io::stdin().is_terminal();
    match (args.prompt, is_typed) {
        (Prompt::Auto | Prompt::Always, true) => prompt::run(session),
        (Prompt::Always, false) => stream::run(session, talk::Manner::Full),
        _ => stream::run(session, talk::Manner::Bare),
    }
}
