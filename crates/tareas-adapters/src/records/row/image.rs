//! A task as values of columns, the same for every database.

use tareas_core::{Body, State, Task, Timestamp, Token};

use super::json::{blob_text, failure_text, options_text};

/// The columns of a task that its state decides.
#[derive(Debug, Default)]
pub(crate) struct Image {
    pub(crate) state: i64,
    pub(crate) reason: Option<i64>,
    pub(crate) place: Option<i64>,
    pub(crate) due_at: Option<i64>,
    pub(crate) session: Option<i64>,
    pub(crate) held_place: Option<i64>,
    pub(crate) deadline_at: Option<i64>,
    pub(crate) token: Option<[u8; 16]>,
    pub(crate) started_at: Option<i64>,
    pub(crate) finished_at: Option<i64>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) prune_at: Option<i64>,
    pub(crate) error: Option<Vec<u8>>,
    pub(crate) result_blob: Option<String>,
}

impl Image {
    /// The image of a task.
    pub(crate) fn of(task: &Task) -> Self {
        let mut image = Self {
            state: task.phase() as i64,
            reason: task.reason().map(|reason| reason as i64),
            token: task.last_token.map(token_bytes),
            started_at: micros(task.started_at),
            finished_at: micros(task.finished_at),
            error: task.failure.as_deref().map(failure_text),
            result_blob: task.result.as_ref().and_then(blob_column),
            ..Self::default()
        };
        match task.state {
            State::Scheduled { due_at } => image.due_at = Some(due_at.as_micros()),
            State::Queued { place } => image.place = Some(place.0),
            State::Running(lease) => {
                image.session = Some(lease.session.0.cast_signed());
                image.held_place = Some(lease.place.0);
                image.deadline_at = Some(lease.deadline_at.as_micros());
                image.token = lease.token.map(token_bytes);
            }
            State::Succeeded | State::Failed(_) | State::Cancelled(_) => {
                image.prune_at = micros(task.prune_at());
            }
        }
        if matches!(task.state, State::Scheduled { .. } | State::Queued { .. }) {
            image.expires_at = micros(task.spec.options().expires_at);
        }
        image
    }
}

/// The column `options`.
pub(crate) fn options_column(task: &Task) -> Option<Vec<u8>> {
    task.spec.options.as_deref().map(options_text)
}

/// The column for a body that is here.
pub(crate) fn inline_column(body: &Body) -> Option<&[u8]> {
    match body {
        Body::Inline(text) => Some(text),
        Body::Blob(_) => None,
    }
}

/// The column for a body that is in the blob store.
pub(crate) fn blob_column(body: &Body) -> Option<String> {
    match body {
        Body::Inline(_) => None,
        Body::Blob(blob) => Some(blob_text(blob)),
    }
}

fn token_bytes(token: Token) -> [u8; 16] {
    token.bits().to_be_bytes()
}

fn micros(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_micros)
}
