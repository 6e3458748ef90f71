//! `GET /v1/tasks/{id}/log`: what the attempts of a task have said, while it is remembered.

use axum::extract::Request;
use axum::http::StatusCode;
use serde::Serialize;
use tareas_engine::AttemptNotes;

use super::{find, json};
use crate::http::problem::Answer;
use crate::http::visit::{Query, TaskPath, Visit};

#[derive(Serialize)]
struct Log<'a> {
    attempts: Vec<AttemptLog<'a>>,
}

#[derive(Serialize)]
struct AttemptLog<'a> {
    attempt: u64,
    lines: &'a [String],
    truncated: bool,
}

/// The lines of each attempt, oldest first.
pub(in crate::http) async fn log(visit: Visit, TaskPath(id): TaskPath, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let task = find(&visit, id).await?;
    let notes = visit.server.engine.notes().of(task.id());
    let text = serde_json::to_vec(&Log {
        attempts: notes.iter().map(of_attempt).collect(),
    });
    let text = text.map_err(|_| visit.problem(visit.error(tareas_protocol::Code::Bug)))?;
    Ok(json(&visit, StatusCode::OK, text))
}

fn of_attempt(notes: &AttemptNotes) -> AttemptLog<'_> {
    AttemptLog {
        attempt: notes.attempt,
        lines: &notes.log,
        truncated: notes.is_truncated,
    }
}
