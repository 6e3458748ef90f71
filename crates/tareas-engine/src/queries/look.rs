//! Looking: one task, its attempts, counts, queues.

use std::collections::BTreeMap;
use std::time::Duration;

use tareas_core::ledger::priorities;
use tareas_core::{
    Attempt, Batch, Command, Lane, Outcome, Place, Position, QueueName, Task, TaskId,
};

use crate::ports::Counts;
use crate::{Engine, Refusal};

impl Engine {
    /// One task, as far as it is durable; `None` when there is none.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn task(&self, id: TaskId) -> Result<Option<Task>, Refusal> {
        let (tasks, position) = self.ports.records.load(&[id]).await?;
        self.until_durable(position).await?;
        Ok(tasks.into_iter().flatten().next())
    }

    /// Attempts of a task that did not succeed, oldest first.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn attempts(&self, id: TaskId) -> Result<Vec<Attempt>, Refusal> {
        Ok(self.ports.records.attempts(id).await?)
    }

    /// How many tasks there are, by queue and phase.
    pub fn counts(&self) -> Counts {
        self.ports.records.counts()
    }

    /// How long the first in line of a queue has waited; `None` when nobody waits.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn longest_waiting(&self, queue: &QueueName) -> Result<Option<Duration>, Refusal> {
        let mut first: Option<Place> = None;
        for priority in priorities() {
            let queue = queue.clone();
            let lane = Lane { queue, priority };
            let line = self.ports.records.ready(&lane, Place::START, 1).await?;
            first = line.iter().map(|hint| hint.place).chain(first).min();
        }
        let now = self.now();
        Ok(first.map(|place| now.since(place.entered_at())))
    }

    /// The queues that are known, and whether each is paused.
    pub fn queues(&self) -> BTreeMap<QueueName, bool> {
        self.ports.settings.queues()
    }

    /// Applies one command that a person asked for.
    pub(crate) async fn apply_one(&self, command: Command) -> Result<(Task, Position), Refusal> {
        let batch = Batch {
            now: self.now(),
            commands: vec![command],
        };
        let applied = self.ports.records.apply(batch).await?;
        match applied.outcomes.into_iter().next() {
            Some(Outcome::Done(task) | Outcome::Already(task)) => Ok((task, applied.position)),
            Some(Outcome::Refused(rejected)) => Err(Refusal::Rejected(rejected)),
            None => Err(Refusal::Rejected(tareas_core::Rejected::NotFound)),
        }
    }
}
