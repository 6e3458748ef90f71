//! What a one-shot process says beside its result: lines on file descriptor 3.
//!
//! `progress PERCENT [TEXT]` tells how far it is, `retry_after SECONDS` when to try again, should
//! it end with code 75. Any other line is a line of the log.

use std::time::Duration;

use crate::Context;

/// Longest delay that a process may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

/// What was said and matters at the end.
#[derive(Debug, Default)]
pub(super) struct SideNotes {
    pub(super) retry_after: Option<Duration>,
}

impl SideNotes {
    /// Takes one line.
    pub(super) fn take(&mut self, line: &str, context: &Context) {
        match read(line) {
            Some(Said::Progress(percent, text)) => context.progress(percent, text),
            Some(Said::RetryAfter(delay)) => self.retry_after = Some(delay),
            None => context.log(line),
        }
    }
}

#[derive(Debug, PartialEq)]
enum Said<'a> {
    Progress(f64, &'a str),
    RetryAfter(Duration),
}

fn read(line: &str) -> Option<Said<'_>> {
    let (word, rest) = line.trim().split_once(' ')?;
    let (number, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let number: f64 = number.trim_end_matches('%').parse().ok()?;
    match word {
        "progress" => Some(Said::Progress(number, text.trim())),
        "retry_after" => {
            let delay = Duration::try_from_secs_f64(number).ok()?;
            Some(Said::RetryAfter(delay.min(RETRY_AFTER_MAX)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_words_are_understood() {
        let half = Some(Said::Progress(50.0, "half way"));
        assert_eq!(read("progress 50 half way"), half);
        assert_eq!(read("progress 50% half way"), half);
        assert_eq!(read("progress 7"), Some(Said::Progress(7.0, "")));
        let later = Some(Said::RetryAfter(Duration::from_millis(1500)));
        assert_eq!(read("retry_after 1.5"), later);
        for other in ["progress", "progress much", "retry_after -1", "hello there"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
