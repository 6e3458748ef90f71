//! What every command works with: how to speak, where the server is, how long to wait.

use std::path::PathBuf;
use std::time::Duration;

use tareas_client::{Address, Client, Credentials, Options, Secret, TaskId};
use tareas_protocol::{Code, Lang};

use super::args::Globals;
use crate::config::{Configuration, Flags, Origin};
use crate::output::{Failure, Voice, spoken};
use crate::text::Text;

/// The variable with the token itself.
const TOKEN: &str = "TAREAS_TOKEN";

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
        flags.push((
            "token_file",
            self.globals.token_file.iter().cloned().collect(),
        ));
        flags.push(("tls_ca", self.globals.tls_ca.iter().cloned().collect()));
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
    pub(crate) fn options(&self) -> Result<Options, Failure> {
        Ok(Options {
            lang: self.lang(),
            credentials: self.credentials()?,
            ..Options::default()
        })
    }

    /// What is shown to the server, and whom is believed to be it. A token is never an argument:
    /// those can be read by every user of the machine.
    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        let configuration = self.configuration(Flags::new())?;
        let trusted = Some(configuration.text("tls_ca")?).filter(|path| !path.is_empty());
        Ok(Credentials {
            token: self.token(&configuration)?,
            trusted: trusted.map(PathBuf::from),
        })
    }

    fn token(&self, configuration: &Configuration) -> Result<Option<Secret>, Failure> {
        let setting = configuration.setting_of("token_file");
        let path = configuration.text("token_file")?;
        if !matches!(setting.origin, Origin::Flag(_))
            && let Some(token) = std::env::var(TOKEN).ok().filter(|token| !token.is_empty())
        {
            return Ok(Some(Secret::new(&token)));
        }
        if path.is_empty() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(path).map_err(|error| {
            let text = Text::NoTokenFile;
            Failure::new(
                Code::InvalidConfiguration,
                self.lang(),
                text,
                &[("path", &path)],
            )
            .because(spoken(&error, self.lang()))
            .with_hint("")
        })?;
        Ok(Some(Secret::new(&text)))
    }

    /// A connection to the server.
    pub(crate) fn connect(&self) -> Result<Client, Failure> {
        Client::connect_to(self.server()?, self.options()?).map_err(self.failed())
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
