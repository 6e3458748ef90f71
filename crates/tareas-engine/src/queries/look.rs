//! Looking: one task, a page of tasks, attempts, counts, queues.

use std::collections::BTreeMap;

use tareas_core::{Attempt, Batch, Command, Outcome, Position, QueueName, Task, TaskId};

use crate::ports::{Counts, Page, TaskQuery};
use crate::{Engine, Refusal};

/// Most tasks on one page.
pub const TASKS_PER_PAGE_MAX: usize = 200;

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

    /// One page of tasks, newest first.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn page(&self, mut query: TaskQuery) -> Result<Page, Refusal> {
        query.limit = query.limit.clamp(1, TASKS_PER_PAGE_MAX);
        Ok(self.ports.records.page(&query).await?)
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
