//! Refilling: shelves that dropped hints get them again, from the records.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::TaskId;
use tareas_core::ledger::hint;
use tokio_util::sync::CancellationToken;

use super::shelves::SpilledShelf;
use crate::Engine;
use crate::ports::PortError;
use crate::services::Service;

/// How often spilled shelves are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How often there is a look when there are none.
const LOOK_IDLE: Duration = Duration::from_millis(250);
/// Tasks that are read at once: their payloads are read with them.
const TASKS_MAX: usize = 500;
/// Reads per shelf and look, so that every shelf gets its turn.
const READS_MAX: usize = 8;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Refiller {
    engine: Arc<Engine>,
}

impl Refiller {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// Fills what has room; whether there was anything spilled.
    async fn pass(&self) -> bool {
        let spilled = self.engine.remote.shelves().spilled();
        for shelf in &spilled {
            if let Err(error) = self.fill(shelf.clone()).await {
                tracing::warn!(%error, queue = %shelf.lane.queue, "shelf not refilled");
            }
        }
        !spilled.is_empty()
    }

    async fn fill(&self, mut shelf: SpilledShelf) -> Result<(), PortError> {
        let records = &self.engine.ports.records;
        for _ in 0..READS_MAX {
            let ready = records.ready(&shelf.lane, shelf.cursor, TASKS_MAX).await?;
            let ids: Vec<TaskId> = ready.iter().map(|hint| hint.task).collect();
            let (tasks, _) = records.load(&ids).await?;
            let of_class = tasks.iter().flatten();
            let of_class = of_class.filter(|task| shelf.class.is_of(&task.spec));
            let mut hints: Vec<_> = of_class.filter_map(hint).collect();
            // Whoever is accepting one of these tasks right now queues its acknowledgement first.
            drop(self.engine.acknowledging.write().await);
            let has_more = ready.len() == TASKS_MAX;
            let is_cut = hints.len() > shelf.room;
            hints.truncate(shelf.room);
            let last = if is_cut { hints.last() } else { ready.last() };
            let reached = last.map(|hint| hint.place).filter(|_| has_more || is_cut);
            self.engine.remote.shelves().refill(&shelf, &hints, reached);
            self.engine.remote.shelved_more();
            shelf.room -= hints.len();
            match reached {
                Some(place) if shelf.room > 0 => shelf.cursor = place,
                _ => return Ok(()),
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Service for Refiller {
    fn name(&self) -> &'static str {
        "refiller"
    }

    async fn run(self: Box<Self>, shutdown: CancellationToken) {
        let mut has_spilled = false;
        loop {
            let pause = if has_spilled { LOOK_EVERY } else { LOOK_IDLE };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.engine.ports.clock.sleep(pause) => {}
            }
            has_spilled = self.pass().await;
        }
    }
}
