//! What the end of a one-shot process means for its attempt: the table of exit codes.
//!
//! | code | meaning |
//! |---|---|
//! | 0 | succeeded; stdout is the result |
//! | 64, 65 | rejected: the input is wrong, and trying again cannot help |
//! | 75 | try again, not before what `retry_after` said |
//! | any other, or a signal | failed; tried again as the kind's policy says |

use bytes::Bytes;

use super::compact::on_one_line;
use super::report::End;
use super::side_notes::SideNotes;
use crate::HandlerError;

/// `EX_USAGE` and `EX_DATAERR` of `sysexits.h`.
const REJECTED: [i32; 2] = [64, 65];
/// `EX_TEMPFAIL` of `sysexits.h`.
const TRY_AGAIN: i32 = 75;

/// The result, or the error, of a process that ended by itself.
pub(super) fn of_end(
    end: End,
    stdout: &[u8],
    notes: &SideNotes,
    last_words: &str,
) -> Result<Bytes, HandlerError> {
    let error = match end {
        End::Exit(0) => return result(stdout),
        End::Exit(code) if REJECTED.contains(&code) => {
            return Err(HandlerError::rejected(sentence(end, last_words)).of_process(end));
        }
        End::Exit(TRY_AGAIN) => HandlerError::retry(sentence(end, last_words)).named("try_again"),
        End::Exit(code) => {
            HandlerError::retry(sentence(end, last_words)).named(format!("exit_{code}"))
        }
        End::Signal(number) => {
            HandlerError::retry(sentence(end, last_words)).named(format!("signal_{number}"))
        }
    };
    let error = error.of_process(end);
    let delay = notes.retry_after.filter(|_| end == End::Exit(TRY_AGAIN));
    Err(match delay {
        Some(delay) => error.after(delay),
        None => error,
    })
}

/// What a process ended like, and what it said last.
pub(super) fn sentence(end: End, last_words: &str) -> String {
    match last_words {
        "" => format!("the command {end}"),
        words => format!("the command {end}: {words}"),
    }
}

/// Stdout as a result: JSON if it is JSON, otherwise text without its last line break.
fn result(stdout: &[u8]) -> Result<Bytes, HandlerError> {
    let trimmed = stdout.trim_ascii();
    if serde_json::from_slice::<serde::de::IgnoredAny>(trimmed).is_ok() {
        return Ok(Bytes::from(on_one_line(trimmed).into_owned()));
    }
    let text = std::str::from_utf8(stdout).map_err(|_| {
        HandlerError::rejected("the command wrote bytes that are neither JSON nor UTF-8 text")
            .named("invalid_result")
    })?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(serde_json::to_vec(text)?.into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ended(end: End) -> HandlerError {
        let notes = SideNotes {
            retry_after: Some(Duration::from_secs(9)),
        };
        of_end(end, b"", &notes, "no such row").unwrap_err()
    }

    #[test]
    fn every_row_of_the_table() {
        for code in REJECTED {
            let error = ended(End::Exit(code));
            assert!(!error.retryable && error.name == "rejected");
        }
        let later = ended(End::Exit(TRY_AGAIN));
        assert_eq!(later.retry_after, Some(Duration::from_secs(9)));
        for (end, name) in [(End::Exit(1), "exit_1"), (End::Signal(11), "signal_11")] {
            let error = ended(end);
            assert_eq!((error.name.as_str(), error.retry_after), (name, None));
            assert_eq!(error.process_end, Some(end));
            assert!(error.retryable && error.message.ends_with(": no such row"));
        }
    }

    #[test]
    fn stdout_is_json_if_it_can_be_and_text_otherwise() {
        let result = |stdout: &[u8]| of_end(End::Exit(0), stdout, &SideNotes::default(), "");
        assert_eq!(result(b" {\"a\": 1}\n").unwrap(), "{\"a\": 1}");
        assert_eq!(result(b"[1,\n 2]\n").unwrap(), "[1,2]");
        assert_eq!(result(b"hello\nyou\r\n").unwrap(), "\"hello\\nyou\"");
        assert_eq!(result(b"").unwrap(), "\"\"");
        assert!(!result(b"\xFF\xFE").unwrap_err().retryable);
    }
}
