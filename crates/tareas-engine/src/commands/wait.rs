//! Wait: be told when a task has ended.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tareas_core::{Position, Rejected, Task, TaskId};
use tokio::sync::oneshot;

use crate::watch::{End, Listener, Listening};
use crate::{Engine, Refusal};

/// What came of waiting.
#[derive(Clone, Debug)]
pub enum Waited {
    /// It has ended, and that is durable.
    Ended(Task),
    /// The time was over first; this is the task now.
    TimedOut(Task),
}

impl Engine {
    /// Watches a task that exists: `by` is told under `tag` when it has ended, or at once when
    /// it has ended already.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn watch(&self, by: &Listening, id: TaskId, tag: u64) -> Result<(), Refusal> {
        self.watches.watch(by, std::iter::once((id, tag)));
        let (tasks, _) = self.ports.records.load(&[id]).await?;
        match tasks.into_iter().flatten().next() {
            None => {
                self.watches.unwatch(by, id, tag);
                Err(Rejected::NotFound.into())
            }
            Some(task) if task.state.is_terminal() => {
                self.tell_if_ended(by, id, tag).await;
                Ok(())
            }
            Some(_) => Ok(()),
        }
    }

    /// Stops watching; `false` when it was told already or was never watched.
    pub fn unwatch(&self, by: &Listening, id: TaskId, tag: u64) -> bool {
        self.watches.unwatch(by, id, tag)
    }

    /// Waits until a task has ended and that is durable, but not longer than `timeout`.
    ///
    /// # Errors
    /// `NotFound`, or `Stopped`.
    pub async fn wait(&self, id: TaskId, timeout: Duration) -> Result<Waited, Refusal> {
        let waiting = Arc::new(Waiting::default());
        let listening = self.listen(Arc::clone(&waiting) as Arc<dyn Listener>);
        let (tag, ended) = waiting.enter();
        self.watch(&listening, id, tag).await?;
        tokio::select! {
            ended = ended => {
                let Ok((task, position)) = ended else { return Err(Rejected::NotFound.into()) };
                self.until_durable(position).await?;
                Ok(Waited::Ended(task))
            }
            () = self.ports.clock.sleep(timeout) => {
                self.watches.unwatch(&listening, id, tag);
                let task = self.task(id).await?.ok_or(Rejected::NotFound)?;
                Ok(Waited::TimedOut(task))
            }
        }
    }
}

/// Callers that wait for one end each.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    next: AtomicU64,
    callers: Mutex<HashMap<u64, oneshot::Sender<(Task, Position)>>>,
}

impl Waiting {
    fn enter(&self) -> (u64, oneshot::Receiver<(Task, Position)>) {
        let tag = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.callers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(tag, sender);
        (tag, receiver)
    }
}

impl Listener for Waiting {
    fn ended(&self, position: Position, ends: Vec<End>) {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        for End { tag, task } in ends {
            if let Some(caller) = callers.remove(&tag) {
                // The caller may have stopped waiting; then nobody needs to be told.
                let _ = caller.send((task, position));
            }
        }
    }
}
