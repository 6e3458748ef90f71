//! The whole task object.

use tareas_core::{Attempt, ProcessEnd, Reason, State, Task, Timestamp};
use tareas_engine::{Engine, Progress, Refusal, Why, artifact_count};
use tareas_protocol::response::{AttemptView, ProgressView, TaskView, WhyView};
use tareas_protocol::{ErrorObject, Lang};

use super::error::{code_of_cause, error_with};
use super::{Shown, error_of, id_of, status_of};

/// Everything there is to say about one task, gathered from the engine.
#[derive(Debug)]
pub struct Whole {
    /// The task.
    pub task: Task,
    payload: Option<Shown<'static>>,
    result: Option<Shown<'static>>,
    attempts: Vec<Attempt>,
    progress: Option<Progress>,
    why: Option<Why>,
}

impl Whole {
    /// Gathers what there is to say about a task.
    ///
    /// # Errors
    /// When a store is unavailable.
    pub async fn gather(engine: &Engine, task: Task) -> Result<Self, Refusal> {
        let payload = Some(Shown::read(engine, &task.spec.payload).await?);
        let result = match &task.result {
            Some(result) => Some(Shown::read(engine, result).await?),
            None => None,
        };
        let attempts = engine.attempts(task.id()).await?;
        let notes = engine.notes().of(task.id());
        let progress = notes.into_iter().rev().find_map(|notes| notes.progress);
        let why = engine.why(&task).await;
        Ok(Self {
            task,
            payload,
            result,
            attempts,
            progress,
            why,
        })
    }

    /// What a list shows of a task: nothing that takes another look-up, no payload, no result.
    pub fn listed(task: Task) -> Self {
        let attempts = Vec::new();
        Self {
            task,
            payload: None,
            result: None,
            attempts,
            progress: None,
            why: None,
        }
    }

    /// Appends the task object.
    pub fn append_to(&self, out: &mut Vec<u8>, reference: Option<&str>, lang: Lang) {
        let task = &self.task;
        let options = task.spec.options();
        let error = match task.state {
            State::Cancelled(_) => None,
            _ => error_of(task, lang),
        };
        let errors: Vec<_> = self
            .attempts
            .iter()
            .map(|a| attempt_error(a, lang))
            .collect();
        let attempts: Vec<_> = self
            .attempts
            .iter()
            .zip(&errors)
            .map(attempt_view)
            .collect();
        let metadata: Vec<_> = options
            .metadata
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let requires: Vec<_> = options
            .requires
            .iter()
            .map(|label| label.as_str())
            .collect();
        let trace_id = task.spec.trace_id();
        let view = TaskView {
            task_id: id_of(task),
            status: status_of(task.phase()),
            reason: task.reason().map(Reason::name),
            kind: task.spec.kind.as_str(),
            queue: task.spec.queue.as_str(),
            priority: task.spec.priority.level(),
            payload: self.payload_text(),
            result: self.result.as_ref().map(Shown::result_text),
            artifacts: artifact_count(task),
            error: error.as_ref(),
            attempt: task.attempt,
            max_attempts: task.spec.retry().max_attempts.into(),
            attempts: &attempts,
            progress: self.progress.as_ref().map(progress_view),
            submitted_at_us: task.spec.submitted_at.as_micros(),
            due_at_us: due_at(task).map(Timestamp::as_micros),
            started_at_us: task.started_at.map(Timestamp::as_micros),
            finished_at_us: task.finished_at.map(Timestamp::as_micros),
            expires_at_us: options.expires_at.map(Timestamp::as_micros),
            worker: None,
            metadata: &metadata,
            requires: &requires,
            idempotency_key: options.idempotency_key.as_deref(),
            trace_id: trace_id.as_deref(),
            why: self.why.as_ref().map(why_view),
        };
        view.append_to(out, reference);
    }

    fn payload_text(&self) -> Option<&[u8]> {
        match self.payload.as_ref()? {
            Shown::Text(text) => Some(text),
            Shown::Read(text) => Some(text),
            // Too long for an object that people look at.
            Shown::Reference { .. } | Shown::Elsewhere => None,
        }
    }
}

fn due_at(task: &Task) -> Option<Timestamp> {
    match task.state {
        State::Scheduled { due_at } => Some(due_at),
        _ => None,
    }
}

fn attempt_error(attempt: &Attempt, lang: Lang) -> Option<ErrorObject> {
    let failure = attempt.failure.as_ref()?;
    Some(error_with(code_of_cause(failure.cause), failure, lang))
}

fn attempt_view<'a>((attempt, error): (&'a Attempt, &'a Option<ErrorObject>)) -> AttemptView<'a> {
    let failure = attempt.failure.as_deref();
    let by = failure.and_then(|failure| failure.ran_by.as_ref());
    let process_end = failure.and_then(|failure| failure.process_end);
    AttemptView {
        attempt: attempt.attempt,
        worker: by.map(|by| by.worker.as_str()),
        thread: by.and_then(|by| by.thread),
        exit_code: process_end.and_then(ProcessEnd::exit_code),
        signal: process_end.and_then(ProcessEnd::signal),
        started_at_us: attempt.started_at.map(Timestamp::as_micros),
        finished_at_us: Some(attempt.ended_at.as_micros()),
        outcome: Some(attempt.outcome.name()),
        error: error.as_ref(),
        error_type: failure.and_then(|failure| failure.name.as_deref()),
        backtrace: failure.and_then(|failure| failure.backtrace.as_deref()),
    }
}

fn progress_view(progress: &Progress) -> ProgressView<'_> {
    ProgressView {
        percent: progress.percent.clamp(0.0, 100.0) as u8,
        message: (!progress.message.is_empty()).then_some(progress.message.as_str()),
    }
}

/// Why a task is waiting, for the wire.
pub fn why_view(why: &Why) -> WhyView<'_> {
    WhyView {
        code: why.code.name(),
        message: &why.message,
        hint: why.hint.as_deref().unwrap_or_default(),
    }
}
