//! The services behind the front: one connection each, one round at a time.
//!
//! A round is owned by its service: whoever asked may go away, the statement is still sent,
//! answered and counted. A collision is tried again in halves; a lost connection is made again,
//! and then the rows say what was done; only when that takes too long is the answer "unknown".

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tareas_engine::ports::{ApplyError, Clock, PortError, SystemClock};

use super::counting::Counting;
use super::decide::Entry;
use super::fault::{ADAPTER, Fault};
use super::front::{Course, ROUND_MAX, Segment};
use super::link::Purpose;
use super::pass::Basis;
use super::shared::Shared;
use super::write::Writer;

/// How long a round may try to find out what became of what it has sent.
const RESOLVE_MAX: Duration = Duration::from_secs(30);
/// The same for claims, for whose answer no client waits: a claim that nobody knows of would be
/// run by nobody for as long as this process lives.
pub(super) const RESOLVE_CLAIMS_MAX: Duration = Duration::from_secs(15 * 60);
/// Passes of one round, before it is given up: rows that others change all the time.
const PASSES_MAX: usize = 100;

/// One service. See the module's documentation.
#[derive(Debug)]
pub(super) struct Worker {
    shared: Arc<Shared>,
    course: Course,
    counting: Counting,
}

impl Worker {
    /// A service with its first connection.
    pub(super) async fn connect(shared: Arc<Shared>, course: Course) -> Result<Self, Fault> {
        let shard = shared.tally.shard(course as i32);
        let mut worker = Self {
            shared,
            course,
            counting: Counting::new(Purpose::ById, shard),
        };
        worker.counting.link(&worker.shared).await?;
        Ok(worker)
    }

    /// Serves until the front is closed and empty.
    pub(super) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        while let Some(mut round) = shared.front.take(self.course).await {
            let result = self.serve(&mut round).await;
            if self.course == Course::Claim {
                round.iter_mut().for_each(|part| refuse_rest(part, &shared));
            }
            answer(round, result.err());
        }
    }

    async fn serve(&mut self, round: &mut [Segment]) -> Result<(), Fault> {
        let (began, mut passes) = (Instant::now(), 0);
        let resolve_max = match self.course {
            Course::Claim => RESOLVE_CLAIMS_MAX,
            Course::Submit | Course::Rest => RESOLVE_MAX,
        };
        let (mut basis, mut most) = (Basis::Assumed, ROUND_MAX);
        loop {
            let mut open = open_entries(round);
            if open.is_empty() {
                return Ok(());
            }
            passes += 1;
            let result = match self.connected().await {
                Ok(writer) => pass_in_parts(writer, &mut open, basis, most).await,
                Err(fault) => Err(fault),
            };
            let is_at_stake = open.iter().any(|entry| entry.sent.is_some());
            match result {
                Ok(()) => {}
                Err(Fault::Collided(_)) if passes < PASSES_MAX => {
                    self.shared.stats.collisions.fetch_add(1, Ordering::Relaxed);
                    most = (most.min(open.len()) / 2).max(1);
                    continue;
                }
                // The next pass looks which.
                Err(Fault::Exists(_)) if passes < PASSES_MAX => {}
                Err(Fault::NoPartition(_)) if passes < PASSES_MAX => {
                    self.shared.days.forget();
                    // What was prepared over a partition that has gone is of no use.
                    self.counting.end();
                }
                Err(fault @ Fault::Damaged(_)) => return Err(fault),
                Err(fault) => {
                    if is_at_stake || !fault.leaves_the_connection() {
                        self.counting.end();
                    }
                    if !is_at_stake || began.elapsed() > resolve_max {
                        return Err(fault);
                    }
                    SystemClock.sleep(self.counting.pause()).await;
                }
            }
            if passes >= PASSES_MAX && self.counting.is_open(&self.shared) {
                return Err(Fault::Refused("the tasks change all the time".into()));
            }
            basis = Basis::Read;
        }
    }

    async fn connected(&mut self) -> Result<Writer<'_>, Fault> {
        Ok(Writer {
            shared: &self.shared,
            shard: self.counting.shard(),
            link: self.counting.link(&self.shared).await?,
        })
    }
}

async fn pass_in_parts(
    writer: Writer<'_>,
    open: &mut [&mut Entry],
    basis: Basis,
    most: usize,
) -> Result<(), Fault> {
    for part in open.chunks_mut(most) {
        writer.pass(part, basis).await?;
    }
    Ok(())
}

fn open_entries(round: &mut [Segment]) -> Vec<&mut Entry> {
    let entries = round.iter_mut().flat_map(|segment| &mut segment.entries);
    entries.filter(|entry| entry.outcome.is_none()).collect()
}

/// When some claims of a segment are decided, those that were never sent are to be tried again.
fn refuse_rest(segment: &mut Segment, shared: &Shared) {
    let is_in_part = segment.entries.iter().any(|entry| entry.outcome.is_some());
    let open = segment.entries.iter_mut();
    for entry in open.filter(|entry| entry.outcome.is_none() && entry.sent.is_none()) {
        entry.outcome = is_in_part.then(|| shared.try_again());
    }
}

/// Tells each batch what came of it.
fn answer(round: Vec<Segment>, fault: Option<Fault>) {
    let is_damage = matches!(fault, Some(Fault::Damaged(_)));
    let reason = fault.map(|fault| match fault.into_port_error() {
        PortError::Unavailable { source, .. } | PortError::Corrupt { source, .. } => {
            with_sources(&*source)
        }
        other => other.to_string(),
    });
    let reason = reason.unwrap_or_default();
    for segment in round {
        let mut is_at_stake = false;
        let mut outcomes = Vec::with_capacity(segment.entries.len());
        let expected = segment.entries.len();
        for entry in segment.entries {
            is_at_stake |= entry.sent.is_some();
            outcomes.extend(entry.outcome);
        }
        let answer = match outcomes.len() == expected {
            true => Ok(outcomes),
            false => Err(failure(
                &reason,
                is_damage,
                is_at_stake || !outcomes.is_empty(),
            )),
        };
        // Whoever asked may have gone away.
        let _ = segment.answer.send(answer);
    }
}

fn failure(reason: &str, is_damage: bool, is_unknown: bool) -> ApplyError {
    let source = reason.to_owned().into();
    let error = match is_damage {
        true => PortError::Corrupt {
            what: "a row of PostgreSQL".to_owned(),
            source,
        },
        false => PortError::Unavailable {
            adapter: ADAPTER,
            source,
        },
    };
    match is_unknown {
        true => ApplyError::Unknown(error),
        false => ApplyError::NotApplied(error),
    }
}

/// An error in one line, with what caused it.
fn with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
