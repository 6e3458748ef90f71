//! Deciding: at once for what is live, after a look-up for what is not.

use std::sync::MutexGuard;

use tareas_core::{Applied, Batch, Command, Fence, Position, Task, TaskId};
use tareas_engine::failpoint;
use tareas_engine::ports::{ApplyError, PortError};

use super::SqliteRecords;
use super::error::{read_error, unavailable};
use super::look_up::{self, Learned};
use super::readers::Purpose;
use super::shared::State;

impl SqliteRecords {
    /// Decides the batch. Without cold tasks this neither waits nor reads anything.
    pub(super) async fn decide(&self, batch: &Batch) -> Result<Applied, ApplyError> {
        if matches!(batch.commands.first(), Some(Command::Submit(new)) if new.quick) {
            self.shared.fold_ended().await;
        }
        {
            let state = self.shared.lock_to_decide().map_err(not_applied)?;
            if state.ledger.missing(&batch.commands).is_empty() {
                return Ok(self.decide_under(state, batch, None));
            }
        }
        let _turn = self.turn.lock().await;
        let applied = self.decide_cold(batch).await;
        applied.map_err(ApplyError::NotApplied)
    }

    /// Looks up what is missing until nothing is, then decides. The caller has the turn.
    pub(super) async fn decide_cold(&self, batch: &Batch) -> Result<Applied, PortError> {
        let mut learned = Learned::default();
        loop {
            let missing = {
                let state = self.shared.lock_to_decide().map_err(unavailable)?;
                let missing = learned.missing(&state, &batch.commands);
                if missing.is_empty() {
                    return Ok(self.decide_under(state, batch, Some(learned)));
                }
                missing
            };
            self.bring_in(&mut learned, missing).await?;
        }
    }

    fn decide_under(
        &self,
        mut state: MutexGuard<'_, State>,
        batch: &Batch,
        learned: Option<Learned>,
    ) -> Applied {
        let now = batch.now;
        let applied = match failpoint::is_on("fence_off") {
            true => {
                let unfenced = without_fences(&state, batch.clone());
                state.ledger.decide(&unfenced)
            }
            false => state.ledger.decide(batch),
        };
        if let Some(learned) = learned {
            learned.forget(&mut state, now);
        }
        self.decided(state, applied.position);
        applied
    }

    /// Unlocks after a decision.
    pub(super) fn decided(&self, state: MutexGuard<'_, State>, position: Position) {
        self.shared.unlock(state);
        if failpoint::is_on("tell_before_durable") {
            self.shared.durable.reach(position);
            self.shared.durable.wake();
        }
    }

    /// Decided view of these tasks, with the position at which it may be told.
    pub(super) async fn look(
        &self,
        ids: &[TaskId],
    ) -> Result<(Vec<Option<Task>>, Position), PortError> {
        let (mut tasks, cold, position) = self.look_live(ids);
        if !cold.is_empty() {
            let inside = self.gate.enter(Purpose::LookUp, cold.len()).await;
            let found = inside.snapshot(|connection| look_up::tasks(connection, &cold));
            let mut found = found.map_err(read_error)?.into_iter().peekable();
            for (id, task) in ids
                .iter()
                .zip(&mut tasks)
                .filter(|(_, task)| task.is_none())
            {
                if let Some(stored) = found.next_if(|stored| stored.task.id() == *id) {
                    *task = Some(stored.task);
                }
            }
        }
        Ok((tasks, position))
    }

    /// What is live of these, and which of the others may be on disk.
    fn look_live(&self, ids: &[TaskId]) -> (Vec<Option<Task>>, Vec<TaskId>, Position) {
        let state = self.shared.lock();
        let tasks: Vec<_> = ids
            .iter()
            .map(|id| state.ledger.get(*id).cloned())
            .collect();
        let absent = ids
            .iter()
            .zip(&tasks)
            .filter(|(_, task)| task.is_none())
            .map(|(id, _)| *id);
        let cold = absent.filter(|id| !state.ledger.is_removed(*id)).collect();
        (tasks, cold, state.ledger.position())
    }
}

/// The control of the kill test: every settlement claims to hold the lease.
fn without_fences(state: &State, mut batch: Batch) -> Batch {
    for command in &mut batch.commands {
        if let Command::Settle { task, fence, .. } = command
            && let Some(task) = state.ledger.get(*task)
            && let Some(lease) = task.lease()
        {
            *fence = Fence {
                attempt: task.attempt,
                token: lease.token,
            };
        }
    }
    batch
}

fn not_applied(stopped: tareas_engine::ports::Stopped) -> ApplyError {
    ApplyError::NotApplied(unavailable(stopped))
}
