//! The command line: one verb, one file.
//!
//! Every command gets a [`Session`] (language, output, where the server is) and returns the exit
//! code or a [`Failure`]. The exit codes are in [`args::EXIT_CODES`] and in the help.

mod args;
mod audit;
mod backup;
mod bench;
mod bulk;
mod cancel;
mod client;
mod completions;
mod config;
mod delete;
mod demo;
mod doctor;
mod end;
mod events;
mod explain;
mod health;
mod list;
mod logs;
mod man;
mod migrate;
mod payload;
mod queues;
mod requeue;
mod restore;
mod result;
mod serve;
mod session;
mod show;
mod submit;
mod task_object;
mod token;
#[cfg(feature = "tui")]
mod top;
mod wait;
mod webhook;
mod when;
mod why;
mod worker;
mod workers;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches};
use tareas_protocol::Lang;
use tareas_protocol::code::exit;

use args::{Cli, Command};
pub(crate) use session::Session;

use crate::output::Failure;
use crate::text::{help, lang_of};

/// The exit code of a command, or why it failed.
pub(crate) type Outcome = Result<u8, Failure>;

/// Reads the arguments, runs the command, tells what went wrong. Returns the exit code.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.collect();
    let lang = lang_of(lang_flag(&arguments).as_deref(), |name| {
        std::env::var(name).ok()
    });
    let parsed = command(lang).try_get_matches_from(&arguments);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let session = Session::new(cli.globals, lang);
    match dispatch(cli.command, &session) {
        Ok(code) => code,
        Err(failure) => {
            failure.tell(&session.voice);
            failure.exit_code()
        }
    }
}

/// All commands, with their help in a language.
pub(crate) fn command(lang: Lang) -> clap::Command {
    help::localise(Cli::command(), lang)
}

fn dispatch(command: Command, session: &Session) -> Outcome {
    match command {
        Command::Serve(args) => serve::run(&args, session),
        Command::Submit(args) => submit::run(args, session),
        Command::Client(args) => client::run(&args, session),
        Command::Show(args) => show::run(&args, session),
        Command::Why(args) => why::run(&args, session),
        Command::Logs(args) => logs::run(&args, session),
        Command::List(args) => list::run(&args, session),
        Command::Wait(args) => wait::run(&args, session),
        Command::Result(args) => result::run(&args, session),
        Command::Cancel(args) => cancel::run(&args, session),
        Command::Requeue(args) => requeue::run(&args, session),
        Command::Delete(args) => delete::run(&args, session),
        Command::Queues(args) => queues::run(&args, session),
        Command::Worker(args) => worker::run(&args, session),
        Command::Workers(args) => workers::run(&args, session),
        #[cfg(feature = "tui")]
        Command::Top(args) => top::run(&args, session),
        Command::Events(args) => events::run(&args, session),
        Command::Token(args) => token::run(&args, session),
        Command::Webhook(args) => webhook::run(&args, session),
        Command::Audit(args) => audit::run(&args, session),
        Command::Health => health::run(session),
        Command::Doctor => doctor::run(session),
        Command::Backup(args) => backup::run(&args, session),
        Command::Restore(args) => restore::run(&args, session),
        Command::Migrate(args) => migrate::run(&args, session),
        Command::Explain(args) => explain::run(&args, session),
        Command::Bench(args) => bench::run(&args, session),
        Command::Demo(args) => demo::run(&args, session),
        Command::Config(args) => config::run(&args, session),
        Command::Completions(args) => completions::run(&args, session),
        Command::Man(args) => man::run(&args, session),
    }
}

/// Help and version go to stdout and end with 0, wrong use to stderr and ends with 2.
fn refuse(error: &clap::Error) -> u8 {
    // Nobody is left to be told when neither stream can be written.
    let _ = error.print();
    if error.use_stderr() {
        exit::REFUSED
    } else {
        exit::OK
    }
}

/// The value of `--lang`, before anything is parsed: the help must already be in it.
fn lang_flag(arguments: &[OsString]) -> Option<String> {
    let mut arguments = arguments.iter().map(|argument| argument.to_string_lossy());
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            return None;
        }
        if argument == "--lang" {
            return arguments.next().map(|value| value.into_owned());
        }
        if let Some(value) = argument.strip_prefix("--lang=") {
            return Some(value.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent_in_both_languages() {
        command(Lang::En).debug_assert();
        command(Lang::Es).debug_assert();
    }

    #[test]
    fn the_language_is_found_wherever_it_stands() {
        let flag =
            |words: &[&str]| lang_flag(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(
            flag(&["tareas", "submit", "--lang", "es", "x"]).as_deref(),
            Some("es")
        );
        assert_eq!(flag(&["tareas", "--lang=es"]).as_deref(), Some("es"));
        assert_eq!(flag(&["tareas", "submit", "--", "--lang=es"]), None);
    }
}
