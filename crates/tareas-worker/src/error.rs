//! Why a handler did not succeed, and whether trying again can help.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt;
use std::time::Duration;

use smol_str::SmolStr;

/// Why an attempt failed.
///
/// Any standard error becomes one with `?`: it is retried unless its kind says otherwise
/// ([`KindInfo::not_retryable`](crate::KindInfo::not_retryable)). [`HandlerError::rejected`] and
/// [`HandlerError::retry`] decide for themselves. Like `anyhow::Error`, this type is not a
/// `std::error::Error` itself.
#[derive(Clone, PartialEq)]
pub struct HandlerError {
    /// Short stable name, for grouping: `rejected`, `panic`, `ParseIntError`…
    pub name: SmolStr,
    /// One sentence for a person.
    pub message: String,
    /// Where it happened, when `RUST_BACKTRACE` asks for that.
    pub backtrace: Option<Box<str>>,
    /// How the handler's own process ended, if it had one and its end is what went wrong.
    pub process_end: Option<ProcessEnd>,
    /// Whether another attempt can help.
    pub retryable: bool,
    /// Not before this has passed; the retry policy may wait longer.
    pub retry_after: Option<Duration>,
    /// Whether `retryable` was said by the handler, or is a guess that its kind may correct.
    decided: bool,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessEnd {
    /// By itself, with this code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
}

impl HandlerError {
    /// The input is wrong: no further attempt.
    pub fn rejected(message: impl Into<String>) -> Self {
        Self::new("rejected", message.into(), false, true)
    }

    /// Something may be better later: try again.
    pub fn retry(message: impl Into<String>) -> Self {
        Self::new("failed", message.into(), true, true)
    }

    /// The same error under another name.
    pub fn named(self, name: impl Into<SmolStr>) -> Self {
        Self {
            name: name.into(),
            ..self
        }
    }

    /// Try again, but not before `delay` has passed.
    pub fn after(self, delay: Duration) -> Self {
        Self {
            retry_after: Some(delay),
            retryable: true,
            decided: true,
            ..self
        }
    }

    /// The same error, of a process that ended like this.
    pub(crate) fn of_process(self, end: ProcessEnd) -> Self {
        Self {
            process_end: Some(end),
            ..self
        }
    }

    /// What a panic of a handler means: a failure whose kind says whether to try again.
    pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let message = format!("the handler panicked: {}", text.unwrap_or("(no text)"));
        Self::new("panic", message, true, false)
    }

    /// Fills in what the handler left open.
    pub(crate) fn decided_by_kind(mut self, retryable: bool) -> Self {
        if !self.decided {
            self.retryable = retryable;
            self.decided = true;
        }
        self
    }

    fn new(name: impl Into<SmolStr>, message: String, retryable: bool, decided: bool) -> Self {
        let name = name.into();
        Self {
            name,
            message,
            backtrace: None,
            process_end: None,
            retryable,
            retry_after: None,
            decided,
        }
    }
}

impl<E: std::error::Error> From<E> for HandlerError {
    fn from(error: E) -> Self {
        let backtrace = Backtrace::capture();
        let captured = backtrace.status() == BacktraceStatus::Captured;
        Self {
            backtrace: captured.then(|| backtrace.to_string().into_boxed_str()),
            ..Self::new(short_type_name::<E>(), with_sources(&error), true, false)
        }
    }
}

/// `ParseIntError` of `core::num::error::ParseIntError`, `Error` of `a::Error<b::C>`.
fn short_type_name<E>() -> &'static str {
    let full = std::any::type_name::<E>();
    let plain = full.split('<').next().unwrap_or(full);
    plain.rsplit("::").next().unwrap_or(plain)
}

/// The error and its causes in one sentence.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = if self.retryable { "retryable" } else { "final" };
        write!(f, "{} ({again}): {}", self.name, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standard_error_keeps_its_name_and_leaves_the_choice_to_the_kind() {
        let error: HandlerError = "x".parse::<i32>().unwrap_err().into();
        assert_eq!(error.name, "ParseIntError");
        assert_eq!(error.message, "invalid digit found in string");
        assert!(error.retryable);
        assert!(!error.decided_by_kind(false).retryable);
    }

    #[test]
    fn what_a_handler_said_stays() {
        assert!(!HandlerError::rejected("no").decided_by_kind(true).retryable);
        assert!(
            HandlerError::retry("later")
                .decided_by_kind(false)
                .retryable
        );
        let later = HandlerError::retry("later").after(Duration::from_secs(3));
        assert_eq!(later.retry_after, Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_panic_keeps_its_text() {
        for panic in [
            Box::new("boom") as Box<dyn Any + Send>,
            Box::new(String::from("boom")),
        ] {
            let error = HandlerError::panicked(panic.as_ref());
            assert_eq!(error.message, "the handler panicked: boom");
            assert_eq!(error.name, "panic");
        }
    }
}
