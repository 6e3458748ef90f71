//! How connections end, and what is left of them.

use std::time::Duration;

use tokio::time::timeout;

use super::support::{Client, PATIENCE, Server};

#[tokio::test(flavor = "multi_thread")]
async fn leaving_waits_for_the_answers_that_are_owed() {
    let server = Server::start().await;
    for last in ["salir\n", "EXIT\n", "quit", ""] {
        let mut client = server.client().await;
        client.send(format!("sleep 60\nsumar 2 + 2\n{last}")).await;
        client.end().await;
        assert_eq!(client.rest().await, "60\n4\n", "{last:?}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_after_the_word_of_leaving_is_heard() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.send("square 2\nsalir\nsquare 3\n").await;
    assert_eq!(client.rest().await, "4\n");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_stream_ends_the_last_line() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.send("square 2\nsquare 3").await;
    client.end().await;
    assert_eq!(client.rest().await, "4\n9\n");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_lost_while_it_waits_leaves_nothing_behind() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let id = client
        .ask(r#"{"cmd":"submit","kind":"echo","delay_ms":600000}"#)
        .await["task_id"]
        .clone();
    client
        .send(format!("{{\"cmd\":\"wait\",\"task_id\":{id}}}\n"))
        .await;
    client.ask(r#"{"cmd":"ping"}"#).await;
    assert_eq!(server.engine.watched(), 1);
    client.reset();
    server
        .until("nothing is watched", |server| server.engine.watched() == 0)
        .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_line_and_then_silence_ends_the_connection() {
    let server = Server::with(|config| {
        config.limits.line_within = Duration::from_millis(150);
    })
    .await;
    let mut client = server.client().await;
    client.send("square 2\n").await;
    client.expect("4").await;
    client.send("square 3\nsqua").await;
    client.expect("9").await;
    assert!(client.rest().await.contains("[TAR-1004]"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_ends_a_connection_unless_something_is_owed() {
    let server = Server::with(|config| {
        config.limits.idle_after = Duration::from_millis(150);
    })
    .await;
    let mut silent = server.client().await;
    let mut idle = server.client().await;
    let mut waiting = server.client().await;
    idle.send("square 2\n").await;
    idle.expect("4").await;
    waiting.send("sleep 600\n").await;
    assert_eq!(silent.rest().await, "");
    assert!(idle.rest().await.contains("TAR-1004"));
    waiting.expect("600").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_gives_what_is_owed_and_takes_nothing_new() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let mut idle = server.client().await;
    idle.send("square 3\n").await;
    idle.expect("9").await;
    client.send("sleep 150\n").await;
    server
        .until("it is watched", |server| server.engine.watched() == 1)
        .await;
    let stopped = server.listener.finish(PATIENCE);
    let (stopped, rest, idle) = tokio::join!(stopped, client.rest(), idle.rest());
    assert_eq!((stopped, rest.as_str(), idle.as_str()), (true, "150\n", ""));
    let refused = tokio::net::TcpStream::connect(server.address()).await;
    assert!(refused.is_err());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_ever() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client
        .ask(r#"{"cmd":"submit","kind":"echo","delay_ms":600000}"#)
        .await;
    assert!(!server.listener.finish(Duration::from_millis(50)).await);
    let rest = timeout(PATIENCE, client.rest()).await.unwrap();
    assert_eq!(rest, "");
    server
        .until("nothing is watched", |server| server.engine.watched() == 0)
        .await;
    drop(server.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_limit_a_connection_is_told_and_closed() {
    let server = Server::with(|config| config.limits.connections_max = Some(2)).await;
    let mut clients = [server.client().await, server.client().await];
    for client in &mut clients {
        client.send("square 2\n").await;
        client.expect("4").await;
    }
    for (said, told) in [
        ("", r#"{"error":"#),
        ("square 2\n", "TAR-1003"),
        (
            "GET /v1/tasks HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "HTTP/1.1 503",
        ),
        (
            "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200",
        ),
        (
            "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200",
        ),
    ] {
        let mut beyond = Client::connect(server.address()).await;
        beyond.send(said).await;
        let rest = beyond.rest().await;
        assert!(rest.contains(told), "{said:?}: {rest:?}");
        assert_eq!(
            rest.contains("TAR-1003"),
            told != "HTTP/1.1 200",
            "{rest:?}"
        );
    }
    drop(clients);
    server
        .until("there is room again", |server| {
            server
                .state
                .connections
                .open
                .load(std::sync::atomic::Ordering::Relaxed)
                == 0
        })
        .await;
    let mut fourth = server.client().await;
    fourth.send("square 5\n").await;
    fourth.expect("25").await;
    server.stop().await;
}
