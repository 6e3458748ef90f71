//! When a run ends: after so many tasks, or after so long.

use std::time::{Duration, Instant};

/// The end of a run, for one of its connections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    tasks: u64,
    at: Option<Instant>,
}

impl Stop {
    /// For the connection `index` of `connections`, which share the tasks evenly.
    pub(super) fn of(
        tasks: u64,
        duration: Option<Duration>,
        index: usize,
        connections: usize,
    ) -> Self {
        let (index, connections) = (index as u64, connections as u64);
        let share = tasks / connections + u64::from(index < tasks % connections);
        match duration {
            None => Self {
                tasks: share,
                at: None,
            },
            Some(duration) => Self {
                tasks: u64::MAX,
                at: Some(Instant::now() + duration),
            },
        }
    }

    /// How many more may be sent, when `sent` were.
    pub(super) fn left(&self, sent: u64) -> u64 {
        match self.at {
            Some(at) if Instant::now() >= at => 0,
            _ => self.tasks - sent.min(self.tasks),
        }
    }
}
