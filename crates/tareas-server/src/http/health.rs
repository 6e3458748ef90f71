//! Whether the server is alive and ready, and its metrics.
//!
//! The two probes say ok, draining or down and nothing else, so that they need no token.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::visit::Visit;
use crate::{ServerState, metrics as metrics_text};

/// Whether this process answers at all. It asks nothing of anything else.
pub(super) async fn livez() -> Response {
    plain(StatusCode::OK, "ok\n".to_owned())
}

/// Whether new tasks are welcome: 503 while draining or when the store has stopped.
pub(super) async fn readyz(visit: Visit, request: Request) -> Response {
    let server = &visit.server;
    let is_staying = !server.engine.is_draining() && !server.is_leaving();
    let checks = [("store", store_is_up(server)), ("accepting", is_staying)];
    let (status, word) = match checks {
        [(_, false), _] => (StatusCode::SERVICE_UNAVAILABLE, "down\n"),
        [_, (_, false)] => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        _ => (StatusCode::OK, "ok\n"),
    };
    let mut text = String::new();
    if is_verbose(request.uri().query()) {
        for (name, is_fine) in checks {
            let (mark, state) = if is_fine {
                ('+', "ok")
            } else {
                ('-', "failed")
            };
            text.push_str(&format!("[{mark}] {name} {state}\n"));
        }
    }
    text.push_str(word);
    plain(status, text)
}

/// Whether the store still promises that what is decided will be durable.
pub(crate) fn store_is_up(server: &ServerState) -> bool {
    let engine = &server.engine;
    !matches!(
        engine.durable_after(engine.durable()).now_or_never(),
        Some(Err(_))
    )
}

/// The metrics, for Prometheus.
pub(super) async fn metrics(visit: Visit) -> Response {
    let mut response = metrics_text::exposition(&visit.server).into_response();
    let kind = HeaderValue::from_static(metrics_text::CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn is_verbose(query: Option<&str>) -> bool {
    let query = query.unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "verbose")
}

fn plain(status: StatusCode, text: String) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
        text,
    )
        .into_response()
}
