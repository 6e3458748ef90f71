//! Deciding commands: what each of them means for many tasks.
//!
//! What may happen to one task is in [`crate::lifecycle`]; here are identity, admission,
//! repetition, and the bookkeeping around a transition. A command that was applied before is
//! answered with `Already` where it can be told: a submission by its id or key, a claim and a
//! settlement by their token, the others by the state they left.

use super::Ledger;
use super::alone::{self, Verdict};
use super::slot::{Index, Slot};
use crate::lifecycle::{self, Claim};
use crate::{
    Applied, Batch, Command, Fence, NewTask, Outcome, Phase, Position, Rejected, Task, Timestamp,
};

impl Ledger {
    /// Decides the commands in order, each against the state left by the one before.
    ///
    /// With a store behind, everything that [`Ledger::missing`] names must have been looked up
    /// and installed before: what is not live is taken to not exist.
    pub fn decide(&mut self, batch: &Batch) -> Applied {
        let next = Position(self.position.0 + 1);
        let mut has_changed = false;
        let mut outcomes = Vec::with_capacity(batch.commands.len());
        for command in &batch.commands {
            let outcome = self.decide_one(command, batch.now, next);
            has_changed |= matches!(outcome, Outcome::Done(_));
            outcomes.push(outcome);
        }
        if has_changed {
            self.position = next;
        }
        Applied {
            outcomes,
            position: self.position,
        }
    }

    fn decide_one(&mut self, command: &Command, now: Timestamp, at: Position) -> Outcome {
        if let Command::Submit(new) = command {
            return self.submit(new, now, at);
        }
        let Some(index) = self.find(command.task()) else {
            return Outcome::Refused(Rejected::NotFound);
        };
        match command {
            Command::Submit(_) => unreachable!("answered above"),
            Command::Claim {
                expected_attempt,
                session,
                token,
                ..
            } => {
                let (expected_attempt, session, token) = (*expected_attempt, *session, *token);
                self.claim(
                    index,
                    Claim {
                        expected_attempt,
                        session,
                        token,
                        gap: 0,
                    },
                    now,
                    at,
                )
            }
            Command::Settle { .. } | Command::Overdue { .. } | Command::Cancel { .. } => {
                self.decide_alone(index, command, now, at)
            }
            Command::Requeue { only, .. } => self.requeue(index, *only, now, at),
            Command::Delete { only, .. } => self.delete(index, *only, at),
        }
    }

    fn submit(&mut self, new: &NewTask, now: Timestamp, at: Position) -> Outcome {
        let spec = &new.spec;
        if let Some(index) = self.find(spec.id) {
            return self.known(index, new);
        }
        if !alone::is_in_window(new, now) {
            return Outcome::Refused(Rejected::IdWindow);
        }
        if let Some(key) = &spec.options().idempotency_key
            && let Some(owner) = self.keys.get(key)
            && let Some(index) = self.find(*owner)
            && self.has_key(index, key)
        {
            return self.known(index, new);
        }
        if let Some(rejected) = self.journal_is_full() {
            return Outcome::Refused(rejected);
        }
        let queue = self.queue_of(&spec.queue);
        if self.queue_is_full(queue) {
            return Outcome::Refused(Rejected::QueueFull);
        }
        let place = self.fresh_place(now);
        self.accept(lifecycle::submit(new, now, place), queue, new.quick, at)
    }

    /// The answer to a submission whose identity is taken.
    fn known(&self, index: Index, new: &NewTask) -> Outcome {
        let task = self.task(index);
        match task.spec.same_request(&new.spec) {
            true => Outcome::Already(task.clone()),
            false => Outcome::Refused(Rejected::Mismatch { of: task.id() }),
        }
    }

    fn journal_is_full(&self) -> Option<Rejected> {
        if self.storage_full {
            return Some(Rejected::StorageFull);
        }
        let is_full = self.dirty.len() >= self.config.journal_tasks_max
            || self.journal_bytes >= self.config.journal_bytes_max;
        is_full.then_some(Rejected::Overloaded)
    }

    fn queue_is_full(&self, queue: u32) -> bool {
        let Some(limit) = self.config.queue_tasks_max else {
            return false;
        };
        let counts = &self.queues[queue as usize].counts;
        let waiting = counts[Phase::Queued as usize] + counts[Phase::Scheduled as usize];
        waiting.max(0).unsigned_abs() >= limit
    }

    fn accept(&mut self, task: Task, queue: u32, quick: bool, at: Position) -> Outcome {
        self.high_seq += 1;
        if let Some(key) = &task.spec.options().idempotency_key {
            self.keys.insert(key.clone(), task.id());
        }
        let quick_round = (quick && task.phase() == Phase::Queued).then_some(self.quick_round);
        if let Some(round) = quick_round {
            self.quick_open[usize::from(round)] += 1;
        }
        let index = self.insert(Slot::new(task, self.high_seq, queue, quick_round));
        self.entered(index, None);
        self.mark_dirty(index, at);
        Outcome::Done(self.task(index).clone())
    }

    fn claim(&mut self, index: Index, mut claim: Claim, now: Timestamp, at: Position) -> Outcome {
        if lifecycle::is_claimed_by(self.task(index), &claim) {
            return self.already(index);
        }
        let slot = self.slot(index);
        let may_start = slot.task.place().is_some() && slot.task.attempt == claim.expected_attempt;
        if may_start && self.queues[slot.queue as usize].paused {
            return Outcome::Refused(Rejected::Paused);
        }
        if may_start && slot.started > self.durable {
            return Outcome::Refused(Rejected::Undurable {
                until: slot.started,
            });
        }
        claim.gap = u64::from(slot.seq <= self.config.suspect_seq);
        let outcome = self.step(index, at, |task| lifecycle::claim(task, &claim, now));
        if matches!(&outcome, Outcome::Done(task) if task.lease().is_some()) {
            self.slot_mut(index).started = at;
        }
        outcome
    }

    /// What depends on nothing but its task.
    fn decide_alone(
        &mut self,
        index: Index,
        command: &Command,
        now: Timestamp,
        at: Position,
    ) -> Outcome {
        self.step(index, at, |task| {
            alone::decide(task, command, now).expect("matched by the caller")
        })
    }

    fn requeue(
        &mut self,
        index: Index,
        only: Option<u64>,
        now: Timestamp,
        at: Position,
    ) -> Outcome {
        let changed = alone::changed(self.task(index), only);
        match (self.task(index).phase(), changed) {
            (Phase::Queued, _) => self.already(index),
            (_, Some(changed)) => Outcome::Refused(changed),
            (Phase::Failed | Phase::Cancelled, None) => {
                let place = self.fresh_place(now);
                self.step(index, at, |task| lifecycle::requeue(task, place))
            }
            (phase, None) => Outcome::Refused(Rejected::WrongState { phase }),
        }
    }

    fn delete(&mut self, index: Index, only: Option<u64>, at: Position) -> Outcome {
        if let Some(changed) = alone::changed(self.task(index), only) {
            return Outcome::Refused(changed);
        }
        match lifecycle::delete(self.task(index)) {
            Ok(()) => self.remove(index, at),
            Err(rejected) => Outcome::Refused(rejected),
        }
    }

    fn already(&self, index: Index) -> Outcome {
        Outcome::Already(self.task(index).clone())
    }

    /// Carries out one transition and keeps the indexes in step with it.
    pub(super) fn step<V: Into<Verdict>>(
        &mut self,
        index: Index,
        at: Position,
        transition: impl FnOnce(&mut Task) -> V,
    ) -> Outcome {
        let slot = self.slot_mut(index);
        let before = slot.task.state;
        match transition(&mut slot.task).into() {
            Verdict::Refused(rejected) => Outcome::Refused(rejected),
            Verdict::Already => self.already(index),
            Verdict::Done(ended) => {
                slot.endings.extend(ended);
                self.moved(index, before);
                self.mark_dirty(index, at);
                Outcome::Done(self.task(index).clone())
            }
        }
    }

    /// Takes a task out: it no longer exists for anybody, and its row goes with the next commit.
    pub(super) fn remove(&mut self, index: Index, at: Position) -> Outcome {
        let task = self.task(index).clone();
        self.ids.remove(&task.id());
        self.removed.insert(task.id(), index);
        self.left(index);
        self.slot_mut(index).is_removed = true;
        self.mark_dirty(index, at);
        Outcome::Done(task)
    }
}

/// What a settlement needs to show for a task that was just claimed.
pub fn fence(task: &Task) -> Option<Fence> {
    task.lease().map(|lease| Fence {
        attempt: task.attempt,
        token: lease.token,
    })
}
