//! Messages as bytes: what the lines face reads and writes.
//!
//! | here | over the socket |
//! |---|---|
//! | a line that is read | a line of a text message; the end of a message ends its last line |
//! | whole lines that are written | one text message, without its last newline |
//! | the end of what is read | a violation, which is told by its close code after what is owed |
//! | a failure | the other end has closed, or is gone |
//!
//! A write is done when its message is in the socket's hands, so whoever reads slowly holds up
//! the writer as over TCP, and nothing is kept here but the one message.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::{Sink, Stream};
use tareas_protocol::limits::BATCH_LINE_BYTES_MAX;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;

use super::heard::Heard;
use super::heart::{Beat, Heart};
use super::parting::Parting;
use crate::limits::Limits;

/// Longest message: the longest line there is, with its end.
pub(super) const MESSAGE_BYTES_MAX: usize = BATCH_LINE_BYTES_MAX + 2;
/// Answers that wait together leave in messages of about this size; a longer line has its own.
const MESSAGE_BYTES: usize = 64 * 1024;

/// See the module's documentation.
pub(super) struct MessageStream<S> {
    pub(super) socket: WebSocketStream<Heard<S>>,
    /// What is left of the message that is being read.
    message: Bytes,
    /// The message did not end with a newline, so one is owed.
    owes_newline: bool,
    /// How many bytes the message stands for that is on its way out.
    sending: Option<usize>,
    heart: Heart,
    /// Nothing more is read.
    pub(super) is_over: bool,
    /// Why, if the other end broke a rule.
    pub(super) violation: Option<CloseFrame>,
    pub(super) parting: Option<Parting>,
    pub(super) stop: CancellationToken,
}

impl<S: AsyncRead + AsyncWrite + Unpin> MessageStream<S> {
    pub(super) fn new(
        socket: WebSocketStream<Heard<S>>,
        limits: &Limits,
        stop: CancellationToken,
    ) -> Self {
        Self {
            socket,
            message: Bytes::new(),
            owes_newline: false,
            sending: None,
            heart: Heart::new(limits.line_within),
            is_over: false,
            violation: None,
            parting: None,
            stop,
        }
    }

    /// Gives what there is of a message; `false` when there is nothing.
    fn give(&mut self, into: &mut ReadBuf<'_>) -> bool {
        let count = self.message.len().min(into.remaining());
        into.put_slice(&self.message[..count]);
        self.message.advance(count);
        let gives_newline = self.owes_newline && self.message.is_empty() && into.remaining() > 0;
        if gives_newline {
            into.put_slice(b"\n");
            self.owes_newline = false;
        }
        count > 0 || gives_newline
    }

    fn take(&mut self, next: Option<Result<Message, Error>>) -> io::Result<()> {
        let bytes = self.socket.get_ref().bytes();
        match next {
            Some(Ok(Message::Text(text))) => {
                self.heart.took_message(bytes);
                self.owes_newline = !text.is_empty() && !text.ends_with('\n');
                self.message = text.into();
            }
            Some(Ok(Message::Binary(_))) => {
                self.refuse(CloseCode::Unsupported, "messages are text: lines, in UTF-8");
            }
            Some(Ok(Message::Ping(payload) | Message::Pong(payload))) => {
                self.heart.took_control(payload.len(), bytes);
            }
            Some(Ok(Message::Frame(_))) => {}
            Some(Ok(Message::Close(_))) | None => return Err(gone("the other end has closed")),
            Some(Err(error)) => return self.fail(error),
        }
        Ok(())
    }

    /// The other end has broken a rule of the protocol, or the connection.
    fn fail(&mut self, error: Error) -> io::Result<()> {
        match error {
            Error::Capacity(_) => self.refuse(CloseCode::Size, "a message has at most 8 MiB"),
            Error::Utf8(_) => self.refuse(CloseCode::Invalid, "a text message is UTF-8"),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                return Err(gone("the other end is gone"));
            }
            Error::Protocol(_) => self.refuse(CloseCode::Protocol, "not a valid frame"),
            Error::Io(error) => return Err(error),
            other => return Err(io::Error::other(other)),
        }
        Ok(())
    }

    /// Reads nothing more; what is owed is still given, then the reason.
    fn refuse(&mut self, code: CloseCode, reason: &'static str) {
        self.is_over = true;
        let reason = Utf8Bytes::from_static(reason);
        self.violation = Some(CloseFrame { code, reason });
    }

    /// While there is nothing to read: is the other end there?
    fn poll_heart(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let bytes = self.socket.get_ref().bytes();
        while let Poll::Ready(beat) = self.heart.poll_beat(cx, bytes) {
            match beat {
                Beat::Ping => self.ping(cx)?,
                Beat::Gone => return Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Beat::Unfinished => {
                    self.refuse(
                        CloseCode::Policy,
                        "a message that has begun must end in time",
                    );
                    return Poll::Ready(Ok(()));
                }
            }
        }
        Poll::Pending
    }

    /// Sends a ping, unless what was sent before still waits: then that asks the same.
    fn ping(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let mut socket = Pin::new(&mut self.socket);
        if let Poll::Ready(ready) = socket.as_mut().poll_ready(cx) {
            ready.map_err(lost)?;
            let ping = Message::Ping(Bytes::new());
            socket.as_mut().start_send(ping).map_err(lost)?;
            if let Poll::Ready(flushed) = socket.poll_flush(cx) {
                flushed.map_err(lost)?;
            }
        }
        Ok(())
    }
}

/// How many of these bytes make the next message: whole lines.
fn message_end(lines: &[u8]) -> usize {
    let (near, far) = lines.split_at(lines.len().min(MESSAGE_BYTES));
    let is_end = |byte: &u8| *byte == b'\n';
    let in_near = near.iter().rposition(is_end);
    let at = in_near.or_else(|| far.iter().position(is_end).map(|at| near.len() + at));
    at.map_or(lines.len(), |at| at + 1)
}

fn gone(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, why)
}

fn lost(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for MessageStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.give(into) || self.is_over {
                return Poll::Ready(Ok(()));
            }
            match Pin::new(&mut self.socket).poll_next(cx) {
                Poll::Ready(next) => self.take(next)?,
                Poll::Pending => ready!(self.poll_heart(cx))?,
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for MessageStream<S> {
    /// Sends whole lines as one message. Until it is done, every call must offer the same bytes.
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        lines: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = match self.sending {
            Some(count) => count,
            None => {
                ready!(Pin::new(&mut self.socket).poll_ready(cx)).map_err(lost)?;
                let count = message_end(lines);
                let text = &lines[..count];
                let text = text.strip_suffix(b"\n").unwrap_or(text);
                let text = Utf8Bytes::try_from(Bytes::copy_from_slice(text));
                let text = text.map_err(io::Error::other)?;
                let mut socket = Pin::new(&mut self.socket);
                socket
                    .as_mut()
                    .start_send(Message::Text(text))
                    .map_err(lost)?;
                *self.sending.insert(count)
            }
        };
        ready!(Pin::new(&mut self.socket).poll_flush(cx)).map_err(lost)?;
        self.sending = None;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx).map_err(lost)
    }

    /// Says why it closes, and waits a moment for the other end to have heard it.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.parting.is_none() {
            ready!(Pin::new(&mut self.socket).poll_ready(cx)).map_err(lost)?;
            self.part();
        }
        if let Some(parting) = &mut self.parting
            && parting.poll_over(cx).is_ready()
        {
            return Poll::Ready(Ok(()));
        }
        // A flush that fails means that the other end is gone.
        if ready!(Pin::new(&mut self.socket).poll_flush(cx)).is_ok() {
            ready!(self.poll_part(cx));
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_whole_lines() {
        assert_eq!(message_end(b"1\n22\n"), 5);
        assert_eq!(message_end(b"no end"), 6);
        let long = [vec![b'x'; MESSAGE_BYTES], b"\nnext\n".to_vec()].concat();
        assert_eq!(message_end(&long), MESSAGE_BYTES + 1);
        let many = b"0123456\n".repeat(MESSAGE_BYTES);
        assert_eq!(message_end(&many), MESSAGE_BYTES);
    }
}
