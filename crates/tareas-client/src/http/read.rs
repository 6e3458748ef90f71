//! Reading a response: status line, header, and a body in one of three framings.

use std::io::{self, BufRead, Read};

use super::{Response, invalid};

/// Longest line of a header, and of a chunk's head.
const LINE_BYTES_MAX: u64 = 16 * 1024;
const HEADERS_MAX: usize = 100;
/// Largest body: a result may be large, but not without end.
const BODY_BYTES_MAX: u64 = 1 << 30;

pub(super) fn response(stream: &mut impl BufRead) -> io::Result<Response> {
    let mut response = head(stream)?;
    response.body = body(stream, &response)?;
    Ok(response)
}

/// Everything but the body, which is next in the stream.
pub(super) fn head(stream: &mut impl BufRead) -> io::Result<Response> {
    loop {
        let status = status(&line(stream)?)?;
        let headers = headers(stream)?;
        // 1xx come before the answer proper.
        if !(100..200).contains(&status) {
            return Ok(Response {
                status,
                headers,
                body: Vec::new(),
            });
        }
    }
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    stream.take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if !line.ends_with(b"\n") {
        return Err(invalid("a header line without end"));
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

fn status(line: &str) -> io::Result<u16> {
    let status = line
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1));
    status
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| invalid("this is not HTTP"))
}

fn headers(stream: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = line(stream)?;
        if line.is_empty() {
            return Ok(headers);
        }
        if headers.len() == HEADERS_MAX {
            return Err(invalid("too many header lines"));
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| invalid("a header without name"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// Whether the body comes in chunks.
pub(super) fn is_chunked(response: &Response) -> bool {
    let encoding = response.header("transfer-encoding");
    encoding.is_some_and(|how| how.contains("chunked"))
}

/// What the server sends after the header of [`head`].
pub(super) fn body(stream: &mut impl BufRead, response: &Response) -> io::Result<Vec<u8>> {
    if matches!(response.status, 204 | 304) {
        return Ok(Vec::new());
    }
    if is_chunked(response) {
        let mut body = Vec::new();
        Chunks::new(stream)
            .take(BODY_BYTES_MAX + 1)
            .read_to_end(&mut body)?;
        return match body.len() as u64 > BODY_BYTES_MAX {
            true => Err(invalid("a body that is too long")),
            false => Ok(body),
        };
    }
    let length = response.header("content-length").map(str::parse::<u64>);
    let mut body = Vec::new();
    match length {
        None => {
            stream.take(BODY_BYTES_MAX).read_to_end(&mut body)?;
        }
        Some(Ok(length)) if length <= BODY_BYTES_MAX => exactly(stream, length, &mut body)?,
        Some(_) => return Err(invalid("a body that is too long")),
    }
    Ok(body)
}

fn exactly(stream: &mut impl BufRead, length: u64, into: &mut Vec<u8>) -> io::Result<()> {
    let read = stream.take(length).read_to_end(into)?;
    match u64::try_from(read) == Ok(length) {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// A body in chunks, as the bytes that it stands for.
#[derive(Debug)]
pub(super) struct Chunks<R> {
    stream: R,
    /// What is left of the present chunk.
    left: u64,
    is_first: bool,
    is_over: bool,
}

impl<R: BufRead> Chunks<R> {
    pub(super) fn new(stream: R) -> Self {
        Self {
            stream,
            left: 0,
            is_first: true,
            is_over: false,
        }
    }

    /// Goes on to the next chunk, or to the end.
    fn next_chunk(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_first) && !line(&mut self.stream)?.is_empty() {
            return Err(invalid("a chunk without end"));
        }
        let head = line(&mut self.stream)?;
        let digits = head.split(';').next().unwrap_or_default().trim();
        self.left = u64::from_str_radix(digits, 16).map_err(|_| invalid("a chunk's length"))?;
        if self.left == 0 {
            while !line(&mut self.stream)?.is_empty() {}
            self.is_over = true;
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Chunks<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.is_over {
            self.next_chunk()?;
        }
        if self.is_over || into.is_empty() {
            return Ok(0);
        }
        let count = (&mut self.stream).take(self.left).read(into)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<Response> {
        response(&mut text.as_bytes())
    }

    #[test]
    fn the_three_framings_give_the_same_body() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nT: 1\r\n\r\n",
            "HTTP/1.0 200 OK\n\nhello",
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        ] {
            let response = read(text).unwrap();
            assert_eq!(
                (response.status, response.text().as_str()),
                (200, "hello"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_cut_short_or_no_http_is_an_error() {
        for text in [
            "",
            "{\"error\":1}\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nbroken\r\n\r\n",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn headers_are_found_by_lower_case_names() {
        let response = read("HTTP/1.1 204 No Content\r\nLocation: /v1/x\r\n\r\n").unwrap();
        assert_eq!(response.header("location"), Some("/v1/x"));
    }
}
