//! The loop of one connection.
//!
//! One unit of spawned work owns the socket. It reads as much as there is, has the desk work
//! through all complete lines of it, and sleeps until there is something to read, to write, or
//! to give up. While it sleeps, a commit of the store wakes it at most once, and then everything
//! that became durable leaves in one write.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tareas_core::Position;
use tareas_engine::ports::Stopped;
use tareas_protocol::frame::{Frame, LineSplitter};
use tareas_protocol::request::{Fault, Face, Refusal};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::Instant;

use super::alarm::Alarm;
use super::desk::{Desk, Next};
use super::gather::Gathered;
use super::outbox::{Outbox, Parking};
use super::stop::Stop;
use crate::limits::READ_BYTES;

/// Submissions per call of the engine: enough to share what a call costs, few enough for the
/// first of them to start while the next ones are decoded.
const SUBMIT_MAX: usize = 1_024;
/// Lines per turn: then what has become durable is written, and others get their turn.
const TURN_LINES: usize = 4 * SUBMIT_MAX;
/// Bytes that a connection asks for until it has shown that it sends more.
const READ_BYTES_MIN: usize = 2 * 1024;
/// Buffers are given back when nothing has happened for this long.
const TRIM_AFTER: Duration = Duration::from_secs(5);

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Connection<S> {
    stream: S,
    desk: Desk,
    splitter: LineSplitter,
    buffer: BytesMut,
    /// How much to ask for next.
    read_bytes: usize,
    /// There are lines in the buffer that were left for the next turn.
    has_more: bool,
    /// What is in the buffer counts as a line.
    is_silent: bool,
    /// The client has sent everything it will send.
    is_ended: bool,
    /// Nothing is read any more: what is owed is given, then it ends.
    is_leaving: bool,
    out: Vec<u8>,
    written: usize,
    durable: Option<Durable>,
    alarm: Alarm,
    stop: Stop,
    last_heard: Instant,
    begun_at: Option<Instant>,
    stalled_at: Option<Instant>,
    is_trimmed: bool,
}

/// A wait for the store.
struct Durable {
    position: Position,
    future: Pin<Box<dyn Future<Output = Result<Position, Stopped>> + Send>>,
}

impl std::fmt::Debug for Durable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Durable").field("position", &self.position).finish_non_exhaustive()
    }
}

/// Why a connection wakes.
#[derive(Debug)]
enum Wake {
    /// There is something to decode or to recall.
    Work,
    /// The client has sent everything.
    Ended,
    /// An instant has come.
    Alarm,
    /// Nothing is owed any more, and nothing will be.
    Done,
}

/// Why a connection ends before its time.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("the socket failed: {0}")]
    Socket(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] Stopped),
    #[error("it took nothing of what waited for it")]
    Stalled,
    #[error("the server closes")]
    Closed,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(stream: S, first: BytesMut, desk: Desk) -> Self {
        let now = Instant::now();
        Self {
            stream,
            splitter: LineSplitter::new(),
            read_bytes: READ_BYTES_MIN,
            has_more: !first.is_empty(),
            buffer: first,
            is_silent: false,
            is_ended: false,
            is_leaving: false,
            out: Vec::new(),
            written: 0,
            durable: None,
            alarm: Alarm::new(now + desk.outbox.limits.idle_after),
            stop: Stop::new(&desk.state),
            last_heard: now,
            begun_at: None,
            stalled_at: None,
            is_trimmed: false,
            desk,
        }
    }

    /// Serves the connection until everything that is owed is given.
    pub(super) async fn run(&mut self) -> Result<(), Lost> {
        loop {
            if self.is_silent || self.has_work() {
                self.turn().await;
            }
            self.desk.outbox.recall(&self.desk.state.engine).await;
            if self.has_more {
                // Others get their turn before the next lines of this one.
                tokio::task::yield_now().await;
            }
            match std::future::poll_fn(|cx| self.poll_wake(cx)).await? {
                Wake::Work => {}
                Wake::Ended => self.is_ended = true,
                Wake::Alarm => self.alarm().await?,
                Wake::Done => return Ok(()),
            }
        }
    }

    /// Whether there are lines to work through, and room for their answers.
    fn has_work(&self) -> bool {
        !self.is_leaving && (self.has_more || self.is_ended) && self.outbox().has_room()
    }

    /// Whether the client may still be heard of.
    pub(super) fn is_open(&self) -> bool {
        !self.is_ended
    }

    pub(super) fn into_stream(self) -> S {
        self.stream
    }

    fn outbox(&self) -> &Arc<Outbox> {
        &self.desk.outbox
    }

    /// Works through the complete lines of the buffer, as far as there is room.
    async fn turn(&mut self) {
        let Self { buffer, splitter, desk, .. } = self;
        let mut window = &buffer[..];
        let mut gathered = Gathered::default();
        let mut next = Next::GoOn;
        let mut lines = 0;
        self.has_more = false;
        while next == Next::GoOn {
            let frame = match splitter.next(&mut window) {
                None if self.is_ended => splitter.finish(&mut window),
                None if self.is_silent => splitter.take_unframed(&mut window),
                frame => frame,
            };
            let Some(frame) = frame else { break };
            next = take_frame(desk, frame, &mut gathered).await;
            lines += 1;
            if gathered.len() >= SUBMIT_MAX {
                desk.submit(&mut gathered).await;
                self.has_more = lines >= TURN_LINES || !desk.outbox.has_room();
            }
            // Lines that are answered at once count as well.
            self.has_more |= lines % SUBMIT_MAX == 0 && !desk.outbox.has_room();
            if self.has_more {
                break;
            }
        }
        desk.submit(&mut gathered).await;
        let rest = window.len();
        let begun = splitter.begun(window);
        self.buffer.advance(self.buffer.len() - rest);
        self.is_silent = false;
        self.is_leaving |= next == Next::Leave || (self.is_ended && !self.has_more);
        let last_heard = Some(self.last_heard);
        self.begun_at = match begun && !self.has_more {
            // Some line has ended, so what is begun was begun after it.
            true if lines > 0 => last_heard,
            true => self.begun_at.or(last_heard),
            false => None,
        };
    }

    fn poll_wake(&mut self, cx: &mut Context<'_>) -> Poll<Result<Wake, Lost>> {
        self.stop.register(cx);
        if self.stop.is_closing_now() {
            return Poll::Ready(Err(Lost::Closed));
        }
        self.is_leaving |= self.stop.is_finishing();
        loop {
            self.write(cx)?;
            if self.has_work() {
                return Poll::Ready(Ok(Wake::Work));
            }
            let has_room = self.outbox().has_room();
            let may_read = !self.is_leaving && !self.is_ended && !self.has_more && has_room;
            if may_read && let Poll::Ready(wake) = self.poll_read(cx)? {
                return Poll::Ready(Ok(wake));
            }
            let wants_room = !self.is_leaving && !has_room;
            let parking = self.outbox().park(cx.waker(), wants_room);
            if parking.is_due {
                return Poll::Ready(Ok(Wake::Work));
            }
            if self.is_leaving && !parking.owes {
                return Poll::Ready(Ok(Wake::Done));
            }
            if self.poll_durable(cx, &parking)?.is_ready() {
                continue;
            }
            let at = self.deadline(&parking);
            return self.alarm.poll(cx, at).map(|()| Ok(Wake::Alarm));
        }
    }

    /// Writes what is durable, as far as the socket takes it.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), Lost> {
        loop {
            if self.out.is_empty() {
                let durable = self.desk.state.engine.durable();
                self.desk.outbox.take(durable, &mut self.out);
                if self.out.is_empty() {
                    return Ok(());
                }
            }
            match Pin::new(&mut self.stream).poll_write(cx, &self.out[self.written..]) {
                Poll::Ready(Ok(0)) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Poll::Ready(Ok(count)) => {
                    self.written += count;
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

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Wake, Lost>> {
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
    fn poll_durable(&mut self, cx: &mut Context<'_>, parking: &Parking) -> Poll<Result<(), Lost>> {
        let Some(position) = parking.front.filter(|_| self.out.is_empty()) else {
            self.durable = None;
            return Poll::Pending;
        };
        let engine = &self.desk.state.engine;
        if engine.durable() >= position {
            return Poll::Ready(Ok(()));
        }
        if self.durable.as_ref().is_none_or(|durable| durable.position != position) {
            let engine = Arc::clone(engine);
            let before = Position(position.0.saturating_sub(1));
            let future = Box::pin(async move { engine.durable_after(before).await });
            self.durable = Some(Durable { position, future });
        }
        let Some(durable) = &mut self.durable else { return Poll::Pending };
        let reached = ready!(durable.future.as_mut().poll(cx));
        self.durable = None;
        Poll::Ready(Ok(reached.map(drop)?))
    }

    /// When something has to be given up, if nothing else happens before.
    fn deadline(&self, parking: &Parking) -> Instant {
        let limits = &self.desk.outbox.limits;
        let mut at = self.last_heard + limits.idle_after;
        let mut sooner = |instant: Option<Instant>| at = instant.map_or(at, |other| at.min(other));
        sooner(parking.deadline);
        sooner(self.stalled_at.map(|since| since + limits.stalled_after));
        if !self.is_leaving {
            sooner(self.begun_at.map(|since| since + limits.line_within));
            if self.splitter.unframed(&self.buffer) {
                sooner(Some(self.last_heard + limits.unframed_wait));
            }
        }
        if !self.is_trimmed {
            sooner(Some(self.last_heard + TRIM_AFTER));
        }
        at.max(Instant::now())
    }

    /// Gives up what is over its time.
    async fn alarm(&mut self) -> Result<(), Lost> {
        let now = Instant::now();
        let limits = self.desk.outbox.limits.clone();
        let is_over = |since: Option<Instant>, within| since.is_some_and(|at| now >= at + within);
        if is_over(self.stalled_at, limits.stalled_after) {
            self.desk.state.connections.stalled.fetch_add(1, Ordering::Relaxed);
            return Err(Lost::Stalled);
        }
        self.desk.give_up_waits(now).await;
        let quiet_since = Some(self.last_heard);
        self.is_silent = is_over(quiet_since, limits.unframed_wait)
            && self.splitter.unframed(&self.buffer);
        if is_over(self.begun_at, limits.line_within) && !self.is_silent {
            self.end_if_unfinished(now);
        }
        if is_over(quiet_since, limits.idle_after) {
            self.end_if_idle(now);
        }
        if !self.is_trimmed && is_over(quiet_since, TRIM_AFTER) {
            self.trim();
        }
        Ok(())
    }

    /// Ends a connection on which nothing was said for long, unless something is owed.
    fn end_if_idle(&mut self, now: Instant) {
        let owes = self.outbox().owes();
        if owes || self.is_leaving {
            self.last_heard = now;
        } else {
            self.leave_idle();
        }
    }

    /// Ends a connection that began a line and did not end it, though it was read.
    fn end_if_unfinished(&mut self, now: Instant) {
        if self.outbox().has_room() {
            self.leave_idle();
        } else {
            self.begun_at = Some(now);
        }
    }

    fn leave_idle(&mut self) {
        let lang = self.outbox().lang();
        let error = tareas_protocol::ErrorObject::new(tareas_protocol::Code::Idle, lang);
        self.desk.refuse(Face::of(&self.buffer), None, 0, error);
        self.is_leaving = true;
    }

    fn trim(&mut self) {
        self.is_trimmed = true;
        self.outbox().trim();
        if self.out.is_empty() {
            self.out = Vec::new();
        }
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
            self.read_bytes = READ_BYTES_MIN;
        }
    }
}

async fn take_frame<'b>(desk: &mut Desk, frame: Frame<'b>, gathered: &mut Gathered<'b>) -> Next {
    let fault = match frame {
        Frame::Line(line) => {
            let Some(other) = desk.gather(line, gathered) else { return Next::GoOn };
            desk.submit(gathered).await;
            return desk.answer(other, line.len()).await;
        }
        Frame::TooLong { face, bytes_max } => (face, Fault::LineTooLong { bytes_max }, Next::GoOn),
        Frame::Flood => (Face::Json, Fault::Flood, Next::Leave),
    };
    let (face, fault, next) = fault;
    desk.submit(gathered).await;
    let error = Refusal::of(fault).to_error(desk.outbox.lang());
    desk.refuse(face, None, 0, error);
    next
}
