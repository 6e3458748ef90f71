//! Whether the other end of a socket is still there, and ends what it begins.
//!
//! Proxies close what is silent for a minute or so, and a browser that lost its network says
//! nothing. So a socket is pinged; every browser answers by itself. A message that has begun must
//! end like any line, which only the count of bytes shows: a part of a message is nothing yet.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// Bytes of a ping or pong beside its payload: its header and its mask.
const CONTROL_BYTES: u64 = 6;
/// Beats without a byte from the other end after which it is given up.
const UNHEARD_MAX: u32 = 2;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Heart {
    every: Duration,
    message_within: Duration,
    next: Pin<Box<Sleep>>,
    /// Bytes that belong to what has come as a whole.
    whole: u64,
    /// Since when there is a part of a message.
    begun_at: Option<Instant>,
    /// Bytes that had come at the last beat.
    heard: u64,
    unheard: u32,
}

/// What a beat finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// All is well: it is time for a ping.
    Ping,
    /// A message did not end in time.
    Unfinished,
    /// Nothing was heard for too long.
    Gone,
}

impl Heart {
    /// One that beats twice in the time that a message may take.
    pub(super) fn new(message_within: Duration) -> Self {
        let every = message_within / 2;
        Self {
            every,
            message_within,
            next: Box::pin(tokio::time::sleep_until(Instant::now() + every)),
            whole: 0,
            begun_at: None,
            heard: 0,
            unheard: 0,
        }
    }

    /// A whole message has come, and with it so many bytes.
    pub(super) fn took_message(&mut self, bytes: u64) {
        self.whole = bytes;
        self.begun_at = None;
    }

    /// A ping or pong has come, perhaps between two parts of a message.
    pub(super) fn took_control(&mut self, payload_bytes: usize, bytes: u64) {
        self.whole += CONTROL_BYTES + payload_bytes as u64;
        if bytes <= self.whole {
            self.begun_at = None;
        }
    }

    /// Ready when it beats, which is only asked while nothing whole is there to be read.
    pub(super) fn poll_beat(&mut self, cx: &mut Context<'_>, bytes: u64) -> Poll<Beat> {
        let now = Instant::now();
        if bytes > self.whole {
            self.begun_at.get_or_insert(now);
        }
        ready!(self.next.as_mut().poll(cx));
        self.next.as_mut().reset(now + self.every);
        let is_heard = bytes != self.heard;
        self.unheard = if is_heard { 0 } else { self.unheard + 1 };
        self.heard = bytes;
        let is_late = |since: Instant| now >= since + self.message_within;
        Poll::Ready(match self.begun_at {
            Some(since) if is_late(since) => Beat::Unfinished,
            _ if self.unheard > UNHEARD_MAX => Beat::Gone,
            _ => Beat::Ping,
        })
    }
}
