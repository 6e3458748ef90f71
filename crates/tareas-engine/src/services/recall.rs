//! Recall: where several processes share the records, what runs here is looked up there once a
//! second. An attempt that was cancelled at another process is asked to stop, and so is one that
//! is ours no longer.
//!
//! Most attempts end before they are looked up; so a look is one statement over those that take long.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::{Phase, Task, TaskId};
use tokio_util::sync::CancellationToken;

use super::Service;
use crate::Engine;
use crate::ports::PortError;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Who has run for less than this is not looked up yet.
const YOUNG: Duration = Duration::from_millis(500);
/// Attempts per look; more take turns.
const ATTEMPTS_MAX: usize = 4_096;

/// An attempt of a task.
type Held = (TaskId, u64);

/// See the module's documentation.
#[derive(Debug)]
pub struct Recall {
    engine: Arc<Engine>,
    /// Those that were asked to stop, until they do.
    asked: BTreeSet<Held>,
    /// After whom the next turn begins.
    turn: Option<Held>,
}

impl Recall {
    /// A recall for this engine.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            asked: BTreeSet::new(),
            turn: None,
        }
    }

    /// One look; how many attempts were asked to stop.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn look(&mut self) -> Result<usize, PortError> {
        let mut held = self.engine.held_for(YOUNG);
        self.asked.retain(|attempt| held.contains(attempt));
        held.retain(|attempt| !self.asked.contains(attempt));
        let after = self.turn.map_or(Bound::Unbounded, Bound::Excluded);
        let some = held.range((after, Bound::Unbounded)).take(ATTEMPTS_MAX);
        let some: Vec<Held> = some.copied().collect();
        self.turn = some.last().copied().filter(|_| some.len() == ATTEMPTS_MAX);
        let asked = self.engine.recall(&some).await?;
        self.asked.extend(&asked);
        Ok(asked.len())
    }
}

impl Engine {
    /// The attempts that threads of this process or its remote workers have run for so long.
    pub(crate) fn held_for(&self, least: Duration) -> BTreeSet<Held> {
        let slots = self.pool.get().map(|pool| pool.slots()).unwrap_or_default();
        let running = slots.into_iter().filter_map(|slot| slot.running);
        let running = running.filter(|running| running.since >= least);
        let own = running.map(|running| (running.task, running.attempt));
        let given = self.remote.given_before(self.now() - least);
        own.chain(given).collect()
    }

    /// Asks those of these attempts to stop that were cancelled, or are not ours any more; which.
    pub(crate) async fn recall(&self, held: &[Held]) -> Result<Vec<Held>, PortError> {
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<TaskId> = held.iter().map(|(task, _)| *task).collect();
        let (tasks, position) = self.ports.records.load(&ids).await?;
        let mut asked = Vec::new();
        for ((id, attempt), found) in held.iter().zip(tasks) {
            let is_ours = |task: &Task| task.attempt == *attempt && task.phase() == Phase::Running;
            match found.filter(is_ours) {
                Some(task) if !task.cancel_requested => continue,
                Some(task) => self.ask_to_stop(&task, position),
                None => self.ask_holder_to_stop(*id, *attempt, position),
            }
            asked.push((*id, *attempt));
        }
        Ok(asked)
    }
}

#[async_trait]
impl Service for Recall {
    fn name(&self) -> &'static str {
        "recall"
    }

    async fn run(mut self: Box<Self>, shutdown: CancellationToken) {
        let engine = Arc::clone(&self.engine);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = engine.ports.clock.sleep(LOOK_EVERY) => {}
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                looked = self.look() => if let Err(error) = looked {
                    tracing::debug!(%error, "what runs here was not looked up");
                }
            }
        }
    }
}
