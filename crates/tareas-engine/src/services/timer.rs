//! The timer: moves scheduled tasks into line when they are due, ends those that were not
//! started in time and those that did not heed a cancel request, and takes back what remote
//! workers hold that are gone.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::{Outcome, Sweep, Timestamp};
use tokio_util::sync::CancellationToken;

use super::Service;
use crate::Engine;

/// Longest sleep: what other processes scheduled, and jumps of the clock, are seen by then.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Tasks per sweep; there are as many sweeps as it takes.
const SWEEP_MAX: usize = 1_000;

/// See the module's documentation.
#[derive(Debug)]
pub struct Timer {
    engine: Arc<Engine>,
}

impl Timer {
    /// A timer for this engine.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// One pass: everything that is due at `now` is queued, everything that is expired ends.
    pub async fn pass(&self, now: Timestamp) {
        for (task, attempt) in self.engine.cancel_deadlines.take_due(now) {
            self.engine.overdue(task, attempt).await;
        }
        self.engine.pass_workers(now).await;
        while self.sweep(Sweep::Expired, now).await == SWEEP_MAX {}
        while self.sweep(Sweep::Due, now).await == SWEEP_MAX {}
    }

    async fn sweep(&self, sweep: Sweep, now: Timestamp) -> usize {
        let applied = match self
            .engine
            .ports
            .records
            .sweep(sweep.clone(), now, SWEEP_MAX)
            .await
        {
            Ok(applied) => applied,
            Err(error) => {
                tracing::warn!(%error, ?sweep, "sweep failed; the next one finds the same tasks");
                return 0;
            }
        };
        let changed = || {
            applied.outcomes.iter().filter_map(|outcome| match outcome {
                Outcome::Done(task) => Some(task),
                _ => None,
            })
        };
        // Whoever is accepting one of these tasks right now queues its acknowledgement first.
        drop(self.engine.acknowledging.write().await);
        self.engine.ended(applied.position, changed());
        self.engine
            .publish(changed().filter(|task| !task.state.is_terminal()))
            .await;
        applied.outcomes.len()
    }

    fn sleep_time(&self, next: Option<Timestamp>) -> Duration {
        let until = next.map_or(LOOK_EVERY, |due_at| due_at.since(self.engine.now()));
        until.min(LOOK_EVERY)
    }
}

#[async_trait]
impl Service for Timer {
    fn name(&self) -> &'static str {
        "timer"
    }

    async fn run(self: Box<Self>, shutdown: CancellationToken) {
        let mut next: Option<Timestamp> = None;
        loop {
            let sleep_time = self.sleep_time(next);
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.engine.ports.clock.sleep(sleep_time) => {}
                () = self.engine.next_due.sooner() => {}
            }
            let noted = self.engine.next_due.take();
            next = [next, noted].into_iter().flatten().min();
            let now = self.engine.now();
            self.pass(now).await;
            next = next.filter(|due_at| *due_at > now);
        }
    }
}
