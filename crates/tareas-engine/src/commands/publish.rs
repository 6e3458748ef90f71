//! Publish: tell the queue which tasks are ready, once they are.

use tareas_core::ledger::{hint, lane};
use tareas_core::{Hint, Lane, State, Task};

use crate::Engine;

impl Engine {
    /// Publishes hints for the queued tasks among these, and notes when the scheduled ones are
    /// due. A hint that cannot be published is not lost: the task is found by its state.
    pub(crate) async fn publish<'a>(&self, tasks: impl Iterator<Item = &'a Task>) {
        let mut run: Option<(Lane, Vec<Hint>)> = None;
        let mut rest = Vec::new();
        for task in tasks {
            if let State::Scheduled { due_at } = task.state {
                self.next_due.note(due_at);
            }
            let Some(hint) = hint(task) else { continue };
            match &mut run {
                Some((lane, hints)) if is_of(lane, task) => hints.push(hint),
                _ => rest.extend(run.replace((lane(task), vec![hint]))),
            }
        }
        for (lane, hints) in rest.into_iter().chain(run) {
            if let Err(error) = self.ports.queue.publish(&lane, &hints).await {
                tracing::warn!(%error, queue = %lane.queue, hints = hints.len(), "not published");
            }
        }
    }
}

fn is_of(lane: &Lane, task: &Task) -> bool {
    lane.priority == task.spec.priority && lane.queue == task.spec.queue
}
