//! How many hints wait in RabbitMQ, about: what was published and has not arrived, put right by
//! what the node says now and then.
//!
//! A line with [`WINDOW_HINTS`] is not told more: a backlog lives in the records, and queues of
//! RabbitMQ stay short. Pools find the rest by looking there.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::names::Line;

/// A line that holds so many hints is not told of more.
pub(super) const WINDOW_HINTS: usize = 20_000;
/// One in so many messages counts, when the size of messages is learned.
const SMOOTHING: usize = 8;
/// Places behind the point that the mean is kept with.
const SCALE: usize = 256;

/// Estimates, by line.
#[derive(Debug, Default)]
pub(super) struct Window {
    lines: Mutex<BTreeMap<Line, Ready>>,
}

/// What is known of one line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ready {
    /// Hints that wait there.
    pub(super) hints: usize,
    /// It was full when the last hints came.
    pub(super) is_full: bool,
    /// Mean number of hints in a message, times [`SCALE`].
    mean: usize,
}

impl Window {
    /// Whether there is room for `hints` more; then they count.
    pub(super) fn admit(&self, line: &Line, hints: usize) -> bool {
        let mut lines = self.lock();
        let ready = lines.entry(line.clone()).or_default();
        ready.is_full = ready.hints + hints > WINDOW_HINTS;
        if !ready.is_full {
            ready.hints += hints;
            ready.learn(hints);
        }
        !ready.is_full
    }

    /// These hints do not wait there any more, or never came there.
    pub(super) fn gone(&self, line: &Line, hints: usize) {
        if let Some(ready) = self.lock().get_mut(line) {
            ready.hints = ready.hints.saturating_sub(hints);
        }
    }

    /// A message of so many hints has arrived here.
    pub(super) fn arrived(&self, line: &Line, hints: usize) {
        self.lock().entry(line.clone()).or_default().learn(hints);
        self.gone(line, hints);
    }

    /// The node says that so many messages wait.
    pub(super) fn measured(&self, line: &Line, messages: usize) {
        let mut lines = self.lock();
        let ready = lines.entry(line.clone()).or_default();
        ready.hints = messages * ready.mean.max(SCALE) / SCALE;
        ready.is_full &= ready.hints >= WINDOW_HINTS;
    }

    pub(super) fn all(&self) -> Vec<(Line, Ready)> {
        let lines = self.lock();
        lines
            .iter()
            .map(|(line, ready)| (line.clone(), *ready))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Line, Ready>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ready {
    fn learn(&mut self, hints: usize) {
        self.mean = match self.mean {
            0 => hints * SCALE,
            mean => (mean * (SMOOTHING - 1) + hints * SCALE) / SMOOTHING,
        };
    }
}

#[cfg(test)]
mod tests {
    use tareas_core::QueueName;

    use super::super::names::Band;
    use super::*;

    #[test]
    fn a_full_line_is_not_told_more_until_it_is_shorter() {
        let window = Window::default();
        let line = Line {
            queue: QueueName::new("a").unwrap(),
            band: Band::Middle,
            kind: None,
        };
        while window.admit(&line, 64) {}
        assert!(window.all()[0].1.is_full);
        assert_eq!(window.all()[0].1.hints / 64, WINDOW_HINTS / 64);
        window.measured(&line, 2);
        assert_eq!(window.all()[0].1.hints, 128, "messages hold 64 hints here");
        assert!(!window.all()[0].1.is_full);
        window.arrived(&line, 64);
        assert!(window.admit(&line, 64));
        assert_eq!(window.all()[0].1.hints, 128);
    }
}
