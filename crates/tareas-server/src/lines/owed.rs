//! What one connection is owed: the books behind the lock of its outbox.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::task::Waker;

use smol_str::SmolStr;
use tareas_core::TaskId;
use tokio::time::Instant;

use super::queued::Queued;
use super::tag::Tag;
use super::texts::{Answered, Texts};
use crate::Limits;

/// What waits for the disk is not the client's fault: this many times more of it may wait than
/// of what the client does not take.
const UNDURABLE_FACTOR: usize = 4;

/// What is behind the lock. Held for microseconds, never while anything is awaited.
#[derive(Debug, Default)]
pub(super) struct Owed {
    pub(super) queued: Queued,
    pub(super) texts: Texts,
    /// Unanswered lines of which more must be known than their length.
    pub(super) entries: HashMap<u64, Entry>,
    pub(super) next_entry: u64,
    /// When the `wait` commands among them give up.
    pub(super) waits: BTreeMap<(Instant, u64), TaskId>,
    /// JSON lines whose answers are to be read from the records.
    pub(super) deferred: VecDeque<Deferred>,
    /// Lines that are not answered.
    pub(super) open: Answered,
    /// Bytes that were taken and not written yet.
    pub(super) in_flight: usize,
    /// The socket takes nothing.
    pub(super) is_stalled: bool,
    pub(super) parked: Option<Parked>,
}

/// An unanswered JSON line.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) reference: Option<SmolStr>,
    pub(super) bytes: usize,
    /// When it gives up, if it is a `wait`.
    pub(super) deadline: Option<Instant>,
}

/// A JSON line whose answer is the end of this task.
#[derive(Debug)]
pub(super) struct Deferred {
    pub(super) task: TaskId,
    pub(super) tag: Tag,
}

/// A connection that sleeps.
#[derive(Debug)]
pub(super) struct Parked {
    pub(super) waker: Waker,
    /// It has nothing to wait for but new output.
    pub(super) for_output: bool,
    /// It stopped reading because too much is open.
    pub(super) for_room: bool,
}

impl Owed {
    pub(super) fn open(&mut self, bytes: usize) {
        self.open.lines += 1;
        self.open.bytes += bytes;
    }

    pub(super) fn answered(&mut self, answered: Answered) {
        self.open.lines = self.open.lines.saturating_sub(answered.lines);
        self.open.bytes = self.open.bytes.saturating_sub(answered.bytes);
    }

    pub(super) fn enter(&mut self, entry: Entry) -> Tag {
        let key = self.next_entry;
        self.next_entry += 1;
        self.entries.insert(key, entry);
        Tag::Entry(key)
    }

    /// Takes out an entry that is answered.
    pub(super) fn leave(&mut self, key: u64) -> Option<Entry> {
        let entry = self.entries.remove(&key)?;
        if let Some(deadline) = entry.deadline {
            self.waits.remove(&(deadline, key));
        }
        self.answered(Answered {
            lines: 1,
            bytes: entry.bytes,
        });
        Some(entry)
    }

    pub(super) fn release_texts(&mut self) {
        let answered = self.texts.release(&mut self.queued);
        self.answered(answered);
    }

    pub(super) fn owes(&self) -> bool {
        self.open.lines > 0 || self.in_flight > 0 || self.queued.front().is_some()
    }

    /// Bytes that wait, wherever.
    pub(super) fn waiting(&self) -> usize {
        self.queued.len() + self.texts.len() + self.in_flight
    }

    pub(super) fn is_crowded(&self, limits: &Limits) -> bool {
        let factor = if self.is_stalled { 1 } else { UNDURABLE_FACTOR };
        self.waiting() > limits.outbox_bytes_max.saturating_mul(factor)
    }

    pub(super) fn has_room(&self, limits: &Limits) -> bool {
        self.open.lines < limits.open_lines_max
            && self.open.bytes < limits.open_bytes_max
            && !self.is_crowded(limits)
    }

    /// Whether the first deferred answer can be read now. What waits in line behind it does not
    /// count, or it would wait for itself.
    pub(super) fn can_recall(&self, limits: &Limits) -> bool {
        let is_any = !self.deferred.is_empty() || self.texts.front_deferred().is_some();
        is_any && self.queued.len() + self.in_flight <= limits.outbox_bytes_max / 2
    }

    pub(super) fn due_waker(&mut self, limits: &Limits) -> Option<Waker> {
        let parked = self.parked.as_ref()?;
        let has_output = || self.queued.front().is_some() || self.can_recall(limits);
        // Not at the first line that is answered: reading goes on in large pieces.
        let has_room_again =
            || self.open.lines <= limits.open_lines_max / 4 * 3 && self.has_room(limits);
        let is_due = (parked.for_output && has_output()) || (parked.for_room && has_room_again());
        if is_due {
            self.parked.take().map(|parked| parked.waker)
        } else {
            None
        }
    }
}
