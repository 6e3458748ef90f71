//! `GET /v1/socket`: the lines of any other connection, over a WebSocket.
//!
//! A text message carries one line or more. The answers come as text messages in the same way,
//! each of whole lines. Everything else is what [`crate::lines`] does for a connection: this
//! folder only turns messages into bytes and back ([`stream`]).
//!
//! A WebSocket is the one thing that a page of another site may open without being asked first.
//! So the guard treats this path like a request that changes something.

mod heard;
mod heart;
mod parting;
mod stream;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequestParts, Request};
use axum::http::header::{self, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use bytes::BytesMut;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tareas_protocol::Code;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_util::sync::CancellationToken;

use self::heard::Heard;
use self::stream::{MESSAGE_BYTES_MAX, MessageStream};
use super::problem::{Answer, Problem};
use super::visit::Visit;
use crate::state::Counted;
use crate::{ServerState, lines};

/// Where it is.
pub(super) const PATH: &str = "/v1/socket";

/// The one version of the protocol there is (RFC 6455).
const VERSION: &str = "13";
/// Bytes that each socket reads into; more is asked for when a message is longer.
const READ_BUFFER_BYTES: usize = 8 * 1024;
/// Messages of more bytes than this are written as they come.
const WRITE_BUFFER_BYTES: usize = 32 * 1024;

/// The upgrade of one connection, from the request that asks for it to the end of HTTP on it.
#[derive(Clone, Debug, Default)]
pub(super) struct Upgrade(Arc<Mutex<Option<OnUpgrade>>>);

impl Upgrade {
    fn keep(&self, promised: OnUpgrade) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(promised);
    }

    /// What the connection becomes, if a request asked for it.
    pub(super) fn take(&self) -> Option<OnUpgrade> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let visit = Visit::from_request_parts(parts, state).await?;
        let upgrade = parts.extensions.get::<Self>().cloned();
        upgrade.ok_or_else(|| visit.problem(visit.error(Code::Bug)))
    }
}

/// Agrees to speak lines from here on. [`serve`] does, once HTTP has ended on the connection.
pub(super) async fn open(visit: Visit, upgrade: Upgrade, mut request: Request) -> Answer {
    let Some(key) = key_of(&request) else {
        return Ok(upgrade_required(&visit));
    };
    let accept = derive_accept_key(key.as_bytes());
    let accept = HeaderValue::from_str(&accept);
    let accept = accept.map_err(|_| visit.problem(visit.error(Code::Bug)))?;
    upgrade.keep(hyper::upgrade::on(&mut request));
    let headers = [
        (header::CONNECTION, HeaderValue::from_static("upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_ACCEPT, accept),
    ];
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
}

/// The key of a request for a WebSocket; `None` when it is something else.
fn key_of(request: &Request) -> Option<HeaderValue> {
    let headers = request.headers();
    let is_handshake = request.version() == Version::HTTP_11
        && request.extensions().get::<OnUpgrade>().is_some()
        && names(headers, &header::CONNECTION, "upgrade")
        && names(headers, &header::UPGRADE, "websocket")
        && names(headers, &header::SEC_WEBSOCKET_VERSION, VERSION);
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    // Sixteen bytes in base64.
    (is_handshake && key.len() == 24).then(|| key.clone())
}

/// Whether a header lists a word, in any case.
fn names(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|named| named.trim().eq_ignore_ascii_case(word))
}

fn upgrade_required(visit: &Visit) -> Response {
    let mut response = visit
        .problem(visit.error(Code::UpgradeRequired))
        .into_response();
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    let version = HeaderValue::from_static(VERSION);
    headers.insert(header::SEC_WEBSOCKET_VERSION, version);
    response
}

/// Speaks lines on a connection that has become a WebSocket, until it ends.
pub(super) async fn serve(
    upgraded: OnUpgrade,
    peer: SocketAddr,
    state: Arc<ServerState>,
    stop: CancellationToken,
) {
    let Ok(upgraded) = upgraded.await else {
        return;
    };
    let _counted = Counted::in_on(&state.connections.lines);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let stream = Heard::new(TokioIo::new(upgraded));
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    let stream = MessageStream::new(socket, &state.config.limits, stop);
    Box::pin(lines::serve(
        stream,
        BytesMut::new(),
        peer,
        Arc::clone(&state),
    ))
    .await;
}
