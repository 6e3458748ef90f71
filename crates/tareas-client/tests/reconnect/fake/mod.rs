//! A server that says what a test tells it to say.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;

/// A listening fake.
pub(crate) struct Fake {
    address: String,
}

/// One line that a client has sent.
pub(crate) struct Line<'a> {
    text: String,
    stream: &'a TcpStream,
    connection: usize,
}

impl Fake {
    /// Answers every line on every connection, but for `hello` of a client that goes on.
    pub(crate) fn start(answer: impl Fn(&Line<'_>) + Send + Sync + 'static) -> Self {
        Self::listen(usize::MAX, answer)
    }

    /// The same for one connection; then nobody listens any more.
    pub(crate) fn start_once(answer: impl Fn(&Line<'_>) + Send + Sync + 'static) -> Self {
        Self::listen(1, answer)
    }

    fn listen(connections: usize, answer: impl Fn(&Line<'_>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().take(connections).enumerate() {
                let (stream, answer) = (stream.unwrap(), Arc::clone(&answer));
                std::thread::spawn(move || serve(&stream, connection, &*answer));
            }
        });
        Self { address }
    }

    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }
}

fn serve(stream: &TcpStream, connection: usize, answer: &dyn Fn(&Line<'_>)) {
    for text in BufReader::new(stream).lines() {
        let Ok(text) = text else { return };
        // The answer to `hello` has no reference.
        if text.contains("\"hello\"") && !text.contains("\"ref\"") {
            let mut stream = stream;
            let _ = writeln!(stream, r#"{{"server":"tareas"}}"#);
            continue;
        }
        answer(&Line {
            text,
            stream,
            connection,
        });
    }
    let _ = stream.shutdown(Shutdown::Both);
}

impl Line<'_> {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Which connection it came on, from 0.
    pub(crate) fn connection(&self) -> usize {
        self.connection
    }

    pub(crate) fn id(&self) -> String {
        self.member("task_id").trim_matches('"').to_owned()
    }

    pub(crate) fn reference(&self) -> String {
        self.member("ref")
    }

    fn member(&self, name: &str) -> String {
        let value: serde_json::Value = serde_json::from_str(&self.text).unwrap();
        value[name].to_string()
    }

    pub(crate) fn say(&self, line: &str) {
        let mut stream = self.stream;
        let _ = stream.write_all(format!("{line}\n").as_bytes());
    }

    pub(crate) fn hang_up(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
