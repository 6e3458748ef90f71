//! What must be written: cuts for the writer, and forgetting what is on disk.
//!
//! A task that changes many times between two commits is written once, as it is at the cut:
//! transitions fold by themselves. Counts are the difference between the phase that the disk
//! knows and the phase at the cut, so they are right however commits are cut.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::Ledger;
use super::slot::Index;
use crate::{Attempt, Phase, Place, Position, QueueName, Task, TaskId, Timestamp};

/// A consistent set of writes. Once it is committed, everything at or below `position` is
/// durable.
#[derive(Debug)]
pub struct Cut {
    /// Everything decided at or below this is in this cut or in one before.
    pub position: Position,
    /// One per task that changed.
    pub rows: Vec<Row>,
    /// How the maintained counts change.
    pub counts: Vec<CountChange>,
    /// Idempotency keys of new tasks.
    pub keys: Vec<(SmolStr, TaskId)>,
    /// Queues that were paused or resumed.
    pub queues: Vec<(QueueName, bool)>,
    /// The highest `seq` used so far.
    pub high_seq: u64,
    /// The highest place given so far.
    pub high_place: Place,
    /// Tasks written here that are quick and over: how well folding works.
    pub folded: usize,
}

/// What one task needs written.
#[derive(Debug)]
pub struct Row {
    /// Where the ledger keeps it; of no meaning when it is not the ledger's.
    index: Index,
    /// Its number in the order of acceptance.
    pub seq: u64,
    /// The statement.
    pub write: Write,
    /// The task at the cut.
    pub task: Task,
    /// Attempts that ended without a success since the last cut.
    pub endings: Vec<Attempt>,
}

impl Row {
    /// A task that comes from another store, with its attempts: to be inserted as it is.
    pub fn arriving(seq: u64, task: Task, endings: Vec<Attempt>) -> Self {
        Self {
            index: 0,
            seq,
            write: Write::Insert,
            task,
            endings,
        }
    }
}

/// Which statement writes a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// It was never written.
    Insert,
    /// It must still have this version on disk.
    Update {
        /// The version on disk.
        base: u64,
    },
    /// It is removed; it must still have this version on disk.
    Delete {
        /// The version on disk.
        base: u64,
    },
    /// It was removed before it was ever written.
    Nothing,
}

/// A change of one maintained count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountChange {
    /// The queue.
    pub queue: QueueName,
    /// The phase.
    pub phase: Phase,
    /// By how much.
    pub by: i64,
}

impl Ledger {
    /// Whether anything waits to be written.
    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty() || !self.dirty_queues.is_empty()
    }

    /// How many tasks wait to be written.
    pub fn journal_len(&self) -> usize {
        self.dirty.len()
    }

    /// How many bytes of payloads and results wait to be written.
    pub fn journal_bytes(&self) -> usize {
        self.journal_bytes
    }

    /// Starts a new round of the writer: quick tasks accepted from now on are not waited for.
    pub fn begin_round(&mut self) {
        self.quick_round = !self.quick_round;
    }

    /// Whether every quick task that was accepted before this round has ended.
    pub fn round_is_folded(&self) -> bool {
        self.quick_open[usize::from(!self.quick_round)] == 0
    }

    /// Takes what must be written next, oldest decisions first: at most `tasks_max` tasks and
    /// about `bytes_max` bytes.
    pub fn cut(&mut self, tasks_max: usize, bytes_max: usize) -> Cut {
        let mut rows = Vec::with_capacity(self.dirty.len().min(tasks_max));
        let mut keys = Vec::new();
        let mut changes = CountChanges::default();
        let (mut bytes, mut folded) = (0, 0);
        while rows.len() < tasks_max && bytes < bytes_max {
            let Some(index) = self.dirty.pop_front() else {
                break;
            };
            let row = self.cut_row(index, &mut changes);
            bytes += body_bytes(&row.task);
            folded += usize::from(row.write == Write::Insert && row.task.state.is_terminal());
            if row.write == Write::Insert
                && let Some(key) = &row.task.spec.options().idempotency_key
            {
                keys.push((key.clone(), row.task.id()));
            }
            rows.push(row);
        }
        let position = self
            .dirty
            .front()
            .map_or(self.position, |next| self.before(*next));
        let queues = self.cut_queues();
        Cut {
            position,
            rows,
            counts: changes.of(&self.queues),
            keys,
            queues,
            high_seq: self.high_seq,
            high_place: self.high_place,
            folded,
        }
    }

    fn before(&self, index: Index) -> Position {
        let since = self.slot(index).dirty_since.unwrap_or(self.position);
        Position(since.0.saturating_sub(1))
    }

    fn cut_row(&mut self, index: Index, changes: &mut CountChanges) -> Row {
        let slot = self.slots[index as usize]
            .as_mut()
            .expect("an index names a live slot");
        if let Some(round) = slot.quick_round.take() {
            self.quick_open[usize::from(round)] -= 1;
        }
        let write = match (slot.durable_version, slot.is_removed) {
            (0, false) => Write::Insert,
            (0, true) => Write::Nothing,
            (base, false) => Write::Update { base },
            (base, true) => Write::Delete { base },
        };
        let phase = (!slot.is_removed).then(|| slot.task.phase());
        changes.add(slot.queue, slot.durable_phase, phase);
        slot.durable_phase = phase;
        slot.durable_version = slot.task.version;
        slot.dirty_since = None;
        self.journal_bytes -= std::mem::take(&mut slot.dirty_bytes);
        slot.is_writing = true;
        Row {
            index,
            seq: slot.seq,
            write,
            task: slot.task.clone(),
            endings: std::mem::take(&mut slot.endings),
        }
    }

    fn cut_queues(&mut self) -> Vec<(QueueName, bool)> {
        let queues = &self.queues;
        let taken = self.dirty_queues.drain(..);
        taken
            .map(|index| &queues[index as usize])
            .map(|lanes| (lanes.name.clone(), lanes.paused))
            .collect()
    }

    /// The cut is on disk: forgets what need not be in memory any more.
    pub fn committed(&mut self, cut: &Cut, now: Timestamp) {
        self.durable = self.durable.max(cut.position);
        for row in &cut.rows {
            let slot = self.slot_mut(row.index);
            slot.is_writing = false;
            if slot.is_clean() {
                // Its start is on disk, although a cut in parts may not have reached it yet.
                slot.started = Position::ZERO;
            }
            self.forget_if_idle(row.index, now);
        }
    }

    /// Everything decided at or below it is on disk.
    pub fn durable(&self) -> Position {
        self.durable
    }

    /// Says that everything decided so far is as durable as it will ever be: for stores that
    /// keep nothing but memory. Returns what another store would have written.
    pub fn settle_in_memory(&mut self, now: Timestamp) -> Cut {
        let cut = self.cut(usize::MAX, usize::MAX);
        for row in &cut.rows {
            self.slot_mut(row.index).is_writing = false;
            if self.slot(row.index).is_removed {
                self.forget_if_idle(row.index, now);
            }
        }
        self.durable = self.position;
        cut
    }

    pub(super) fn mark_dirty(&mut self, index: Index, at: Position) {
        let slot = self.slots[index as usize]
            .as_mut()
            .expect("an index names a live slot");
        if slot.dirty_since.is_none() {
            slot.dirty_since = Some(at);
            self.dirty.push_back(index);
        }
        let bytes = body_bytes(&slot.task);
        self.journal_bytes = self.journal_bytes - slot.dirty_bytes + bytes;
        slot.dirty_bytes = bytes;
    }
}

/// Bytes that writing this task costs, roughly: what a burst of large payloads is bounded by.
fn body_bytes(task: &Task) -> usize {
    task.spec.payload.inline_len() + task.result.as_ref().map_or(0, |body| body.inline_len())
}

/// Changes of counts, summed while a cut is made. Most rows belong to the queue of the row
/// before, so the last one is at hand.
#[derive(Default)]
struct CountChanges {
    sums: BTreeMap<u32, [i64; Phase::ALL.len()]>,
    last: u32,
    open: [i64; Phase::ALL.len()],
}

impl CountChanges {
    fn add(&mut self, queue: u32, from: Option<Phase>, to: Option<Phase>) {
        if queue != self.last {
            self.close();
            self.last = queue;
        }
        if let Some(phase) = from {
            self.open[phase as usize] -= 1;
        }
        if let Some(phase) = to {
            self.open[phase as usize] += 1;
        }
    }

    fn close(&mut self) {
        let sums = self.sums.entry(self.last).or_default();
        for (sum, open) in sums.iter_mut().zip(&mut self.open) {
            *sum += std::mem::take(open);
        }
    }

    fn of(mut self, queues: &[super::line::Lanes]) -> Vec<CountChange> {
        self.close();
        let mut changes = Vec::new();
        for (queue, sums) in self.sums {
            for (phase, by) in Phase::ALL.into_iter().zip(sums) {
                if by != 0 {
                    let queue = queues[queue as usize].name.clone();
                    changes.push(CountChange { queue, phase, by });
                }
            }
        }
        changes
    }
}
