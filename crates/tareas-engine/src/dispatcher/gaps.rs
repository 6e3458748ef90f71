//! Gaps: work that no hint came for.
//!
//! A shared queue loses hints, and nobody can tell which. So a pool whose threads stay idle for
//! [`IDLE_WAIT`] claims the oldest waiting tasks straight from the records, and a busy one does
//! so every [`LOOK_EVERY`]: else a task whose hint was lost would starve while newer hints keep
//! everybody at work. Losing every hint costs that much latency and nothing else. One thread
//! looks at a time; while a look finds as much as it asked for, the next thread that is told of
//! nothing looks at once, so a pool without any hints still drains a backlog at full speed. But
//! what is told goes first: a task that a look has claimed costs its hint a claim in vain.
//!
//! Suspects are left out by such claims. They are found by looking at the heads of the lines, as
//! often as a busy pool looks, and then go the way of suspects.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use tareas_core::ledger::priorities;
use tareas_core::{Applied, Lane, Outcome, Phase, Place, QueueName, Timestamp, Want};
use tokio::sync::Notify;

use super::{Claimed, Dispatcher};
use crate::ports::{Delivery, Receipt};
use crate::{Engine, Refusal};

/// Who is idle for so long, a thread or a remote worker, has a look into the records.
pub(crate) const IDLE_WAIT: Duration = Duration::from_millis(100);
/// Who asks for work looks there first when nobody has for so long. Suspects are searched for as
/// often.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The same after a look that found as much as it asked for.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Hints per lane that are searched: what stands before a suspect is claimed in time.
const HEAD_HINTS: usize = 64;

/// When this pool looked last.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    looked: Turn,
    searched: Turn,
    synced: Turn,
    /// The last look found as much as it asked for.
    found_all: AtomicBool,
    /// And whoever is told of nothing is to look at once.
    more: Notify,
}

/// Something that one thread does at a time, and not too often.
#[derive(Debug, Default)]
struct Turn(AtomicI64);

impl Turn {
    /// Takes the turn, unless somebody took it less than `every` ago.
    fn take(&self, now: Timestamp, every: Duration) -> bool {
        let last = self.0.load(Ordering::SeqCst);
        let is_due = now.since(Timestamp::from_micros(last)) >= every;
        let now = now.as_micros();
        is_due
            && self
                .0
                .compare_exchange(last, now, Ordering::SeqCst, Ordering::SeqCst)
                .is_ok()
    }
}

impl Gaps {
    /// How often to look, whatever the hints.
    fn look_every(&self) -> Duration {
        match self.found_all.load(Ordering::Relaxed) {
            true => LOOK_AGAIN,
            false => LOOK_EVERY,
        }
    }
}

impl Dispatcher {
    /// At most `max` hints to be claimed; or, when none come, tasks that were claimed without
    /// any.
    pub(super) async fn receive_or_look(
        &self,
        max: usize,
        into: &mut Vec<Claimed>,
    ) -> Vec<Delivery> {
        let Some(gaps) = &self.gaps else {
            return self.receive(max).await;
        };
        if gaps.looked.take(self.engine.now(), gaps.look_every()) {
            return self.look(gaps, max, into).await;
        }
        let idle = async {
            tokio::select! {
                () = self.engine.ports.clock.sleep(IDLE_WAIT) => IDLE_WAIT,
                () = gaps.more.notified() => Duration::ZERO,
            }
        };
        tokio::select! {
            biased;
            deliveries = self.receive(max) => deliveries,
            wait = idle => match gaps.looked.take(self.engine.now(), wait) {
                true => self.look(gaps, max, into).await,
                false => Vec::new(),
            },
        }
    }

    /// Claims what waits longest in the records. Suspects among it are only returned.
    async fn look(&self, gaps: &Gaps, asked: usize, into: &mut Vec<Claimed>) -> Vec<Delivery> {
        if self.engine.is_draining() {
            return Vec::new();
        }
        let now = self.engine.now();
        let queues = self.engine.open_queues(gaps.synced.take(now, LOOK_EVERY));
        let want = Want {
            queues: queues.clone(),
            kinds: self.engine.remote.own_kinds(),
            labels: Some(Arc::default()),
            session: self.engine.session(),
            tokens: vec![None; asked],
            now,
        };
        match self.engine.ports.records.claim_next(want).await {
            Ok(applied) => {
                let found_all = applied.outcomes.len() >= asked;
                gaps.found_all.store(found_all, Ordering::Relaxed);
                if found_all {
                    gaps.more.notify_one();
                }
                self.found(applied, into).await;
            }
            Err(error) => {
                tracing::warn!(error = %Refusal::from(error), "nothing was claimed");
            }
        }
        match gaps.searched.take(now, LOOK_EVERY) {
            true => self.engine.waiting_suspects(&queues).await,
            false => Vec::new(),
        }
    }

    async fn found(&self, applied: Applied, into: &mut Vec<Claimed>) {
        let position = applied.position;
        // Whoever is accepting one of these tasks right now queues its acknowledgement first.
        drop(self.engine.acknowledging.write().await);
        // Without a hint nobody knows whether a start before this one may be unrecorded.
        if applied.outcomes.is_empty() || self.engine.until_durable(position).await.is_err() {
            return;
        }
        for outcome in applied.outcomes {
            match outcome {
                Outcome::Done(task) if task.phase() == Phase::Running => {
                    self.hand_out(task, into).await;
                }
                Outcome::Done(task) => self.engine.ended(position, std::iter::once(&task)),
                Outcome::Already(_) | Outcome::Refused(_) => {}
            }
        }
    }
}

impl Engine {
    /// The queues that tasks may be taken from. What the records say of pauses, which may come
    /// from another process, is told to the queue now and then.
    pub(crate) fn open_queues(&self, is_sync: bool) -> Vec<QueueName> {
        let mut queues = self.ports.settings.queues();
        if is_sync {
            for (queue, paused) in &queues {
                self.ports.queue.pause(queue, *paused);
            }
        }
        queues.retain(|_, paused| !*paused);
        queues.into_keys().collect()
    }

    /// Suspects at the heads of the lines of these queues.
    pub(crate) async fn waiting_suspects(&self, queues: &[QueueName]) -> Vec<Delivery> {
        let counts = self.counts();
        let has_waiting = |queue: &&QueueName| {
            let phases = counts.get(*queue);
            phases.is_some_and(|phases| phases[Phase::Queued as usize] > 0)
        };
        let mut suspects = Vec::new();
        for queue in queues.iter().filter(has_waiting) {
            for priority in priorities() {
                let queue = queue.clone();
                self.suspects_of(Lane { queue, priority }, &mut suspects)
                    .await;
            }
        }
        suspects
    }

    async fn suspects_of(&self, lane: Lane, into: &mut Vec<Delivery>) {
        let records = &self.ports.records;
        let hints = match records.ready(&lane, Place::START, HEAD_HINTS).await {
            Ok(hints) => hints,
            Err(error) => {
                tracing::warn!(%error, queue = %lane.queue, "suspects not searched");
                return;
            }
        };
        into.extend(
            hints
                .into_iter()
                .filter(|hint| hint.suspect)
                .map(|hint| Delivery {
                    lane: lane.clone(),
                    hint,
                    receipt: Receipt::NONE,
                }),
        );
    }
}
