//! What this server runs: tasks as their claims returned them, so that their rows need not be read
//! to settle them, and of which claims nothing runs any more.
//!
//! A claim here is one statement that claimed; a row of the table `claims` tells which tasks it
//! named. The row is deleted with a later statement once all of them have ended. A row that is
//! never told to be over is found by a sweep.

use std::collections::HashMap;

use tareas_core::{Task, TaskId};
use uuid::Uuid;

use crate::ids::IdMap;

/// Running tasks that are remembered.
const TASKS_MAX: usize = 100_000;
/// Claims of one statement that are told to be over.
const OVER_MAX: usize = 1_000;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Held {
    tasks: IdMap<Running>,
    /// How many tasks of a claim still run.
    open: HashMap<Uuid, usize>,
    /// Claims of which nothing does, until that is stored. Not more than tasks were remembered.
    over: Vec<Uuid>,
}

#[derive(Debug)]
struct Running {
    task: Task,
    claim: Uuid,
}

impl Held {
    /// A running task as it was last seen here.
    pub(super) fn get(&self, id: TaskId) -> Option<&Task> {
        self.tasks.get(&id).map(|running| &running.task)
    }

    /// Remembers all tasks of one claim, or none of them: a claim is over when all of its tasks
    /// are known to have ended.
    pub(super) fn claimed<'a>(&mut self, claim: Uuid, tasks: impl Iterator<Item = &'a Task>) {
        let tasks: Vec<&Task> = tasks.collect();
        if tasks.is_empty() || self.tasks.len() + tasks.len() > TASKS_MAX {
            return;
        }
        self.open.insert(claim, tasks.len());
        for task in tasks {
            let task = task.clone();
            let before = self.tasks.insert(task.id(), Running { task, claim });
            self.ended(before);
        }
    }

    /// Follows what became of tasks: those that do not run any more are forgotten.
    pub(super) fn changed<'a>(&mut self, tasks: impl Iterator<Item = &'a Task>) {
        for task in tasks {
            if task.lease().is_none() {
                let before = self.tasks.remove(&task.id());
                self.ended(before);
            } else if let Some(running) = self.tasks.get_mut(&task.id()) {
                running.task = task.clone();
            }
        }
    }

    /// Takes claims that are over, to have them deleted.
    pub(super) fn take_over(&mut self) -> Vec<Uuid> {
        let rest = self.over.len().saturating_sub(OVER_MAX);
        self.over.split_off(rest)
    }

    /// Gives back what was taken and not deleted.
    pub(super) fn give_back(&mut self, over: Vec<Uuid>) {
        self.over.extend(over);
        self.over.truncate(TASKS_MAX);
    }

    fn ended(&mut self, running: Option<Running>) {
        let Some(claim) = running.map(|running| running.claim) else {
            return;
        };
        if let Some(open) = self.open.get_mut(&claim) {
            *open -= 1;
            if *open == 0 {
                self.open.remove(&claim);
                self.over.push(claim);
            }
        }
    }
}
