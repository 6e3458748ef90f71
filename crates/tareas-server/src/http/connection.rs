//! One HTTP connection, from its first byte to its last.
//!
//! What has begun must end: the first request within the header limit, and each later header
//! within the same. A connection that asks nothing for the idle limit is closed. When the server
//! stops, requests that are under way are answered, then the connection ends. One that a request has made a
//! WebSocket goes on as that, as part of the same work.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::access::Identity;
use super::look::Theme;
use super::patience::Patience;
use super::visit::Visit;
use super::{language, router, socket};
use crate::ServerState;
use crate::limits::Limits;

/// Longest header of a request.
const HEADER_BYTES_MAX: usize = 32 * 1024;

/// The routes are the same for every server: what differs is in the [`Visit`].
static ROUTES: LazyLock<Router> = LazyLock::new(router::routes);

/// Serves one connection over HTTP/1.1 or HTTP/2 until it ends.
///
/// `stream` gives the bytes from the first one on; `is_encrypted` says whether they come through
/// TLS. `shutdown` ends the connection after the
/// requests that are under way.
pub async fn serve<S>(
    stream: S,
    peer: SocketAddr,
    is_encrypted: bool,
    state: Arc<ServerState>,
    shutdown: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let traffic = Arc::new(Traffic::default());
    let server = Arc::clone(&state);
    let limits = &server.config.limits;
    let upgrade = socket::Upgrade::default();
    let caller = Caller {
        state,
        peer,
        is_encrypted,
        stop: shutdown.clone(),
        traffic: Arc::clone(&traffic),
        upgrade: upgrade.clone(),
    };
    let service = service_fn(move |request| caller.clone().answer(request));
    let builder = builder(limits);
    let stream = TokioIo::new(Patience::new(stream, limits.stalled_after));
    let mut connection = pin!(builder.serve_connection_with_upgrades(stream, service));
    let ended = tokio::select! {
        ended = &mut connection => Some(ended),
        () = shutdown.cancelled() => None,
        is_rude = traffic.silence(limits) => {
            if is_rude {
                return;
            }
            None
        }
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        if is_stalled(&*error) {
            server.connections.stalled.fetch_add(1, Ordering::Relaxed);
        }
        tracing::debug!(%peer, %error, "an HTTP connection broke off");
        return;
    }
    if let Some(upgraded) = upgrade.take() {
        socket::serve(upgraded, peer, server, shutdown).await;
    }
}

/// Whether a connection ended because nothing of an answer was taken ([`Patience`]).
fn is_stalled(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if kind == Some(io::ErrorKind::TimedOut) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.http_header_within)
        .max_buf_size(HEADER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEADER_BYTES_MAX as u32)
        .keep_alive_interval(limits.stalled_after)
        .keep_alive_timeout(limits.stalled_after);
    builder
}

/// Who is at the other end.
#[derive(Clone)]
struct Caller {
    state: Arc<ServerState>,
    peer: SocketAddr,
    is_encrypted: bool,
    stop: CancellationToken,
    traffic: Arc<Traffic>,
    upgrade: socket::Upgrade,
}

impl Caller {
    async fn answer(self, mut request: Request<Incoming>) -> Result<Response, Infallible> {
        let _open = self.traffic.begin();
        let config = &self.state.config;
        let lang = language::of(request.uri(), request.headers(), config.lang);
        let is_encrypted = self.is_encrypted || config.is_behind_tls();
        let address = self.peer.ip();
        let identity = Identity::of_request(&self.state, &request, address, is_encrypted, lang);
        let identity = identity.await;
        let visit = Visit {
            server: self.state,
            peer: self.peer,
            stop: self.stop,
            lang,
            theme: Theme::of(request.headers()),
            trace: crate::trace::of_headers(request.headers()),
            uri: request.uri().clone(),
            is_encrypted,
            identity,
        };
        request.extensions_mut().insert(visit);
        request.extensions_mut().insert(self.upgrade);
        ROUTES.clone().oneshot(request).await
    }
}

/// What a connection has asked so far.
#[derive(Default)]
struct Traffic {
    asked: AtomicU64,
    open: AtomicUsize,
}

impl Traffic {
    fn begin(&self) -> crate::state::Counted<'_> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        crate::state::Counted::in_on(&self.open)
    }

    /// Returns once the connection has been silent for too long; `true` when it has never asked
    /// for anything, so that nobody waits for an orderly end.
    async fn silence(&self, limits: &Limits) -> bool {
        pause(limits.http_header_within).await;
        let mut before = self.asked.load(Ordering::Relaxed);
        if before == 0 {
            return true;
        }
        loop {
            pause(limits.idle_after).await;
            let asked = self.asked.load(Ordering::Relaxed);
            if asked == before && self.open.load(Ordering::Relaxed) == 0 {
                return false;
            }
            before = asked;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "limits of sockets go by the runtime's clock"
)]
async fn pause(duration: std::time::Duration) {
    tokio::time::sleep(duration).await;
}
