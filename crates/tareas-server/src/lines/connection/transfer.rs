//! Bytes in and out: reading, writing, and waiting for the store in between.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tareas_core::Position;
use tareas_engine::ports::Stopped;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::Instant;

use super::super::outbox::Parking;
use super::{Connection, Lost, READ_BYTES_MIN, Wake};
use crate::limits::READ_BYTES;

/// A wait for the store.
pub(super) struct Durable {
    position: Position,
    future: Pin<Box<dyn Future<Output = Result<Position, Stopped>> + Send>>,
}

impl std::fmt::Debug for Durable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Durable")
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Writes what is durable, as far as the socket takes it.
    pub(super) fn write(&mut self, cx: &mut Context<'_>) -> Result<(), Lost> {
        loop {
            if self.out.is_empty() {
                let durable = self.desk.state.engine.durable();
                self.desk.outbox.take(durable, &mut self.out);
                if self.out.is_empty() {
                    return self.flush(cx);
                }
            }
            match Pin::new(&mut self.stream).poll_write(cx, &self.out[self.written..]) {
                Poll::Ready(Ok(0)) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Poll::Ready(Ok(count)) => {
                    self.written += count;
                    self.is_unflushed = true;
                    self.stalled_at = None;
                    self.is_trimmed = false;
                }
                Poll::Ready(Err(error)) => return Err(error.into()),
                Poll::Pending => {
                    self.stalled_at.get_or_insert_with(Instant::now);
                    self.desk.outbox.stalled();
                    return Ok(());
                }
            }
            if self.written == self.out.len() {
                self.out.clear();
                self.written = 0;
                self.desk.outbox.written();
            }
        }
    }

    /// Has what was written leave. A stream with TLS takes more than the socket does, and keeps
    /// the rest until it is asked again.
    fn flush(&mut self, cx: &mut Context<'_>) -> Result<(), Lost> {
        if !self.is_unflushed {
            return Ok(());
        }
        match Pin::new(&mut self.stream).poll_flush(cx)? {
            Poll::Ready(()) => {
                self.is_unflushed = false;
                self.stalled_at = None;
            }
            Poll::Pending => {
                self.stalled_at.get_or_insert_with(Instant::now);
            }
        }
        Ok(())
    }

    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Wake, Lost>> {
        self.buffer.reserve(self.read_bytes);
        let count = {
            let read = pin!(self.stream.read_buf(&mut self.buffer));
            ready!(read.poll(cx))?
        };
        if count == 0 {
            return Poll::Ready(Ok(Wake::Ended));
        }
        self.read_bytes = match count {
            full if full >= self.read_bytes => (self.read_bytes * 4).min(READ_BYTES),
            little if little < self.read_bytes / 8 => (self.read_bytes / 2).max(READ_BYTES_MIN),
            _ => self.read_bytes,
        };
        self.last_heard = Instant::now();
        self.is_trimmed = false;
        self.has_more = true;
        Poll::Ready(Ok(Wake::Work))
    }

    /// Ready when the next output has become durable.
    pub(super) fn poll_durable(
        &mut self,
        cx: &mut Context<'_>,
        parking: &Parking,
    ) -> Poll<Result<(), Lost>> {
        let Some(position) = parking.front.filter(|_| self.out.is_empty()) else {
            self.durable = None;
            return Poll::Pending;
        };
        let engine = &self.desk.state.engine;
        if engine.durable() >= position {
            return Poll::Ready(Ok(()));
        }
        if self
            .durable
            .as_ref()
            .is_none_or(|durable| durable.position != position)
        {
            let engine = Arc::clone(engine);
            let before = Position(position.0.saturating_sub(1));
            let future = Box::pin(async move { engine.durable_after(before).await });
            self.durable = Some(Durable { position, future });
        }
        let Some(durable) = &mut self.durable else {
            return Poll::Pending;
        };
        let reached = ready!(durable.future.as_mut().poll(cx));
        self.durable = None;
        Poll::Ready(Ok(reached.map(drop)?))
    }
}
