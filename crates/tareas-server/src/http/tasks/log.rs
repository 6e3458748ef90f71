//! `GET /v1/tasks/{id}/log`: what the attempts of a task have said, while it is remembered; live
//! for whoever asks for `text/event-stream`.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use tareas_engine::AttemptNotes;

use super::{find, json, log_stream};
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
    #[serde(skip_serializing_if = "String::is_empty")]
    output: String,
}

/// The lines of each attempt, oldest first.
pub(in crate::http) async fn log(visit: Visit, TaskPath(id): TaskPath, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let task = find(&visit, id).await?;
    if wants_stream(&parts.headers) {
        return log_stream::follow(visit, &task, &parts.headers);
    }
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
        truncated: notes.is_truncated || notes.is_output_truncated,
        output: notes.output.concat(),
    }
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter();
    accepts
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/event-stream"))
}
