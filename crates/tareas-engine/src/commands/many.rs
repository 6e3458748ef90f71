//! The same for many: what a person asked to be done to every task of a list, in one batch.

use std::sync::atomic::Ordering;

use tareas_core::{Actor, Batch, Command, Outcome, Position, Task, TaskId};

use crate::bulk::BulkAction;
use crate::{Engine, Refusal};

/// What became of a list of tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Acted {
    /// It was done to so many.
    pub done: u64,
    /// So many did not allow it, any more or at all.
    pub refused: u64,
}

impl Engine {
    /// Does one thing to many tasks; durable on return. Each is decided by itself.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub(crate) async fn act_on_many(
        &self,
        action: BulkAction,
        ids: &[TaskId],
        by: &Actor,
    ) -> Result<Acted, Refusal> {
        let commands = ids
            .iter()
            .map(|task| command(action, *task, by.clone()))
            .collect();
        let now = self.now();
        let applied = self.ports.records.apply(Batch { now, commands }).await?;
        let outcomes = applied.outcomes.into_iter();
        let done: Vec<Task> = outcomes
            .filter_map(|outcome| match outcome {
                Outcome::Done(task) => Some(task),
                Outcome::Already(_) | Outcome::Refused(_) => None,
            })
            .collect();
        let told = self.until_durable(applied.position);
        match action {
            BulkAction::Cancel => self.after_cancels(applied.position, &done),
            BulkAction::Requeue => {
                self.open.fetch_add(done.len() as i64, Ordering::Relaxed);
                self.publish(done.iter()).await;
            }
            BulkAction::Delete => {}
        }
        told.await?;
        if action == BulkAction::Delete {
            for task in &done {
                self.delete_blobs(task).await;
            }
        }
        Ok(Acted {
            done: done.len() as u64,
            refused: (ids.len() - done.len()) as u64,
        })
    }

    fn after_cancels(&self, position: Position, tasks: &[Task]) {
        self.ended(position, tasks.iter());
        for task in tasks.iter().filter(|task| !task.state.is_terminal()) {
            self.ask_to_stop(task, position);
        }
    }
}

fn command(action: BulkAction, task: TaskId, by: Actor) -> Command {
    match action {
        BulkAction::Cancel => Command::Cancel {
            task,
            by,
            only: None,
        },
        BulkAction::Requeue => Command::Requeue {
            task,
            by,
            only: None,
        },
        BulkAction::Delete => Command::Delete {
            task,
            by,
            only: None,
        },
    }
}
