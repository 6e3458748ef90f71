//! `/v1/tasks`: a verb a file.

mod act;
mod artifacts;
mod batch;
mod list;
mod log;
mod log_stream;
mod range;
mod result;
mod show;
mod submit;

pub(super) use act::{cancel, delete, requeue};
pub(super) use artifacts::{artifact, artifacts, url_of};
pub(super) use batch::batch;
pub(super) use list::{cursor, cursor_text, list, meaning, words_of};
pub(super) use log::log;
pub(super) use result::result;
pub(super) use show::{show, wait, why};
pub(super) use submit::{accept, submit};

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tareas_core::{Task, TaskId, Timestamp};
use tareas_engine::Waited;
use tareas_protocol::Code;

use super::problem::{Answer, Problem};
use super::visit::Visit;
use crate::view::Whole;

/// The task of this id, unless it is of a queue that is not there for the caller.
pub(super) async fn find(visit: &Visit, id: TaskId) -> Result<Task, Problem> {
    let found = visit
        .server
        .engine
        .task(id)
        .await
        .map_err(|refusal| visit.refused(&refusal))?;
    let seen = found.filter(|task| visit.sees(&task.spec.queue));
    seen.ok_or_else(|| no_such_task(visit, id))
}

/// The task of this id, as soon as it has ended; or as it is when the time is over or the
/// server stops.
async fn find_ended(visit: &Visit, id: TaskId, within: Duration) -> Result<Task, Problem> {
    let waited = tokio::select! {
        waited = visit.server.engine.wait(id, within) => waited,
        () = visit.stop.cancelled() => return find(visit, id).await,
    };
    match waited {
        Ok(Waited::Ended(task) | Waited::TimedOut(task)) => Ok(task),
        Err(refusal) => {
            let mut error = crate::codes::error(&refusal, visit.lang);
            error.task_id = Some(*id.as_bytes());
            Err(visit.problem(error))
        }
    }
}

fn no_such_task(visit: &Visit, id: TaskId) -> Problem {
    let error = visit.error(Code::NotFound).about(*id.as_bytes());
    let (en, es) = (
        format!("there is no task {id}"),
        format!("no existe la tarea {id}"),
    );
    visit.problem(error.message(visit.lang.pick(en, es)))
}

/// The version of a task, as a tag: it grows with each change of the task itself.
fn version_tag(task: &Task) -> HeaderValue {
    let text = format!("\"{}\"", task.version);
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"\""))
}

/// The version for which a request is meant: `None` for whichever there is.
fn if_match(visit: &Visit, headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let mut said = headers.get_all(header::IF_MATCH).iter();
    let Some(tag) = said.next() else {
        return Ok(None);
    };
    let tag = tag.to_str().unwrap_or_default().trim();
    if said.next().is_some() || tag.contains(',') {
        return Err(visit.invalid("If-Match", "one ETag of the task", "un ETag de la tarea"));
    }
    if tag == "*" {
        return Ok(None);
    }
    let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let version = version.and_then(|version| version.parse().ok());
    // What is no tag of ours is the tag of no task.
    version
        .map(Some)
        .ok_or_else(|| visit.problem(visit.error(Code::Changed)))
}

/// The whole task object.
async fn whole(visit: &Visit, task: Task, status: StatusCode) -> Answer {
    let engine = &visit.server.engine;
    let tag = version_tag(&task);
    let whole = Whole::gather(engine, task)
        .await
        .map_err(|refusal| visit.refused(&refusal))?;
    let mut out = Vec::with_capacity(1_024);
    whole.append_to(&mut out, None, visit.lang);
    let mut response = json(visit, status, out);
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

/// An instant, RFC 3339 in UTC.
pub(super) fn instant(at: Timestamp) -> String {
    let mut out = Vec::with_capacity(26);
    tareas_protocol::time::append_instant(&mut out, at.as_micros());
    String::from_utf8_lossy(&out).trim_matches('"').to_owned()
}

/// A JSON text as the answer.
pub(super) fn json(visit: &Visit, status: StatusCode, text: Vec<u8>) -> Response {
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(
        header::CONTENT_LANGUAGE,
        HeaderValue::from_static(visit.lang.as_str()),
    );
    response
}
