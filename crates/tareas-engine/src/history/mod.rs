//! What this process did in the last day: rates, depths and times, of all queues together and of
//! some of them, in rings of fixed size. So there are charts without anything beside the server.
//!
//! The historian (`services/historian.rs`) adds a sample each second, whoever looks. A queue has a
//! line of its own as long as there is room for it; every task is in the line of all.

mod bytes;
mod ring;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tareas_core::{QueueName, Timestamp};

use ring::Ring;
pub use ring::{Sample, Step};

/// Queues with a line of their own; others are in the line of all. A full line is 60 kB.
pub const QUEUES_MAX: usize = 32;

/// The history of one process.
#[derive(Debug, Default)]
pub struct History {
    lines: Mutex<Lines>,
}

/// All lines.
#[derive(Clone, Debug, Default)]
struct Lines {
    all: Line,
    queues: BTreeMap<QueueName, Line>,
}

/// One series in every step length.
#[derive(Clone, Debug)]
struct Line([Ring; Step::ALL.len()]);

impl Default for Line {
    fn default() -> Self {
        Self(Step::ALL.map(Ring::new))
    }
}

impl Line {
    fn add(&mut self, second: u32, sample: Sample) {
        for ring in &mut self.0 {
            ring.add(second, sample);
        }
    }
}

impl History {
    /// The steps of a queue, or of all together, that are within the length of their ring at
    /// `now`, oldest first, with the instants at which they began. Steps in which this process
    /// did not run are left out.
    pub fn steps(
        &self,
        queue: Option<&QueueName>,
        step: Step,
        now: Timestamp,
    ) -> Vec<(Timestamp, Sample)> {
        let lines = self.lock();
        let line = match queue {
            None => Some(&lines.all),
            Some(queue) => lines.queues.get(queue),
        };
        line.map(|line| line.0[step as usize].since(now))
            .unwrap_or_default()
    }

    /// The queues with a line of their own.
    pub fn queues(&self) -> Vec<QueueName> {
        self.lock().queues.keys().cloned().collect()
    }

    /// Makes room for these queues, as far as there is any: lines of queues that are not among
    /// them go first. The ones that have a line now.
    pub(crate) fn follow<'q>(
        &self,
        queues: impl Iterator<Item = &'q QueueName> + Clone,
    ) -> Vec<QueueName> {
        let mut lines = self.lock();
        let new = queues
            .clone()
            .filter(|queue| !lines.queues.contains_key(*queue));
        let new: Vec<_> = new.take(QUEUES_MAX).cloned().collect();
        if lines.queues.len() + new.len() > QUEUES_MAX {
            let known: std::collections::BTreeSet<_> = queues.collect();
            lines.queues.retain(|queue, _| known.contains(queue));
        }
        for queue in new {
            if lines.queues.len() < QUEUES_MAX {
                lines.queues.insert(queue, Line::default());
            }
        }
        lines.queues.keys().cloned().collect()
    }

    /// Takes in what happened in one second: in all queues, and in those with a line.
    pub(crate) fn add(&self, second: u32, all: Sample, queues: &[(QueueName, Sample)]) {
        let mut lines = self.lock();
        lines.all.add(second, all);
        for (queue, sample) in queues {
            if let Some(line) = lines.queues.get_mut(queue) {
                line.add(second, *sample);
            }
        }
    }

    /// Everything, to be kept for the next life.
    pub fn to_bytes(&self) -> Vec<u8> {
        let lines = self.lock().clone();
        bytes::write(&lines)
    }

    /// Begins with what an earlier life has kept; whether it could be read.
    pub fn restore(&self, kept: &[u8]) -> bool {
        let Some(lines) = bytes::read(kept) else {
            return false;
        };
        *self.lock() = lines;
        true
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(number: usize) -> QueueName {
        QueueName::new(&format!("q{number}")).unwrap()
    }

    fn accepted(accepted: u32) -> Sample {
        Sample {
            accepted,
            wait_ms: 1.5,
            ..Sample::default()
        }
    }

    #[test]
    fn queues_have_lines_as_long_as_there_is_room() {
        let history = History::default();
        let names: Vec<_> = (0..QUEUES_MAX + 8).map(queue).collect();
        assert_eq!(history.follow(names.iter()).len(), QUEUES_MAX);
        // Those that are gone make room for those that have come.
        let followed = history.follow(names[30..].iter());
        assert!(followed.contains(&names[QUEUES_MAX + 7]), "{followed:?}");
        assert!(!followed.contains(&names[0]));
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let history = History::default();
        history.follow([queue(1)].iter());
        for second in 1_000..1_400 {
            history.add(second, accepted(2), &[(queue(1), accepted(1))]);
        }
        let now = Timestamp::from_millis(1_400_000);
        let kept = history.to_bytes();
        let next = History::default();
        assert!(next.restore(&kept));
        for step in Step::ALL {
            for of in [None, Some(&queue(1))] {
                let (before, after) = (history.steps(of, step, now), next.steps(of, step, now));
                assert!(!after.is_empty());
                assert_eq!(before, after);
            }
        }
    }

    #[test]
    fn what_is_torn_is_not_taken() {
        let history = History::default();
        history.follow([queue(1)].iter());
        history.add(5, accepted(1), &[]);
        let kept = history.to_bytes();
        let next = History::default();
        for length in 0..kept.len() {
            assert!(!next.restore(&kept[..length]), "{length}");
        }
        let mut wrong = kept;
        let middle = wrong.len() / 2;
        wrong[middle] ^= 1;
        assert!(!next.restore(&wrong));
        assert!(next.queues().is_empty());
    }
}
