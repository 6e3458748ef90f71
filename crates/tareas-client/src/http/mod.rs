//! Requests over HTTP/1.1, for what lines do not have: lists, queues, deleting, large results.
//!
//! One request, one connection, no redirects, no compression: the server is tareas itself, on
//! the same port. Bodies come with `Content-Length`, in chunks, or end with the connection.

mod events;
mod read;

pub use events::{Event, Events};

use std::io::{self, BufReader, Write};
use std::time::Instant;

use tareas_protocol::{Code, ErrorObject};

use crate::stream::Stream;
use crate::{Address, Error, Options, Result};

/// Makes requests to one server.
#[derive(Clone, Debug)]
pub struct HttpClient {
    address: Address,
    options: Options,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status, 200 for OK.
    pub status: u16,
    /// The header, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The response itself when it says that all is well.
    ///
    /// # Errors
    /// [`Error::Refused`] with the problem that the body describes.
    pub fn accepted(self) -> Result<Self> {
        match self.status {
            200..=299 => Ok(self),
            _ => Err(self.problem()),
        }
    }

    fn problem(&self) -> Error {
        match ErrorObject::parse(&self.text()) {
            Some(object) => Error::Refused(Box::new(object)),
            None => Error::Malformed {
                what: format!("HTTP status {}", self.status),
            },
        }
    }
}

impl HttpClient {
    /// For the server at this address. Connects only when something is asked.
    pub fn new(address: Address, options: Options) -> Self {
        Self { address, options }
    }

    /// `GET`.
    ///
    /// # Errors
    /// When the server is not reached or does not speak HTTP; a status is no error here.
    pub fn get(&self, path: &str) -> Result<Response> {
        self.request("GET", path, None)
    }

    /// `POST` of a JSON text.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn post(&self, path: &str, json: &str) -> Result<Response> {
        self.request("POST", path, Some(json))
    }

    /// `DELETE`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn delete(&self, path: &str) -> Result<Response> {
        self.request("DELETE", path, Some(""))
    }

    /// `GET` of a stream of events, from behind the event of this id.
    ///
    /// # Errors
    /// As [`get`](Self::get), and [`Error::Refused`] when the server does not stream.
    pub fn events(&self, path: &str, after: Option<&str>) -> Result<Events> {
        let stream = self.connect()?;
        let mut head = self.head("GET", path, None);
        head.truncate(head.len() - "\r\n".len());
        head = head.replace("Accept: application/json", "Accept: text/event-stream");
        if let Some(after) = after {
            head += &format!("Last-Event-ID: {after}\r\n");
        }
        head += "\r\n";
        let opened = self.open_events(stream, &head);
        let (mut response, mut stream) = opened.map_err(|error| self.broken(&error))?;
        if response.status != 200 {
            let body = read::body(&mut stream, &response).map_err(|error| self.broken(&error))?;
            response.body = body;
            return Err(response.problem());
        }
        Ok(Events::of(&response, stream))
    }

    fn open_events(
        &self,
        mut stream: Stream,
        request: &str,
    ) -> io::Result<(Response, BufReader<Stream>)> {
        stream.set_read_timeout(Some(self.options.answer_timeout))?;
        stream.write_all(request.as_bytes())?;
        let mut stream = BufReader::new(stream);
        Ok((read::head(&mut stream)?, stream))
    }

    fn connect(&self) -> Result<Stream> {
        let started = Instant::now();
        let connect = self
            .address
            .open(self.options.connect_timeout, &self.options.credentials);
        connect.map_err(|source| Error::Unreachable {
            address: self.address.clone(),
            tries: 1,
            elapsed: started.elapsed(),
            source,
        })
    }

    fn request(&self, method: &str, path: &str, json: Option<&str>) -> Result<Response> {
        let stream = self.connect()?;
        let mut request = self.head(method, path, json);
        request += json.unwrap_or_default();
        self.exchange(stream, &request)
            .map_err(|error| self.broken(&error))
    }

    fn broken(&self, error: &io::Error) -> Error {
        let address = self.address.clone();
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::NoAnswer { address },
            io::ErrorKind::InvalidData => Error::Malformed {
                what: error.to_string(),
            },
            _ => Error::ConnectionLost {
                address,
                task_id: None,
            },
        }
    }

    fn exchange(&self, mut stream: Stream, request: &str) -> io::Result<Response> {
        stream.set_read_timeout(Some(self.options.answer_timeout))?;
        stream.write_all(request.as_bytes())?;
        read::response(&mut BufReader::new(stream))
    }

    fn head(&self, method: &str, path: &str, json: Option<&str>) -> String {
        let (host, lang) = (self.address.authority(), self.options.lang.as_str());
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n\
             Accept-Language: {lang}\r\nConnection: close\r\n"
        );
        if let Some(token) = &self.options.credentials.token {
            let token = token.reveal();
            // What is no token cannot become another header.
            if token.bytes().all(|byte| byte.is_ascii_graphic()) {
                head += &format!("Authorization: Bearer {token}\r\n");
            }
        }
        if let Some(json) = json {
            let length = json.len();
            head += &format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
        }
        head + "\r\n"
    }
}

/// A text as one value of a query: everything but letters, digits and `-._~` is escaped.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped += &format!("%{byte:02X}"),
        }
    }
    escaped
}

/// The error for an answer that the table has a code for, but no server said.
pub(crate) fn invalid(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{what} [{}]", Code::Malformed),
    )
}
