//! The live stream: what it says, that it is bounded, and that slow readers cost nothing.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::client::{Ask, connect, finished};
use crate::world::{World, until};

/// A stream of events, opened and not read.
async fn open(world: &World, path: &str, header: &str) -> DuplexStream {
    let mut ask = Ask::get(path);
    if !header.is_empty() {
        ask = ask.header(header);
    }
    let mut stream = connect(world);
    stream.write_all(&ask.bytes()).await.unwrap();
    stream
}

/// Reads until a text has come.
async fn read_until(stream: &mut DuplexStream, text: &str) -> String {
    let mut read = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let length = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut chunk));
        let length = length
            .await
            .unwrap_or_else(|_| panic!("no {text}"))
            .unwrap();
        read.extend_from_slice(&chunk[..length]);
        let so_far = String::from_utf8_lossy(&read);
        if so_far.contains(text) {
            return so_far.into_owned();
        }
        assert!(length > 0, "ended without {text}: {so_far}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_begins_with_everything_and_goes_on_with_what_changes() {
    let world = World::new();
    let mut stream = open(&world, "/v1/events?view=map&lang=es", "").await;
    let first = read_until(&mut stream, "\n\n\r\n").await;
    let first = match first.contains("event: patch") {
        true => first,
        false => first + &read_until(&mut stream, "event: patch").await,
    };
    assert!(first.contains("content-type: text/event-stream"), "{first}");
    assert!(first.contains("x-accel-buffering: no") && first.contains("retry: 2000"));
    finished(&world, r#"{"op":"square","n":5}"#).await;
    let next = read_until(&mut stream, "square").await;
    assert!(
        next.contains("latest") && next.contains("terminada"),
        "{next}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_numbers() {
    let world = World::new();
    let mut stream = open(&world, "/v1/events", "").await;
    let told = read_until(&mut stream, "\"accepted\":0").await;
    assert!(
        told.contains("event: system\ndata: {") && told.contains("\"threads\":2"),
        "{told}"
    );
    Ask::get("/v1/events?view=secrets")
        .send(&world)
        .await
        .problem(422, "TAR-1209");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_with_their_reader_and_are_counted() {
    let world = World::new();
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut stream = open(&world, "/v1/events?view=queues", "").await;
        read_until(&mut stream, "event: patch").await;
        streams.push(stream);
    }
    let metrics = Ask::get("/metrics").send(&world).await;
    assert!(metrics.text().contains("tareas_event_streams 20"));
    drop(streams);
    until(|| tareas_server::metrics::exposition(&world.state).contains("tareas_event_streams 0"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_drawn_once_for_all_who_look() {
    const LOOK: usize = 30;
    let world = World::new();
    let count = |name: &str| {
        let metrics = tareas_server::metrics::exposition(&world.state);
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().parse::<u64>().unwrap()
    };
    let drawn = || count("tareas_event_views_drawn_total");
    assert_eq!(drawn(), 0, "nobody looks");
    let mut streams = Vec::new();
    for _ in 0..LOOK {
        streams.push(open(&world, "/v1/events?view=map", "").await);
    }
    for stream in &mut streams {
        read_until(stream, "event: patch").await;
    }
    let drawn = drawn();
    let ticks = count("tareas_event_ticks_total");
    assert!((1..=ticks).contains(&drawn), "{drawn} in {ticks} ticks");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_room_for_so_many_and_no_more() {
    let world = World::new();
    let mut streams = Vec::new();
    for _ in 0..512 {
        streams.push(open(&world, "/v1/events", "").await);
    }
    let count = |text: &str| tareas_server::metrics::exposition(&world.state).contains(text);
    until(|| count("tareas_event_streams 512")).await;
    let refused = Ask::get("/v1/events").send(&world).await;
    assert!(matches!(refused.status, 429 | 503), "{}", refused.status);
    assert!(refused.header("retry-after").is_some());
    // Nobody has read anything, and the server answers all the same.
    assert_eq!(Ask::get("/").send(&world).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_the_server() {
    let world = World::new();
    let mut stream = open(&world, "/v1/events", "Last-Event-ID: 7-7").await;
    read_until(&mut stream, "event: system").await;
    world.stop.cancel();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest));
    ended.await.unwrap().unwrap();
}
