//! How the command line speaks: results on stdout, talk on stderr, colours only for eyes.

mod color;
mod failure;
mod qr;
mod table;

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use tareas_protocol::Lang;

pub(crate) use color::{ColorChoice, Paint};
pub(crate) use failure::{Failure, spoken};
pub(crate) use qr::qr_code;
pub(crate) use table::table;

use crate::text::{Text, Values};

/// The shape of results on stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    // For people.
    #[default]
    Table,
    // One JSON text.
    Json,
    // One JSON text per line.
    Jsonl,
    // Ids alone, one per line.
    Id,
}

impl Format {
    /// Whether errors are JSON too.
    pub(crate) fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Jsonl)
    }
}

/// What a command may say, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voice {
    /// The language of prose.
    pub(crate) lang: Lang,
    /// The shape of results.
    pub(crate) format: Format,
    /// No talk.
    pub(crate) quiet: bool,
    /// More talk.
    pub(crate) verbose: u8,
    /// Colours on stdout.
    pub(crate) paint: Paint,
    /// Colours on stderr.
    pub(crate) paint_stderr: Paint,
}

impl Voice {
    /// Writes one line of results.
    ///
    /// A reader that has gone away (`tareas list | head`) is no error: the rest is not wanted.
    pub(crate) fn result(&self, line: &str) {
        let mut stdout = io::stdout().lock();
        if writeln!(stdout, "{line}")
            .and_then(|()| stdout.flush())
            .is_err()
        {
            std::process::exit(0);
        }
    }

    /// Talks, unless quiet.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            self.warn(line);
        }
    }

    /// Says what must not be missed, also when quiet.
    pub(crate) fn warn(&self, line: &str) {
        // Nobody is left to be told that stderr is gone.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// Talks, when asked for more.
    pub(crate) fn detail(&self, line: &str) {
        if self.verbose > 0 {
            self.say(line);
        }
    }

    /// A text of the catalogue in the language of this voice.
    pub(crate) fn text(&self, text: Text, values: Values<'_>) -> String {
        text.fill(self.lang, values)
    }
}

/// Whether a person sees what goes to stderr.
pub(crate) fn stderr_is_seen() -> bool {
    io::stderr().is_terminal()
}

/// Whether a person sees what goes to stdout.
pub(crate) fn stdout_is_seen() -> bool {
    io::stdout().is_terminal()
}
