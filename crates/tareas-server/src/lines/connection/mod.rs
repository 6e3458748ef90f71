//! The loop of one connection.
//!
//! One unit of spawned work owns the socket. It reads as much as there is, has the desk work
//! through all complete lines of it, and sleeps until there is something to read, to write, or
//! to give up. While it sleeps, a commit of the store wakes it at most once, and then everything
//! that became durable leaves in one write.

mod patience;
mod transfer;

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tareas_engine::ports::Stopped;
use tareas_protocol::frame::{Frame, LineSplitter};
use tareas_protocol::request::{Face, Fault, Refusal};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::alarm::Alarm;
use super::desk::{Desk, Next};
use super::gather::Gathered;
use super::outbox::Outbox;
use super::stop::Stop;
use transfer::Durable;

/// Submissions per call of the engine: enough to share what a call costs, few enough for the
/// first of them to start while the next ones are decoded.
const SUBMIT_MAX: usize = 1_024;
/// Lines per turn: then what has become durable is written, and others get their turn.
const TURN_LINES: usize = 4 * SUBMIT_MAX;
/// The same for lines that each wait for something.
const TURN_TIME: Duration = Duration::from_millis(5);
/// Bytes that a connection asks for until it has shown that it sends more.
const READ_BYTES_MIN: usize = 2 * 1024;

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
    /// Something was written and may not have left.
    is_unflushed: bool,
    durable: Option<Durable>,
    alarm: Alarm,
    stop: Stop,
    last_heard: Instant,
    /// Whoever speaks here has to say who they are within some time from then.
    opened_at: Instant,
    begun_at: Option<Instant>,
    stalled_at: Option<Instant>,
    is_trimmed: bool,
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
    #[error("its worker has another connection")]
    Replaced,
    #[error("its token was revoked or has run out")]
    Ended,
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
            is_unflushed: false,
            durable: None,
            alarm: Alarm::new(now + desk.outbox.limits.idle_after),
            stop: Stop::new(&desk.state),
            last_heard: now,
            opened_at: now,
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

    /// The remote worker that spoke here does not speak here any more.
    pub(super) async fn leave_work(&mut self) {
        self.desk.leave_work().await;
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
        let Self {
            buffer,
            splitter,
            desk,
            ..
        } = self;
        desk.heard();
        let started = Instant::now();
        let mut window = &buffer[..];
        let mut gathered = Gathered::default();
        let (mut next, mut lines) = (Next::GoOn, 0);
        self.has_more = false;
        while next == Next::GoOn && !self.has_more {
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
            }
            // Nothing gathered: something was waited for just now.
            self.has_more = (gathered.is_empty() && started.elapsed() >= TURN_TIME)
                || (lines % SUBMIT_MAX == 0 && (lines >= TURN_LINES || !desk.outbox.has_room()));
        }
        desk.submit(&mut gathered).await;
        desk.submit_reports().await;
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
        if self.desk.at_work.is_replaced() {
            return Poll::Ready(Err(Lost::Replaced));
        }
        if let Some(ended) = &mut self.desk.ended
            && ended.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(Lost::Ended));
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
}

async fn take_frame<'b>(desk: &mut Desk, frame: Frame<'b>, gathered: &mut Gathered<'b>) -> Next {
    let fault = match frame {
        Frame::Line(line) => {
            let Some(other) = desk.gather(line, gathered) else {
                if desk.at_work.has_pending() {
                    // Answers come in the order of their lines.
                    desk.submit_reports().await;
                }
                return Next::GoOn;
            };
            desk.submit(gathered).await;
            return desk.answer(other, line.len()).await;
        }
        Frame::TooLong { face, bytes_max } => (face, Fault::LineTooLong { bytes_max }, Next::GoOn),
        Frame::Flood => (Face::Json, Fault::Flood, Next::Leave),
    };
    let (face, fault, next) = fault;
    desk.submit(gathered).await;
    desk.submit_reports().await;
    let error = Refusal::of(fault).to_error(desk.outbox.lang());
    desk.refuse(face, None, 0, error);
    next
}
