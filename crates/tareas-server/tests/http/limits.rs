//! What has begun must end, and nothing is larger than it may be.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tareas_server::{Limits, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{Ask, Reply, connect, read_reply};
use crate::world::{World, until};

fn impatient() -> World {
    let limits = Limits {
        http_header_within: Duration::from_millis(200),
        http_body_within: Duration::from_millis(200),
        stalled_after: Duration::from_millis(300),
        body_bytes_max: 100_000,
        ..Limits::default()
    };
    World::with(ServerConfig {
        limits,
        ..ServerConfig::default()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_does_not_end_is_given_up() {
    let world = impatient();
    let beginnings = [
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: ",
        "PRI * HTTP/2.0\r\n",
    ];
    for beginning in beginnings {
        let started = Instant::now();
        let mut stream = connect(&world);
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        let usual = Limits::default().http_header_within;
        assert!(started.elapsed() < usual, "{beginning:?}");
        assert!(!rest.starts_with(b"HTTP/1.1 200"), "{beginning:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_trickles_in_is_given_up() {
    let world = impatient();
    let mut stream = connect(&world);
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        .await
        .unwrap();
    let started = Instant::now();
    while stream.write_all(b"X-Slow: 1\r\n").await.is_ok() {
        assert!(
            started.elapsed() < Duration::from_secs(3),
            "it is still open"
        );
        let pause = std::future::pending::<()>();
        let _ = tokio::time::timeout(Duration::from_millis(50), pause).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_has_its_size() {
    let world = World::new();
    let long = format!("X-Long: {}", "x".repeat(40_000));
    let reply = Ask::get("/livez").header(&long).send(&world).await;
    assert_eq!(reply.status, 431);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_says_it_is_too_large_is_not_read() {
    let world = impatient();
    let mut stream = connect(&world);
    let head = "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
        Content-Type: application/json\r\nContent-Length: 9000000\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    read_reply(&mut stream).await.problem(413, "TAR-1205");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_turns_out_to_be_too_large_is_cut() {
    let world = impatient();
    let mut stream = connect(&world);
    let head = "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
        Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("2710\r\n{}\r\n", "x".repeat(10_000));
    let mut sent = 0;
    while sent < 1_000_000 && stream.write_all(chunk.as_bytes()).await.is_ok() {
        sent += 10_000;
        if sent > 200_000 {
            break;
        }
    }
    read_reply(&mut stream).await.problem(413, "TAR-1205");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stands_still_is_given_up() {
    let world = impatient();
    let mut stream = connect(&world);
    let head = "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
        Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let started = Instant::now();
    let reply = read_reply(&mut stream).await;
    assert!(started.elapsed() < Limits::default().http_body_within);
    assert_eq!(reply.json()["code"], "TAR-1004");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_takes_nothing_is_given_up() {
    let world = impatient();
    let body = r#"{"kind":"text","payload":{"bytes":60000}}"#;
    let ask = Ask::post("/v1/tasks", body).header("Prefer: wait=10");
    let id = ask.send(&world).await.task_id();
    let mut stream = connect(&world);
    let ask = format!("GET /v1/tasks/{id}/result HTTP/1.1\r\nHost: localhost\r\n\r\n");
    // Many answers on one connection fill what is between the two ends.
    let started = Instant::now();
    while stream.write_all(ask.as_bytes()).await.is_ok() {
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "it is still open"
        );
        let pause = std::future::pending::<()>();
        let _ = tokio::time::timeout(Duration::from_millis(5), pause).await;
    }
    until(|| world.state.connections.stalled.load(Ordering::Relaxed) == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_serves_many_requests_until_the_server_stops() {
    let world = World::new();
    let mut stream = connect(&world);
    for _ in 0..3 {
        stream
            .write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .unwrap();
        let mut bytes = vec![0; 4_096];
        let read = stream.read(&mut bytes).await.unwrap();
        let reply = Reply::parse(&bytes[..read]);
        assert_eq!((reply.status, reply.text()), (200, "ok\n"));
    }
    world.stop.cancel();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
}
