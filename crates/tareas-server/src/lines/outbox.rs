//! What a connection is owed and what waits to be written to it.
//!
//! Filled by whoever decides: acknowledgements by the connection itself, ends of tasks by the
//! threads of the pool ([`super::tell`]). Emptied by the connection, as far as it is durable.
//! Nobody blocks here: a result that finds too much waiting is kept as an id only and read again
//! from the records when there is room ([`super::recall`]).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use smol_str::SmolStr;
use tareas_core::{Position, TaskId};
use tareas_protocol::Lang;
use tareas_protocol::request::Face;
use tareas_protocol::response::Durability;
use tokio::time::Instant;

use super::owed::{Entry, Owed, Parked};
use super::tag::Tag;
use crate::{Limits, ServerConfig};

/// The outbox of one connection.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) limits: Limits,
    pub(super) durability: Durability,
    is_spanish: AtomicBool,
    /// Too much waits: ends are kept as ids. Only a copy of what [`Owed::is_crowded`] says, for
    /// those who do not hold the lock.
    is_crowded: AtomicBool,
    inner: Mutex<Owed>,
}

/// A line that asks for a task, on its way to the engine.
#[derive(Debug)]
pub(super) struct Asked<'b> {
    pub(super) face: Face,
    pub(super) reference: Option<&'b str>,
    pub(super) bytes: usize,
    pub(super) wait: bool,
    /// Under which its end is told; see [`Outbox::expect`].
    pub(super) tag: Option<Tag>,
}

/// What a connection that is about to sleep has to wait for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parking {
    /// The next output needs this position.
    pub(super) front: Option<Position>,
    /// There is something to recall or to read: do not sleep.
    pub(super) is_due: bool,
    /// Something is not answered or not written yet.
    pub(super) owes: bool,
    /// When the first `wait` gives up.
    pub(super) deadline: Option<Instant>,
}

impl Outbox {
    pub(super) fn new(config: &ServerConfig) -> Self {
        Self {
            limits: config.limits.clone(),
            durability: config.durability,
            is_spanish: AtomicBool::new(config.lang == Lang::Es),
            is_crowded: AtomicBool::new(false),
            inner: Mutex::default(),
        }
    }

    /// The language of this connection.
    pub(super) fn lang(&self) -> Lang {
        if self.is_spanish.load(Ordering::Relaxed) {
            Lang::Es
        } else {
            Lang::En
        }
    }

    pub(super) fn set_lang(&self, lang: Lang) {
        self.is_spanish.store(lang == Lang::Es, Ordering::Relaxed);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Owed> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an end that comes now is to be kept as an id only.
    pub(super) fn is_crowded(&self) -> bool {
        self.is_crowded.load(Ordering::Relaxed)
    }

    /// Ends a change: notes whether it is crowded now, and wakes the connection if it is time.
    pub(super) fn changed(&self, mut inner: MutexGuard<'_, Owed>) {
        self.is_crowded
            .store(inner.is_crowded(&self.limits), Ordering::Relaxed);
        let waker = inner.due_waker(&self.limits);
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Answers that are known at once, in JSON.
    pub(super) fn reply(&self, position: Position, write: impl FnOnce(&mut Vec<u8>)) {
        let mut inner = self.lock();
        inner.queued.push(position, |out| {
            write(out);
            tareas_protocol::response::end_line(out);
        });
        self.changed(inner);
    }

    /// Lines that answer nothing.
    pub(super) fn push_lines(&self, position: Position, lines: &[u8]) {
        let mut inner = self.lock();
        inner
            .queued
            .push(position, |out| out.extend_from_slice(lines));
        self.changed(inner);
    }

    /// The answer to a text line, when it is known at once; it still waits for its turn.
    pub(super) fn reply_in_text(&self, line_bytes: usize, mut text: Vec<u8>) {
        tareas_protocol::response::end_line(&mut text);
        let mut inner = self.lock();
        inner.open(line_bytes);
        let number = inner.texts.open(line_bytes);
        inner.texts.know(number, Position::ZERO, text);
        inner.release_texts();
        self.changed(inner);
    }

    /// Lines that will be answered with ends: gives each its tag.
    pub(super) fn expect(&self, asked: &mut [Asked<'_>]) {
        let mut inner = self.lock();
        for line in asked.iter_mut().filter(|line| line.wait) {
            inner.open(line.bytes);
            line.tag = Some(match (line.face, line.reference) {
                (Face::Text, _) => Tag::Text(inner.texts.open(line.bytes)),
                (Face::Json, None) => Tag::Plain { bytes: line.bytes },
                (Face::Json, Some(reference)) => {
                    let reference = Some(SmolStr::new(reference));
                    inner.enter(Entry {
                        reference,
                        bytes: line.bytes,
                        deadline: None,
                    })
                }
            });
        }
    }

    /// A `wait` command: its tag.
    pub(super) fn expect_end(
        &self,
        task: TaskId,
        reference: Option<&str>,
        bytes: usize,
        deadline: Instant,
    ) -> Tag {
        let mut inner = self.lock();
        inner.open(bytes);
        let reference = reference.map(SmolStr::new);
        let tag = inner.enter(Entry {
            reference,
            bytes,
            deadline: Some(deadline),
        });
        if let Tag::Entry(key) = tag {
            inner.waits.insert((deadline, key), task);
        }
        tag
    }

    /// A line that stays unanswered until [`answered`](Self::answered), with no limit of its own.
    pub(super) fn open_line(&self, reference: Option<&str>, bytes: usize) -> Tag {
        let mut inner = self.lock();
        inner.open(bytes);
        let reference = reference.map(SmolStr::new);
        inner.enter(Entry {
            reference,
            bytes,
            deadline: None,
        })
    }

    /// Everything was said that such a line asked for.
    pub(super) fn answered(&self, key: u64) {
        let mut inner = self.lock();
        inner.leave(key);
        self.changed(inner);
    }

    /// Forgets a line that is answered otherwise; its entry, if there was one.
    pub(super) fn forget(&self, key: u64) -> Option<Entry> {
        self.lock().leave(key)
    }

    /// The `wait` commands that give up at `now`; each is told once.
    pub(super) fn overdue(&self, now: Instant) -> Vec<(u64, TaskId)> {
        let mut inner = self.lock();
        let mut overdue = Vec::new();
        while let Some(first) = inner.waits.first_entry()
            && first.key().0 <= now
        {
            let ((_, key), task) = first.remove_entry();
            overdue.push((key, task));
        }
        overdue
    }

    /// Moves what may leave into `out`, which must be empty.
    pub(super) fn take(&self, durable: Position, out: &mut Vec<u8>) {
        let mut inner = self.lock();
        inner.queued.take(durable, out);
        inner.in_flight = out.len();
    }

    /// The socket took everything that was taken.
    pub(super) fn written(&self) {
        let mut inner = self.lock();
        inner.in_flight = 0;
        inner.is_stalled = false;
        self.is_crowded
            .store(inner.is_crowded(&self.limits), Ordering::Relaxed);
    }

    /// The socket takes nothing for now.
    pub(super) fn stalled(&self) {
        let mut inner = self.lock();
        inner.is_stalled = true;
        self.is_crowded
            .store(inner.is_crowded(&self.limits), Ordering::Relaxed);
    }

    /// Whether another line may be read.
    pub(super) fn has_room(&self) -> bool {
        self.lock().has_room(&self.limits)
    }

    /// Says that the connection is about to sleep, and what it has to wait for.
    pub(super) fn park(&self, waker: &Waker, wants_room: bool) -> Parking {
        let mut inner = self.lock();
        let front = inner.queued.front();
        let is_due = inner.can_recall(&self.limits) || (wants_room && inner.has_room(&self.limits));
        inner.parked = Some(Parked {
            waker: waker.clone(),
            for_output: front.is_none(),
            for_room: wants_room,
        });
        Parking {
            front,
            is_due,
            owes: inner.owes(),
            deadline: inner
                .waits
                .first_key_value()
                .map(|((deadline, _), _)| *deadline),
        }
    }

    /// Whether something is not answered or not written yet.
    pub(super) fn owes(&self) -> bool {
        self.lock().owes()
    }

    /// Gives back memory that is not used.
    pub(super) fn trim(&self) {
        self.lock().queued.trim();
    }
}
