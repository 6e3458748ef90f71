//! `GET /v1/tasks/{id}`, `…/wait` and `…/why`: one task.

use std::time::Duration;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use tareas_protocol::limits::WAIT_MS_MAX;

use super::{find, find_ended, json, version_tag, whole};
use crate::http::prefer::WAIT_SECONDS_MAX;
use crate::http::problem::Answer;
use crate::http::visit::{Query, TaskPath, Visit};
use crate::view;

/// The task object; `?wait=N` answers when it has ended, or after so many seconds. Nothing but
/// 304 when the caller knows this version of it.
pub(in crate::http) async fn show(
    visit: Visit,
    TaskPath(id): TaskPath,
    request: Request,
) -> Answer {
    let (parts, _) = request.into_parts();
    let query = Query::read(&visit, &parts, &["wait"])?;
    let task = match query.number(&visit, "wait", WAIT_SECONDS_MAX)? {
        Some(seconds) => find_ended(&visit, id, Duration::from_secs(seconds)).await?,
        None => find(&visit, id).await?,
    };
    let tag = version_tag(&task);
    if parts.headers.get(header::IF_NONE_MATCH) == Some(&tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    whole(&visit, task, StatusCode::OK).await
}

/// The task object when it has ended, or when `timeout_ms` is over.
pub(in crate::http) async fn wait(
    visit: Visit,
    TaskPath(id): TaskPath,
    request: Request,
) -> Answer {
    let (parts, _) = request.into_parts();
    let query = Query::read(&visit, &parts, &["timeout_ms"])?;
    let millis = query
        .number(&visit, "timeout_ms", WAIT_MS_MAX)?
        .unwrap_or(WAIT_MS_MAX);
    let task = find_ended(&visit, id, Duration::from_millis(millis)).await?;
    whole(&visit, task, StatusCode::OK).await
}

/// Why the task has not started or not ended; `null` when it has ended.
pub(in crate::http) async fn why(visit: Visit, TaskPath(id): TaskPath, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let task = find(&visit, id).await?;
    let mut out = Vec::new();
    match visit.server.engine.why(&task).await {
        Some(why) => view::why_view(&why).append_to(&mut out),
        None => out.extend_from_slice(b"null"),
    }
    Ok(json(&visit, StatusCode::OK, out))
}
