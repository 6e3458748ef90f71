//! Commands: handlers that are programs in any language.
//!
//! A pool thread never starts such a program itself. It starts a *supervisor*, this very binary
//! again ([`supervise()`]), which starts the program, and which every process that the program
//! leaves behind becomes a child of. That gives four guarantees on Linux, without a line of unsafe
//! code, and somewhat less on other systems (`command/system` says what):
//!
//! - nothing survives: when the program ends, is cancelled, is over its time, or when the server
//!   dies in whatever way, the supervisor ends the whole tree, however it was detached;
//! - nothing leaks in: the program gets an environment that was written down for it, three
//!   standard streams and one more, and no other file of the server;
//! - as little as wanted is in reach: a [`Sandbox`] takes what the program's user may otherwise do;
//! - no zombies: the supervisor reaps the tree, the pool thread reaps the supervisor.
//!
//! [`OneShot`] runs a process for each task, [`Persistent`] keeps processes that run many.
//! What a program writes to `$TAREAS_OUT` (`command/out_folder.rs`) is kept with its result.
//! `docs/handlers.md` is the page for those who write such programs.

mod compact;
mod definition;
mod environment;
mod gate;
mod handover;
mod launch;
mod lines;
mod oneshot;
mod order;
mod out_folder;
mod outcome;
mod persistent;
mod report;
mod sandbox;
mod shown;
mod side_notes;
mod stderr;
mod supervise;
mod supervisor;
mod system;

use bytes::Bytes;

pub use definition::{Account, CommandDefinition, Limits, Mode, Recycle};
pub use launch::Launcher;
pub use oneshot::OneShot;
pub use persistent::Persistent;
pub use sandbox::{Sandbox, SandboxMode, SandboxSupport};
pub use supervise::supervise;

use crate::{Context, HandlerError};

/// A command, ready to run tasks.
#[derive(Debug)]
pub enum Command {
    /// A process for each task.
    OneShot(OneShot),
    /// Processes that run many.
    Persistent(Persistent),
}

impl Command {
    /// Makes a definition runnable. Nothing is started before the first task.
    pub fn new(definition: CommandDefinition, launcher: Launcher) -> Self {
        match definition.mode {
            Mode::OneShot => Self::OneShot(OneShot::new(definition, launcher)),
            Mode::Persistent(recycle) => {
                Self::Persistent(Persistent::new(definition, recycle, launcher))
            }
        }
    }

    /// What it was made from.
    pub fn definition(&self) -> &CommandDefinition {
        match self {
            Self::OneShot(command) => command.definition(),
            Self::Persistent(command) => command.definition(),
        }
    }

    /// No task will begin any more: processes and supervisors that wait for one are ended.
    pub fn retire(&self) {
        match self {
            Self::OneShot(command) => command.retire(),
            Self::Persistent(command) => command.retire(),
        }
    }

    /// Runs one attempt; waits for its end.
    ///
    /// # Errors
    /// As the program says, or what went wrong with the program.
    pub fn run(&self, context: &Context, payload: &Bytes) -> Result<Bytes, HandlerError> {
        match self {
            Self::OneShot(command) => command.run(context, payload),
            Self::Persistent(command) => command.run(context, payload),
        }
    }
}
