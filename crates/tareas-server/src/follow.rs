//! Following one task: what its attempts say, as they say it, until it has ended.
//!
//! A follower holds nothing but how much was seen: what a slow reader has not read waits in the
//! notes of the engine, which are bounded.

use std::sync::Arc;
use std::time::Duration;

use tareas_core::TaskId;
use tareas_engine::{Heard, Seen, Waited};
use tokio::sync::Notify;

use crate::ServerState;

/// Follows one task.
#[derive(Debug)]
pub(crate) struct Follower {
    server: Arc<ServerState>,
    id: TaskId,
    more: Arc<Notify>,
    seen: Seen,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Following,
    /// The task has ended with this status; what was said before is still to be told.
    Ended(&'static str),
    Over,
}

/// What a follower is told.
#[derive(Debug)]
pub(crate) enum Followed {
    /// The attempts have said this, in order.
    Heard(Vec<Heard>),
    /// Nothing was said for so long.
    Silence,
    /// The task has ended with this status, and everything was told.
    Ended(&'static str),
    /// Nothing follows.
    Over,
}

impl Follower {
    /// Follows a task from where somebody has seen it.
    pub(crate) fn new(server: &Arc<ServerState>, id: TaskId, seen: Seen) -> Self {
        Self {
            server: Arc::clone(server),
            id,
            more: server.engine.notes().follow(id),
            seen,
            phase: Phase::Following,
        }
    }

    /// The task that is followed.
    pub(crate) fn id(&self) -> TaskId {
        self.id
    }

    /// What is next, within so long. May be dropped while it waits: nothing is lost.
    pub(crate) async fn next(&mut self, silence: Duration) -> Followed {
        let more = Arc::clone(&self.more);
        loop {
            // Before it looks: what is said from here on wakes it.
            let mut notified = std::pin::pin!(more.notified());
            notified.as_mut().enable();
            let heard = self.server.engine.notes().unseen(self.id, &mut self.seen);
            if !heard.is_empty() {
                return Followed::Heard(heard);
            }
            match self.phase {
                Phase::Ended(status) => {
                    self.phase = Phase::Over;
                    return Followed::Ended(status);
                }
                Phase::Over => return Followed::Over,
                Phase::Following => {}
            }
            tokio::select! {
                () = notified => {}
                waited = self.server.engine.wait(self.id, silence) => match waited {
                    Ok(Waited::Ended(task)) => self.phase = Phase::Ended(task.phase().name()),
                    Ok(Waited::TimedOut(_)) => return Followed::Silence,
                    // Removed meanwhile, or the store is away: the reader may ask again.
                    Err(_) => self.phase = Phase::Over,
                },
            }
        }
    }
}

/// How far a reader was told, as text that it can come back with: attempt, lines and, once there
/// were some, pieces of output, with dots between them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place(Seen);

impl Place {
    /// What a reader came back with; the beginning when it says nothing of use.
    pub(crate) fn read(text: &str) -> Self {
        let mut numbers = text.split('.').map(str::parse::<u64>);
        let (Some(Ok(attempt)), Some(Ok(lines))) = (numbers.next(), numbers.next()) else {
            return Self::default();
        };
        let pieces = numbers.next().and_then(Result::ok).unwrap_or_default();
        let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
        Self(Seen::up_to(attempt, count(lines), count(pieces)))
    }

    /// What was seen there.
    pub(crate) fn seen(&self) -> Seen {
        self.0.clone()
    }

    /// The place behind something; `None` for what can be told again.
    pub(crate) fn pass(&mut self, heard: &Heard) -> Option<String> {
        let (Heard::Line { attempt, .. } | Heard::Output { attempt, .. }) = heard else {
            return None;
        };
        if self.0.attempt != *attempt {
            self.0 = Seen::up_to(*attempt, 0, 0);
        }
        match heard {
            Heard::Line { number, .. } => self.0.lines = *number,
            Heard::Output { number, .. } => self.0.pieces = *number,
            Heard::Progress(..) | Heard::Truncated(_) => {}
        }
        let Seen { lines, pieces, .. } = &self.0;
        Some(match pieces {
            0 => format!("{attempt}.{lines}"),
            some => format!("{attempt}.{lines}.{some}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_back_goes_on_where_it_was() {
        let line = |attempt, number| Heard::Line {
            attempt,
            number,
            text: String::new(),
        };
        let output = |attempt, number| Heard::Output {
            attempt,
            number,
            text: String::new(),
        };
        let mut place = Place::read("nonsense");
        assert_eq!(place.pass(&line(1, 1)).as_deref(), Some("1.1"));
        assert_eq!(place.pass(&output(1, 4)).as_deref(), Some("1.1.4"));
        assert_eq!(place.pass(&Heard::Truncated(1)), None);
        assert_eq!(Place::read("1.1.4").seen(), Seen::up_to(1, 1, 4));
        assert_eq!(place.pass(&line(2, 1)).as_deref(), Some("2.1"));
    }
}
