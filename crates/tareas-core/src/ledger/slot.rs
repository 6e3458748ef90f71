//! One task in memory, and what the ledger keeps beside it.

use crate::{Attempt, Phase, Position, Task};

/// Index of a slot.
pub(super) type Index = u32;

/// A live task: its decided state, and how much of it is on disk.
#[derive(Debug)]
pub(super) struct Slot {
    /// The decided state; kept after a removal until that is durable, to undo its counts.
    pub(super) task: Task,
    /// Order of acceptance, dense, never used twice.
    pub(super) seq: u64,
    /// Index of its queue in the ledger.
    pub(super) queue: u32,
    /// The version that is on disk; 0 when it was never written.
    pub(super) durable_version: u64,
    /// The phase that the counts on disk know it by.
    pub(super) durable_phase: Option<Phase>,
    /// The oldest decision about it that is not in any commit yet.
    pub(super) dirty_since: Option<Position>,
    /// What the journal counts for it.
    pub(super) dirty_bytes: usize,
    /// It is in the commit that is being written.
    pub(super) is_writing: bool,
    /// It has been removed (T13, T14); stays until that is durable.
    pub(super) is_removed: bool,
    /// Position of its last claim.
    pub(super) started: Position,
    /// Expected to end soon: which round of the writer counts on it.
    pub(super) quick_round: Option<bool>,
    /// Endings of attempts that are not in any commit yet.
    pub(super) endings: Vec<Attempt>,
}

impl Slot {
    /// A task that is on no disk yet.
    pub(super) fn new(task: Task, seq: u64, queue: u32, quick_round: Option<bool>) -> Self {
        Self {
            task,
            seq,
            queue,
            durable_version: 0,
            durable_phase: None,
            dirty_since: None,
            dirty_bytes: 0,
            is_writing: false,
            is_removed: false,
            started: Position::ZERO,
            quick_round,
            endings: Vec::new(),
        }
    }

    /// A task as it was found on disk.
    pub(super) fn stored(task: Task, seq: u64, queue: u32) -> Self {
        let (version, phase) = (task.version, task.phase());
        Self {
            durable_version: version,
            durable_phase: Some(phase),
            ..Self::new(task, seq, queue, None)
        }
    }

    pub(super) fn is_clean(&self) -> bool {
        self.dirty_since.is_none() && !self.is_writing
    }
}
