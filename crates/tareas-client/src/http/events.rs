//! Server-sent events, as they come.

use std::io::{self, BufRead, BufReader, Read};

use super::invalid;
use super::read::{self, Chunks};
use crate::stream::Stream;

/// Longest line of a stream: a line of a log, as JSON.
const LINE_BYTES_MAX: u64 = 512 * 1024;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// What it is.
    pub name: String,
    /// What it says.
    pub data: String,
    /// Where to go on after it, when it says so.
    pub id: Option<String>,
}

/// The events of one stream. Ends with `None` when the server ends it.
#[derive(Debug)]
pub struct Events {
    lines: BufReader<Box<dyn Body>>,
}

trait Body: Read + Send + std::fmt::Debug {}
impl<T: Read + Send + std::fmt::Debug> Body for T {}

impl Events {
    /// Of a response whose header was read.
    pub(super) fn of(response: &super::Response, stream: BufReader<Stream>) -> Self {
        let body: Box<dyn Body> = match read::is_chunked(response) {
            true => Box::new(Chunks::new(stream)),
            false => Box::new(stream),
        };
        Self {
            lines: BufReader::new(body),
        }
    }

    /// Waits for the next event.
    ///
    /// # Errors
    /// When the connection is lost, or says nothing for longer than a live server does.
    pub fn next_event(&mut self) -> io::Result<Option<Event>> {
        let mut event = Event::default();
        loop {
            let Some(line) = self.line()? else {
                return Ok(None);
            };
            if line.is_empty() {
                if event != Event::default() {
                    return Ok(Some(event));
                }
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut event.name),
                "id" => event.id = Some(value.to_owned()),
                "data" => {
                    if !event.data.is_empty() {
                        event.data.push('\n');
                    }
                    event.data.push_str(value);
                }
                // A comment, or when to come back.
                _ => {}
            }
        }
    }

    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let count = (&mut self.lines)
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)?;
        if count == 0 {
            return Ok(None);
        }
        if !line.ends_with(b"\n") {
            return Err(invalid("an event that is cut short"));
        }
        Ok(Some(
            String::from_utf8_lossy(&line)
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
        ))
    }
}
