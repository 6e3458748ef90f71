//! Publish: tell the queue which tasks are ready, once they are.

use tareas_core::ledger::{hint, lane};
use tareas_core::{Hint, Kind, Lane, Spec, State, Task};

use crate::Engine;

/// Hints that go one way.
struct Sheaf {
    lane: Lane,
    /// Set where tasks of this kind go their own way.
    apart: Option<Kind>,
    hints: Vec<Hint>,
}

impl Sheaf {
    fn is_of(&self, task: &Task, apart: Option<&Kind>) -> bool {
        self.lane.priority == task.spec.priority
            && self.lane.queue == task.spec.queue
            && self.apart.as_ref() == apart
    }
}

impl Engine {
    /// Publishes hints for the queued tasks among these, and notes when the scheduled ones are
    /// due. A hint that cannot be published is not lost: the task is found by its state.
    pub(crate) async fn publish<'a>(&self, tasks: impl Iterator<Item = &'a Task>) {
        for Sheaf { lane, apart, hints } in self.sheaves(tasks) {
            let queue = &self.ports.queue;
            let published = match &apart {
                Some(kind) => queue.publish_apart(kind, &lane, &hints).await,
                None => queue.publish(&lane, &hints).await,
            };
            if let Err(error) = published {
                tracing::warn!(%error, queue = %lane.queue, hints = hints.len(), "not published");
            }
        }
    }

    /// What goes through the queue: few sheaves, since nearly all tasks that are published
    /// together go one way.
    ///
    /// Once tasks are matched with workers, and nobody else takes from the queue, hints go to the
    /// shelves at once: the queue knows no kinds, so behind it each task would be read again.
    fn sheaves<'a>(&self, tasks: impl Iterator<Item = &'a Task>) -> Vec<Sheaf> {
        let queue = &self.ports.queue;
        let (is_shared, mut last_own) = (queue.is_shared(), None);
        let mut sorted: Vec<(&Spec, Hint)> = Vec::new();
        let mut sheaves: Vec<Sheaf> = Vec::new();
        for task in tasks {
            if let State::Scheduled { due_at } = task.state {
                self.next_due.note(due_at);
            }
            let Some(hint) = hint(task) else { continue };
            self.look_for_foreign(&task.spec, &mut last_own);
            if self.remote.is_matching() && !is_shared {
                sorted.push((&*task.spec, hint));
                continue;
            }
            let kind = &task.spec.kind;
            let apart = (is_shared && queue.is_apart(kind)).then_some(kind);
            match sheaves.iter_mut().find(|sheaf| sheaf.is_of(task, apart)) {
                Some(sheaf) => sheaf.hints.push(hint),
                None => sheaves.push(Sheaf {
                    lane: lane(task),
                    apart: apart.cloned(),
                    hints: vec![hint],
                }),
            }
        }
        self.remote.put(&sorted);
        sheaves
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
