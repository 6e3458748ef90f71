//! A core task as the wire shows it: the one place where core types become wire types.

use bytes::Bytes;
use tareas_core::{Attempt, Body, Cause, Failure, Phase, Reason, State, Task, Timestamp};
use tareas_engine::{Engine, Progress, Refusal, Why};
use tareas_protocol::response::{
    AttemptView, BlobRef, End, ProgressView, ResultText, Status, TaskView, WhyView,
    append_end_text,
};
use tareas_protocol::{Code, ErrorObject, Lang, TaskIdBytes};

/// Results up to this length travel on a line; longer ones as a reference.
pub use tareas_protocol::limits::RESULT_INLINE_BYTES_MAX;

/// The id of a task, for the wire.
pub fn id_of(task: &Task) -> TaskIdBytes {
    *task.id().as_bytes()
}

/// The wire's word for a phase.
pub fn status_of(phase: Phase) -> Status {
    match phase {
        Phase::Scheduled => Status::Scheduled,
        Phase::Queued => Status::Queued,
        Phase::Running => Status::Running,
        Phase::Succeeded => Status::Succeeded,
        Phase::Failed => Status::Failed,
        Phase::Cancelled => Status::Cancelled,
    }
}

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

fn code_of_cause(cause: Cause) -> Code {
    match cause {
        Cause::Handler => Code::HandlerFailed,
        Cause::Rejected => Code::Rejected,
        Cause::Timeout => Code::Timeout,
        Cause::Crash => Code::Poison,
    }
}

fn error_with(code: Code, failure: &Failure, lang: Lang) -> ErrorObject {
    let message = match &failure.name {
        Some(name) => format!("{name}: {}", failure.message),
        None => failure.message.clone(),
    };
    ErrorObject::new(code, lang).message(message)
}

/// What a result is on a line.
#[derive(Clone, Debug)]
pub enum Shown<'a> {
    /// Its JSON text, as the record holds it.
    Text(&'a [u8]),
    /// Its JSON text, read for the occasion.
    Read(Bytes),
    /// Only how long it is and its hash.
    Reference {
        /// Its length in bytes.
        bytes: u64,
        /// Its SHA-256, in hexadecimal.
        sha256: String,
    },
    /// It is in the blob store and short enough to travel: read it first.
    Elsewhere,
}

impl<'a> Shown<'a> {
    /// A body as far as the record itself can show it.
    #[inline]
    pub fn of(body: &'a Body) -> Self {
        match body {
            Body::Inline(text) => Self::Text(text),
            Body::Blob { bytes, sha256, .. } if *bytes > RESULT_INLINE_BYTES_MAX as u64 => {
                Self::Reference { bytes: *bytes, sha256: hex(sha256) }
            }
            Body::Blob { .. } => Self::Elsewhere,
        }
    }

    fn result_text(&self) -> ResultText<'_> {
        match self {
            Self::Text(text) => ResultText::Json(text),
            Self::Read(text) => ResultText::Json(text),
            Self::Reference { bytes, sha256 } => {
                ResultText::Blob(BlobRef { bytes: *bytes, sha256 })
            }
            Self::Elsewhere => ResultText::Json(b"null"),
        }
    }
}

impl Shown<'static> {
    /// A body, read from the blob store when it is there and short enough to travel.
    ///
    /// # Errors
    /// When the blob store cannot be read.
    pub async fn read(engine: &Engine, body: &Body) -> Result<Self, Refusal> {
        match Shown::of(body) {
            Shown::Reference { bytes, sha256 } => Ok(Self::Reference { bytes, sha256 }),
            _ => Ok(Self::Read(engine.body_bytes(body).await?)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The end of a task, ready to be written; see [`TaskEnd::of`].
#[derive(Debug)]
pub struct TaskEnd<'a> {
    id: TaskIdBytes,
    result: Option<Shown<'a>>,
    reason: &'static str,
    /// Boxed, since most tasks succeed.
    error: Option<Box<ErrorObject>>,
}

impl<'a> TaskEnd<'a> {
    /// The end of a task, with what the record shows of its result; `None` when it has not
    /// ended, or its result is [`Elsewhere`](Shown::Elsewhere).
    #[inline]
    pub fn of(task: &'a Task, lang: Lang) -> Option<Self> {
        match task.result.as_ref().map(Shown::of) {
            Some(Shown::Elsewhere) => None,
            result => Self::with(task, result, lang),
        }
    }

    /// The end of a task, with its result read where it is; `None` when it has not ended.
    ///
    /// # Errors
    /// When the blob store cannot be read.
    pub async fn read(
        engine: &Engine,
        task: &'a Task,
        lang: Lang,
    ) -> Result<Option<Self>, Refusal> {
        let result = match &task.result {
            Some(result) => Some(Shown::read(engine, result).await?),
            None => None,
        };
        Ok(Self::with(task, result, lang))
    }

    #[inline]
    fn with(task: &'a Task, result: Option<Shown<'a>>, lang: Lang) -> Option<Self> {
        let (result, error) = match task.state {
            State::Succeeded => (Some(result.unwrap_or(Shown::Text(b"null"))), None),
            State::Failed(_) => (None, error_of(task, lang).map(Box::new)),
            State::Cancelled(_) => (None, None),
            _ => return None,
        };
        let reason = task.reason().map_or("", Reason::name);
        Some(Self { id: id_of(task), result, reason, error })
    }

    /// Appends it as JSON.
    #[inline]
    pub fn append_json(&self, out: &mut Vec<u8>, reference: Option<&str>) {
        self.wire().append_to(out, &self.id, reference);
    }

    /// Appends it as one line of text.
    pub fn append_text(&self, out: &mut Vec<u8>, lang: Lang) {
        append_end_text(out, &self.wire(), &self.id, lang);
    }

    #[inline]
    fn wire(&self) -> End<'_> {
        match (&self.result, &self.error) {
            (Some(result), _) => End::Succeeded { result: result.result_text() },
            (None, Some(error)) => End::Failed { reason: self.reason, error },
            (None, None) => End::Cancelled { reason: self.reason },
        }
    }
}

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
        Ok(Self { task, payload, result, attempts, progress, why })
    }

    /// What a list shows of a task: nothing that takes another look-up, no payload, no result.
    pub fn listed(task: Task) -> Self {
        let attempts = Vec::new();
        Self { task, payload: None, result: None, attempts, progress: None, why: None }
    }

    /// Appends the task object.
    pub fn append_to(&self, out: &mut Vec<u8>, reference: Option<&str>, lang: Lang) {
        let task = &self.task;
        let options = task.spec.options();
        let error = match task.state {
            State::Cancelled(_) => None,
            _ => error_of(task, lang),
        };
        let errors: Vec<_> = self.attempts.iter().map(|a| attempt_error(a, lang)).collect();
        let attempts: Vec<_> = self.attempts.iter().zip(&errors).map(attempt_view).collect();
        let metadata: Vec<_> =
            options.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let requires: Vec<_> = options.requires.iter().map(|label| label.as_str()).collect();
        let view = TaskView {
            task_id: id_of(task),
            status: status_of(task.phase()),
            reason: task.reason().map(Reason::name),
            kind: task.spec.kind.as_str(),
            queue: task.spec.queue.as_str(),
            priority: task.spec.priority.level(),
            payload: self.payload_text(),
            result: self.result.as_ref().map(Shown::result_text),
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

fn attempt_view<'a>(
    (attempt, error): (&'a Attempt, &'a Option<ErrorObject>),
) -> AttemptView<'a> {
    AttemptView {
        attempt: attempt.attempt,
        worker: None,
        started_at_us: attempt.started_at.map(Timestamp::as_micros),
        finished_at_us: Some(attempt.ended_at.as_micros()),
        outcome: Some(attempt.outcome.name()),
        error: error.as_ref(),
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
