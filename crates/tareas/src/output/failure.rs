//! How a command fails: one cause, one hint, the code last on the first line.
//!
//! ```text
//! error: cannot reach the server at tcp://127.0.0.1:5000  [TAR-1001]
//!   connection refused, 3 tries in 0.6 s
//!   hint: start one here with `tareas serve`, or choose another with `-s tcp://HOST:5000`
//! ```

use std::borrow::Cow;
use std::io;

use tareas_client::Error;
use tareas_protocol::code::exit;
use tareas_protocol::{Code, ErrorObject, Lang};

use super::Voice;
use crate::text::{Text, Values};

/// Why a command did not do what it was asked. Boxed: failures are rare, results are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(Box<Story>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Story {
    /// What happened, with code and hint.
    object: ErrorObject,
    /// Whether the code is shown: some failures have none.
    has_code: bool,
    /// More lines about the cause.
    cause: Option<String>,
    /// What the process ends with.
    exit: u8,
}

impl Failure {
    /// A failure with a code of the table: its exit code and, until a better one is given, its
    /// hint.
    pub(crate) fn new(code: Code, lang: Lang, text: Text, values: Values<'_>) -> Self {
        let object = ErrorObject::new(code, lang).message(text.fill(lang, values));
        Self(Box::new(Story {
            object,
            has_code: true,
            cause: None,
            exit: code.exit_code(),
        }))
    }

    /// A failure without a code: wrong use.
    pub(crate) fn usage(lang: Lang, text: Text, values: Values<'_>) -> Self {
        let mut plain = Self::new(Code::InvalidValue, lang, text, values).with_hint("");
        plain.0.has_code = false;
        plain.with_exit(exit::REFUSED)
    }

    /// What a server said.
    pub(crate) fn refused(object: ErrorObject) -> Self {
        let exit = object.exit_code();
        Self(Box::new(Story {
            object,
            has_code: true,
            cause: None,
            exit,
        }))
    }

    /// What the client found, in the language of the voice.
    pub(crate) fn of(error: Error, lang: Lang) -> Self {
        let new = |code, text, values: Values<'_>| Self::new(code, lang, text, values);
        let hint = |text: Text| text.plain(lang).to_owned();
        match error {
            Error::Refused(object) => Self::refused(*object),
            Error::Address { text, reason } => {
                Self::usage(lang, Text::NotAnAddress, &[("text", &text)])
                    .because(reason)
                    .with_hint(hint(Text::AddressHint))
            }
            Error::TaskId { text } => {
                Self::usage(lang, Text::NotAnId, &[("text", &text)]).with_hint(hint(Text::IdHint))
            }
            Error::Unreachable {
                address,
                tries,
                elapsed,
                source,
            } => {
                let seconds = format!("{:.1}", elapsed.as_secs_f64());
                let cause = Text::UnreachableCause.fill(
                    lang,
                    &[
                        ("cause", &spoken(&source, lang)),
                        ("tries", &tries),
                        ("seconds", &seconds),
                    ],
                );
                new(
                    Code::Unreachable,
                    Text::Unreachable,
                    &[("address", &address)],
                )
                .because(cause)
                .with_hint(hint(Text::UnreachableHint))
            }
            Error::NoAnswer { address } => {
                new(Code::Unreachable, Text::NoAnswer, &[("address", &address)])
            }
            Error::ConnectionLost { address, .. } => new(
                Code::ConnectionLost,
                Text::ConnectionLost,
                &[("address", &address)],
            ),
            Error::WaitTimedOut { task_id } => {
                let hint = Text::WaitTimedOutHint.fill(lang, &[("id", &task_id)]);
                let failure = Self::usage(lang, Text::WaitTimedOut, &[("id", &task_id)]);
                failure.with_hint(hint).with_exit(exit::TIMED_OUT)
            }
            Error::Malformed { what } => {
                new(Code::Malformed, Text::NotUnderstood, &[("what", &what)])
                    .with_hint("")
                    .with_exit(exit::UNREACHABLE)
            }
        }
    }

    /// With this cause.
    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// With this hint.
    pub(crate) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.object.hint = hint.into();
        self
    }

    /// Ending with this exit code.
    pub(crate) fn with_exit(mut self, exit: u8) -> Self {
        self.0.exit = exit;
        self
    }

    /// What the process ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        self.0.exit
    }

    /// The object that travels: for `-o json`.
    pub(crate) fn json(&self) -> String {
        let mut out = Vec::new();
        self.0.object.append_answer(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// All of it on one line, as an answer to a line of text: `error: MESSAGE [CODE] HINT`.
    pub(crate) fn line(&self) -> String {
        let mut out = Vec::new();
        self.0.object.append_text(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// What happened and why, on one line; and what to do about it.
    pub(crate) fn in_short(&self) -> (String, Option<String>) {
        let story = &self.0;
        let causes = story.cause.iter().flat_map(|cause| cause.lines());
        let parts: Vec<&str> = std::iter::once(&*story.object.message)
            .chain(causes)
            .collect();
        let hint = Some(story.object.hint.to_string()).filter(|hint| !hint.is_empty());
        (parts.join(": "), hint)
    }

    /// The lines for a person.
    pub(crate) fn lines(&self, voice: &Voice) -> String {
        let paint = voice.paint_stderr;
        let word = paint.red(Text::Error.plain(voice.lang));
        let mut text = format!("{word}: {}", self.0.object.message);
        if self.0.has_code {
            text += &paint.dim(&format!("  [TAR-{:04}]", self.0.object.number));
        }
        for line in self.0.cause.iter().flat_map(|cause| cause.lines()) {
            text += &format!("\n  {line}");
        }
        if !self.0.object.hint.is_empty() {
            text += &format!(
                "\n  {}: {}",
                Text::Hint.plain(voice.lang),
                self.0.object.hint
            );
        }
        text
    }

    /// Tells it on stderr.
    pub(crate) fn tell(&self, voice: &Voice) {
        match voice.format.is_json() {
            true => voice.warn(&self.json()),
            false => voice.warn(&self.lines(voice)),
        }
    }
}

/// What the system said, in words; the number of the error helps nobody.
pub(crate) fn spoken(error: &io::Error, lang: Lang) -> String {
    if error.kind() == io::ErrorKind::ConnectionRefused {
        return Text::ConnectionRefused.plain(lang).to_owned();
    }
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = plain.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::output::{ColorChoice, Format};

    fn voice(lang: Lang) -> Voice {
        let paint = ColorChoice::Never.paint(&io::stderr(), |_| None);
        let format = Format::Table;
        Voice {
            lang,
            format,
            quiet: false,
            verbose: 0,
            paint,
            paint_stderr: paint,
        }
    }

    fn unreachable() -> Error {
        Error::Unreachable {
            address: "tcp://127.0.0.1:5000".parse().unwrap(),
            tries: 3,
            elapsed: Duration::from_millis(1_200),
            source: io::ErrorKind::ConnectionRefused.into(),
        }
    }

    #[test]
    fn a_failure_is_three_lines() {
        let failure = Failure::of(unreachable(), Lang::En);
        assert_eq!(
            failure.lines(&voice(Lang::En)),
            "error: cannot reach the server at tcp://127.0.0.1:5000  [TAR-1001]\n  \
             connection refused, 3 tries in 1.2 s\n  \
             hint: start one here with `tareas serve`, or choose another with \
             `-s tcp://HOST:5000`"
        );
        assert_eq!(failure.exit_code(), 69);
    }

    #[test]
    fn a_failure_in_spanish_keeps_its_code() {
        let failure = Failure::of(unreachable(), Lang::Es);
        assert_eq!(
            failure.lines(&voice(Lang::Es)),
            "error: no se puede contactar con el servidor en tcp://127.0.0.1:5000  [TAR-1001]\n  \
             conexión rechazada, 3 intentos en 1.2 s\n  \
             pista: inicie uno aquí con `tareas serve`, o elija otro con `-s tcp://HOST:5000`"
        );
    }

    #[test]
    fn waiting_in_vain_ends_with_3() {
        let task_id = tareas_client::TaskId::new();
        assert_eq!(
            Failure::of(Error::WaitTimedOut { task_id }, Lang::En).exit_code(),
            3
        );
    }
}
