//! A client of HTTP/1.1 made by hand, so that nothing is put right on the way.

use std::net::SocketAddr;
use std::sync::Arc;

use tareas_server::http;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use crate::world::World;

/// A request to be sent as it stands here.
pub(crate) struct Ask {
    line: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Ask {
    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self::new("DELETE", path)
    }

    /// A `POST` of JSON.
    pub(crate) fn post(path: &str, json: &str) -> Self {
        Self::new("POST", path)
            .header("Content-Type: application/json")
            .body(json)
    }

    pub(crate) fn new(method: &str, path: &str) -> Self {
        let line = format!("{method} {path} HTTP/1.1");
        Self {
            line,
            headers: vec!["Host: localhost:5000".to_owned()],
            body: Vec::new(),
        }
    }

    pub(crate) fn header(mut self, header: &str) -> Self {
        self.headers.push(header.to_owned());
        self
    }

    /// With another host, or none.
    pub(crate) fn host(mut self, host: Option<&str>) -> Self {
        self.headers.retain(|header| !header.starts_with("Host:"));
        self.headers
            .extend(host.map(|host| format!("Host: {host}")));
        self
    }

    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.line);
        for header in &self.headers {
            text.push_str(&format!("{header}\r\n"));
        }
        let length = self.body.len();
        text.push_str(&format!(
            "Connection: close\r\nContent-Length: {length}\r\n\r\n"
        ));
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends it over a connection of its own.
    pub(crate) async fn send(self, world: &World) -> Reply {
        let bytes = self.bytes();
        let mut stream = connect(world);
        stream.write_all(&bytes).await.unwrap();
        read_reply(&mut stream).await
    }
}

/// One end of a connection whose other end is served.
pub(crate) fn connect(world: &World) -> DuplexStream {
    let (near, far) = duplex(64 * 1024);
    let peer = SocketAddr::from(([127, 0, 0, 1], 40_000));
    let (state, stop) = (Arc::clone(&world.state), world.stop.clone());
    tokio::spawn(http::serve(far, peer, false, state, stop));
    near
}

/// Reads until the server closes.
pub(crate) async fn read_reply(stream: &mut DuplexStream) -> Reply {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    Reply::parse(&bytes)
}

impl Reply {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no reply: {:?}", String::from_utf8_lossy(bytes)));
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        Self {
            status,
            headers: headers.collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    /// The id of the task that the reply is about.
    pub(crate) fn task_id(&self) -> String {
        self.json()["task_id"]
            .as_str()
            .unwrap_or_else(|| panic!("{}", self.text()))
            .to_owned()
    }

    /// Asserts that it is a problem of this code, and gives its body.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> serde_json::Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["type"], format!("/errors/{code}"));
        assert_eq!(body["status"], status);
        body
    }
}

/// Submits a task and waits for its end.
pub(crate) async fn finished(world: &World, json: &str) -> Reply {
    let reply = Ask::post("/v1/tasks", json)
        .header("Prefer: wait=10")
        .send(world)
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply
}
