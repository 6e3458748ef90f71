//! What the system has done since it started: counters and histograms for `/metrics`.
//!
//! Kept as plain numbers under one lock that is taken once per batch. Labels are bounded: queue,
//! kind and outcome, never a task.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tareas_core::{Kind, Phase, QueueName, Task};

/// Upper bounds of the histogram buckets, in microseconds; a last one is unbounded.
pub const BUCKETS_MICROS: [u64; 16] = [
    50,
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    1_000_000,
    10_000_000,
    60_000_000,
    600_000_000,
];

/// Kinds with a line of their own; what comes later is counted as `other`.
const KINDS_MAX: usize = 200;

/// How often values fell into each bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// One more than there are bounds: the last is unbounded.
    pub buckets: [u64; BUCKETS_MICROS.len() + 1],
    /// Sum of all values, in microseconds.
    pub sum_micros: u64,
    /// How many values.
    pub count: u64,
}

impl Histogram {
    fn add(&mut self, micros: u64) {
        let bucket = BUCKETS_MICROS.partition_point(|bound| *bound < micros);
        self.buckets[bucket] += 1;
        self.sum_micros = self.sum_micros.saturating_add(micros);
        self.count += 1;
    }
}

/// What was counted of one queue, or of all together, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Accepted.
    pub accepted: u64,
    /// Ended.
    pub ended: u64,
    /// Of them, failed.
    pub failed: u64,
    /// How long those that ended had waited for their start, together.
    pub wait_micros: u64,
    /// How long those that ended had run, together.
    pub run_micros: u64,
}

/// Everything that was counted.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// Accepted submissions by queue.
    pub submitted: BTreeMap<QueueName, u64>,
    /// Refused submissions.
    pub refused: u64,
    /// Ended tasks by queue, kind and phase.
    pub finished: BTreeMap<(QueueName, Kind, &'static str), u64>,
    /// Ends by queue; what was accepted is in `submitted`.
    pub ends: BTreeMap<QueueName, Run>,
    /// Attempts that will be tried again, by queue.
    pub retries: BTreeMap<QueueName, u64>,
    /// Attempts whose executor was lost.
    pub lost: u64,
    /// From acceptance to the start of the last attempt.
    pub wait: Histogram,
    /// Run time of the last attempt.
    pub run: Histogram,
    /// From acceptance to the end.
    pub total: Histogram,
    /// Those that have lines of their own.
    kinds: HashSet<Kind>,
}

/// The counters of one process.
#[derive(Debug, Default)]
pub struct Tally {
    counted: Mutex<Counted>,
}

impl Tally {
    /// A copy of everything that was counted.
    pub fn counted(&self) -> Counted {
        self.lock().clone()
    }

    /// How many were accepted, how many have ended, and how many of those failed.
    pub fn totals(&self) -> [u64; 3] {
        let counted = self.lock();
        let failed = counted.finished.iter();
        let failed = failed.filter(|((_, _, phase), _)| *phase == Phase::Failed.name());
        [
            counted.submitted.values().sum(),
            counted.finished.values().sum(),
            failed.map(|(_, count)| *count).sum(),
        ]
    }

    /// What was counted of all queues together.
    pub fn run_of_all(&self) -> Run {
        let counted = self.lock();
        Run {
            accepted: counted.submitted.values().sum(),
            ended: counted.total.count,
            failed: counted.ends.values().map(|run| run.failed).sum(),
            wait_micros: counted.wait.sum_micros,
            run_micros: counted.run.sum_micros,
        }
    }

    /// What was counted of each of these queues.
    pub fn runs_of(&self, queues: &[QueueName]) -> BTreeMap<QueueName, Run> {
        let counted = self.lock();
        let of = |queue: &QueueName| {
            let mut run = counted.ends.get(queue).copied().unwrap_or_default();
            run.accepted = counted.submitted.get(queue).copied().unwrap_or_default();
            (queue.clone(), run)
        };
        queues.iter().map(of).collect()
    }

    /// How many were refused.
    pub fn refused(&self) -> u64 {
        self.lock().refused
    }

    pub(crate) fn submitted<'a>(&self, tasks: impl Iterator<Item = &'a Task>, refused: u64) {
        let mut counted = self.lock();
        counted.refused += refused;
        let mut run: Option<(&QueueName, u64)> = None;
        for task in tasks {
            match &mut run {
                Some((queue, count)) if **queue == task.spec.queue => *count += 1,
                _ => {
                    flush(&mut counted.submitted, run.take());
                    run = Some((&task.spec.queue, 1));
                }
            }
        }
        flush(&mut counted.submitted, run);
    }

    pub(crate) fn settled<'a>(&self, tasks: impl Iterator<Item = (&'a Task, Duration)>) {
        let mut counted = self.lock();
        let mut run: Option<(&Task, Run)> = None;
        for (task, run_time) in tasks {
            if !task.state.is_terminal() {
                counted.retried(task);
                continue;
            }
            let times = counted.timed(task, run_time);
            match &mut run {
                Some((first, sum)) if is_counted_alike(first, task) => sum.add(times),
                _ => {
                    counted.finished(run.take());
                    run = Some((task, times));
                }
            }
        }
        counted.finished(run);
    }

    pub(crate) fn lost(&self, count: u64) {
        self.lock().lost += count;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn flush(sums: &mut BTreeMap<QueueName, u64>, run: Option<(&QueueName, u64)>) {
    let Some((queue, count)) = run else { return };
    match sums.get_mut(queue) {
        Some(sum) => *sum += count,
        None => {
            sums.insert(queue.clone(), count);
        }
    }
}

fn is_counted_alike(one: &Task, other: &Task) -> bool {
    one.phase() == other.phase()
        && one.spec.kind == other.spec.kind
        && one.spec.queue == other.spec.queue
}

impl Run {
    fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.ended += other.ended;
        self.failed += other.failed;
        self.wait_micros = self.wait_micros.saturating_add(other.wait_micros);
        self.run_micros = self.run_micros.saturating_add(other.run_micros);
    }
}

impl Counted {
    fn retried(&mut self, task: &Task) {
        if task.phase() == Phase::Scheduled {
            *self.retries.entry(task.spec.queue.clone()).or_default() += 1;
        }
    }

    /// Counts the times of one end; they are what its queue is told, too.
    fn timed(&mut self, task: &Task, run_time: Duration) -> Run {
        let spec = &task.spec;
        let finished = task.finished_at.unwrap_or(spec.submitted_at);
        let started = task.started_at.unwrap_or(finished);
        let (wait, run) = (micros(started.since(spec.submitted_at)), micros(run_time));
        self.wait.add(wait);
        self.run.add(run);
        self.total.add(micros(finished.since(spec.submitted_at)));
        Run {
            accepted: 0,
            ended: 1,
            failed: u64::from(task.phase() == Phase::Failed),
            wait_micros: wait,
            run_micros: run,
        }
    }

    /// The kind as it is told: however many there are, so many have lines of their own.
    fn label_of(&mut self, kind: Kind) -> Kind {
        if self.kinds.contains(&kind) {
            return kind;
        }
        if self.kinds.len() < KINDS_MAX {
            self.kinds.insert(kind.clone());
            return kind;
        }
        Kind::new("other").unwrap_or(kind)
    }

    /// Counts a run of tasks that differ in nothing that is counted.
    fn finished(&mut self, run: Option<(&Task, Run)>) {
        let Some((task, sum)) = run else { return };
        match self.ends.get_mut(&task.spec.queue) {
            Some(known) => known.add(sum),
            None => {
                self.ends.insert(task.spec.queue.clone(), sum);
            }
        }
        let (queue, kind) = (task.spec.queue.clone(), task.spec.kind.clone());
        let phase = task.phase().name();
        let kind = self.label_of(kind);
        *self.finished.entry((queue, kind, phase)).or_default() += sum.ended;
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_kinds_there_are_a_bounded_number_is_told_apart() {
        let mut counted = Counted::default();
        let kind = |number: usize| Kind::new(&format!("kind{number}")).unwrap();
        for number in 0..2 * KINDS_MAX {
            let label = counted.label_of(kind(number));
            let expected = match number < KINDS_MAX {
                true => kind(number),
                false => Kind::new("other").unwrap(),
            };
            assert_eq!(label, expected);
        }
        assert_eq!(counted.label_of(kind(7)), kind(7));
    }
}
