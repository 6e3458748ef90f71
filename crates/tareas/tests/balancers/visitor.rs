//! Somebody who comes through the balancer, with lines or with HTTP.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// Longer than any answer takes here.
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends all of it, then reads to the end.
pub(crate) fn ask(port: u16, text: &str) -> io::Result<String> {
    let mut stream = begin(port, text)?;
    finish(&mut stream)
}

/// Sends all of it and leaves the answer for later.
pub(crate) fn begin(port: u16, text: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(text.as_bytes())?;
    Ok(stream)
}

/// Reads to the end.
pub(crate) fn finish(stream: &mut TcpStream) -> io::Result<String> {
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    // The other side may be closed already.
    let _ = stream.shutdown(Shutdown::Both);
    Ok(answer)
}

/// A sum, as a line: whether the answer is right.
pub(crate) fn sums(port: u16) -> io::Result<()> {
    match ask(port, "sumar 2 + 2\nsalir\n")?.as_str() {
        "4\n" => Ok(()),
        other => Err(io::Error::other(format!("answered {other:?}"))),
    }
}

/// A task over HTTP; the status line and the body together.
pub(crate) fn posts(port: u16) -> io::Result<String> {
    let body = r#"{"op":"square","n":5}"#;
    let length = body.len();
    let head = format!(
        "POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Prefer: wait=10\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    ask(port, &(head + body))
}
