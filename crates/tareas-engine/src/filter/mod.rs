//! Which tasks: the meaning of a filter, apart from how it is written.
//!
//! The conditions of a [`Filter`] itself are answered by the records, each by a column, so that a
//! page looks at a bounded number of rows. Its [`Details`] need a whole task: the engine asks them
//! of what the records have found. [`Filter::matches`] says what both mean, and is what every
//! adapter is compared with.

mod details;
mod span;

use tareas_core::{Kind, Phase, QueueName, Reason, Task, Timestamp};

pub use details::{Details, WentWrong};
pub use span::Span;

/// Which tasks: all conditions hold together. The default has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Any of these; all when empty.
    pub phases: Vec<Phase>,
    /// Why they ended without a result: any of these; whatever it was when empty.
    pub reasons: Vec<Reason>,
    /// In which queues.
    pub queues: Names<QueueName>,
    /// Of which kinds.
    pub kinds: Names<Kind>,
    /// Of which priority.
    pub priority: Span<u8>,
    /// How many attempts have begun.
    pub attempt: Span<u64>,
    /// When they were accepted.
    pub submitted: Span<Timestamp>,
    /// They have ended, then or later.
    pub ended_from: Option<Timestamp>,
    /// Their ids, as numbers.
    pub ids: Span<u128>,
    /// What only a whole task can answer.
    pub details: Details,
}

/// Names that are looked for, and names that are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names<T> {
    /// Any of these; all when empty.
    pub any: Vec<T>,
    /// None of these.
    pub none: Vec<T>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        let (any, none) = (Vec::new(), Vec::new());
        Self { any, none }
    }
}

impl<T: PartialEq> Names<T> {
    /// This one alone.
    pub fn only(name: T) -> Self {
        let any = vec![name];
        Self {
            any,
            ..Self::default()
        }
    }

    /// Whether a name is among them.
    pub fn contains(&self, name: &T) -> bool {
        (self.any.is_empty() || self.any.contains(name)) && !self.none.contains(name)
    }

    /// Whether every name is.
    pub fn is_open(&self) -> bool {
        self.any.is_empty() && self.none.is_empty()
    }
}

impl Filter {
    /// Tasks in one of these phases.
    pub fn of_phases(phases: impl Into<Vec<Phase>>) -> Self {
        Self {
            phases: phases.into(),
            ..Self::default()
        }
    }

    /// Whether the records need not look at anything: every task is found.
    pub fn finds_all(&self) -> bool {
        self.phases.is_empty()
            && self.reasons.is_empty()
            && self.queues.is_open()
            && self.kinds.is_open()
            && self.priority.is_open()
            && self.attempt.is_open()
            && self.submitted.is_open()
            && self.ended_from.is_none()
            && self.ids.is_open()
    }

    /// Whether the records find this task.
    pub fn finds(&self, task: &Task) -> bool {
        let spec = &task.spec;
        let is_for = |reason: Reason| self.reasons.contains(&reason);
        (self.phases.is_empty() || self.phases.contains(&task.phase()))
            && (self.reasons.is_empty() || task.reason().is_some_and(is_for))
            && self.queues.contains(&spec.queue)
            && self.kinds.contains(&spec.kind)
            && self.priority.contains(&spec.priority.level())
            && self.attempt.contains(&task.attempt)
            && self.submitted.contains(&spec.submitted_at)
            && self
                .ended_from
                .is_none_or(|from| task.finished_at.is_some_and(|at| at >= from))
            && self.ids.contains(&task.id().as_u128())
    }

    /// Whether all conditions hold for this task.
    pub fn matches(&self, task: &Task, now: Timestamp) -> bool {
        self.finds(task) && self.details.hold_for(task, now)
    }

    /// Whether only tasks that failed or were cancelled can match.
    pub fn is_of_ended(&self) -> bool {
        let is_ended = |phase: &Phase| matches!(phase, Phase::Failed | Phase::Cancelled);
        !self.reasons.is_empty() || (!self.phases.is_empty() && self.phases.iter().all(is_ended))
    }

    /// Whether only tasks that run can match.
    pub fn is_of_running(&self) -> bool {
        self.phases == [Phase::Running]
    }
}
