//! The feeder: gives lanes of the queue the hints that did not fit, from the records.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::ledger::priorities;
use tareas_core::{Lane, Phase, Place, QueueName};
use tokio_util::sync::CancellationToken;

use super::Service;
use crate::Engine;
use crate::ports::Spilled;

/// How often lanes that spilled are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How often they are looked at when there are none.
const LOOK_IDLE: Duration = Duration::from_millis(250);
/// Every lane is compared with the records this often, whatever the queue says.
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// Hints per lane and look.
const HINTS_MAX: usize = 10_000;

/// See the module's documentation.
#[derive(Debug)]
pub struct Feeder {
    engine: Arc<Engine>,
}

impl Feeder {
    /// A feeder for this engine.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// Tells the queue of everything that waits in the records: at the start, and when hints
    /// may have been lost.
    pub async fn rebuild(&self) {
        for (queue, counts) in self.engine.counts() {
            if counts[Phase::Queued as usize] > 0 {
                self.rebuild_queue(&queue).await;
            }
        }
    }

    async fn rebuild_queue(&self, queue: &QueueName) {
        for priority in priorities() {
            let lane = Lane {
                queue: queue.clone(),
                priority,
            };
            let from_start = Spilled {
                lane,
                cursor: Place::START,
                dropped: u64::MAX,
                room: HINTS_MAX,
            };
            self.refill(&from_start).await;
        }
    }

    /// Gives one lane its next hints; `false` when there was nothing to give.
    async fn refill(&self, spilled: &Spilled) -> bool {
        let limit = spilled.room.min(HINTS_MAX);
        let records = &self.engine.ports.records;
        let hints = match records.ready(&spilled.lane, spilled.cursor, limit).await {
            Ok(hints) => hints,
            Err(error) => {
                tracing::warn!(%error, queue = %spilled.lane.queue, "lane not refilled");
                return false;
            }
        };
        // Whoever is accepting one of these tasks right now queues its acknowledgement first.
        drop(self.engine.acknowledging.write().await);
        let is_all = hints.len() < limit;
        if let Err(error) = self
            .engine
            .ports
            .queue
            .refill(spilled, &hints, is_all)
            .await
        {
            tracing::warn!(%error, queue = %spilled.lane.queue, "lane not refilled");
        }
        !hints.is_empty()
    }

    async fn feed(&self) -> bool {
        let spilled = self.engine.ports.queue.spilled();
        let has_spilled = !spilled.is_empty();
        for lane in spilled.iter().filter(|lane| lane.room > 0) {
            self.refill(lane).await;
        }
        has_spilled
    }

    /// Whether the queue holds fewer hints than tasks wait: then hints were lost.
    fn has_lost_hints(&self) -> bool {
        let counts = self.engine.counts();
        let waiting: u64 = counts
            .values()
            .map(|phases| phases[Phase::Queued as usize])
            .sum();
        let depth = self.engine.ports.queue.depth();
        let held: usize = depth.iter().map(|lane| lane.hints).sum();
        let (shelved, has_spilled) = self.engine.remote.shelved();
        let has_spilled = has_spilled || depth.iter().any(|lane| lane.is_spilled);
        !has_spilled && waiting > (held + shelved) as u64
    }
}

#[async_trait]
impl Service for Feeder {
    fn name(&self) -> &'static str {
        "feeder"
    }

    async fn run(self: Box<Self>, shutdown: CancellationToken) {
        self.rebuild().await;
        let mut next_sweep = self.engine.now() + SWEEP_EVERY;
        let mut is_busy = false;
        loop {
            let sleep_time = if is_busy { LOOK_EVERY } else { LOOK_IDLE };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.engine.ports.clock.sleep(sleep_time) => {}
            }
            is_busy = self.feed().await;
            if self.engine.now() >= next_sweep {
                next_sweep = self.engine.now() + SWEEP_EVERY;
                if self.has_lost_hints() {
                    self.rebuild().await;
                }
            }
        }
    }
}
