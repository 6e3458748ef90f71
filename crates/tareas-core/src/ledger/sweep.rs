//! Sweeps: finding live tasks by their state, and deciding those that were found.

use super::Ledger;
use super::slot::Index;
use crate::lifecycle::{self, Lost};
use crate::{Applied, Jitter, Outcome, Phase, Position, SessionId, Sweep, TaskId, Timestamp};

impl Ledger {
    /// Live tasks that a sweep would change, in the order in which it takes them: at most
    /// `limit`, except that a reclaim takes all of its session, since which claims are the
    /// oldest can be told of the whole only.
    pub fn candidates(&self, sweep: &Sweep, now: Timestamp, limit: usize) -> Vec<TaskId> {
        let until = |set: &std::collections::BTreeSet<(Timestamp, TaskId)>| {
            let due = set.iter().take_while(|(at, _)| *at <= now);
            due.take(limit).map(|(_, id)| *id).collect()
        };
        match sweep {
            Sweep::Due => until(&self.dues),
            Sweep::Expired => until(&self.expiries),
            Sweep::Reclaim { session, .. } => self.running_of(*session),
            Sweep::Prune => self.prunable(now, limit),
        }
    }

    fn running_of(&self, session: SessionId) -> Vec<TaskId> {
        let of_session = |task: &&crate::Task| task.lease().is_some_and(|l| l.session == session);
        let mut found: Vec<_> = self.live_tasks().filter(of_session).collect();
        found.sort_by_key(|task| (task.started_at, task.id()));
        found.iter().map(|task| task.id()).collect()
    }

    fn prunable(&self, now: Timestamp, limit: usize) -> Vec<TaskId> {
        let mut found: Vec<_> = self
            .live_tasks()
            .filter(|task| lifecycle::may_prune(task, now))
            .collect();
        found.sort_by_key(|task| (task.prune_at(), task.id()));
        found.iter().take(limit).map(|task| task.id()).collect()
    }

    fn live_tasks(&self) -> impl Iterator<Item = &crate::Task> {
        let live = self.slots.iter().flatten().filter(|slot| !slot.is_removed);
        live.map(|slot| &slot.task)
    }

    /// Decides the sweep for these tasks, in this order. Those whose state has moved on are
    /// refused one by one and stay as they are.
    pub fn decide_sweep(&mut self, sweep: &Sweep, tasks: &[TaskId], now: Timestamp) -> Applied {
        let next = Position(self.position.0 + 1);
        let mut outcomes = Vec::with_capacity(tasks.len());
        for (order, id) in tasks.iter().enumerate() {
            let outcome = match self.find(*id) {
                Some(index) => self.sweep_one(sweep, index, order, now, next),
                None => Outcome::Refused(crate::Rejected::NotFound),
            };
            outcomes.push(outcome);
        }
        if outcomes
            .iter()
            .any(|outcome| matches!(outcome, Outcome::Done(_)))
        {
            self.position = next;
        }
        Applied {
            outcomes,
            position: self.position,
        }
    }

    fn sweep_one(
        &mut self,
        sweep: &Sweep,
        index: Index,
        order: usize,
        now: Timestamp,
        at: Position,
    ) -> Outcome {
        match sweep {
            Sweep::Due => {
                let place = self.fresh_place(now);
                self.step(index, at, |task| lifecycle::due(task, now, place))
            }
            Sweep::Expired => self.step(index, at, |task| lifecycle::expire(task, now)),
            Sweep::Reclaim {
                session,
                slots,
                worker,
            } => {
                let lost = Lost {
                    session: *session,
                    was_started: order < usize::from(*slots),
                    worker: worker.as_deref(),
                };
                let jitter = Jitter(self.task(index).id().as_u128() as u32);
                self.step(index, at, |task| lifecycle::lose(task, lost, jitter, now))
            }
            Sweep::Prune if lifecycle::may_prune(self.task(index), now) => self.remove(index, at),
            Sweep::Prune => {
                let phase: Phase = self.task(index).phase();
                Outcome::Refused(crate::Rejected::WrongState { phase })
            }
        }
    }
}
