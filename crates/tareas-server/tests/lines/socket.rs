//! `GET /v1/socket`: the same lines, in the messages of a WebSocket.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::support::{PATIENCE, Server};

/// A browser's end of a socket.
struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    async fn open(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address()).await.unwrap();
        let url = format!("ws://{}/v1/socket", server.address());
        let opened = tokio_tungstenite::client_async(url, stream).await;
        Self(opened.unwrap().0)
    }

    async fn send(&mut self, text: impl Into<String>) {
        self.0.send(Message::text(text.into())).await.unwrap();
    }

    /// The next message that is not of the protocol itself.
    async fn next(&mut self) -> Message {
        loop {
            let next = timeout(PATIENCE, self.0.next()).await.expect("no message");
            match next.expect("it ended").unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }

    async fn text(&mut self) -> String {
        let message = self.next().await;
        assert!(message.is_text(), "{message}");
        message.into_text().unwrap().to_string()
    }

    async fn expect(&mut self, line: &str) {
        assert_eq!(self.text().await, line);
    }

    async fn json(&mut self) -> serde_json::Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// The code and reason with which it is closed.
    async fn closed(&mut self) -> (u16, String) {
        match self.next().await {
            Message::Close(Some(CloseFrame { code, reason })) => (code.into(), reason.to_string()),
            other => panic!("{other}"),
        }
    }
}

/// What a request is answered, as far as its header goes.
async fn answer(server: &Server, headers: &[&str]) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let mut request = "GET /v1/socket HTTP/1.1\r\nHost: localhost\r\n".to_owned();
    for header in headers {
        request += &format!("{header}\r\n");
    }
    request += "\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    while !said.windows(4).any(|four| four == b"\r\n\r\n") {
        let mut chunk = [0; 4096];
        let count = timeout(PATIENCE, stream.read(&mut chunk)).await.unwrap();
        said.extend_from_slice(&chunk[..count.unwrap()]);
    }
    String::from_utf8(said).unwrap().to_lowercase()
}

/// The handshake of the RFC's example.
const HANDSHAKE: [&str; 4] = [
    "Connection: keep-alive, Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_handshake_is_that_of_the_rfc() {
    let server = Server::start().await;
    let said = answer(&server, &HANDSHAKE).await;
    assert!(said.starts_with("http/1.1 101 "), "{said}");
    assert!(
        said.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"),
        "{said}"
    );
    for missing in 0..HANDSHAKE.len() {
        let mut headers = HANDSHAKE.to_vec();
        headers.remove(missing);
        let said = answer(&server, &headers).await;
        assert!(said.starts_with("http/1.1 426 "), "{missing}: {said}");
        assert!(said.contains("upgrade: websocket\r\n"), "{said}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_another_origin_get_no_socket() {
    let server = Server::start().await;
    let foreign = [
        "Origin: https://evil.example",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
    ];
    for header in foreign {
        let said = answer(&server, &[&HANDSHAKE[..], &[header]].concat()).await;
        assert!(said.starts_with("http/1.1 403 "), "{header}: {said}");
    }
    let own = ["Origin: http://localhost", "Sec-Fetch-Site: same-origin"];
    let said = answer(&server, &[&HANDSHAKE[..], &own].concat()).await;
    assert!(said.starts_with("http/1.1 101 "), "{said}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_a_line_or_more() {
    let server = Server::start().await;
    let mut socket = Socket::open(&server).await;
    socket.send("square 5").await;
    socket.expect("25").await;
    socket.send("square 6\r\n").await;
    socket.expect("36").await;
    socket.send("").await;
    socket.send(r#"{"cmd":"ping","ref":1}"#).await;
    socket.expect(r#"{"pong":true,"ref":1}"#).await;
    socket.send("square 7\n\nsquare 8").await;
    let mut answers = socket.text().await;
    if answers == "49" {
        answers += &format!("\n{}", socket.text().await);
    }
    assert_eq!(answers, "49\n64");
    socket.send("salir").await;
    assert_eq!(socket.closed().await.0, 1000);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_are_one_message() {
    let server = Server::start().await;
    let mut socket = Socket::open(&server).await;
    let fragment = |text: &'static str, opcode, is_last| {
        Message::Frame(Frame::message(text, OpCode::Data(opcode), is_last))
    };
    let parts = [
        fragment("squ", Data::Text, false),
        Message::Ping("between".into()),
        fragment("are ", Data::Continue, false),
        fragment("9", Data::Continue, true),
    ];
    for part in parts {
        socket.0.send(part).await.unwrap();
    }
    socket.expect("81").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_lines_are_answered_in_order() {
    let server = Server::start().await;
    let mut socket = Socket::open(&server).await;
    for n in 0..1_000 {
        socket
            .0
            .feed(Message::text(format!("square {n}")))
            .await
            .unwrap();
    }
    socket.0.flush().await.unwrap();
    let mut answers = Vec::new();
    while answers.len() < 1_000 {
        let text = socket.text().await;
        answers.extend(text.lines().map(|line| line.parse::<u64>().unwrap()));
    }
    assert_eq!(answers, (0..1_000).map(|n| n * n).collect::<Vec<u64>>());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_those_of_lines() {
    let server = Server::start().await;
    let mut socket = Socket::open(&server).await;
    let long = "x".repeat(2 * 1024 * 1024);
    socket
        .send(format!(r#"{{"op":"echo","text":"{long}"}}"#))
        .await;
    assert_eq!(socket.json().await["error"]["code"], "TAR-1205");
    let tasks = vec![format!(r#"{{"kind":"wordcount","payload":"{}"}}"#, &long[..1000]); 3_000];
    let batch = format!(
        r#"{{"cmd":"batch","wait":false,"tasks":[{}]}}"#,
        tasks.join(",")
    );
    assert!(batch.len() > 3_000_000);
    socket.send(batch).await;
    assert_eq!(
        socket.json().await["tasks"].as_array().unwrap().len(),
        3_000
    );
    // No line may be as long as this.
    let oversize = "x".repeat(9 * 1024 * 1024);
    let _ = socket.0.send(Message::text(oversize)).await;
    assert_eq!(socket.closed().await.0, 1009);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_text_is_refused_with_a_code_after_what_is_owed() {
    let server = Server::start().await;
    let mut socket = Socket::open(&server).await;
    socket.send("sleep 100").await;
    socket.0.send(Message::binary(vec![1, 2])).await.unwrap();
    socket.expect("100").await;
    let (code, reason) = socket.closed().await;
    assert_eq!(code, 1003, "{reason}");

    let mut socket = Socket::open(&server).await;
    let broken = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    socket.0.send(Message::Frame(broken)).await.unwrap();
    assert_eq!(socket.closed().await.0, 1007);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_never_reads_is_closed_and_holds_up_nobody() {
    let server = Server::with(|config| {
        config.limits.stalled_after = Duration::from_millis(400);
        config.limits.outbox_bytes_max = 64 * 1024;
    })
    .await;
    let mut deaf = Socket::open(&server).await;
    deaf.send("text 20000\n".repeat(2_000)).await;
    let mut other = Socket::open(&server).await;
    for n in 0..50_u64 {
        other.send(format!("square {n}")).await;
        other.expect(&(n * n).to_string()).await;
    }
    let open = |server: &Server| server.state.connections.open.load(Ordering::Relaxed);
    server
        .until("the deaf one is closed", |server| open(server) == 1)
        .await;
    server
        .until("it watches nothing", |server| server.engine.watched() == 0)
        .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_slow_gets_everything() {
    let server = Server::with(|config| config.limits.outbox_bytes_max = 64 * 1024).await;
    let mut slow = Socket::open(&server).await;
    slow.send("text 20000\n".repeat(1_000)).await;
    timeout(Duration::from_millis(300), std::future::pending::<()>())
        .await
        .unwrap_err();
    let mut answers = 0;
    while answers < 1_000 {
        answers += slow.text().await.lines().count();
    }
    assert_eq!(answers, 1_000);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_does_not_end_and_a_silent_peer_are_given_up() {
    let server =
        Server::with(|config| config.limits.line_within = Duration::from_millis(200)).await;
    let mut socket = Socket::open(&server).await;
    let part = Frame::message("squ", OpCode::Data(Data::Text), false);
    socket.0.send(Message::Frame(part)).await.unwrap();
    assert_eq!(socket.closed().await.0, 1008);

    // One that answers pings stays; one that does not is gone.
    let mut alive = Socket::open(&server).await;
    let silent = Socket::open(&server).await;
    let quiet = timeout(Duration::from_secs(1), alive.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    let open = |server: &Server| server.state.connections.open.load(Ordering::Relaxed);
    tokio::select! {
        () = server.until("the silent one is closed", |server| open(server) == 1) => {}
        message = alive.next() => panic!("{message}"),
    }
    alive.send("square 3").await;
    alive.expect("9").await;
    drop(silent);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_may_speak_over_it() {
    let server = Server::start().await;
    let mut worker = Socket::open(&server).await;
    worker
        .send(r#"{"cmd":"work","name":"w","kinds":["web"],"slots":1}"#)
        .await;
    assert_eq!(worker.json().await["event"], "session");
    let mut client = Socket::open(&server).await;
    client.send(r#"{"op":"web","n":1}"#).await;
    assert_eq!(client.json().await["status"], "queued");
    let given = worker.json().await;
    assert_eq!(given["event"], "assign");
    let done = serde_json::json!({
        "cmd": "done", "task_id": given["task_id"], "attempt": 1, "lease": given["lease"], "result": 2
    });
    worker.send(done.to_string()).await;
    assert_eq!(client.json().await["result"], 2);
    assert_eq!(worker.json().await["recorded"], true);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_server_is_told() {
    let server = Server::start().await;
    let mut socket = Socket::open(&server).await;
    socket.send("sleep 200").await;
    let both = async {
        socket.expect("200").await;
        assert_eq!(socket.closed().await, (1001, "the server stops".to_owned()));
    };
    let stopping = async {
        let begun = timeout(Duration::from_millis(50), std::future::pending::<()>());
        begun.await.unwrap_err();
        server.stop().await;
    };
    tokio::join!(both, stopping);
}
