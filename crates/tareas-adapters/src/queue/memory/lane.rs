//! One lane: the head of one line, in order of place.
//!
//! A lane that dropped hints is *spilled*: it holds every hint at or below its cursor that was
//! not received, and none above it, so that order survives the detour through the records. Its
//! count of dropped hints tells a refill whether hints were dropped behind its back.

use std::collections::VecDeque;

use tareas_core::{Hint, Place};
use tareas_engine::ports::Spilled;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Heads {
    hints: VecDeque<Hint>,
    /// Set while the lane is spilled.
    cursor: Option<Place>,
    dropped: u64,
}

impl Heads {
    pub(super) fn len(&self) -> usize {
        self.hints.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hints.is_empty()
    }

    /// The place up to which the lane holds all, when it does not hold all.
    pub(super) fn cursor(&self) -> Option<Place> {
        self.cursor
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The place of the next hint.
    pub(super) fn first(&self) -> Option<Place> {
        self.hints.front().map(|hint| hint.place)
    }

    pub(super) fn pop(&mut self) -> Option<Hint> {
        self.hints.pop_front()
    }

    pub(super) fn publish(&mut self, hints: &[Hint], heads_max: usize) {
        for hint in hints {
            match self.cursor {
                Some(cursor) if hint.place > cursor => self.dropped += 1,
                _ => self.insert(*hint),
            }
        }
        self.bound(heads_max);
    }

    /// Takes in `hints`, which are all that the records had above `spilled.cursor` up to the
    /// last of them, and further when `is_all`.
    pub(super) fn refill(
        &mut self,
        spilled: &Spilled,
        hints: &[Hint],
        is_all: bool,
        heads_max: usize,
    ) {
        if self.cursor.is_some_and(|cursor| cursor < spilled.cursor) {
            // The lane gave way in the meantime: what lies between was not read.
            return;
        }
        let last = hints.last().map_or(spilled.cursor, |hint| hint.place);
        match self.cursor {
            None if is_all => {}
            None => self.spill_above(last),
            Some(_) if is_all && self.dropped == spilled.dropped => self.cursor = None,
            Some(cursor) => self.cursor = Some(cursor.max(last)),
        }
        for hint in hints {
            self.insert(*hint);
        }
        self.bound(heads_max);
    }

    /// Puts a hint where its place belongs, mostly at the end. A hint for a task that has one
    /// replaces it.
    fn insert(&mut self, hint: Hint) {
        if self.hints.back().is_none_or(|last| last.place < hint.place) {
            return self.hints.push_back(hint);
        }
        let at = self.hints.partition_point(|other| other.place < hint.place);
        match self.hints.get_mut(at) {
            Some(other) if other.place == hint.place => *other = hint,
            _ => self.hints.insert(at, hint),
        }
    }

    /// Drops what does not fit, from the end.
    fn bound(&mut self, heads_max: usize) {
        let excess = self.hints.len().saturating_sub(heads_max);
        if excess == 0 {
            return;
        }
        self.hints.truncate(heads_max);
        self.dropped += excess as u64;
        self.cursor = Some(self.hints.back().map_or(Place::START, |last| last.place));
    }

    fn spill_above(&mut self, cursor: Place) {
        let kept = self.hints.partition_point(|hint| hint.place <= cursor);
        self.dropped += (self.hints.len() - kept) as u64;
        self.hints.truncate(kept);
        self.cursor = Some(cursor);
    }
}
