//! Colours: `--color` > `NO_COLOR` > `CLICOLOR_FORCE` > a terminal that is not dumb.

use std::io::IsTerminal;

use clap::ValueEnum;

/// What `--color` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    // As the environment and the terminal say.
    #[default]
    Auto,
    // Always.
    Always,
    // Never.
    Never,
}

impl ColorChoice {
    /// Whether to colour what goes to a stream.
    pub(crate) fn paint(
        self,
        stream: &impl IsTerminal,
        env: impl Fn(&str) -> Option<String>,
    ) -> Paint {
        let is_set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
        let is_forced = || env("CLICOLOR_FORCE").is_some_and(|value| !matches!(&*value, "" | "0"));
        Paint(match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if is_set("NO_COLOR") => false,
            Self::Auto if is_forced() => true,
            Self::Auto => stream.is_terminal() && env("TERM").as_deref() != Some("dumb"),
        })
    }
}

/// Colours text, or leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint(bool);

impl Paint {
    /// For what went wrong.
    pub(crate) fn red(self, text: &str) -> String {
        self.with("31", text)
    }

    /// For what went well.
    pub(crate) fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// For what waits.
    pub(crate) fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// For what matters less.
    pub(crate) fn dim(self, text: &str) -> String {
        self.with("2", text)
    }

    /// For what matters more.
    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    /// Whether there are colours.
    pub(crate) fn is_on(self) -> bool {
        self.0
    }

    /// As on paper, whatever the terminal's own colours are.
    pub(crate) fn black_on_white(self, text: &str) -> String {
        self.with("30;107", text)
    }

    /// A state of a task in its colour.
    pub(crate) fn status(self, status: &str) -> String {
        match status {
            "succeeded" => self.green(status),
            "failed" => self.red(status),
            "queued" | "scheduled" => self.yellow(status),
            "cancelled" => self.dim(status),
            _ => self.bold(status),
        }
    }

    fn with(self, code: &str, text: &str) -> String {
        match self.0 {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Environment = &'static [(&'static str, &'static str)];

    // `IsTerminal` is sealed, so the terminal itself is left to the tests of the binary.
    fn painted(choice: ColorChoice, env: &[(&str, &str)]) -> bool {
        let file = tempfile::tempfile().unwrap();
        let find = |name: &str| {
            env.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        };
        choice.paint(&file, find).0
    }

    #[test]
    fn the_order_of_the_switches() {
        use ColorChoice::{Always, Auto, Never};
        let table: [(ColorChoice, Environment, bool); 7] = [
            (Auto, &[], false),
            (Auto, &[("CLICOLOR_FORCE", "1")], true),
            (Auto, &[("CLICOLOR_FORCE", "0")], false),
            (Auto, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
            (Auto, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")], true),
            (Always, &[("NO_COLOR", "1")], true),
            (Never, &[("CLICOLOR_FORCE", "1")], false),
        ];
        for (choice, env, expected) in table {
            assert_eq!(painted(choice, env), expected, "{choice:?} {env:?}");
        }
    }
}
