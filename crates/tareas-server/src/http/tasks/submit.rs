//! `POST /v1/tasks`: one task, short or full form, with the end of it for those who wait.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tareas_core::{Task, TaskId};
use tareas_engine::access::{Action, Object};
use tareas_engine::{Accepted, Refusal, Submission, Submitted};
use tareas_protocol::Code;
use tareas_protocol::request::{Decoder, is_name};

use super::{find, find_ended, whole};
use crate::http::body;
use crate::http::prefer::{self, Wait};
use crate::http::problem::{Answer, Problem};
use crate::http::visit::{Query, Visit};
use crate::intake;

/// The request header that makes two submissions one task.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The response header that says that they were one.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Accepts one task: 202 with the task, or 200 when it has ended in time or was there already.
pub(in crate::http) async fn submit(visit: Visit, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let text = body::read(&visit, &parts.headers, body).await?;
    let submission = decode(&visit, &parts.headers, &text)?;
    let Accepted { task, is_duplicate } = accept_one(&visit, submission).await?;
    let wait = Wait::of(&parts.headers);
    let task = present(&visit, task, wait).await?;
    let is_done = wait.is_some() && task.state.is_terminal();
    let status = if is_done || is_duplicate {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let id = task.id();
    let mut response = whole(&visit, task, status).await?;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, location(id));
    if let Some(wait) = wait {
        headers.insert(prefer::APPLIED, wait.applied());
    }
    if is_duplicate {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn decode(visit: &Visit, headers: &HeaderMap, text: &[u8]) -> Result<Submission, Problem> {
    let mut decoder = Decoder::new();
    let refused = |refusal: Box<tareas_protocol::request::Refusal>| {
        visit.problem(refusal.to_error(visit.lang))
    };
    let decoded = decoder.submission(text).map_err(refused)?;
    let kind = intake::kind(&decoded.kind).map_err(refused)?;
    let payload = decoded.payload.to_bytes();
    let mut submission = intake::submission(&decoded, kind, payload, None).map_err(refused)?;
    if let Some(key) = idempotency_key(visit, headers)? {
        let options = submission.options.get_or_insert_default();
        if options
            .idempotency_key
            .as_ref()
            .is_some_and(|other| *other != key)
        {
            let (en, es) = (
                "the same in header and body",
                "la misma en cabecera y cuerpo",
            );
            return Err(visit.invalid("Idempotency-Key", en, es));
        }
        options.idempotency_key = Some(key.into());
    }
    below(visit, &mut submission);
    Ok(submission)
}

/// The request's place in a trace is the task's, unless the task says another.
pub(super) fn below(visit: &Visit, submission: &mut Submission) {
    if let Some(trace) = &visit.trace {
        let options = submission.options.get_or_insert_default();
        options.trace.get_or_insert_with(|| trace.clone());
    }
}

/// The key of the header, with or without the quotes that the draft standard wants.
fn idempotency_key(visit: &Visit, headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default().trim();
    let key = key
        .strip_prefix('"')
        .and_then(|key| key.strip_suffix('"'))
        .unwrap_or(key);
    if is_name(key) {
        return Ok(Some(key.to_owned()));
    }
    let en = "at most 128 characters of A-Z a-z 0-9 . _ : -";
    let es = "de hasta 128 caracteres entre A-Z a-z 0-9 . _ : -";
    Err(visit.invalid("Idempotency-Key", en, es))
}

/// Has tasks accepted and waits until that is durable. Goes on when the caller hangs up. Nothing
/// is accepted when one of them is for a queue that the caller may not submit to.
pub(in crate::http) async fn accept(
    visit: &Visit,
    submissions: Vec<Submission>,
) -> Result<Submitted, Problem> {
    for submission in &submissions {
        visit.may(Action::Submit, Object::Queue(&submission.queue))?;
    }
    let engine = std::sync::Arc::clone(&visit.server.engine);
    let accepted = visit.uncut(async move {
        let submitted = engine.submit(submissions, None, |_| ()).await;
        engine.until_durable(submitted.position).await?;
        Ok::<_, Refusal>(submitted)
    });
    accepted.await?.map_err(|refusal| visit.refused(&refusal))
}

async fn accept_one(visit: &Visit, submission: Submission) -> Result<Accepted, Problem> {
    let submitted = accept(visit, vec![submission]).await?;
    match submitted.outcomes.into_iter().next() {
        Some(Ok(accepted)) => Ok(accepted),
        Some(Err(refusal)) => Err(visit.refused(&refusal)),
        None => Err(visit.problem(visit.error(Code::Bug))),
    }
}

/// The task as it is to be shown: now, or when it has ended. One whose retention is so short
/// that it is gone already is shown as it was accepted.
async fn present(visit: &Visit, accepted: Task, wait: Option<Wait>) -> Result<Task, Problem> {
    let found = match wait {
        Some(wait) => find_ended(visit, accepted.id(), wait.duration()).await,
        None => find(visit, accepted.id()).await,
    };
    match found {
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => Ok(accepted),
        found => found,
    }
}

fn location(id: TaskId) -> HeaderValue {
    let text = format!("/v1/tasks/{id}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("/v1/tasks"))
}
