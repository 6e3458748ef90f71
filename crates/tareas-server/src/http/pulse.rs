//! The picture of the system that the page shows: taken at most once a second, shared by every
//! viewer, so that looking costs the same for one and for a hundred.
//!
//! It comes from counters that are kept anyway and one short page of tasks. Nobody looks, nothing
//! is done. When the store does not answer, the last picture stays and says how old it is.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tareas_core::{Phase, QueueName, Task, Timestamp};
use tareas_engine::ports::{Counts, MemberPresence, MemberView, TaskQuery};
use tareas_engine::{LostWorker, PoolSlot, Refusal, WorkerState, WorkerView};
use tokio::sync::Mutex;

use super::store_is_up;
use crate::ServerState;
use crate::metrics::STORAGE_FULL;

/// A picture is good for this long.
const FRESH_FOR: Duration = Duration::from_millis(900);
/// Beats that are remembered, for the chart.
const BEATS_MAX: usize = 60;
/// After a longer pause the chart begins anew.
const GAP_MAX: Duration = Duration::from_secs(5);
/// After a longer pause there is no rate to speak of.
const RATE_OVER_MAX: Duration = Duration::from_secs(60);
/// Tasks that the page shows.
const LATEST: usize = 12;
/// The store has this long to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// Takes the pictures.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    film: Mutex<Film>,
}

#[derive(Debug, Default)]
struct Film {
    newest: Option<Arc<Picture>>,
    beats: VecDeque<Beat>,
}

/// Tasks per second between two pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Beat {
    /// Accepted.
    pub(super) accepted: f64,
    /// Ended.
    pub(super) ended: f64,
    /// Of them, failed.
    pub(super) failed: f64,
}

/// The system at one instant.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    /// When it was taken.
    pub(super) at: Timestamp,
    /// Since when the server runs.
    pub(super) since: Timestamp,
    /// Accepted since the start.
    pub(super) accepted: u64,
    /// Refused since the start.
    pub(super) refused: u64,
    /// Ended since the start.
    pub(super) ended: u64,
    /// Of them, failed.
    pub(super) failed: u64,
    /// The present rates, when there is something to compare with.
    pub(super) rate: Option<Beat>,
    /// The last minute, oldest first.
    pub(super) beats: Vec<Beat>,
    /// Every queue.
    pub(super) queues: Vec<QueueLine>,
    /// Threads of the server's own pool.
    pub(super) threads: usize,
    /// What the busy ones run.
    pub(super) running: Vec<PoolSlot>,
    /// Remote workers of this server.
    pub(super) workers: Vec<WorkerView>,
    /// Those that were lost lately.
    pub(super) lost: Vec<LostWorker>,
    /// The other processes on the same records.
    pub(super) others: Vec<MemberView>,
    /// The newest tasks.
    pub(super) latest: Vec<Task>,
    /// When `latest` was read; older than `at` when the store does not answer.
    pub(super) read_at: Timestamp,
    /// Connections that speak lines.
    pub(super) lines: usize,
    /// Connections that speak HTTP.
    pub(super) http: usize,
    /// The server takes nothing new.
    pub(super) is_draining: bool,
    /// The store can be relied on.
    pub(super) store_is_up: bool,
    /// Nothing is accepted, as there is no room to store it.
    pub(super) is_full: bool,
}

/// One queue and its tasks by state.
#[derive(Clone, Debug)]
pub(super) struct QueueLine {
    /// Its name.
    pub(super) name: QueueName,
    /// None of its tasks is started.
    pub(super) is_paused: bool,
    /// How many tasks, by phase.
    pub(super) by_phase: [u64; Phase::ALL.len()],
}

impl QueueLine {
    /// How many of its tasks are in this phase.
    pub(super) fn of(&self, phase: Phase) -> u64 {
        self.by_phase[phase as usize]
    }
}

impl Picture {
    /// How many tasks can run at once, wherever that is, and how many do: as far as is known.
    pub(super) fn all_threads(&self) -> (usize, usize) {
        let mut sum = (self.running.len(), self.threads);
        for worker in &self.workers {
            let slots = usize::from(worker.slots);
            if worker.state != WorkerState::Away {
                sum = (sum.0 + worker.running.min(slots), sum.1 + slots);
            }
        }
        for other in &self.others {
            let report = &other.report;
            if other.presence == MemberPresence::Here {
                let (busy, threads) = (report.busy, usize::from(report.threads));
                let slots = usize::try_from(report.workers.1).unwrap_or(usize::MAX);
                sum = (
                    sum.0 + busy,
                    sum.1.saturating_add(threads).saturating_add(slots),
                );
            }
        }
        sum
    }

    /// How many tasks are in this phase, in all queues.
    pub(super) fn of(&self, phase: Phase) -> u64 {
        self.queues.iter().map(|queue| queue.of(phase)).sum()
    }

    /// About how many have failed within the last minute that somebody looked.
    pub(super) fn failed_lately(&self) -> u64 {
        self.beats
            .iter()
            .map(|beat| beat.failed)
            .sum::<f64>()
            .round() as u64
    }

    /// How many tasks are stored.
    pub(super) fn stored(&self) -> u64 {
        Phase::ALL.into_iter().map(|phase| self.of(phase)).sum()
    }
}

impl Pulse {
    /// The newest picture, not older than a second.
    pub(super) async fn picture(&self, server: &ServerState) -> Arc<Picture> {
        let mut film = self.film.lock().await;
        let now = server.engine.now();
        if let Some(newest) = &film.newest
            && now.since(newest.at) < FRESH_FOR
        {
            return Arc::clone(newest);
        }
        let (latest, others) = tokio::join!(read_latest(server), read_others(server));
        let picture = Arc::new(film.develop(server, now, latest, others));
        film.newest = Some(Arc::clone(&picture));
        picture
    }
}

impl Pulse {
    /// Takes the queues into the newest picture at once: somebody has just paused or resumed one.
    pub(super) async fn see_queues(&self, server: &ServerState) {
        let mut film = self.film.lock().await;
        if let Some(newest) = &mut film.newest {
            Arc::make_mut(newest).queues = queue_lines(server);
        }
    }
}

async fn read_latest(server: &ServerState) -> Option<Vec<Task>> {
    let query = TaskQuery {
        limit: LATEST,
        ..TaskQuery::default()
    };
    let page = tokio::time::timeout(ANSWER_WITHIN, server.engine.page(query)).await;
    let page = page.map_err(|_| "no answer in time".to_owned());
    match page.and_then(|page| page.map_err(|refusal: Refusal| refusal.to_string())) {
        Ok(page) => Some(page.tasks),
        Err(error) => {
            tracing::debug!(error, "the page shows older tasks");
            None
        }
    }
}

async fn read_others(server: &ServerState) -> Option<Vec<MemberView>> {
    let others = tokio::time::timeout(ANSWER_WITHIN, server.engine.other_members()).await;
    others.ok()?.ok()
}

impl Film {
    fn develop(
        &mut self,
        server: &ServerState,
        now: Timestamp,
        latest: Option<Vec<Task>>,
        others: Option<Vec<MemberView>>,
    ) -> Picture {
        let engine = &server.engine;
        let [accepted, ended, failed] = engine.tally().totals();
        let others = others.or_else(|| Some(self.newest.as_deref()?.others.clone()));
        let others = others.unwrap_or_default();
        let rate = self.beat(now, [accepted, ended, failed], &others);
        let before = self.newest.as_deref();
        let (latest, read_at) = match (latest, before) {
            (Some(latest), _) => (latest, now),
            (None, Some(before)) => (before.latest.clone(), before.read_at),
            (None, None) => (Vec::new(), Timestamp::EPOCH),
        };
        let slots = engine.slots();
        Picture {
            at: now,
            since: server.started_at,
            accepted,
            refused: engine.tally().refused(),
            ended,
            failed,
            rate,
            beats: self.beats.iter().copied().collect(),
            queues: queue_lines(server),
            threads: usize::from(engine.threads()).max(slots.len()),
            running: slots
                .into_iter()
                .filter(|slot| slot.running.is_some())
                .collect(),
            workers: engine.workers(),
            lost: engine.workers_lost(),
            others,
            latest,
            read_at,
            lines: server.connections.lines.load(Ordering::Relaxed),
            http: server.connections.http.load(Ordering::Relaxed),
            is_draining: engine.is_draining(),
            store_is_up: store_is_up(server),
            is_full: is_full(server),
        }
    }

    /// The rates since the picture before, of all processes together. What the others do is
    /// known as often as they tell it; who has come or gone meanwhile does not count.
    fn beat(&mut self, now: Timestamp, own: [u64; 3], others: &[MemberView]) -> Option<Beat> {
        let before = self.newest.as_deref()?;
        let passed = now.since(before.at);
        if passed > GAP_MAX {
            self.beats.clear();
        }
        if passed > RATE_OVER_MAX || passed.is_zero() {
            return None;
        }
        let owns = [own, [before.accepted, before.ended, before.failed]];
        let theirs = others.iter().filter_map(|now| {
            let before = before
                .others
                .iter()
                .find(|known| known.member == now.member)?;
            Some([totals(now), totals(before)])
        });
        let mut sums = [0; 3];
        for [now, before] in theirs.chain([owns]) {
            for (sum, (now, before)) in sums.iter_mut().zip(now.into_iter().zip(before)) {
                *sum += now.saturating_sub(before);
            }
        }
        let [accepted, ended, failed] = sums.map(|sum| sum as f64 / passed.as_secs_f64());
        let beat = Beat {
            accepted,
            ended,
            failed,
        };
        if self.beats.len() == BEATS_MAX {
            self.beats.pop_front();
        }
        self.beats.push_back(beat);
        Some(beat)
    }
}

fn totals(member: &MemberView) -> [u64; 3] {
    let report = &member.report;
    [report.accepted, report.ended, report.failed]
}

fn is_full(server: &ServerState) -> bool {
    let readings = server.readings.read();
    readings
        .iter()
        .any(|reading| reading.name == STORAGE_FULL && reading.value > 0.0)
}

fn queue_lines(server: &ServerState) -> Vec<QueueLine> {
    let counts: Counts = server.engine.counts();
    let mut known = server.engine.queues();
    for queue in counts.keys() {
        known.entry(queue.clone()).or_default();
    }
    let lines = known.into_iter().map(|(name, is_paused)| {
        let by_phase = counts.get(&name).copied().unwrap_or_default();
        QueueLine {
            name,
            is_paused,
            by_phase,
        }
    });
    lines.collect()
}
