//! Keeping the indexes in step with the tasks: lines, due times, expiries, counts.

use super::Ledger;
use super::slot::{Index, Slot};
use crate::{Place, State};

impl Ledger {
    /// Takes a task out of the indexes of its old state and puts it into those of its new one.
    pub(super) fn moved(&mut self, index: Index, before: State) {
        let slot = self.slots[index as usize]
            .as_mut()
            .expect("an index names a live slot");
        let lanes = &mut self.queues[slot.queue as usize];
        lanes.counts[before.phase() as usize] -= 1;
        let was_queued = matches!(before, State::Queued { .. });
        if was_queued {
            lanes.waiting[usize::from(slot.task.spec.priority.level())] -= 1;
        } else if let State::Scheduled { due_at } = before {
            self.dues.remove(&(due_at, slot.task.id()));
        }
        let is_open = matches!(slot.task.state, State::Queued { .. } | State::Running(_));
        if !is_open && let Some(round) = slot.quick_round.take() {
            self.quick_open[usize::from(round)] -= 1;
        }
        self.entered(index, Some(before));
        if was_queued {
            self.tidy_line(index);
        }
    }

    /// Puts a task into the indexes of its state.
    pub(super) fn entered(&mut self, index: Index, before: Option<State>) {
        let slot = self.slots[index as usize]
            .as_ref()
            .expect("an index names a live slot");
        let task = &slot.task;
        let lanes = &mut self.queues[slot.queue as usize];
        lanes.counts[task.phase() as usize] += 1;
        match task.state {
            State::Queued { place } => {
                let priority = usize::from(task.spec.priority.level());
                lanes.waiting[priority] += 1;
                let slots = &self.slots;
                let is_current = |place, index| is_queued_at(slots, index, place);
                lanes.lines[priority].enter(place, index);
                lanes.lines[priority].sweep(lanes.waiting[priority], is_current);
            }
            State::Scheduled { due_at } => {
                self.dues.insert((due_at, task.id()));
            }
            _ => {}
        }
        if let Some(expires_at) = task.spec.options().expires_at {
            if matches!(task.state, State::Scheduled { .. } | State::Queued { .. }) {
                self.expiries.insert((expires_at, task.id()));
            } else if before.is_some() {
                self.expiries.remove(&(expires_at, task.id()));
            }
        }
    }

    /// Takes a task out of all indexes: it leaves memory, or does not exist any more.
    pub(super) fn left(&mut self, index: Index) {
        let slot = self.slots[index as usize]
            .as_ref()
            .expect("an index names a live slot");
        let lanes = &mut self.queues[slot.queue as usize];
        lanes.counts[slot.task.phase() as usize] -= 1;
        match slot.task.state {
            State::Queued { .. } => {
                lanes.waiting[usize::from(slot.task.spec.priority.level())] -= 1;
            }
            State::Scheduled { due_at } => {
                self.dues.remove(&(due_at, slot.task.id()));
            }
            _ => {}
        }
        if let Some(expires_at) = slot.task.spec.options().expires_at {
            self.expiries.remove(&(expires_at, slot.task.id()));
        }
    }

    /// Drops entries at the head of its line that are out of date, after a task left that line.
    fn tidy_line(&mut self, index: Index) {
        let slot = self.slots[index as usize]
            .as_ref()
            .expect("an index names a live slot");
        let line = usize::from(slot.task.spec.priority.level());
        let slots = &self.slots;
        let line = &mut self.queues[slot.queue as usize].lines[line];
        line.tidy(|place, index| is_queued_at(slots, index, place));
    }
}

/// Whether the task in this slot is queued at this very place.
pub(super) fn is_queued_at(slots: &[Option<Slot>], index: Index, place: Place) -> bool {
    slots[index as usize]
        .as_ref()
        .is_some_and(|slot| !slot.is_removed && slot.task.place() == Some(place))
}
