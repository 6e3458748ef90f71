//! What is wrong with a filter, where, and what to do about it.

use tareas_core::{Phase, Reason};
use tareas_protocol::{Code, ErrorObject, Lang};

use super::words::{TEXT_BYTES_MAX, WORDS_MAX};
use super::{CONDITIONS, VALUES_MAX};

/// Characters of a word that are shown.
const SHOWN_CHARS: usize = 64;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// The character at which the condition begins, from 1; 0 when it is about all of it.
    pub(crate) at: usize,
    fault: Fault,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The text is too long.
    TooLong,
    /// There are too many conditions.
    TooMany,
    /// A list of values is too long.
    TooManyValues,
    /// A quote that does not end.
    Unclosed,
    /// A word without a colon.
    NoColon(String),
    /// A condition that does not exist, and what may have been meant.
    Condition(String, Option<&'static str>),
    /// A state or reason that does not exist, and what may have been meant.
    Unknown(String, Option<&'static str>),
    /// A text that cannot be the name of anything.
    Name(String),
    /// A value that the condition does not take, and one that it does.
    Value(String, &'static str),
    /// A condition that stands twice and can hold but one.
    Twice(&'static str),
    /// A condition that cannot be turned round.
    Negated(&'static str),
}

impl Wrong {
    /// This fault at this character.
    pub(super) fn at(at: usize, fault: Fault) -> Self {
        Self { at, fault }
    }

    /// The error object.
    pub(crate) fn error(&self, lang: Lang) -> ErrorObject {
        let mut message = self.message(lang);
        if self.at > 0 {
            let at = self.at;
            message += &match lang {
                Lang::En => format!(" (character {at})"),
                Lang::Es => format!(" (carácter {at})"),
            };
        }
        let mut error = ErrorObject::new(Code::InvalidValue, lang).message(message);
        error.pointer = Some("filter".to_owned());
        match self.hint(lang) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    fn message(&self, lang: Lang) -> String {
        let (en, es) = match &self.fault {
            Fault::TooLong => (
                format!("a filter may have {TEXT_BYTES_MAX} bytes"),
                format!("un filtro puede tener {TEXT_BYTES_MAX} bytes"),
            ),
            Fault::TooMany => (
                format!("a filter may have {WORDS_MAX} conditions"),
                format!("un filtro puede tener {WORDS_MAX} condiciones"),
            ),
            Fault::TooManyValues => (
                format!("a condition may name {VALUES_MAX} values"),
                format!("una condición puede nombrar {VALUES_MAX} valores"),
            ),
            Fault::Unclosed => (
                "a quote does not end".to_owned(),
                "unas comillas no se cierran".to_owned(),
            ),
            Fault::NoColon(word) => {
                let word = shown(word);
                (
                    format!("`{word}` is not a condition such as `state:failed`"),
                    format!("`{word}` no es una condición como `state:failed`"),
                )
            }
            Fault::Condition(word, _) => {
                let word = shown(word);
                (
                    format!("there is no condition `{word}`"),
                    format!("no existe la condición `{word}`"),
                )
            }
            _ => self.message_of_value(),
        };
        lang.pick(en, es)
    }

    fn message_of_value(&self) -> (String, String) {
        match &self.fault {
            Fault::Unknown(word, _) => {
                let word = shown(word);
                (
                    format!("there is no `{word}`"),
                    format!("no existe `{word}`"),
                )
            }
            Fault::Name(word) => {
                let word = shown(word);
                (
                    format!("`{word}` cannot be a name"),
                    format!("`{word}` no puede ser un nombre"),
                )
            }
            Fault::Value(word, _) => {
                let word = shown(word);
                (
                    format!("`{word}` is not understood"),
                    format!("no se entiende `{word}`"),
                )
            }
            Fault::Twice(name) => (
                format!("`{name}` stands twice"),
                format!("`{name}` aparece dos veces"),
            ),
            Fault::Negated(name) => (
                format!("`{name}` cannot be turned round with `-`"),
                format!("`{name}` no se puede invertir con `-`"),
            ),
            _ => Default::default(),
        }
    }

    fn hint(&self, lang: Lang) -> Option<String> {
        let such_as = lang.pick("write it such as", "escríbalo así:");
        match &self.fault {
            Fault::NoColon(word) if Phase::from_name(word).is_some() => {
                Some(did_you_mean(&format!("state:{word}"), lang))
            }
            Fault::Condition(_, Some(near)) | Fault::Unknown(_, Some(near)) => {
                Some(did_you_mean(near, lang))
            }
            Fault::Condition(_, None) => {
                let names: Vec<_> = CONDITIONS.iter().map(|known| known.name).collect();
                Some(format!(
                    "{} {}",
                    lang.pick("there are", "existen"),
                    names.join(", ")
                ))
            }
            Fault::Unknown(_, None) => {
                let phases = Phase::ALL.map(Phase::name).join(", ");
                let reasons = Reason::ALL.map(Reason::name).join(", ");
                Some(match lang {
                    Lang::En => format!("states: {phases}; reasons: {reasons}"),
                    Lang::Es => format!("estados: {phases}; motivos: {reasons}"),
                })
            }
            Fault::Value(_, example) => Some(format!("{such_as} `{example}`")),
            Fault::Twice(name) => {
                let any = lang.pick("any of several:", "uno cualquiera de varios:");
                Some(format!("{any} `{name}:a,b`"))
            }
            Fault::Unclosed => Some(format!("{such_as} `error:\"no such file\"`")),
            _ => None,
        }
    }
}

fn did_you_mean(word: &str, lang: Lang) -> String {
    let question = lang.pick("did you mean", "¿quiso decir");
    format!("{question} `{word}`?")
}

fn shown(word: &str) -> String {
    word.chars().take(SHOWN_CHARS).collect()
}
