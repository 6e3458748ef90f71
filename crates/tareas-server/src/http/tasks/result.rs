//! `GET /v1/tasks/{id}/result`: the JSON text of a result, byte by byte.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tareas_core::{Body, Phase, Task};
use tareas_protocol::Code;

use super::find;
use super::range::{Part, part};
use crate::http::problem::{Answer, Problem};
use crate::http::visit::{Query, TaskPath, Visit};

/// The result itself, or a part of it. 409 while the task has none.
pub(in crate::http) async fn result(
    visit: Visit,
    TaskPath(id): TaskPath,
    request: Request,
) -> Answer {
    let (parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let task = find(&visit, id).await?;
    let body = task
        .result
        .as_ref()
        .filter(|_| task.phase() == Phase::Succeeded);
    let body = body.ok_or_else(|| no_result(&visit, &task))?;
    let text = visit.server.engine.body_bytes(body).await;
    let text = text.map_err(|refusal| visit.refused(&refusal))?;
    Ok(send(text, &tag(&task, body), &parts.headers))
}

fn no_result(visit: &Visit, task: &Task) -> Problem {
    let status = task.phase().name();
    let has_ended = task.phase().is_terminal();
    let code = if has_ended {
        Code::Conflict
    } else {
        Code::NotFinished
    };
    let message = visit.lang.pick(
        format!("the task is {status}: it has no result"),
        format!("la tarea está en estado '{status}': no tiene resultado"),
    );
    let mut error = visit
        .error(code)
        .about(*task.id().as_bytes())
        .message(message);
    if has_ended {
        let path = format!("/v1/tasks/{}", task.id());
        let hint = visit.lang.pick("its error is at", "su error está en");
        error = error.hint(format!("{hint} {path}"));
    }
    visit.problem(error)
}

/// What names these very bytes: a requeued task may have another result later.
fn tag(task: &Task, body: &Body) -> HeaderValue {
    let text = match body {
        Body::Inline(_) => format!("\"{}-{}\"", task.attempt, task.version),
        Body::Blob(blob) => {
            let hex: String = blob
                .sha256
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            format!("\"{hex}\"")
        }
    };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"\""))
}

/// The bytes, or the part of them that was asked for.
pub(super) fn send(text: Bytes, tag: &HeaderValue, asked: &HeaderMap) -> Response {
    if asked.get(header::IF_NONE_MATCH) == Some(tag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag.clone())]).into_response();
    }
    // A part of another version would be of no use.
    let is_same = asked
        .get(header::IF_RANGE)
        .is_none_or(|wanted| wanted == tag);
    let range = asked
        .get(header::RANGE)
        .filter(|_| is_same)
        .and_then(|range| range.to_str().ok());
    let length = text.len();
    let part = part(range, length);
    let (status, content_range, text) = match part {
        Part::All => (StatusCode::OK, None, text),
        Part::Bytes(first, last) => {
            let content_range = format!("bytes {first}-{last}/{length}");
            (
                StatusCode::PARTIAL_CONTENT,
                Some(content_range),
                text.slice(first..=last),
            )
        }
        Part::Outside => (
            StatusCode::RANGE_NOT_SATISFIABLE,
            Some(format!("bytes */{length}")),
            Bytes::new(),
        ),
    };
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    if part == Part::Outside {
        headers.remove(header::CONTENT_TYPE);
    } else {
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
    }
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::ETAG, tag.clone());
    if let Some(range) = content_range.and_then(|range| HeaderValue::from_str(&range).ok()) {
        headers.insert(header::CONTENT_RANGE, range);
    }
    response
}
