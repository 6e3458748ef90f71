//! Listeners for balancers: the header is required there, believed from trusted addresses only,
//! and refused elsewhere.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tareas_server::listener::TrustedProxies;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{PATIENCE, Server};

const V1: &[u8] = b"PROXY TCP4 192.0.2.77 192.0.2.2 4711 443\r\n";
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x4d\xc0\0\x02\x02\x12\x67\x01\xbb";
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

/// A server with a plain listener and one for balancers; the address of the latter.
async fn start(trusted: &str) -> (Server, SocketAddr) {
    let server = Server::with(|config| {
        config.proxied = vec![([127, 0, 0, 1], 0).into()];
        config.trusted_proxies = TrustedProxies::parse([trusted]).unwrap();
        config.limits.proxy_header_within = Duration::from_millis(300);
    })
    .await;
    let address = server.listener.addresses()[1];
    (server, address)
}

/// Sends all of it in pieces, then reads to the end.
#[expect(clippy::disallowed_methods, reason = "packets are told apart by time")]
async fn ask(address: SocketAddr, pieces: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for piece in pieces {
        // A server that refuses may be gone before the last piece.
        let _ = stream.write_all(piece).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // The end may be a reset, after the answer.
    let _ = read.expect("the connection ends");
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn lines_and_http_follow_a_header_of_either_version() {
    let (server, address) = start("loopback").await;
    for header in [V1, V2, LOCAL] {
        let together = [header, b"sumar 2 + 2\nexit\n"].concat();
        assert_eq!(ask(address, &[&together]).await, "4\n");
        let (start, rest) = header.split_at(11);
        assert_eq!(
            ask(address, &[start, rest, b"square 5\nexit\n"]).await,
            "25\n"
        );
        let get = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let answer = ask(address, &[&[header, get].concat()]).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn without_a_header_nothing_is_answered_but_why() {
    let (server, address) = start("loopback").await;
    for bytes in [
        &b"sumar 2 + 2\n"[..],
        b"GET / HTTP/1.1\r\n\r\n",
        b"PROXY TCP4 nonsense\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
    ] {
        let answer = ask(address, &[bytes]).await;
        assert!(
            answer.contains("must begin with a PROXY header"),
            "{answer}"
        );
        assert_eq!(answer.lines().count(), 1);
    }
    assert_eq!(
        server.state.connections.unproxied.load(Ordering::Relaxed),
        4
    );
    server.stop().await;
}

#[tokio::test]
async fn a_header_that_does_not_end_is_not_waited_for() {
    let (server, address) = start("loopback").await;
    for start in [&b""[..], b"PROXY TCP4 ", &V2[..20]] {
        assert_eq!(ask(address, &[start]).await, "");
    }
    server.stop().await;
}

#[tokio::test]
async fn only_a_trusted_address_may_hand_over() {
    let (server, address) = start("192.0.2.0/24").await;
    let answer = ask(address, &[V2, b"sumar 2 + 2\n"]).await;
    assert!(answer.contains("trusted balancers only"), "{answer}");
    server.stop().await;
}

#[tokio::test]
async fn other_listeners_take_no_header() {
    let (server, address) = start("loopback").await;
    for header in [V1, V2] {
        let answer = ask(server.address(), &[header, b"sumar 2 + 2\nexit\n"]).await;
        assert!(answer.contains("takes no PROXY header"), "{answer}");
        // Nor does one for balancers take a second one.
        let answer = ask(address, &[&[V1, header].concat()]).await;
        assert!(answer.contains("takes no PROXY header"), "{answer}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_server_that_leaves_says_so_and_still_takes_everything() {
    let (server, address) = start("loopback").await;
    server.listener.announce_leaving();
    let get = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = ask(address, &[LOCAL, get]).await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.ends_with("draining\n"), "{answer}");
    assert_eq!(ask(address, &[V2, b"sumar 2 + 2\nexit\n"]).await, "4\n");
    server.stop().await;
}
