//! The pruner: removes finished tasks whose retention is over.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::{Outcome, Sweep};
use tokio_util::sync::CancellationToken;

use super::Service;
use crate::Engine;

/// Tasks per pass: what fits beside other work in one commit.
const PASS_MAX: usize = 2_000;
/// Pause after a pass that removed as much as it could.
const PAUSE_BUSY: Duration = Duration::from_millis(5);
/// Pause after a pass that found little.
const PAUSE_IDLE: Duration = Duration::from_secs(1);

/// See the module's documentation.
#[derive(Debug)]
pub struct Pruner {
    engine: Arc<Engine>,
}

impl Pruner {
    /// A pruner for this engine.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// One pass; how many tasks it removed.
    pub async fn pass(&self) -> usize {
        let now = self.engine.tap.prune_until(self.engine.now());
        let applied = match self
            .engine
            .ports
            .records
            .sweep(Sweep::Prune, now, PASS_MAX)
            .await
        {
            Ok(applied) => applied,
            Err(error) => {
                tracing::warn!(%error, "pruning failed; the next pass finds the same tasks");
                return 0;
            }
        };
        if self.engine.until_durable(applied.position).await.is_err() {
            return 0;
        }
        let mut removed = 0;
        for outcome in &applied.outcomes {
            if let Outcome::Done(task) = outcome {
                removed += 1;
                self.engine.delete_blobs(task).await;
            }
        }
        removed
    }
}

#[async_trait]
impl Service for Pruner {
    fn name(&self) -> &'static str {
        "pruner"
    }

    async fn run(self: Box<Self>, shutdown: CancellationToken) {
        loop {
            let removed = self.pass().await;
            let pause = if removed * 2 >= PASS_MAX {
                PAUSE_BUSY
            } else {
                PAUSE_IDLE
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.engine.ports.clock.sleep(pause) => {}
            }
        }
    }
}
