//! The lines of one queue: who is next, as far as it is in memory.

use std::collections::VecDeque;

use super::slot::Index;
use crate::{Phase, Place, Priority, QueueName};

/// Entries that are out of date are swept out when they outnumber the others by this factor.
const SLACK: usize = 2;
const SWEEP_AT_LEAST: usize = 64;

/// One priority of one queue, in order of place.
///
/// Entries are not taken out when a task leaves the line: an entry counts only while the task
/// in that slot is queued at that very place. Places are never used twice.
#[derive(Debug, Default)]
pub(super) struct Line {
    entries: VecDeque<(Place, Index)>,
}

impl Line {
    /// Puts an entry where its place belongs: at the end, except for what comes back. What comes
    /// back may find its old entry there, and takes it over.
    pub(super) fn enter(&mut self, place: Place, slot: Index) {
        if self.entries.back().is_none_or(|(last, _)| *last < place) {
            return self.entries.push_back((place, slot));
        }
        let at = self.entries.partition_point(|(other, _)| *other < place);
        match self.entries.get_mut(at) {
            Some((other, old)) if *other == place => *old = slot,
            _ => self.entries.insert(at, (place, slot)),
        }
    }

    /// Drops what is out of date at the head, and everywhere when there is too much of it.
    pub(super) fn tidy(&mut self, is_current: impl Fn(Place, Index) -> bool) {
        while let Some(&(place, slot)) = self.entries.front() {
            if is_current(place, slot) {
                break;
            }
            self.entries.pop_front();
        }
    }

    /// Drops everything that is out of date, when the line is much longer than `waiting`.
    pub(super) fn sweep(&mut self, waiting: usize, is_current: impl Fn(Place, Index) -> bool) {
        if self.entries.len() > SWEEP_AT_LEAST.max(waiting.saturating_mul(SLACK)) {
            self.entries
                .retain(|&(place, slot)| is_current(place, slot));
        }
    }

    /// Entries above `after`, in order; some may be out of date.
    pub(super) fn after(&self, after: Place) -> impl Iterator<Item = (Place, Index)> + '_ {
        let from = self.entries.partition_point(|(place, _)| *place <= after);
        self.entries.range(from..).copied()
    }
}

/// One queue: its lines, its counts, and whether it is paused.
#[derive(Debug)]
pub(super) struct Lanes {
    pub(super) name: QueueName,
    pub(super) paused: bool,
    pub(super) lines: [Line; Priority::COUNT],
    /// Live tasks that are queued, per priority.
    pub(super) waiting: [usize; Priority::COUNT],
    /// Decided counts by phase: what is on disk plus what is on its way.
    pub(super) counts: [i64; Phase::ALL.len()],
}

impl Lanes {
    pub(super) fn new(name: QueueName) -> Self {
        Self {
            name,
            paused: false,
            lines: Default::default(),
            waiting: [0; Priority::COUNT],
            counts: [0; Phase::ALL.len()],
        }
    }
}
