//! Bodies of requests, within their limit and at some speed.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tareas_protocol::{Code, Lang};

use super::problem::Problem;
use super::visit::Visit;

/// Reads a body. One that says it is too large is refused before anything is read, one that
/// turns out to be too large as soon as it does, and one that stands still is given up. One whose
/// sender has lost the right to send it meanwhile is refused, too.
pub(super) async fn read(visit: &Visit, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let read = read_all(visit, headers, body).await?;
    match visit.identity.principal.has_ended() {
        true => Err(visit.problem(visit.error(Code::Unauthenticated))),
        false => Ok(read),
    }
}

async fn read_all(visit: &Visit, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let limits = &visit.server.config.limits;
    let told = told_length(headers);
    if told.is_some_and(|told| told > limits.body_bytes_max as u64) {
        return Err(too_large(visit));
    }
    let mut chunks = body.into_data_stream();
    let mut read = BytesMut::new();
    loop {
        let next = tokio::time::timeout(limits.http_body_within, chunks.next()).await;
        let Ok(next) = next else {
            return Err(stalled(visit));
        };
        let Some(chunk) = next else {
            return Ok(read.freeze());
        };
        let chunk = chunk.map_err(|_| visit.problem(visit.error(Code::ConnectionLost)))?;
        if read.len() + chunk.len() > limits.body_bytes_max {
            return Err(too_large(visit));
        }
        read.extend_from_slice(&chunk);
    }
}

fn told_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn too_large(visit: &Visit) -> Problem {
    let max = visit.server.config.limits.body_bytes_max;
    let message = match visit.lang {
        Lang::En => format!("the body is larger than {max} bytes"),
        Lang::Es => format!("el cuerpo es mayor de {max} bytes"),
    };
    visit.problem(visit.error(Code::TooLarge).message(message))
}

fn stalled(visit: &Visit) -> Problem {
    let seconds = visit.server.config.limits.http_body_within.as_secs();
    let message = match visit.lang {
        Lang::En => format!("nothing of the body came for {seconds} s"),
        Lang::Es => format!("no llegó nada del cuerpo en {seconds} s"),
    };
    visit.problem(visit.error(Code::Idle).message(message))
}
