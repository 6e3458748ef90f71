//! The historian: adds to the history of this process each second, and has it kept each minute and
//! at the end.
//!
//! It reads counters that are kept anyway. What it costs does not depend on how many tasks are
//! stored, nor on whether somebody looks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::{Phase, QueueName, Timestamp};
use tokio_util::sync::CancellationToken;

use super::Service;
use crate::Engine;
use crate::history::{QUEUES_MAX, Sample};
use crate::ports::Chronicle;
use crate::tally::Run;

/// A sample is about so long.
const BEAT: Duration = Duration::from_secs(1);
/// How many beats are between two times that all is kept.
const KEPT_EVERY: u32 = 60;

/// See the module's documentation.
#[derive(Debug)]
pub struct Historian {
    engine: Arc<Engine>,
    chronicle: Box<dyn Chronicle>,
    /// What had been counted at the beat before.
    before: Option<Before>,
}

/// What had been counted at a beat.
#[derive(Debug)]
struct Before {
    all: Run,
    each: BTreeMap<QueueName, Run>,
}

impl Before {
    /// What had been counted of a queue. While there was room for all, one without a line was not
    /// there; otherwise nobody knows.
    fn of(&self, queue: &QueueName) -> Option<Run> {
        let had_room = self.each.len() < QUEUES_MAX;
        let known = self.each.get(queue).copied();
        known.or_else(|| had_room.then(Run::default))
    }
}

impl Historian {
    /// A historian of this engine.
    pub fn new(engine: Arc<Engine>, chronicle: Box<dyn Chronicle>) -> Self {
        Self {
            engine,
            chronicle,
            before: None,
        }
    }

    /// Begins with what an earlier life has kept.
    pub async fn remember(&self) {
        match self.chronicle.read().await {
            Ok(None) => {}
            Ok(Some(kept)) if self.engine.history().restore(&kept) => {}
            Ok(Some(_)) => tracing::warn!("the kept history cannot be read; charts begin anew"),
            Err(error) => tracing::warn!(error, "the kept history is out of reach"),
        }
    }

    /// One sample: what has happened since the one before. The first only begins to count.
    pub fn beat(&mut self) {
        let counts = self.engine.counts();
        let queues = self.engine.history().follow(counts.keys());
        let tally = self.engine.tally();
        let (all, each) = (tally.run_of_all(), tally.runs_of(&queues));
        if let Some(before) = &self.before {
            let second = second_before(self.engine.now());
            let of_queue = |queue: QueueName| {
                let run = each.get(&queue).copied().unwrap_or_default();
                let sample = sample(run, before.of(&queue)?, depths(counts.get(&queue)));
                Some((queue, sample))
            };
            let samples: Vec<_> = queues.into_iter().filter_map(of_queue).collect();
            let of_all = sample(all, before.all, depths(counts.values()));
            self.engine.history().add(second, of_all, &samples);
        }
        self.before = Some(Before { all, each });
    }

    /// Has everything kept.
    pub async fn keep(&self) {
        let bytes = self.engine.history().to_bytes();
        if let Err(error) = self.chronicle.write(bytes).await {
            tracing::warn!(error, "the history was not kept");
        }
    }
}

/// The second that has just ended, since 1970. Half a second is for the delay of the beat.
fn second_before(now: Timestamp) -> u32 {
    u32::try_from((now.as_millis() - 500).div_euclid(1_000)).unwrap_or_default()
}

/// How many wait and how many run.
fn depths<'c>(counts: impl IntoIterator<Item = &'c [u64; Phase::ALL.len()]>) -> [u64; 2] {
    let mut sum = [0; 2];
    for phases in counts {
        sum[0] += phases[Phase::Queued as usize];
        sum[1] += phases[Phase::Running as usize];
    }
    sum
}

fn sample(now: Run, before: Run, [waiting, running]: [u64; 2]) -> Sample {
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let ended = now.ended.saturating_sub(before.ended);
    let mean_ms = |now: u64, before: u64| match ended {
        0 => 0.0,
        _ => (now.saturating_sub(before) as f64 / ended as f64 / 1e3) as f32,
    };
    Sample {
        accepted: small(now.accepted.saturating_sub(before.accepted)),
        ended: small(ended),
        failed: small(now.failed.saturating_sub(before.failed)),
        waiting: small(waiting),
        running: small(running),
        wait_ms: mean_ms(now.wait_micros, before.wait_micros),
        run_ms: mean_ms(now.run_micros, before.run_micros),
    }
}

/// Until shortly after the next second begins.
fn until_next_second(now: Timestamp) -> Duration {
    let passed = now.as_millis().rem_euclid(1_000);
    BEAT.saturating_sub(Duration::from_millis(passed.unsigned_abs()))
}

#[async_trait]
impl Service for Historian {
    fn name(&self) -> &'static str {
        "historian"
    }

    async fn run(mut self: Box<Self>, shutdown: CancellationToken) {
        self.remember().await;
        let mut beats = 0;
        loop {
            self.beat();
            beats += 1;
            if beats % KEPT_EVERY == 0 {
                self.keep().await;
            }
            let pause = until_next_second(self.engine.now());
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.engine.ports.clock.sleep(pause) => {}
            }
        }
        self.beat();
        self.keep().await;
    }
}
