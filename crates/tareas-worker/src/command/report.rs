//! What a supervisor says: one line for each thing that happens to its process.
//!
//! `started PID`, `note LINE` (the process wrote LINE on file descriptor 3), `failed REASON` (it
//! could not be started), `exit CODE` or `signal NUMBER` (it and all that it started have ended).

use std::fmt;

use nix::sys::signal::Signal;

pub(super) use crate::error::ProcessEnd as End;

/// One line of a supervisor.
#[derive(Debug, PartialEq)]
pub(super) enum Report {
    Started(i32),
    Note(String),
    Failed(String),
    Ended(End),
}

impl Report {
    /// Reads one line, without its line break.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ')?;
        Some(match word {
            "started" => Self::Started(rest.parse().ok()?),
            "note" => Self::Note(rest.to_owned()),
            "failed" => Self::Failed(rest.to_owned()),
            "exit" => Self::Ended(End::Exit(rest.parse().ok()?)),
            "signal" => Self::Ended(End::Signal(rest.parse().ok()?)),
            _ => return None,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started(pid) => write!(f, "started {pid}"),
            Self::Note(line) => write!(f, "note {line}"),
            Self::Failed(reason) => write!(f, "failed {}", reason.replace('\n', " ")),
            Self::Ended(End::Exit(code)) => write!(f, "exit {code}"),
            Self::Ended(End::Signal(number)) => write!(f, "signal {number}"),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "ended with code {code}"),
            Self::Signal(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(f, "was ended by {}", signal.as_str()),
                Err(_) => write!(f, "was ended by signal {number}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_is_read_as_it_was_written() {
        for report in [
            Report::Started(7),
            Report::Note("progress 40 half".to_owned()),
            Report::Failed("no such file".to_owned()),
            Report::Ended(End::Exit(75)),
            Report::Ended(End::Signal(9)),
        ] {
            assert_eq!(Report::parse(&report.to_string()), Some(report));
        }
        assert_eq!(Report::parse("whatever"), None);
    }

    #[test]
    fn an_end_is_told_by_the_name_of_its_signal() {
        assert_eq!(End::Signal(11).to_string(), "was ended by SIGSEGV");
        assert_eq!(End::Exit(3).to_string(), "ended with code 3");
    }
}
