//! What went wrong with a task, as an error object.

use tareas_core::{Cause, Failure, Phase, Reason, State, Task};
use tareas_engine::webhooks::Ended;
use tareas_protocol::{Code, ErrorObject, Lang};

/// The error of a task that has failed, was cancelled, or waits for another attempt; `None`
/// when nothing went wrong.
pub fn error_of(task: &Task, lang: Lang) -> Option<ErrorObject> {
    let code = match task.state {
        State::Succeeded => return None,
        State::Cancelled(Reason::Expired) => return Some(ErrorObject::new(Code::Expired, lang)),
        State::Cancelled(_) => return Some(ErrorObject::new(Code::Cancelled, lang)),
        State::Failed(reason) => code_of_end(reason, task.spec.retry().max_attempts),
        _ => code_of_cause(task.failure.as_ref()?.cause),
    };
    Some(match &task.failure {
        Some(failure) => error_with(code, failure, lang),
        None => ErrorObject::new(code, lang),
    })
}

/// The error of an end as webhooks tell it; `None` when nothing went wrong.
pub fn error_of_end(ended: &Ended, lang: Lang) -> Option<ErrorObject> {
    let code = match (ended.phase, ended.reason) {
        (Phase::Failed, Some(reason)) => code_of_end(reason, ended.max_attempts),
        _ => return None,
    };
    Some(match &ended.failure {
        Some(failure) => error_with(code, failure, lang),
        None => ErrorObject::new(code, lang),
    })
}

fn code_of_end(reason: Reason, max_attempts: u32) -> Code {
    match reason {
        Reason::Rejected => Code::Rejected,
        Reason::Timeout => Code::Timeout,
        Reason::Poison => Code::Poison,
        Reason::Expired => Code::Expired,
        Reason::Requested => Code::Cancelled,
        // With one attempt there is nothing to exhaust.
        Reason::AttemptsExhausted if max_attempts <= 1 => Code::HandlerFailed,
        Reason::AttemptsExhausted => Code::AttemptsExhausted,
    }
}

pub(super) fn code_of_cause(cause: Cause) -> Code {
    match cause {
        Cause::Handler => Code::HandlerFailed,
        Cause::Rejected => Code::Rejected,
        Cause::Timeout => Code::Timeout,
        Cause::Crash => Code::Poison,
    }
}

pub(super) fn error_with(code: Code, failure: &Failure, lang: Lang) -> ErrorObject {
    // Names such as `ValueError` say something; `rejected` or `panic` is what the code says.
    let is_telling = |name: &&String| name.starts_with(|first: char| first.is_ascii_uppercase());
    let message = match failure.name.as_ref().filter(is_telling) {
        Some(name) => format!("{name}: {}", failure.message),
        None => failure.message.clone(),
    };
    ErrorObject::new(code, lang).message(message)
}
