//! Tasks that are on disk only: finding out what must be read, and taking it in.
//!
//! A task that is not live has no decision that is not durable. So whoever looks it up opens
//! the snapshot after asking the ledger, under a lock that admits one such look-up at a time,
//! and installs what was found before the next decision.

use std::collections::HashMap;

use smol_str::SmolStr;

use super::slot::{Index, Slot};
use super::{Ledger, distinct};
use crate::{Command, Phase, QueueName, State, Task, TaskId, Timestamp};

/// A task as it is on disk.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its number in the order of acceptance.
    pub seq: u64,
    /// The task.
    pub task: Task,
}

/// What must be looked up before a batch can be decided.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Tasks that are not live.
    pub ids: Vec<TaskId>,
    /// Idempotency keys that no live task has.
    pub keys: Vec<SmolStr>,
}

impl Missing {
    /// Whether everything is at hand.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.keys.is_empty()
    }
}

/// Scheduled tasks that are due later than this leave memory.
const KEEP_SCHEDULED_MICROS: i64 = 60_000_000;

impl Ledger {
    /// What must be looked up before these commands can be decided. Most batches need nothing:
    /// they are about live tasks and about ids that this server has just made.
    pub fn missing(&self, commands: &[Command]) -> Missing {
        let mut missing = Missing::default();
        for command in commands {
            match command {
                Command::Submit(new) => {
                    if !new.id_is_fresh {
                        self.miss_id(new.spec.id, &mut missing);
                    }
                    if let Some(key) = &new.spec.options().idempotency_key {
                        match self.keys.get(key) {
                            Some(owner) => self.miss_id(*owner, &mut missing),
                            None => missing.keys.push(key.clone()),
                        }
                    }
                }
                other => self.miss_id(other.task(), &mut missing),
            }
        }
        if missing.ids.len() > 1 {
            missing.ids = distinct(missing.ids.into_iter());
        }
        missing
    }

    fn miss_id(&self, id: TaskId, missing: &mut Missing) {
        if self.find(id).is_none() && !self.is_removed(id) {
            missing.ids.push(id);
        }
    }

    /// Whether its removal is decided and not on disk yet: it does not exist, whatever the disk
    /// says. Whoever reads the disk beside [`Ledger::get`] asks this first.
    pub fn is_removed(&self, id: TaskId) -> bool {
        self.removed.contains_key(&id)
    }

    /// Whether a task is live.
    pub fn is_live(&self, id: TaskId) -> bool {
        self.find(id).is_some()
    }

    /// Takes in what was found on disk. Live tasks stay as they are: they are newer. Tasks whose
    /// removal is decided do not come back.
    pub fn install(&mut self, stored: Vec<Stored>) {
        for Stored { seq, task } in stored {
            if self.find(task.id()).is_some() || self.is_removed(task.id()) {
                continue;
            }
            let queue = self.queue_of(&task.spec.queue);
            let phase = task.phase();
            if let Some(key) = &task.spec.options().idempotency_key {
                self.keys.insert(key.clone(), task.id());
            }
            let index = self.insert(Slot::stored(task, seq, queue));
            self.entered(index, None);
            // It was counted already: it came from disk.
            self.queues[queue as usize].counts[phase as usize] -= 1;
        }
    }

    /// Says which task has a key, as found on disk.
    pub fn install_keys(&mut self, keys: HashMap<SmolStr, TaskId>) {
        for (key, id) in keys {
            self.keys.entry(key).or_insert(id);
        }
    }

    /// Sets the counts that are on disk: at the start, once.
    pub fn install_counts(&mut self, queue: &QueueName, counts: [i64; Phase::ALL.len()]) {
        let index = self.queue_of(queue);
        self.queues[index as usize].counts = counts;
    }

    /// Sets whether a queue is paused, as it is on disk: at the start.
    pub fn install_paused(&mut self, queue: &QueueName, paused: bool) {
        let index = self.queue_of(queue);
        self.queues[index as usize].paused = paused;
    }

    /// Lets go of tasks that were taken in and not changed.
    pub fn forget(&mut self, ids: &[TaskId], now: Timestamp) {
        for id in ids {
            if let Some(index) = self.find(*id) {
                self.forget_if_idle(index, now);
            }
        }
    }

    /// Evicts a slot that is on disk as it is and that nobody will need soon.
    pub(super) fn forget_if_idle(&mut self, index: Index, now: Timestamp) {
        let slot = self.slot(index);
        if !slot.is_clean() {
            return;
        }
        if slot.is_removed {
            return self.bury(index);
        }
        let is_idle = match slot.task.state {
            State::Running(_) => false,
            State::Queued { .. } => self.live() > self.config.live_max,
            State::Scheduled { due_at } => {
                self.live() > self.config.live_max
                    || due_at.as_micros() > now.as_micros().saturating_add(KEEP_SCHEDULED_MICROS)
            }
            State::Succeeded | State::Failed(_) | State::Cancelled(_) => true,
        };
        if is_idle && self.config.live_max != usize::MAX {
            self.evict(index);
        }
    }

    /// Lets go of a task whose removal is on disk.
    fn bury(&mut self, index: Index) {
        let Some(slot) = self.slots[index as usize].take() else {
            return;
        };
        self.free.push(index);
        let id = slot.task.id();
        if self.removed.get(&id) == Some(&index) {
            self.removed.remove(&id);
        }
        if let Some(key) = &slot.task.spec.options().idempotency_key
            && self.keys.get(key) == Some(&id)
            && !self.find(id).is_some_and(|index| self.has_key(index, key))
        {
            self.keys.remove(key);
        }
    }

    /// Whether a key is that of this task. The same id may have come back without it while the
    /// removal of the task before was not on disk.
    pub(super) fn has_key(&self, index: Index, key: &SmolStr) -> bool {
        let options = self.task(index).spec.options();
        options.idempotency_key.as_ref() == Some(key)
    }

    fn evict(&mut self, index: Index) {
        self.left(index);
        let slot = self.slots[index as usize]
            .as_ref()
            .expect("an index names a live slot");
        // It stays counted: it is on disk.
        self.queues[slot.queue as usize].counts[slot.task.phase() as usize] += 1;
        if let Some(key) = &slot.task.spec.options().idempotency_key {
            self.keys.remove(key);
        }
        self.ids.remove(&slot.task.id());
        self.slots[index as usize] = None;
        self.free.push(index);
    }
}
