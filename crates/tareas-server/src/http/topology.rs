//! `GET /v1/topology`: the system as it is now, as the map shows it.

use axum::extract::Request;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::live::numbers;
use super::operate::workers_of;
use super::problem::Answer;
use super::tasks::{instant, json as json_answer};
use super::visit::{Query, Visit};
use crate::backends::Backend;

/// The newest picture, taken at most once a second and shared by everybody who looks.
pub(super) async fn topology(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let server = &visit.server;
    let picture = server.http.pulse.picture(server).await;
    let mut shown = numbers(&picture);
    let backends = &server.config.backends;
    shown["at"] = instant(picture.at).into();
    shown["since"] = instant(picture.since).into();
    shown["version"] = server.config.version.as_str().into();
    let workers = workers_of(server, &picture.others);
    shown["workers"] = serde_json::to_value(workers).unwrap_or_default();
    shown["backends"] = json!({
        "queue": backend(&backends.queue),
        "records": backend(&backends.records),
        "blobs": backend(&backends.blobs),
    });
    Ok(json_answer(
        &visit,
        StatusCode::OK,
        shown.to_string().into_bytes(),
    ))
}

fn backend(backend: &Backend) -> Value {
    json!({ "product": backend.product, "place": backend.place, "shared": backend.is_shared })
}
