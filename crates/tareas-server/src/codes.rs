//! Why the engine refused, as every face says it: the one place where a [`Refusal`] becomes a
//! [`Code`], a sentence and a hint.

use tareas_core::{Kind, Phase, Rejected};
use tareas_engine::{PayloadFault, Refusal};
use tareas_protocol::{Code, ErrorObject, Lang};

/// How soon a refused request may be sent again, in milliseconds.
const RETRY_OVERLOADED_MS: u64 = 250;
const RETRY_LATER_MS: u64 = 1_000;
const RETRY_STORAGE_MS: u64 = 5_000;

/// The code of a refusal.
pub fn code_of(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::UnknownKind { .. } => Code::UnknownKind,
        Refusal::InvalidPayload { .. } => Code::InvalidPayload,
        Refusal::Rejected(rejected) => code_of_rejected(rejected),
        Refusal::TooLarge { .. } => Code::TooLarge,
        Refusal::Draining => Code::Draining,
        Refusal::Unavailable(_) => Code::Unavailable,
        Refusal::Unknown(_) | Refusal::Stopped(_) => Code::UnknownOutcome,
    }
}

fn code_of_rejected(rejected: &Rejected) -> Code {
    match rejected {
        Rejected::Stale => Code::Stale,
        Rejected::NotFound => Code::NotFound,
        Rejected::Mismatch { .. } => Code::IdempotencyMismatch,
        Rejected::IdWindow => Code::IdWindow,
        Rejected::Paused | Rejected::WrongState { .. } => Code::Conflict,
        Rejected::Changed { .. } => Code::Changed,
        Rejected::Undurable { .. } => Code::Unavailable,
        Rejected::Overloaded => Code::Overloaded,
        Rejected::QueueFull => Code::QueueFull,
        Rejected::StorageFull => Code::StorageFull,
    }
}

/// The error to answer a refusal with.
pub fn error(refusal: &Refusal, lang: Lang) -> ErrorObject {
    let code = code_of(refusal);
    let error = ErrorObject::new(code, lang);
    let error = match delay_of(code) {
        Some(delay_ms) => error.retry_after(delay_ms),
        None => error,
    };
    match refusal {
        Refusal::UnknownKind { kind, nearest } => unknown_kind(
            error,
            kind.as_str(),
            nearest.as_ref().map(|kind| kind.as_str()),
            lang,
        ),
        Refusal::InvalidPayload { kind, fault } => invalid_payload(error, kind, fault, lang),
        Refusal::Rejected(Rejected::WrongState { phase }) => {
            error.message(wrong_state(*phase, lang))
        }
        Refusal::Rejected(Rejected::Mismatch { of }) => error.message(match lang {
            Lang::En => format!("task {of} has the same identity and another content"),
            Lang::Es => format!("la tarea {of} tiene la misma identidad y otro contenido"),
        }),
        Refusal::TooLarge { what, bytes_max } => error.message(match lang {
            Lang::En => format!("{what} is larger than {bytes_max} allows"),
            Lang::Es => format!("supera el límite de {bytes_max}"),
        }),
        _ => error,
    }
}

fn delay_of(code: Code) -> Option<u64> {
    match code {
        Code::Overloaded => Some(RETRY_OVERLOADED_MS),
        Code::QueueFull | Code::Draining | Code::Unavailable => Some(RETRY_LATER_MS),
        Code::StorageFull => Some(RETRY_STORAGE_MS),
        _ => None,
    }
}

fn unknown_kind(error: ErrorObject, kind: &str, nearest: Option<&str>, lang: Lang) -> ErrorObject {
    let error = error.message(match lang {
        Lang::En => format!("no worker handles tasks of kind '{kind}'"),
        Lang::Es => format!("ningún trabajador atiende tareas de tipo '{kind}'"),
    });
    let Some(nearest) = nearest else { return error };
    error.hint(match lang {
        Lang::En => format!("did you mean '{nearest}'?"),
        Lang::Es => format!("¿quiso decir '{nearest}'?"),
    })
}

fn invalid_payload(
    error: ErrorObject,
    kind: &Kind,
    fault: &PayloadFault,
    lang: Lang,
) -> ErrorObject {
    let PayloadFault { pointer, message } = fault;
    let place = if pointer.is_empty() { "" } else { ", " };
    let mut error = error.message(match lang {
        Lang::En => format!("the payload does not fit kind '{kind}'{place}{pointer}: {message}"),
        Lang::Es => {
            format!("los datos no corresponden al tipo '{kind}'{place}{pointer}: {message}")
        }
    });
    error.pointer = Some(format!("/payload{pointer}"));
    error
}

fn wrong_state(phase: Phase, lang: Lang) -> String {
    match lang {
        Lang::En => format!("a task that is {} does not allow this", phase.name()),
        Lang::Es => format!("una tarea en estado '{}' no lo permite", phase.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_kind_names_the_nearest_one_in_both_languages() {
        let refusal = Refusal::UnknownKind {
            kind: Kind::new("sqaure").unwrap(),
            nearest: Some(Kind::new("square").unwrap()),
        };
        let refused = error(&refusal, Lang::En);
        assert_eq!(refused.code(), Some(Code::UnknownKind));
        assert_eq!(refused.hint, "did you mean 'square'?");
        assert_eq!(error(&refusal, Lang::Es).hint, "¿quiso decir 'square'?");
    }

    #[test]
    fn what_may_be_tried_again_says_when() {
        for rejected in [
            Rejected::Overloaded,
            Rejected::QueueFull,
            Rejected::StorageFull,
        ] {
            let refused = error(&Refusal::Rejected(rejected), Lang::En);
            assert!(refused.retryable && refused.retry_after_ms.is_some());
        }
        let refused = error(&Refusal::Rejected(Rejected::NotFound), Lang::En);
        assert!(!refused.retryable && refused.retry_after_ms.is_none());
    }
}
