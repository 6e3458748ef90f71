//! Which lines there are, and which of them are wanted here.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tareas_core::{Kind, QueueName};

use super::names::{Band, Line};

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Lines {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queues: BTreeSet<QueueName>,
    there: BTreeSet<Line>,
    wanted: Wanted,
}

/// What can be run here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Some kind that has no way of its own.
    pub(super) common: bool,
    /// Kinds that have one.
    pub(super) apart: BTreeSet<Kind>,
}

impl Default for Wanted {
    /// As long as nobody has said anything.
    fn default() -> Self {
        Self {
            common: true,
            apart: BTreeSet::new(),
        }
    }
}

impl Wanted {
    fn has(&self, line: &Line) -> bool {
        let kind = line.kind.as_ref();
        kind.map_or(self.common, |kind| self.apart.contains(kind))
    }
}

impl Lines {
    /// This line is there; whether that is new.
    pub(super) fn exists(&self, line: &Line) -> bool {
        let mut state = self.lock();
        if !state.queues.contains(&line.queue) {
            state.queues.insert(line.queue.clone());
        }
        !state.there.contains(line) && state.there.insert(line.clone())
    }

    /// Somebody has removed this line. The middle one for all kinds is made again.
    pub(super) fn vanished(&self, line: &Line) {
        if line.band != Band::Middle || line.kind.is_some() {
            self.lock().there.remove(line);
        }
    }

    /// This is wanted from now on; whether that is a change.
    pub(super) fn want(&self, wanted: Wanted) -> bool {
        let mut state = self.lock();
        let is_new = state.wanted != wanted;
        state.wanted = wanted;
        is_new
    }

    /// Whether somebody here can run what this line tells of.
    pub(super) fn is_wanted(&self, line: &Line) -> bool {
        self.lock().wanted.has(line)
    }

    /// The lines that are there and wanted.
    pub(super) fn to_receive(&self) -> Vec<Line> {
        let state = self.lock();
        let is_wanted = |line: &&Line| state.wanted.has(line);
        state.there.iter().filter(is_wanted).cloned().collect()
    }

    /// The lines that known queues can have for what is wanted here, and those that are there.
    pub(super) fn possible(&self) -> BTreeSet<Line> {
        let state = self.lock();
        let mut possible = state.there.clone();
        for queue in &state.queues {
            let kinds = state.wanted.apart.iter().cloned().map(Some);
            for kind in std::iter::once(None).chain(kinds) {
                possible.extend(Band::ALL.map(|band| Line {
                    queue: queue.clone(),
                    band,
                    kind: kind.clone(),
                }));
            }
        }
        possible
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: Option<&str>) -> Line {
        Line {
            queue: QueueName::new("a").unwrap(),
            band: Band::Middle,
            kind: kind.map(|kind| Kind::new(kind).unwrap()),
        }
    }

    #[test]
    fn only_what_somebody_here_can_run_is_received() {
        let lines = Lines::default();
        assert!(lines.exists(&line(None)) && lines.exists(&line(Some("mail"))));
        assert!(!lines.exists(&line(None)));
        assert_eq!(lines.to_receive(), [line(None)]);
        assert_eq!(lines.possible().len(), 4);
        let kinds = ["mail", "report"].map(|kind| Kind::new(kind).unwrap());
        let wanted = |common| Wanted {
            common,
            apart: kinds.clone().into(),
        };
        assert!(lines.want(wanted(true)));
        assert!(!lines.want(wanted(true)));
        assert_eq!(lines.to_receive(), [line(None), line(Some("mail"))]);
        assert_eq!(lines.possible().len(), 9);
        assert!(lines.want(wanted(false)));
        assert_eq!(lines.to_receive(), [line(Some("mail"))]);
        assert!(lines.want(wanted(true)));
        lines.vanished(&line(None));
        lines.vanished(&line(Some("mail")));
        assert_eq!(lines.to_receive(), [line(None)]);
    }
}
