//! `POST …/cancel`, `POST …/requeue`, `DELETE …`: what a person does to one task.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use tareas_core::{Position, TaskId};
use tareas_engine::{Engine, Refusal};
use tareas_protocol::response::{Acknowledgement, append_cancel_requested, append_cancelled};

use super::{if_match, json};
use crate::http::problem::{Answer, Problem};
use crate::http::visit::{TaskPath, Visit};
use crate::view;

/// Cancels a task. Honest about what happened: 200 when it is cancelled, 202 when it runs and
/// was asked to stop.
pub(in crate::http) async fn cancel(
    visit: Visit,
    TaskPath(id): TaskPath,
    headers: HeaderMap,
) -> Answer {
    let only = if_match(&visit, &headers)?;
    let (engine, by) = (Arc::clone(&visit.server.engine), visit.actor());
    let cancelled = visit.uncut(async move {
        let (task, position) = engine.cancel_at(id, by, only).await?;
        told(&engine, position, task).await
    });
    let task = cancelled
        .await?
        .map_err(|refusal| about(&visit, id, &refusal))?;
    let (trace_id, status) = (task.spec.trace_id(), task.phase().name());
    tracing::info!(task = %id, trace_id, peer = %visit.peer, status, "cancel");
    let mut out = Vec::with_capacity(128);
    if task.phase().is_terminal() {
        append_cancelled(&mut out, &view::id_of(&task), None);
        return Ok(json(&visit, StatusCode::OK, out));
    }
    append_cancel_requested(&mut out, &view::id_of(&task), None);
    Ok(json(&visit, StatusCode::ACCEPTED, out))
}

/// Puts a failed or cancelled task back in line: 202 with the acknowledgement.
pub(in crate::http) async fn requeue(
    visit: Visit,
    TaskPath(id): TaskPath,
    headers: HeaderMap,
) -> Answer {
    let only = if_match(&visit, &headers)?;
    let (engine, by) = (Arc::clone(&visit.server.engine), visit.actor());
    let requeued = visit.uncut(async move {
        let (task, position) = engine.requeue_at(id, by, only).await?;
        told(&engine, position, task).await
    });
    let task = requeued
        .await?
        .map_err(|refusal| about(&visit, id, &refusal))?;
    tracing::info!(task = %id, trace_id = task.spec.trace_id(), peer = %visit.peer, "requeue");
    let mut out = Vec::with_capacity(128);
    let acknowledgement = Acknowledgement {
        task_id: view::id_of(&task),
        status: view::status_of(task.phase()),
        duplicate: false,
        durability: visit.server.config.durability,
        reference: None,
    };
    acknowledgement.append_to(&mut out);
    Ok(json(&visit, StatusCode::ACCEPTED, out))
}

/// Removes a finished task before its retention is over: 204, or 409 while it has not ended.
pub(in crate::http) async fn delete(
    visit: Visit,
    TaskPath(id): TaskPath,
    headers: HeaderMap,
) -> Answer {
    let only = if_match(&visit, &headers)?;
    let (engine, by) = (Arc::clone(&visit.server.engine), visit.actor());
    let deleted = visit.uncut(async move { engine.delete_at(id, by, only).await });
    deleted
        .await?
        .map_err(|refusal| about(&visit, id, &refusal))?;
    tracing::info!(task = %id, peer = %visit.peer, "delete");
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What was decided, once it may be told.
async fn told<T>(engine: &Engine, position: Position, decided: T) -> Result<T, Refusal> {
    engine.until_durable(position).await?;
    Ok(decided)
}

fn about(visit: &Visit, id: TaskId, refusal: &Refusal) -> Problem {
    let error = crate::codes::error(refusal, visit.lang);
    visit.problem(error.about(*id.as_bytes()))
}
