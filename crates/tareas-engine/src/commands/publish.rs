//! Publish: tell the queue which tasks are ready, once they are.

use tareas_core::ledger::{hint, lane};
use tareas_core::{Hint, Kind, Lane, Spec, State, Task};

use crate::Engine;

impl Engine {
    /// Publishes hints for the queued tasks among these, and notes when the scheduled ones are
    /// due. A hint that cannot be published is not lost: the task is found by its state.
    ///
    /// Once tasks are matched with workers, and nobody else takes from the queue, hints go to the
    /// shelves at once: the queue knows no kinds, so behind it each task would be read again.
    pub(crate) async fn publish<'a>(&self, tasks: impl Iterator<Item = &'a Task>) {
        let mut run: Option<(Lane, Vec<Hint>)> = None;
        let mut rest = Vec::new();
        let mut sorted: Vec<(&Spec, Hint)> = Vec::new();
        let mut last_own = None;
        for task in tasks {
            if let State::Scheduled { due_at } = task.state {
                self.next_due.note(due_at);
            }
            let Some(hint) = hint(task) else { continue };
            self.look_for_foreign(&task.spec, &mut last_own);
            if self.remote.is_matching() && !self.ports.queue.is_shared() {
                sorted.push((&*task.spec, hint));
                continue;
            }
            match &mut run {
                Some((lane, hints)) if is_of(lane, task) => hints.push(hint),
                _ => rest.extend(run.replace((lane(task), vec![hint]))),
            }
        }
        self.remote.put(&sorted);
        for (lane, hints) in rest.into_iter().chain(run) {
            if let Err(error) = self.ports.queue.publish(&lane, &hints).await {
                tracing::warn!(%error, queue = %lane.queue, hints = hints.len(), "not published");
            }
        }
    }
}

impl Engine {
    /// Once there is a task that the pool of this process cannot run, tasks are matched with
    /// workers. Most tasks of a batch are of one kind, which is looked up once.
    fn look_for_foreign<'a>(&self, spec: &'a Spec, last_own: &mut Option<&'a Kind>) {
        let is_plain = spec.options.is_none() && *last_own == Some(&spec.kind);
        if is_plain || self.remote.is_matching() {
            return;
        }
        if self.remote.is_for_own_pool(spec) {
            *last_own = Some(&spec.kind);
        } else {
            self.remote.start_matching();
        }
    }
}

fn is_of(lane: &Lane, task: &Task) -> bool {
    lane.priority == task.spec.priority && lane.queue == task.spec.queue
}
