//! The `News` port: which tasks have ended, from process to process.

use std::fmt;

use async_trait::async_trait;
use tareas_core::{Body, Phase, Task, TaskId};

/// Bytes of payload and result up to which a task is told whole.
const WHOLE_BYTES_MAX: usize = 4 * 1024;

/// A task that has ended, as processes tell each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// Which.
    pub id: TaskId,
    /// The task as it is recorded, when it is small and succeeded: nothing but a removal can
    /// follow a success, so it is true however late it is heard. Else the records are to be
    /// looked into.
    pub task: Option<Task>,
}

/// Tells other processes which tasks have ended, so that they need not look for them.
///
/// May lose, double and delay anything, and leave the tasks themselves out: whoever waits looks
/// into the records now and then.
#[async_trait]
pub trait News: fmt::Debug + Send + Sync + 'static {
    /// Tells everybody that these have ended and that it is recorded. Never waits.
    fn tell(&self, ended: Vec<Ended>);

    /// Waits for tasks that have ended, here or elsewhere. What was received is not lost when
    /// the wait is given up.
    async fn hear(&self) -> Vec<Ended>;
}

impl Ended {
    /// What is told of a task that has ended.
    pub fn of(task: &Task) -> Self {
        let result = task.result.as_ref().map_or(0, Body::inline_len);
        let is_small = task.spec.payload.inline_len() + result <= WHOLE_BYTES_MAX;
        let is_final = task.phase() == Phase::Succeeded;
        Self {
            id: task.id(),
            task: (is_small && is_final).then(|| task.clone()),
        }
    }
}
