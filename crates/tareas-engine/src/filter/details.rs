//! Conditions that only a whole task can answer.

use std::time::Duration;

use smol_str::SmolStr;
use tareas_core::{Cause, Reason, SessionId, Task, Timestamp};

use super::Span;

/// Conditions that no column of the records can answer: asked of tasks that were found already.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// Each of these is in the words of what went wrong last; in lower case.
    pub errors: Vec<String>,
    /// What went wrong last, by its nature.
    pub went_wrong: Option<WentWrong>,
    /// These entries are in its metadata.
    pub metadata: Vec<(String, String)>,
    /// A worker must have all of these labels to run it.
    pub labels: Vec<SmolStr>,
    /// Its idempotency key.
    pub key: Option<SmolStr>,
    /// It runs in one of these sessions; wherever it may be when absent.
    pub sessions: Option<Vec<SessionId>>,
    /// From its acceptance to its last start, or to its end, or until now.
    pub waited: Span<Duration>,
    /// From its last start to its end, or until now.
    pub ran: Span<Duration>,
}

/// The ways in which something went wrong: of a task that has ended the reason counts, of one that
/// goes on the cause of its last failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WentWrong {
    /// Any of these reasons.
    pub reasons: Vec<Reason>,
    /// Any of these causes.
    pub causes: Vec<Cause>,
}

impl WentWrong {
    fn with(&self, task: &Task) -> bool {
        match (task.reason(), &task.failure) {
            (Some(reason), _) => self.reasons.contains(&reason),
            (None, Some(failure)) if !task.state.is_terminal() => {
                self.causes.contains(&failure.cause)
            }
            _ => false,
        }
    }
}

impl Details {
    /// Whether nothing is asked.
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether all of them hold for this task.
    pub fn hold_for(&self, task: &Task, now: Timestamp) -> bool {
        self.words_hold(task)
            && self
                .went_wrong
                .as_ref()
                .is_none_or(|wrong| wrong.with(task))
            && self.options_hold(task)
            && self.times_hold(task, now)
            && self.place_holds(task)
    }

    fn place_holds(&self, task: &Task) -> bool {
        let Some(sessions) = &self.sessions else {
            return true;
        };
        task.lease()
            .is_some_and(|lease| sessions.contains(&lease.session))
    }

    fn words_hold(&self, task: &Task) -> bool {
        if self.errors.is_empty() {
            return true;
        }
        let Some(failure) = &task.failure else {
            return false;
        };
        let name = failure.name.as_deref().unwrap_or_default();
        let words = format!("{} {name} {}", failure.cause.name(), failure.message).to_lowercase();
        self.errors.iter().all(|error| words.contains(error))
    }

    fn options_hold(&self, task: &Task) -> bool {
        let options = task.spec.options();
        let has_entry = |(key, value): &(String, String)| options.metadata.get(key) == Some(value);
        self.metadata.iter().all(has_entry)
            && self
                .labels
                .iter()
                .all(|label| options.requires.contains(label))
            && (self.key.is_none() || self.key == options.idempotency_key)
    }

    fn times_hold(&self, task: &Task, now: Timestamp) -> bool {
        let ended = task.finished_at.unwrap_or(now);
        let waited = task.started_at.unwrap_or(ended);
        let ran = task.started_at.map(|started| ended.since(started));
        self.waited.contains(&waited.since(task.spec.submitted_at))
            && (self.ran.is_open() || ran.is_some_and(|ran| self.ran.contains(&ran)))
    }
}
