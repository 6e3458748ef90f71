//! The first moments of a connection: find out whose it is and what it speaks.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::BytesMut;
use tareas_protocol::response::end_line;
use tareas_protocol::{Code, ErrorObject, Lang};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::handed::{no_header_here, take_over};
use super::prefixed::Prefixed;
use super::silent::Listening;
use super::sniff::{Sniffed, is_probe, sniff};
use super::tls::Tls;
use crate::ServerState;
use crate::state::Counted;
use crate::{http, lines};

/// Bytes read before it is known what a connection speaks.
const FIRST_BYTES: usize = 4 * 1024;
/// How soon a connection beyond the limit has to say that it is a probe.
const PROBE_WITHIN: Duration = Duration::from_secs(1);
/// What a browser is told that does not encrypt where it must.
const NOT_ENCRYPTED: &[u8] = b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: TLS/1.3\r\n\
    Connection: Upgrade, close\r\nContent-Type: text/plain\r\nContent-Length: 21\r\n\r\n\
    use https:// instead\n";

/// Who is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Welcome {
    Anybody,
    /// There is no room: whoever asks whether the server is alive or ready, in the first bytes.
    Probes,
}

/// Serves one connection to its end.
pub(super) async fn greet(
    stream: TcpStream,
    peer: SocketAddr,
    state: &Arc<ServerState>,
    silent: Listening,
    welcome: Welcome,
) {
    // Whoever sends a token in the clear has given it away.
    let must_encrypt = state.config.must_encrypt(peer.ip());
    let arrival = Arrival {
        peer,
        must_encrypt,
        is_encrypted: false,
        welcome,
    };
    serve(stream, BytesMut::new(), arrival, state, silent).await;
}

/// The same for one that a balancer hands over: it begins with a PROXY header.
pub(super) async fn greet_handed(
    mut stream: TcpStream,
    balancer: SocketAddr,
    state: &Arc<ServerState>,
    silent: Listening,
    welcome: Welcome,
) {
    let stop = state.shutdown.clone();
    let taken = tokio::select! {
        taken = take_over(&mut stream, balancer, &state.config) => taken,
        () = stop.cancelled() => return,
    };
    match taken {
        Ok((peer, first)) => {
            let arrival = Arrival {
                peer,
                must_encrypt: false,
                is_encrypted: false,
                welcome,
            };
            serve(stream, first, arrival, state, silent).await;
        }
        Err(reason) => {
            state.connections.unproxied.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(peer = %balancer, ?reason, "a connection was not handed over");
            if let Some(error) = reason.to_error(state.config.lang) {
                refuse(stream, &error).await;
            }
        }
    }
}

/// Who has come, and how.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    peer: SocketAddr,
    must_encrypt: bool,
    is_encrypted: bool,
    welcome: Welcome,
}

impl Arrival {
    /// How long it may say nothing.
    fn patience(&self, state: &ServerState) -> Duration {
        match self.welcome {
            Welcome::Anybody => state.config.patience(),
            Welcome::Probes => PROBE_WITHIN,
        }
    }
}

async fn serve(
    mut stream: TcpStream,
    first: BytesMut,
    arrival: Arrival,
    state: &Arc<ServerState>,
    silent: Listening,
) {
    let stop = state.shutdown.clone();
    let listening = listen_to(&mut stream, first, &arrival, state, silent);
    let Some(heard) = stop.run_until_cancelled(listening).await else {
        return;
    };
    let Some((speaks, first)) = heard else {
        if arrival.welcome == Welcome::Probes {
            end_with(stream, &no_room(Sniffed::Undecided, state)).await;
        }
        return;
    };
    match (speaks, &state.config.tls) {
        (Sniffed::Tls, Some(tls)) => {
            let stream = Prefixed::new(first.freeze(), stream);
            Box::pin(serve_encrypted(stream, tls, arrival, state)).await;
        }
        (Sniffed::Tls, None) => refuse(stream, &no_tls_here(state.config.lang)).await,
        (Sniffed::Http, _) if arrival.must_encrypt => {
            end_with(stream, NOT_ENCRYPTED).await;
        }
        (Sniffed::Lines | Sniffed::Undecided, _) if arrival.must_encrypt => {
            refuse(stream, &tls_needed(state.config.lang)).await;
        }
        (speaks, _) => hand_on(speaks, stream, first, arrival, state).await,
    }
}

/// Serves what is spoken inside of TLS.
async fn serve_encrypted(
    stream: Prefixed<TcpStream>,
    tls: &Tls,
    arrival: Arrival,
    state: &Arc<ServerState>,
) {
    let stop = state.shutdown.clone();
    let listen = async {
        let mut stream = tls.accept(stream, state.config.limits.tls_within).await?;
        let mut first = BytesMut::with_capacity(FIRST_BYTES);
        let begun = timeout(arrival.patience(state), stream.read_buf(&mut first)).await;
        begun.ok()?.ok()?;
        let (speaks, first) = decide(&mut stream, first, state).await?;
        Some((speaks, first, stream))
    };
    let Some(Some((speaks, first, stream))) = stop.run_until_cancelled(listen).await else {
        return;
    };
    let arrival = Arrival {
        is_encrypted: true,
        ..arrival
    };
    // Nobody speaks TLS inside of TLS.
    let speaks = match speaks {
        Sniffed::Tls => Sniffed::Lines,
        other => other,
    };
    hand_on(speaks, stream, first, arrival, state).await;
}

async fn hand_on<S>(
    speaks: Sniffed,
    stream: S,
    first: BytesMut,
    arrival: Arrival,
    state: &Arc<ServerState>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Arrival {
        peer, is_encrypted, ..
    } = arrival;
    if arrival.welcome == Welcome::Probes && !is_probe(&first) {
        return end_with(stream, &no_room(speaks, state)).await;
    }
    match speaks {
        Sniffed::Http => {
            let _counted = Counted::in_on(&state.connections.http);
            let stream = Prefixed::new(first.freeze(), stream);
            let shutdown = state.shutdown.clone();
            let serve = http::serve(stream, peer, is_encrypted, Arc::clone(state), shutdown);
            state.close_now.run_until_cancelled(Box::pin(serve)).await;
        }
        Sniffed::Proxy => {
            state.connections.unproxied.fetch_add(1, Ordering::Relaxed);
            refuse(stream, &no_header_here(state.config.lang)).await;
        }
        Sniffed::Tls | Sniffed::Lines | Sniffed::Undecided => {
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
    arrival: &Arrival,
    state: &ServerState,
    silent: Listening,
) -> Option<(Sniffed, BytesMut)> {
    if first.is_empty() {
        let patience = arrival.patience(state);
        first = tokio::select! {
            first = timeout(patience, first_bytes(stream)) => first.ok()?.ok()?,
            () = silent.must_leave() => {
                state.connections.silenced.fetch_add(1, Ordering::Relaxed);
                return None;
            }
        };
    }
    drop(silent);
    decide(stream, first, state).await
}

/// Reads on until it is known what it is.
async fn decide<S: AsyncRead + Unpin>(
    stream: &mut S,
    mut first: BytesMut,
    state: &ServerState,
) -> Option<(Sniffed, BytesMut)> {
    loop {
        match sniff(&first) {
            Sniffed::Undecided if first.is_empty() => return None,
            Sniffed::Undecided => {}
            sniffed => return Some((sniffed, first)),
        }
        let within = state.config.limits.http_header_within;
        match timeout(within, stream.read_buf(&mut first)).await {
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

fn tls_needed(lang: Lang) -> ErrorObject {
    ErrorObject::new(Code::Unsupported, lang)
        .message(lang.pick(
            "only encrypted connections are taken here",
            "aquí solo se aceptan conexiones cifradas",
        ))
        .hint(lang.pick(
            "connect with TLS: tls://HOST:PORT",
            "conéctese con TLS: tls://HOST:PUERTO",
        ))
}

/// Counts a connection that there is no room for, and gives what it is told: as HTTP when it is known to speak that.
pub(super) fn no_room(speaks: Sniffed, state: &ServerState) -> Vec<u8> {
    state
        .connections
        .turned_away
        .fetch_add(1, Ordering::Relaxed);
    let lang = state.config.lang;
    let error = ErrorObject::new(Code::TooManyConnections, lang);
    if speaks == Sniffed::Http {
        return http::last_words(error, lang);
    }
    let mut line = Vec::new();
    error.append_answer(&mut line);
    end_line(&mut line);
    line
}

/// One line, and the end.
async fn refuse<S: AsyncWrite + Unpin>(stream: S, error: &ErrorObject) {
    let mut line = Vec::new();
    error.append_text(&mut line);
    end_line(&mut line);
    end_with(stream, &line).await;
}

async fn end_with<S: AsyncWrite + Unpin>(mut stream: S, words: &[u8]) {
    // The connection ends either way.
    let _ = stream.write_all(words).await;
    let _ = stream.shutdown().await;
}
