//! A connection that a balancer hands over: the header first, then as any other.
//!
//! Only a listener that is declared so takes a header, and there every connection must begin
//! with one that comes from a trusted address. Whoever it names is the client from then on, in
//! limits, records and logs.

use std::net::SocketAddr;

use bytes::{Buf, BytesMut};
use tareas_protocol::proxy::{self, HEADER_BYTES_MAX, NotProxy};
use tareas_protocol::{Code, ErrorObject, Lang};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::ServerConfig;

/// Why a connection was not taken from a balancer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotHanded {
    /// It does not come from a trusted address.
    Stranger,
    /// It does not begin with a header.
    Not(NotProxy),
    /// It ended, broke, or took too long.
    Gone,
}

/// Reads the header; who the client is, and what it has sent already.
pub(super) async fn take_over(
    stream: &mut TcpStream,
    balancer: SocketAddr,
    config: &ServerConfig,
) -> Result<(SocketAddr, BytesMut), NotHanded> {
    if !config.trusted_proxies.contains(balancer.ip()) {
        return Err(NotHanded::Stranger);
    }
    let until = Instant::now() + config.limits.proxy_header_within;
    let mut first = BytesMut::with_capacity(HEADER_BYTES_MAX);
    loop {
        match timeout_at(until, stream.read_buf(&mut first)).await {
            Ok(Ok(count)) if count > 0 => {}
            _ => return Err(NotHanded::Gone),
        }
        if let Some(header) = proxy::read(&first).map_err(NotHanded::Not)? {
            first.advance(header.bytes);
            return Ok((header.source.unwrap_or(balancer), first));
        }
    }
}

impl NotHanded {
    /// What whoever connects is told; `None` when nobody listens.
    pub(super) fn to_error(&self, lang: Lang) -> Option<ErrorObject> {
        let error = ErrorObject::new(Code::Unsupported, lang);
        let (message, hint) = match self {
            Self::Gone => return None,
            Self::Stranger => (
                lang.pick(
                    "this address takes connections from trusted balancers only",
                    "esta dirección solo acepta conexiones de balanceadores de confianza",
                ),
                lang.pick(
                    "connect through the balancer, or add this one to trusted_proxies",
                    "conéctese por el balanceador, o añada este a trusted_proxies",
                ),
            ),
            Self::Not(_) => (
                lang.pick(
                    "a connection must begin with a PROXY header here",
                    "aquí una conexión debe comenzar con una cabecera PROXY",
                ),
                lang.pick(
                    "have the balancer send one (send-proxy-v2), or listen without `,proxy`",
                    "haga que el balanceador la envíe (send-proxy-v2), o escuche sin `,proxy`",
                ),
            ),
        };
        Some(error.message(message).hint(hint))
    }
}

/// What a balancer is told by a listener that takes no header.
pub(super) fn no_header_here(lang: Lang) -> ErrorObject {
    ErrorObject::new(Code::Unsupported, lang)
        .message(lang.pick(
            "this address takes no PROXY header",
            "esta dirección no acepta una cabecera PROXY",
        ))
        .hint(lang.pick(
            "declare it (--bind HOST:PORT,proxy), or have the balancer send none",
            "declárela (--bind HOST:PUERTO,proxy), o haga que el balanceador no la envíe",
        ))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    /// What comes of a connection on which a balancer says this.
    async fn handed(said: &[u8]) -> Result<(SocketAddr, BytesMut), NotHanded> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut balancer = TcpStream::connect(address).await.unwrap();
        balancer.write_all(said).await.unwrap();
        balancer.shutdown().await.unwrap();
        let (mut stream, peer) = listener.accept().await.unwrap();
        assert_eq!(peer, balancer.local_addr().unwrap());
        let taken = take_over(&mut stream, peer, &ServerConfig::default()).await;
        taken.map(|(client, first)| (if client == peer { address } else { client }, first))
    }

    #[tokio::test]
    async fn the_client_is_whom_the_header_names() {
        let said = b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 5000\r\nsumar";
        let (client, first) = handed(said).await.unwrap();
        assert_eq!(client, "[2001:db8::7]:4711".parse().unwrap());
        assert_eq!(first, "sumar");
    }

    #[tokio::test]
    async fn a_balancer_that_names_nobody_is_the_client_itself() {
        let (client, first) = handed(b"PROXY UNKNOWN\r\n").await.unwrap();
        assert!(client.ip().is_loopback());
        assert!(first.is_empty());
    }

    #[tokio::test]
    async fn half_a_header_is_none() {
        assert_eq!(handed(b"PROXY TCP4 1").await, Err(NotHanded::Gone));
        assert_eq!(handed(b"").await, Err(NotHanded::Gone));
        let missing = NotHanded::Not(NotProxy::Missing);
        assert_eq!(handed(b"sumar 2 + 2\n").await, Err(missing));
    }
}
