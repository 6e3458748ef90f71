//! The end of a socket: the close frame, and a moment for the other end to have read it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::stream::MessageStream;

/// How long the other end may take to close once it was told to.
const PARTING_WITHIN: Duration = Duration::from_secs(1);
/// How much of what it still sends is thrown away.
const PARTING_BYTES: usize = 16 * 1024 * 1024;

/// The close frame was said; its answer is awaited.
pub(super) struct Parting {
    until: Pin<Box<Sleep>>,
    thrown_away: usize,
}

impl Parting {
    fn new() -> Self {
        Self {
            until: Box::pin(tokio::time::sleep_until(Instant::now() + PARTING_WITHIN)),
            thrown_away: 0,
        }
    }

    /// Ready when the other end has had its time.
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.until.as_mut().poll(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> MessageStream<S> {
    /// Says why it closes, once.
    pub(super) fn part(&mut self) {
        self.is_over = true;
        let frame = self
            .violation
            .take()
            .unwrap_or_else(|| match self.stop.is_cancelled() {
                true => CloseFrame {
                    code: CloseCode::Away,
                    reason: Utf8Bytes::from_static("the server stops"),
                },
                false => CloseFrame {
                    code: CloseCode::Normal,
                    reason: Utf8Bytes::default(),
                },
            });
        // Whether it arrives is not known anyway; the end of the connection follows.
        let _ = Pin::new(&mut self.socket).start_send(Message::Close(Some(frame)));
        self.parting = Some(Parting::new());
    }

    /// Waits until the other end has closed as well: closing a connection on which unread bytes
    /// wait would take back what was said.
    pub(super) fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Poll::Ready(next) = Pin::new(&mut self.socket).poll_next(cx) {
            if !matches!(next, Some(Ok(_))) {
                // The answer to the close frame; or it was a violation, and frames mean nothing.
                return self.poll_rest(cx);
            }
        }
        Poll::Pending
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let stream = self.socket.get_mut();
        if ready!(Pin::new(&mut *stream).poll_shutdown(cx)).is_err() {
            return Poll::Ready(());
        }
        let mut room = [0; 4 * 1024];
        loop {
            let mut rest = ReadBuf::new(&mut room);
            let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut rest));
            let thrown_away = self.parting.as_mut().map(|parting| {
                parting.thrown_away += rest.filled().len();
                parting.thrown_away
            });
            let is_enough = thrown_away.is_none_or(|bytes| bytes > PARTING_BYTES);
            if read.is_err() || rest.filled().is_empty() || is_enough {
                return Poll::Ready(());
            }
        }
    }
}
