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
    /// Kinds with ways of their own that are wanted here.
    wanted: BTreeSet<Kind>,
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

    /// These kinds are wanted from now on; whether that is a change.
    pub(super) fn want(&self, kinds: BTreeSet<Kind>) -> bool {
        let mut state = self.lock();
        let is_new = state.wanted != kinds;
        state.wanted = kinds;
        is_new
    }

    /// Whether somebody here can run what this line tells of.
    pub(super) fn is_wanted(&self, line: &Line) -> bool {
        let state = self.lock();
        line.kind
            .as_ref()
            .is_none_or(|kind| state.wanted.contains(kind))
    }

    /// The lines that are there and wanted.
    pub(super) fn to_receive(&self) -> Vec<Line> {
        let state = self.lock();
        let is_wanted = |line: &&Line| {
            let kind = line.kind.as_ref();
            kind.is_none_or(|kind| state.wanted.contains(kind))
        };
        state.there.iter().filter(is_wanted).cloned().collect()
    }

    /// The lines that known queues can have for what is wanted here, and those that are there.
    pub(super) fn possible(&self) -> BTreeSet<Line> {
        let state = self.lock();
        let mut possible = state.there.clone();
        for queue in &state.queues {
            let kinds = state.wanted.iter().cloned().map(Some);
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
        assert!(lines.want(kinds.clone().into()));
        assert!(!lines.want(kinds.into()));
        assert_eq!(lines.to_receive(), [line(None), line(Some("mail"))]);
        assert_eq!(lines.possible().len(), 9);
        lines.vanished(&line(None));
        lines.vanished(&line(Some("mail")));
        assert_eq!(lines.to_receive(), [line(None)]);
    }
}
