//! The first moments of a connection: find out whose it is and what it speaks.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::BytesMut;
use tareas_protocol::response::end_line;
use tareas_protocol::{Code, ErrorObject, Lang};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::handed::{no_header_here, take_over};
use super::prefixed::Prefixed;
use super::silent::Listening;
use super::sniff::{Sniffed, sniff};
use crate::ServerState;
use crate::state::Counted;
use crate::{http, lines};

/// Bytes read before it is known what a connection speaks.
const FIRST_BYTES: usize = 4 * 1024;

/// Serves one connection to its end.
pub(super) async fn greet(
    stream: TcpStream,
    peer: SocketAddr,
    state: &Arc<ServerState>,
    silent: Listening,
) {
    serve(stream, BytesMut::new(), peer, state, silent).await;
}

/// The same for one that a balancer hands over: it begins with a PROXY header.
pub(super) async fn greet_handed(
    mut stream: TcpStream,
    balancer: SocketAddr,
    state: &Arc<ServerState>,
    silent: Listening,
) {
    let stop = state.shutdown.clone();
    let taken = tokio::select! {
        taken = take_over(&mut stream, balancer, &state.config) => taken,
        () = stop.cancelled() => return,
    };
    match taken {
        Ok((peer, first)) => serve(stream, first, peer, state, silent).await,
        Err(reason) => {
            state.connections.unproxied.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(peer = %balancer, ?reason, "a connection was not handed over");
            if let Some(error) = reason.to_error(state.config.lang) {
                refuse(stream, &error).await;
            }
        }
    }
}

async fn serve(
    mut stream: TcpStream,
    first: BytesMut,
    peer: SocketAddr,
    state: &Arc<ServerState>,
    silent: Listening,
) {
    let stop = state.shutdown.clone();
    let Some(Some((speaks, first))) = stop
        .run_until_cancelled(listen_to(&mut stream, first, state, silent))
        .await
    else {
        return;
    };
    match speaks {
        Sniffed::Http => {
            let _counted = Counted::in_on(&state.connections.http);
            let stream = Prefixed::new(first.freeze(), stream);
            let shutdown = state.shutdown.clone();
            let serve = http::serve(stream, peer, Arc::clone(state), shutdown);
            state.close_now.run_until_cancelled(Box::pin(serve)).await;
        }
        Sniffed::Tls => refuse(stream, &no_tls_here(state.config.lang)).await,
        Sniffed::Proxy => {
            state.connections.unproxied.fetch_add(1, Ordering::Relaxed);
            refuse(stream, &no_header_here(state.config.lang)).await;
        }
        Sniffed::Lines | Sniffed::Undecided => {
            let _counted = Counted::in_on(&state.connections.lines);
            Box::pin(lines::serve(stream, first, peer, Arc::clone(state))).await;
        }
    }
}

/// Reads until it is known what the connection speaks; `None` when it ends or says nothing for
/// too long, or while too many others do.
async fn listen_to(
    stream: &mut TcpStream,
    mut first: BytesMut,
    state: &ServerState,
    silent: Listening,
) -> Option<(Sniffed, BytesMut)> {
    let limits = &state.config.limits;
    if first.is_empty() {
        first = tokio::select! {
            first = timeout(limits.idle_after, first_bytes(stream)) => first.ok()?.ok()?,
            () = silent.must_leave() => {
                state.connections.silenced.fetch_add(1, Ordering::Relaxed);
                return None;
            }
        };
    }
    drop(silent);
    loop {
        match sniff(&first) {
            Sniffed::Undecided if first.is_empty() => return None,
            Sniffed::Undecided => {}
            sniffed => return Some((sniffed, first)),
        }
        match timeout(limits.http_header_within, stream.read_buf(&mut first)).await {
            Ok(Err(_)) => return None,
            // What was undecided does not become HTTP any more.
            Ok(Ok(0)) | Err(_) => return Some((Sniffed::Lines, first)),
            Ok(Ok(_)) => {}
        }
    }
}

/// Waits for the first bytes, without a buffer for those who say nothing. Empty at the end of
/// the stream.
async fn first_bytes(stream: &TcpStream) -> io::Result<BytesMut> {
    loop {
        stream.readable().await?;
        match try_first_bytes(stream) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            first => return first,
        }
    }
}

fn try_first_bytes(stream: &TcpStream) -> io::Result<BytesMut> {
    let mut bytes = [0; FIRST_BYTES];
    let count = stream.try_read(&mut bytes)?;
    Ok(BytesMut::from(&bytes[..count]))
}

/// A client that speaks TLS cannot read this line, but whoever looks at the bytes can.
fn no_tls_here(lang: Lang) -> ErrorObject {
    ErrorObject::new(Code::Unsupported, lang)
        .message(lang.pick("TLS is not spoken on this port", "este puerto no habla TLS"))
        .hint(lang.pick("connect without TLS", "conéctese sin TLS"))
}

/// One line, and the end.
async fn refuse(mut stream: TcpStream, error: &ErrorObject) {
    let mut line = Vec::new();
    error.append_text(&mut line);
    end_line(&mut line);
    // The connection ends either way.
    let _ = stream.write_all(&line).await;
    let _ = stream.shutdown().await;
}
