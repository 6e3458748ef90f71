//! Cancel: stop a task that waits, or ask the attempt that runs to stop.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tareas_core::{Actor, Command, Position, Task, TaskId, Timestamp};

use crate::{Engine, Refusal};

impl Engine {
    /// Cancels a task. The answer is honest: a waiting task comes back as cancelled, a running
    /// one as running with the request noted; it ends when its handler heeds it, or when the
    /// grace period is over.
    ///
    /// # Errors
    /// `NotFound`, or `WrongState` when it has ended otherwise.
    pub async fn cancel(&self, id: TaskId, by: Actor) -> Result<(Task, Position), Refusal> {
        self.cancel_at(id, by, None).await
    }

    /// The same, only while the task has this version.
    ///
    /// # Errors
    /// As [`cancel`](Self::cancel), and `Changed` when it has another version.
    pub async fn cancel_at(
        &self,
        id: TaskId,
        by: Actor,
        only: Option<u64>,
    ) -> Result<(Task, Position), Refusal> {
        let cancel = Command::Cancel { task: id, by, only };
        let (task, position) = self.apply_one(cancel).await?;
        if task.state.is_terminal() {
            self.ended(position, std::iter::once(&task));
        } else {
            self.ask_to_stop(&task, position);
        }
        Ok((task, position))
    }

    /// Asks the attempt that runs to stop, and ends it when its grace is over. One that runs at
    /// another process is found there by [`Recall`](crate::services::Recall).
    pub(crate) fn ask_to_stop(&self, task: &Task, position: Position) {
        self.ask_holder_to_stop(task.id(), task.attempt, position);
        let until = self.now() + self.config.cancel_grace;
        self.cancel_deadlines.add(until, task.id(), task.attempt);
        self.next_due.note(until);
    }

    /// Asks whoever of this process runs the attempt.
    pub(crate) fn ask_holder_to_stop(&self, task: TaskId, attempt: u64, position: Position) {
        if !self.ask_worker_to_stop(task, attempt, position)
            && let Some(pool) = self.pool.get()
        {
            pool.cancel(task, attempt);
        }
    }

    /// T8: ends an attempt that is over its limit or did not heed a cancel request.
    pub(crate) async fn overdue(&self, task: TaskId, attempt: u64) {
        let jitter = self.chance.jitter();
        let command = Command::Overdue {
            task,
            attempt,
            // One that was asked to stop ends as cancelled, without a failure.
            ran_by: None,
            jitter,
        };
        // Refused means that the attempt has ended by itself meanwhile.
        if let Ok((task, position)) = self.apply_one(command).await {
            self.after_attempt(position, &task).await;
        }
    }
}

/// Running attempts that were asked to stop, by the end of their grace.
#[derive(Debug, Default)]
pub(crate) struct CancelDeadlines {
    by_time: Mutex<BTreeMap<(Timestamp, TaskId), u64>>,
}

impl CancelDeadlines {
    fn add(&self, until: Timestamp, task: TaskId, attempt: u64) {
        let mut by_time = self.by_time.lock().unwrap_or_else(PoisonError::into_inner);
        by_time.insert((until, task), attempt);
    }

    pub(crate) fn take_due(&self, now: Timestamp) -> Vec<(TaskId, u64)> {
        let mut by_time = self.by_time.lock().unwrap_or_else(PoisonError::into_inner);
        let due = by_time.extract_if(.., |(until, _), _| *until <= now);
        due.map(|((_, task), attempt)| (task, attempt)).collect()
    }
}
