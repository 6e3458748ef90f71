//! One request and its answer on one connection, which is closed after it.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tareas_engine::ports::{Answered, EgressFault, WebhookLetter};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::target::Target;

/// Bytes of an answer that are read; the rest is left unread.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an answer that are kept, before they are made text.
const START_BYTES: usize = 1_024;
/// Longest header of an answer.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Most headers of an answer.
const HEADERS_MAX: usize = 64;

/// The request of a letter.
pub(super) fn request(
    target: &Target,
    letter: WebhookLetter,
    user_agent: &str,
) -> Result<Request<String>, EgressFault> {
    let mut request = Request::post(&target.path)
        .header(HOST, &target.authority)
        .header(USER_AGENT, user_agent)
        .header(CONTENT_TYPE, "application/json")
        .header(CONNECTION, "close");
    for (name, value) in &letter.headers {
        request = request.header(*name, value);
    }
    request.body(letter.body).map_err(broken)
}

/// What all encrypted connections share: the authorities that this machine trusts.
pub(super) async fn tls_config() -> Result<Arc<ClientConfig>, EgressFault> {
    let loaded = tokio::task::spawn_blocking(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    });
    let roots = loaded.await.map_err(broken)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(broken)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Speaks TLS with whoever the URL names.
pub(super) async fn encrypt(
    stream: TcpStream,
    target: &Target,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, EgressFault> {
    let name = ServerName::try_from(target.host.clone()).map_err(broken)?;
    let connected = TlsConnector::from(config).connect(name, stream).await;
    connected.map_err(broken)
}

/// Sends the request; what came back.
pub(super) async fn run<S>(stream: S, request: Request<String>) -> Result<Answered, EgressFault>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut builder = http1::Builder::new();
    builder
        .max_buf_size(HEADER_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    let (mut sender, connection) = builder
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        Ok(answered(response).await)
    };
    let mut exchange = pin!(exchange);
    tokio::select! {
        biased;
        answered = &mut exchange => answered,
        // What has arrived may still be unread.
        _ = connection => exchange.await,
    }
}

/// What an answer says. Of a body that breaks off, what was there.
async fn answered(response: Response<Incoming>) -> Answered {
    let (head, mut body) = response.into_parts();
    let retry_after = head.headers.get(RETRY_AFTER);
    let seconds = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let (mut start, mut read) = (Vec::new(), 0);
    while read < ANSWER_BYTES_MAX {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        let Some(Ok(frame)) = frame else {
            break;
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        read += data.len();
        let room = START_BYTES.saturating_sub(start.len()).min(data.len());
        start.extend_from_slice(&data[..room]);
    }
    Answered {
        status: head.status.as_u16(),
        retry_after: seconds.map(Duration::from_secs),
        start: plain(&start),
    }
}

/// Bytes of others as text of one line.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    shown.collect::<String>().trim().to_owned()
}

fn broken(error: impl std::fmt::Display) -> EgressFault {
    EgressFault::Broken(error.to_string())
}
