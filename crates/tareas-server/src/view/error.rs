//! What went wrong with a task, as an error object.

use tareas_core::{Cause, Failure, Reason, State, Task};
use tareas_protocol::{Code, ErrorObject, Lang};

/// The error of a task that has failed, was cancelled, or waits for another attempt; `None`
/// when nothing went wrong.
pub fn error_of(task: &Task, lang: Lang) -> Option<ErrorObject> {
    let code = match task.state {
        State::Succeeded => return None,
        State::Cancelled(Reason::Expired) => return Some(ErrorObject::new(Code::Expired, lang)),
        State::Cancelled(_) => return Some(ErrorObject::new(Code::Cancelled, lang)),
        State::Failed(reason) => code_of_end(reason, task),
        _ => code_of_cause(task.failure.as_ref()?.cause),
    };
    Some(match &task.failure {
        Some(failure) => error_with(code, failure, lang),
        None => ErrorObject::new(code, lang),
    })
}

fn code_of_end(reason: Reason, task: &Task) -> Code {
    match reason {
        Reason::Rejected => Code::Rejected,
        Reason::Timeout => Code::Timeout,
        Reason::Poison => Code::Poison,
        Reason::Expired => Code::Expired,
        Reason::Requested => Code::Cancelled,
        // With one attempt there is nothing to exhaust.
        Reason::AttemptsExhausted if task.spec.retry().max_attempts <= 1 => Code::HandlerFailed,
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
