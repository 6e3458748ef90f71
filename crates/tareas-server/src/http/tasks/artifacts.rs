//! `GET /v1/tasks/{id}/artifacts` and `…/artifacts/{name}`: the files that a task has left.
//!
//! Whoever may submit tasks decides what is in them, so no browser is to show one as a page of
//! this server: they are downloads, of the type that was recorded and no other.

use std::fmt::Write;

use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tareas_core::TaskId;
use tareas_protocol::Code;

use super::{find, json, result};
use crate::http::problem::{Answer, Problem};
use crate::http::visit::{Query, TaskPath, Visit};

#[derive(Serialize)]
struct List {
    artifacts: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    #[serde(rename = "type")]
    media_type: String,
    bytes: u64,
    sha256: String,
    url: String,
}

/// Their names, types and sizes.
pub(in crate::http) async fn artifacts(
    visit: Visit,
    TaskPath(id): TaskPath,
    request: Request,
) -> Answer {
    let (parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let task = find(&visit, id).await?;
    let found = visit.server.engine.artifacts(&task).await;
    let found = found.map_err(|refusal| visit.refused(&refusal))?;
    let artifacts = found.into_iter().map(|file| Listed {
        url: url_of(id, &file.name),
        name: file.name,
        media_type: file.media_type,
        bytes: file.bytes,
        sha256: file.sha256,
    });
    let list = List {
        artifacts: artifacts.collect(),
    };
    let text = serde_json::to_vec(&list).map_err(|_| visit.problem(visit.error(Code::Bug)))?;
    Ok(json(&visit, StatusCode::OK, text))
}

/// One of them, or a part of it.
pub(in crate::http) async fn artifact(
    visit: Visit,
    TaskPath(id): TaskPath,
    request: Request,
) -> Answer {
    let (mut parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let name = name_in(&mut parts).await.ok_or_else(|| visit.not_found())?;
    let task = find(&visit, id).await?;
    let found = visit.server.engine.artifact(&task, &name).await;
    let found = found.map_err(|refusal| visit.refused(&refusal))?;
    let (file, bytes) = found.ok_or_else(|| no_such_file(&visit, id, &name))?;
    let tag = HeaderValue::from_str(&format!("\"{}\"", file.sha256));
    let tag = tag.map_err(|_| visit.problem(visit.error(Code::Bug)))?;
    let mut response = result::send(bytes, &tag, &parts.headers);
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_str(&file.media_type);
    let unknown = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, media_type.unwrap_or(unknown));
    let download = format!("attachment; filename*=UTF-8''{}", escaped(&file.name));
    if let Ok(download) = HeaderValue::from_str(&download) {
        headers.insert(header::CONTENT_DISPOSITION, download);
    }
    Ok(response)
}

/// Where a file is.
pub(in crate::http) fn url_of(id: TaskId, name: &str) -> String {
    format!("/v1/tasks/{id}/artifacts/{}", escaped(name))
}

async fn name_in(parts: &mut Parts) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, &()).await.ok()?;
    let (_, name) = params.iter().nth(1)?;
    Some(name.to_owned())
}

/// A name as one part of a path, and as a header has it: every byte that might mean something is
/// written by its number.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~') {
            out.push(byte.into());
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn no_such_file(visit: &Visit, id: TaskId, name: &str) -> Problem {
    let shown: String = name.chars().take(128).collect();
    let message = visit.lang.pick(
        format!("the task has left no file `{shown}`"),
        format!("la tarea no dejó ningún archivo `{shown}`"),
    );
    let error = visit.error(Code::NotFound).about(*id.as_bytes());
    visit.problem(error.message(message))
}
