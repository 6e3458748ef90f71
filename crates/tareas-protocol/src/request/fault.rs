//! Why a request is refused: a kind to branch on, and its story in both languages.

use super::Expected;
use crate::code::Code;
use crate::error::ErrorObject;
use crate::json::{Flaw, FlawKind};
use crate::lang::Lang;
use crate::limits::{
    BATCH_TASKS_MAX, DISCARD_BYTES_MAX, JSON_DEPTH_MAX, JSON_KEYS_MAX, NAME_BYTES_MAX,
};
use crate::nearest::nearest;
use std::fmt;

/// What a client wrote is echoed up to so many characters.
const ECHO_CHARS_MAX: usize = 64;

/// A fault and where in the request it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// What is wrong.
    pub fault: Fault,
    /// JSON pointer to the member, if it is about one.
    pub pointer: Option<String>,
}

/// What can be wrong with a request, as far as the request alone can tell.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// The line is longer than allowed ([`Frame::TooLong`](crate::frame::Frame::TooLong)).
    LineTooLong {
        /// What would have been allowed.
        bytes_max: usize,
    },
    /// The line did not end ([`Frame::Flood`](crate::frame::Frame::Flood)).
    Flood,
    /// Not JSON, or beyond the limits of JSON; or text that is not UTF-8.
    Json(Flaw),
    /// A member stands twice.
    Duplicate {
        /// Which one.
        member: String,
    },
    /// A member that this request does not have.
    UnknownMember {
        /// Which one.
        member: String,
        /// What may have been meant.
        nearest: Option<&'static str>,
    },
    /// A JSON line with neither `op` nor `cmd`.
    NoCommand,
    /// A command that does not exist.
    UnknownCommand {
        /// Which one.
        command: String,
        /// What may have been meant.
        nearest: Option<&'static str>,
    },
    /// A member that this request must have.
    Missing {
        /// Which one.
        member: &'static str,
    },
    /// A member of the wrong type or beyond its limits.
    WrongValue {
        /// Which one.
        member: &'static str,
        /// What it should be.
        expected: Expected,
    },
    /// A word that cannot be the name of a kind.
    NotAKind {
        /// The word.
        kind: String,
    },
    /// Two members of which a request can have one.
    Exclusive {
        /// One of them.
        one: &'static str,
        /// The other.
        other: &'static str,
    },
    /// More tasks in a batch than allowed.
    TooManyTasks,
}

impl Refusal {
    /// A refusal for `fault`, about the request as a whole.
    #[must_use]
    pub fn of(fault: Fault) -> Box<Self> {
        let pointer = None;
        Box::new(Self { fault, pointer })
    }

    /// The error to answer with.
    #[must_use]
    pub fn to_error(&self, lang: Lang) -> ErrorObject {
        let mut error = ErrorObject::new(self.fault.code(), lang).message(self.fault.story(lang));
        if let Some(hint) = self.fault.hint(lang) {
            error = error.hint(hint);
        }
        error.pointer.clone_from(&self.pointer);
        error
    }

    pub(super) fn json(flaw: Flaw) -> Box<Self> {
        Self::of(Fault::Json(flaw))
    }

    pub(super) fn unknown(member: &str, known: &[&'static str]) -> Box<Self> {
        let fault = Fault::UnknownMember {
            member: echo(member),
            nearest: nearest(member, known.iter().copied()),
        };
        Self::of(fault).at(format!("/{}", escape_pointer(&echo(member))))
    }

    pub(super) fn at(mut self: Box<Self>, pointer: String) -> Box<Self> {
        self.pointer = Some(pointer);
        self
    }

    /// The same refusal of something that stands at `pointer` of a larger whole.
    pub(super) fn under(self: Box<Self>, pointer: &str) -> Box<Self> {
        let inner = self.pointer.as_deref().unwrap_or("");
        let pointer = format!("{pointer}{inner}");
        self.at(pointer)
    }
}

impl Fault {
    pub(super) fn duplicate(member: &str) -> Self {
        let member = echo(member);
        Self::Duplicate { member }
    }

    pub(super) fn not_a_kind(kind: &str) -> Self {
        let kind = echo(kind);
        Self::NotAKind { kind }
    }

    /// The code under which this is reported.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::LineTooLong { .. } | Self::Flood | Self::TooManyTasks => Code::TooLarge,
            Self::Json(_) | Self::Duplicate { .. } => Code::Malformed,
            Self::UnknownMember { .. } => Code::UnknownMember,
            Self::NoCommand | Self::UnknownCommand { .. } => Code::UnknownCommand,
            Self::Missing { .. } | Self::WrongValue { .. } | Self::Exclusive { .. } => {
                Code::InvalidValue
            }
            Self::NotAKind { .. } => Code::UnknownKind,
        }
    }

    /// One sentence about what is wrong.
    #[must_use]
    pub fn story(&self, lang: Lang) -> String {
        match lang {
            Lang::En => self.in_english(),
            Lang::Es => self.in_spanish(),
        }
    }

    fn in_english(&self) -> String {
        match self {
            Self::LineTooLong { bytes_max } => {
                format!("the line is longer than {bytes_max} bytes")
            }
            Self::Flood => format!("a line did not end within {DISCARD_BYTES_MAX} bytes"),
            Self::Json(flaw) => flaw_in_english(*flaw),
            Self::Duplicate { member } => format!("the member '{member}' stands twice"),
            Self::UnknownMember { member, .. } => format!("there is no member '{member}' here"),
            Self::NoCommand => "the line has neither 'op' nor 'cmd'".to_owned(),
            Self::UnknownCommand { command, .. } => format!("there is no command '{command}'"),
            Self::Missing { member } => format!("the member '{member}' is missing"),
            Self::WrongValue { member, expected } => {
                format!("'{member}' must be {}", expected.in_english())
            }
            Self::NotAKind { kind } => format!("no kind can be called '{kind}'"),
            Self::Exclusive { one, other } => format!("'{one}' and '{other}' exclude each other"),
            Self::TooManyTasks => format!("a batch has at most {BATCH_TASKS_MAX} tasks"),
        }
    }

    fn in_spanish(&self) -> String {
        match self {
            Self::LineTooLong { bytes_max } => {
                format!("la línea tiene más de {bytes_max} bytes")
            }
            Self::Flood => format!("una línea no terminó en {DISCARD_BYTES_MAX} bytes"),
            Self::Json(flaw) => flaw_in_spanish(*flaw),
            Self::Duplicate { member } => format!("el miembro '{member}' aparece dos veces"),
            Self::UnknownMember { member, .. } => format!("aquí no hay un miembro '{member}'"),
            Self::NoCommand => "la línea no tiene ni 'op' ni 'cmd'".to_owned(),
            Self::UnknownCommand { command, .. } => format!("no existe la orden '{command}'"),
            Self::Missing { member } => format!("falta el miembro '{member}'"),
            Self::WrongValue { member, expected } => {
                format!("'{member}' debe ser {}", expected.in_spanish())
            }
            Self::NotAKind { kind } => format!("ningún tipo puede llamarse '{kind}'"),
            Self::Exclusive { one, other } => format!("'{one}' y '{other}' se excluyen"),
            Self::TooManyTasks => format!("un lote tiene como máximo {BATCH_TASKS_MAX} tareas"),
        }
    }

    /// What to do about it, where there is more to say than the code says by itself.
    fn hint(&self, lang: Lang) -> Option<String> {
        match self {
            Self::UnknownMember { nearest, .. } | Self::UnknownCommand { nearest, .. } => {
                let nearest = (*nearest)?;
                Some(match lang {
                    Lang::En => format!("did you mean '{nearest}'?"),
                    Lang::Es => format!("¿quiso decir '{nearest}'?"),
                })
            }
            Self::NoCommand => {
                let example = r#"{"op":"square","n":5}"#;
                Some(match lang {
                    Lang::En => format!("a task looks like {example}"),
                    Lang::Es => format!("una tarea tiene esta forma: {example}"),
                })
            }
            Self::NotAKind { .. } => Some(match lang {
                Lang::En => format!("names have up to {NAME_BYTES_MAX} of A-Z a-z 0-9 . _ : -"),
                Lang::Es => {
                    format!("los nombres tienen hasta {NAME_BYTES_MAX} de A-Z a-z 0-9 . _ : -")
                }
            }),
            _ => None,
        }
    }
}

fn flaw_in_english(flaw: Flaw) -> String {
    let what = match flaw.kind {
        FlawKind::NotUtf8 => "the line is not UTF-8",
        FlawKind::UnexpectedEnd => "the JSON ends too early",
        FlawKind::Unexpected => "the JSON has a character that does not belong there",
        FlawKind::Trailing => "something follows the JSON value",
        FlawKind::NotObject => "a JSON object is needed",
        FlawKind::NotArray => "a JSON array is needed",
        FlawKind::ControlCharacter => "a JSON string has a control character",
        FlawKind::BadEscape => "a JSON string has an unknown escape",
        FlawKind::LoneSurrogate => "a JSON string has half a surrogate pair",
        FlawKind::BadNumber => "a JSON number lacks its digits",
        FlawKind::TooDeep => return format!("the JSON is nested deeper than {JSON_DEPTH_MAX}"),
        FlawKind::TooManyKeys => return format!("the JSON has more than {JSON_KEYS_MAX} keys"),
    };
    format!("{what} (at byte {})", flaw.at)
}

fn flaw_in_spanish(flaw: Flaw) -> String {
    let what = match flaw.kind {
        FlawKind::NotUtf8 => "la línea no es UTF-8",
        FlawKind::UnexpectedEnd => "el JSON termina antes de tiempo",
        FlawKind::Unexpected => "el JSON tiene un carácter fuera de lugar",
        FlawKind::Trailing => "algo sigue al valor JSON",
        FlawKind::NotObject => "hace falta un objeto JSON",
        FlawKind::NotArray => "hace falta una lista JSON",
        FlawKind::ControlCharacter => "una cadena JSON tiene un carácter de control",
        FlawKind::BadEscape => "una cadena JSON tiene un escape desconocido",
        FlawKind::LoneSurrogate => "una cadena JSON tiene medio par sustituto",
        FlawKind::BadNumber => "a un número JSON le faltan sus cifras",
        FlawKind::TooDeep => return format!("el JSON anida más de {JSON_DEPTH_MAX} niveles"),
        FlawKind::TooManyKeys => return format!("el JSON tiene más de {JSON_KEYS_MAX} claves"),
    };
    format!("{what} (en el byte {})", flaw.at)
}

/// What a client wrote, cut to a length that can be shown.
pub(super) fn echo(text: &str) -> String {
    let mut shown: String = text.chars().take(ECHO_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn escape_pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fault.story(Lang::En))
    }
}

impl std::error::Error for Refusal {}
