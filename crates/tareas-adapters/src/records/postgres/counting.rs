//! A connection that writes and counts in a shard of its own, made again when it has ended.
//!
//! What was sent over the connection before may still be under way, or not even have been read
//! by the process of PostgreSQL that served it: read now, its rows would tell less than is about
//! to be true. So that process is ended first. From then on rows and counts tell what was done,
//! and what was not done never will be.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::link::{Backend, Link, Purpose};
use super::shared::Shared;

/// First and longest break between two tries to connect.
const BREAK_MIN: Duration = Duration::from_millis(20);
const BREAK_MAX: Duration = Duration::from_secs(1);

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Counting {
    purpose: Purpose,
    shard: i32,
    link: Option<Link>,
    /// When the connection was made.
    epoch: u64,
    /// Who served the connection that was made last.
    before: Option<Backend>,
    /// Not before this is another connection tried, and how long the next break is.
    next_try: Option<Instant>,
    pause: Duration,
}

impl Counting {
    /// Not connected yet.
    pub(super) fn new(purpose: Purpose, shard: i32) -> Self {
        Self {
            purpose,
            shard,
            link: None,
            epoch: 0,
            before: None,
            next_try: None,
            pause: BREAK_MIN,
        }
    }

    /// Where it counts.
    pub(super) fn shard(&self) -> i32 {
        self.shard
    }

    /// Whether there is a connection that can be used.
    pub(super) fn is_open(&self, shared: &Shared) -> bool {
        let link = self.link.as_ref();
        self.epoch == shared.epoch() && link.is_some_and(|link| !link.is_closed())
    }

    /// The connection, made again when there is none that can be used.
    ///
    /// # Errors
    /// Nothing of what is to be sent over it was sent.
    pub(super) async fn link(&mut self, shared: &Shared) -> Result<&Link, Fault> {
        let epoch = shared.epoch();
        let link = match self.link.take() {
            Some(open) if self.epoch == epoch && !open.is_closed() => open,
            _ => self.open_again(shared).await?,
        };
        self.epoch = epoch;
        Ok(self.link.insert(link))
    }

    /// How long to wait before the next try.
    pub(super) fn pause(&self) -> Duration {
        self.pause
    }

    /// Ends the connection, and with it a transaction that is open: the shard is read again.
    pub(super) fn end(&mut self) {
        self.link = None;
    }

    async fn open_again(&mut self, shared: &Shared) -> Result<Link, Fault> {
        if self.next_try.is_some_and(|at| Instant::now() < at) {
            return Err(Fault::Unreachable("waiting to connect again".into()));
        }
        let opened = self.open(shared).await.map_err(not_sent);
        match &opened {
            Ok(_) => (self.next_try, self.pause) = (None, BREAK_MIN),
            Err(_) => {
                self.next_try = Some(Instant::now() + self.pause);
                self.pause = (self.pause * 2).min(BREAK_MAX);
            }
        }
        opened
    }

    async fn open(&mut self, shared: &Shared) -> Result<Link, Fault> {
        let link = Link::open(&shared.options, self.purpose).await?;
        shared.stats.connects.fetch_add(1, Ordering::Relaxed);
        if let Some(before) = self.before {
            link.end_backend(before).await?;
        }
        self.before = Some(link.backend());
        shared.tally.read_own(&link, self.shard).await?;
        Ok(link)
    }
}

fn not_sent(fault: Fault) -> Fault {
    match fault {
        Fault::Lost(source) => Fault::Unreachable(source),
        other => other,
    }
}
