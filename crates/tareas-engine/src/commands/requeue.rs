//! Requeue: an operator puts a failed or cancelled task back in line.

use std::sync::atomic::Ordering;

use tareas_core::{Actor, Command, Position, Task, TaskId};

use crate::{Engine, Refusal};

impl Engine {
    /// Puts a failed or cancelled task back in line. Its counters start again; its attempt
    /// number goes on.
    ///
    /// # Errors
    /// `NotFound`, or `WrongState` when it has succeeded or has not ended.
    pub async fn requeue(&self, id: TaskId, by: Actor) -> Result<(Task, Position), Refusal> {
        self.requeue_at(id, by, None).await
    }

    /// The same, only while the task has this version.
    ///
    /// # Errors
    /// As [`requeue`](Self::requeue), and `Changed` when it has another version.
    pub async fn requeue_at(
        &self,
        id: TaskId,
        by: Actor,
        only: Option<u64>,
    ) -> Result<(Task, Position), Refusal> {
        let requeue = Command::Requeue { task: id, by, only };
        let (task, position) = self.apply_one(requeue).await?;
        self.open.fetch_add(1, Ordering::Relaxed);
        self.publish(std::iter::once(&task)).await;
        Ok((task, position))
    }
}
