//! The `tareas` binary: a distributed task system in one program.
//!
//! - [`cli`] has one file per command, [`config`] one plain struct of settings with the origin
//!   of each, [`text`] everything that is said in English and Spanish, [`output`] how it is said;
//! - [`serve`] puts the system together and takes it down, on one screen each;
//! - [`doctor`] looks at everything that a server needs, `top` shows a system on a terminal;
//! - [`mod@bench`] drives load and checks every result.

mod bench;
mod cli;
mod config;
mod doctor;
mod output;
mod serve;
mod text;
#[cfg(feature = "tui")]
mod top;
mod traces;

use std::process::ExitCode;

fn main() -> ExitCode {
    // Once per task of a command: nothing else is set up before.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == serve::RUN_COMMAND)
    {
        return tareas_worker::command::supervise();
    }
    ExitCode::from(cli::run(std::env::args_os()))
}
