//! Clients that do not behave: the others must not notice.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::support::{Client, Server};

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_never_reads_is_closed_and_holds_up_nobody() {
    let server = Server::with(|config| {
        config.limits.stalled_after = Duration::from_millis(400);
        config.limits.outbox_bytes_max = 64 * 1024;
    })
    .await;
    let mut deaf = server.client().await;
    // 40 MB of answers: more than the sockets and the outbox hold together.
    let lines = "text 20000\n".repeat(2_000);
    deaf.send(lines).await;
    let mut other = server.client().await;
    for n in 0..50_u64 {
        other.send(format!("square {n}\n")).await;
        other.expect(&(n * n).to_string()).await;
    }
    server
        .until("the deaf one is closed", |server| {
            server.state.connections.stalled.load(Ordering::Relaxed) == 1
        })
        .await;
    server
        .until("it watches nothing", |server| server.engine.watched() == 0)
        .await;
    drop(deaf);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_slow_gets_everything() {
    let server = Server::with(|config| config.limits.outbox_bytes_max = 64 * 1024).await;
    for line in [
        "text 20000\n",
        "{\"op\":\"text\",\"bytes\":20000,\"ref\":1}\n",
    ] {
        let mut slow = server.client().await;
        slow.send(line.repeat(1_000)).await;
        tokio::time::timeout(Duration::from_millis(300), std::future::pending::<()>())
            .await
            .unwrap_err();
        let mut ends = 0;
        while ends < 1_000 {
            let said = slow.line().await.unwrap();
            ends += usize::from(said.len() >= 20_000);
        }
        slow.send("salir\n").await;
        assert_eq!(slow.rest().await, "");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_stops_at_the_limit_of_open_lines_and_goes_on() {
    let server = Server::with(|config| config.limits.open_lines_max = 100).await;
    let mut client = server.client().await;
    let lines: String = (0..5_000).map(|n| format!("square {n}\n")).collect();
    client.send(lines).await;
    for n in 0..5_000_u64 {
        client.expect(&(n * n).to_string()).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_that_say_nothing_hold_up_nobody() {
    let server = Server::start().await;
    let mut silent = Vec::new();
    for _ in 0..1_000 {
        silent.push(Client::connect(server.address()).await);
    }
    let mut client = server.client().await;
    client.send("square 9\n").await;
    client.expect("81").await;
    for one in silent.iter_mut().step_by(100) {
        one.send("square 3\n").await;
        one.expect("9").await;
    }
    drop((silent, client));
    server
        .until("all are gone", |server| {
            server.state.connections.open.load(Ordering::Relaxed) == 0
        })
        .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_say_nothing_make_room_and_those_who_speak_stay() {
    let server = Server::with(|config| config.limits.silent_connections_max = Some(3)).await;
    let mut speaks = server.client().await;
    speaks.send("square 2\n").await;
    speaks.expect("4").await;
    let mut silent = Vec::new();
    for opened in 1..=5 {
        silent.push(server.client().await);
        // One after the other, so that it is known who is older.
        server
            .until("it is counted in", |server| {
                server.state.connections.accepted.load(Ordering::Relaxed) == opened + 1
            })
            .await;
        if opened > 3 {
            let gone = &mut silent[opened as usize - 4];
            assert_eq!(gone.rest().await, "");
        }
    }
    for stays in silent[2..].iter_mut().chain([&mut speaks]) {
        stays.send("square 3\n").await;
        stays.expect("9").await;
    }
    let silenced = &server.state.connections.silenced;
    assert_eq!(silenced.load(Ordering::Relaxed), 2);
    drop((silent, speaks));
    server.stop().await;
}
