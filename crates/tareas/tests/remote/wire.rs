//! A worker that is written out line by line, to say what none of ours would.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

/// One connection of such a worker.
pub(crate) struct Wire {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Wire {
    pub(crate) fn connect(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap());
        Self { stream, lines }
    }

    pub(crate) fn say(&mut self, line: &Value) {
        writeln!(self.stream, "{line}").unwrap();
    }

    /// The next line that has this member.
    pub(crate) fn hear(&mut self, member: &str) -> Value {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(
                self.lines.read_line(&mut line).unwrap() > 0,
                "it was closed"
            );
            let said: Value = serde_json::from_str(&line).unwrap();
            if said.get(member).is_some() {
                return said;
            }
        }
    }

    /// Begins to work; what the server says of the session.
    pub(crate) fn work(&mut self, more: Value) -> Value {
        let mut work = json!({"cmd": "work", "name": "wire", "kinds": ["echo"], "slots": 1});
        work.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.say(&work);
        self.hear("event")
    }

    /// Says something about an attempt that was assigned.
    pub(crate) fn about(&mut self, command: &str, assigned: &Value, more: &Value) {
        let mut said = json!({"cmd": command});
        let said_of = said.as_object_mut().unwrap();
        for member in ["task_id", "attempt", "lease"] {
            said_of.insert(member.to_owned(), assigned[member].clone());
        }
        said_of.extend(more.as_object().unwrap().clone());
        self.say(&said);
    }
}
