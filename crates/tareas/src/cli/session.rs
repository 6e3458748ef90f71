//! What every command works with: how to speak, where the server is, how long to wait.

use std::time::Duration;

use tareas_client::{Address, Client, Options, TaskId};
use tareas_protocol::Lang;

use super::args::Globals;
use crate::config::{Configuration, Flags};
use crate::output::{Failure, Voice};

/// The surroundings of one command.
#[derive(Debug)]
pub(crate) struct Session {
    /// How to speak.
    pub(crate) voice: Voice,
    globals: Globals,
}

impl Session {
    pub(super) fn new(globals: Globals, lang: Lang) -> Self {
        let env = |name: &str| std::env::var(name).ok();
        let voice = Voice {
            lang,
            format: globals.output,
            quiet: globals.quiet,
            verbose: globals.verbose,
            paint: globals.color.paint(&std::io::stdout(), env),
            paint_stderr: globals.color.paint(&std::io::stderr(), env),
        };
        Self { voice, globals }
    }

    /// The language of texts.
    pub(crate) fn lang(&self) -> Lang {
        self.voice.lang
    }

    /// How long to wait for results; `None` for as long as it takes.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.globals.timeout
    }

    /// The configuration with these flags over it.
    pub(crate) fn configuration(&self, mut flags: Flags) -> Result<Configuration, Failure> {
        flags.push(("server", self.globals.server.iter().cloned().collect()));
        flags.push(("lang", self.globals.lang.iter().cloned().collect()));
        let env = |name: &str| std::env::var(name).ok();
        Configuration::load(&flags, env, self.globals.config.as_deref(), self.lang())
    }

    /// Where the server is.
    pub(crate) fn server(&self) -> Result<Address, Failure> {
        let configuration = self.configuration(Flags::new())?;
        configuration.text("server")?.parse().map_err(self.failed())
    }

    /// How the client behaves for a command that asks something once.
    pub(crate) fn options(&self) -> Options {
        Options {
            lang: self.lang(),
            ..Options::default()
        }
    }

    /// A connection to the server.
    pub(crate) fn connect(&self) -> Result<Client, Failure> {
        Client::connect_to(self.server()?, self.options()).map_err(self.failed())
    }

    /// The failure that an error of the client is.
    pub(crate) fn failed(&self) -> impl Fn(tareas_client::Error) -> Failure + use<> {
        let lang = self.lang();
        move |error| Failure::of(error, lang)
    }

    /// Reads the id of a task.
    pub(crate) fn id(&self, text: &str) -> Result<TaskId, Failure> {
        text.trim().parse().map_err(self.failed())
    }
}
