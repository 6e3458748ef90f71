//! One text line on a connection of its own: said, then read to the end of the stream.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use crate::stream::Stream;
use crate::{Address, Error, Options, Result};

/// Most bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How the answer to `auth` begins.
const AUTHENTICATED: &str = "{\"authenticated\":true";

pub(crate) fn send(
    address: &Address,
    options: &Options,
    line: &str,
    timeout: Option<Duration>,
) -> Result<Vec<String>> {
    let started = Instant::now();
    let unreachable = |source| Error::Unreachable {
        address: address.clone(),
        tries: 1,
        elapsed: started.elapsed(),
        source,
    };
    let opened = address.open(options.connect_timeout, &options.credentials);
    let mut stream = opened.map_err(unreachable)?;
    let answer = exchange(&mut stream, options, line, timeout);
    let text = answer.map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::NoAnswer {
            address: address.clone(),
        },
        _ => Error::ConnectionLost {
            address: address.clone(),
            task_id: None,
        },
    })?;
    // The first line answers `hello`, the next one `auth` when the token is good.
    let is_answer = |line: &&str| !line.starts_with(AUTHENTICATED);
    let lines = text.lines().skip(1).filter(is_answer);
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    match lines.is_empty() {
        true => Err(Error::ConnectionLost {
            address: address.clone(),
            task_id: None,
        }),
        false => Ok(lines),
    }
}

fn exchange(
    stream: &mut Stream,
    options: &Options,
    line: &str,
    timeout: Option<Duration>,
) -> io::Result<String> {
    let lang = options.lang.as_str();
    let line = line.replace(['\n', '\r'], " ");
    stream.set_read_timeout(timeout)?;
    let mut lines = format!("{{\"cmd\":\"hello\",\"lang\":\"{lang}\"}}\n").into_bytes();
    options.credentials.append_auth(&mut lines);
    lines.extend_from_slice(line.as_bytes());
    lines.push(b'\n');
    stream.write_all(&lines)?;
    stream.finish_writing()?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
