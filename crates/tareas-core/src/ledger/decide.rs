//! Deciding commands: what each of them means for many tasks.
//!
//! What may happen to one task is in [`crate::lifecycle`]; here are identity, admission,
//! repetition, and the bookkeeping around a transition. A command that was applied before is
//! answered with `Already` where it can be told: a submission by its id or key, a claim and a
//! settlement by their token, the others by the state they left.

use super::Ledger;
use super::slot::{Index, Slot};
use crate::lifecycle::{self, Claim, Ended};
use crate::limits::{ID_WINDOW_FUTURE, ID_WINDOW_PAST};
use crate::{
    Applied, Batch, Command, Ending, Fence, Jitter, NewTask, Outcome, Phase, Position, RanBy,
    Reason, Rejected, State, Task, Timestamp,
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
            Command::Settle {
                fence,
                ending,
                jitter,
                ..
            } => self.settle(index, (*fence, ending, *jitter), now, at),
            Command::Overdue {
                attempt,
                ran_by,
                jitter,
                ..
            } => self.overdue(index, (*attempt, ran_by.as_ref(), *jitter), now, at),
            Command::Cancel { only, .. } => self.cancel(index, *only, now, at),
            Command::Requeue { only, .. } => self.requeue(index, *only, now, at),
            Command::Delete { only, .. } => self.delete(index, *only, at),
        }
    }

    fn submit(&mut self, new: &NewTask, now: Timestamp, at: Position) -> Outcome {
        let spec = &new.spec;
        if let Some(index) = self.find(spec.id) {
            return self.known(index, new);
        }
        if !new.id_is_fresh && !spec.id.within_window(now, ID_WINDOW_PAST, ID_WINDOW_FUTURE) {
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

    fn settle(
        &mut self,
        index: Index,
        (fence, ending, jitter): (Fence, &Ending, Jitter),
        now: Timestamp,
        at: Position,
    ) -> Outcome {
        if lifecycle::is_settled_by(self.task(index), fence) {
            return self.already(index);
        }
        self.step(index, at, |task| {
            lifecycle::settle(task, fence, ending, jitter, now)
        })
    }

    fn overdue(
        &mut self,
        index: Index,
        (attempt, ran_by, jitter): (u64, Option<&RanBy>, Jitter),
        now: Timestamp,
        at: Position,
    ) -> Outcome {
        if lifecycle::is_ended_as_overdue(self.task(index), attempt) {
            return self.already(index);
        }
        self.step(index, at, |task| {
            lifecycle::overdue(task, attempt, ran_by, jitter, now)
        })
    }

    fn cancel(&mut self, index: Index, only: Option<u64>, now: Timestamp, at: Position) -> Outcome {
        let task = self.task(index);
        let is_asked = task.cancel_requested && task.phase() == Phase::Running;
        if is_asked || matches!(task.state, State::Cancelled(Reason::Requested)) {
            return self.already(index);
        }
        if let Some(changed) = self.changed(index, only) {
            return Outcome::Refused(changed);
        }
        self.step(index, at, |task| lifecycle::cancel(task, now))
    }

    fn requeue(
        &mut self,
        index: Index,
        only: Option<u64>,
        now: Timestamp,
        at: Position,
    ) -> Outcome {
        let changed = self.changed(index, only);
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

    /// Why not, when the task is not the one that was seen. What is so already is told as such
    /// before: of a command that is decided twice the second one finds another version.
    fn changed(&self, index: Index, only: Option<u64>) -> Option<Rejected> {
        let version = self.task(index).version;
        only.filter(|seen| *seen != version)
            .map(|_| Rejected::Changed { version })
    }

    fn delete(&mut self, index: Index, only: Option<u64>, at: Position) -> Outcome {
        if let Some(changed) = self.changed(index, only) {
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
    pub(super) fn step(
        &mut self,
        index: Index,
        at: Position,
        transition: impl FnOnce(&mut Task) -> Result<Ended, Rejected>,
    ) -> Outcome {
        let slot = self.slot_mut(index);
        let before = slot.task.state;
        match transition(&mut slot.task) {
            Err(rejected) => Outcome::Refused(rejected),
            Ok(ended) => {
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
