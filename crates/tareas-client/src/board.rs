//! The board: what was asked on a connection and what has been answered.
//!
//! Each request has a slot, found by the `ref` that the server echoes. A slot outlives the
//! connection: after a loss, what has no answer is sent again. Whoever waits first after a loss
//! is the one who repairs the connection; the others wait for that.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tareas_protocol::ErrorObject;

use crate::end::Reply;
use crate::{Acknowledged, Result};

/// How far a request must have come for a waiter to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Acknowledged,
    Answered,
}

/// Why a waiter goes on.
#[derive(Debug)]
pub(crate) enum Wake {
    Acknowledged(Acknowledged),
    Answered(Result<Reply>),
    /// The connection is lost, and the waiter has been chosen to repair it.
    Repair {
        since: Instant,
    },
    TimedOut,
}

#[derive(Debug, Default)]
pub(crate) struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    slots: BTreeMap<u64, Slot>,
    last_reference: u64,
    /// Counts connections.
    generation: u64,
    lost: Option<Lost>,
    /// The last error that belonged to no request: why the server closes, perhaps.
    complaint: Option<Box<ErrorObject>>,
}

#[derive(Debug)]
struct Lost {
    since: Instant,
    is_being_repaired: bool,
}

#[derive(Debug)]
struct Slot {
    line: Vec<u8>,
    /// An acknowledgement is not the answer, the end is.
    wants_end: bool,
    /// The connection it was last sent on.
    sent_on: Option<u64>,
    acknowledged: Option<Acknowledged>,
    answer: Option<Answered>,
}

#[derive(Debug)]
enum Answered {
    Reply(Reply),
    Refused(Box<ErrorObject>),
    Broken(String),
}

impl Board {
    /// A slot for a request whose line is made from its reference.
    pub(crate) fn open(&self, wants_end: bool, line: impl FnOnce(&str) -> Vec<u8>) -> u64 {
        let mut state = self.lock();
        state.last_reference += 1;
        let reference = state.last_reference;
        let slot = Slot {
            line: line(&reference.to_string()),
            wants_end,
            sent_on: None,
            acknowledged: None,
            answer: None,
        };
        state.slots.insert(reference, slot);
        reference
    }

    /// Forgets a request; what is still said about it is ignored.
    pub(crate) fn close(&self, reference: u64) {
        self.lock().slots.remove(&reference);
    }

    /// The line of a request, to be sent on connection `generation`; `None` when it was sent
    /// there already.
    pub(crate) fn line_for(&self, reference: u64, generation: u64) -> Option<Vec<u8>> {
        let mut state = self.lock();
        let slot = state.slots.get_mut(&reference)?;
        let is_new = slot.sent_on.replace(generation) != Some(generation);
        is_new.then(|| slot.line.clone())
    }

    /// What a server said about a request.
    pub(crate) fn answer(&self, reference: u64, reply: Result<Reply>) {
        let mut state = self.lock();
        let Some(slot) = state.slots.get_mut(&reference) else {
            return;
        };
        match reply {
            Ok(Reply::Acknowledged(acknowledged)) if slot.wants_end => {
                slot.acknowledged.get_or_insert(acknowledged);
            }
            Ok(reply) => slot.answer = Some(Answered::Reply(reply)),
            Err(crate::Error::Refused(object)) => slot.answer = Some(Answered::Refused(object)),
            Err(other) => slot.answer = Some(Answered::Broken(other.to_string())),
        }
        drop(state);
        self.changed.notify_all();
    }

    /// What a server said about no request in particular.
    pub(crate) fn complain(&self, object: Box<ErrorObject>) {
        self.lock().complaint = Some(object);
    }

    /// What it last said like that.
    pub(crate) fn complaint(&self) -> Option<Box<ErrorObject>> {
        self.lock().complaint.take()
    }

    /// The connection `generation` has ended; how many requests have no answer, unless this was
    /// known already. Nobody repairs it before [`repaired`](Self::repaired) was called: whoever
    /// is told of connections hears of the loss first.
    pub(crate) fn lose(&self, generation: u64) -> Option<usize> {
        let mut state = self.lock();
        if state.generation != generation || state.lost.is_some() {
            return None;
        }
        state.lost = Some(Lost {
            since: Instant::now(),
            is_being_repaired: true,
        });
        let pending = state
            .slots
            .values()
            .filter(|slot| slot.answer.is_none())
            .count();
        Some(pending)
    }

    /// There is a new connection; its number.
    pub(crate) fn next_generation(&self) -> u64 {
        let mut state = self.lock();
        state.generation += 1;
        state.generation
    }

    /// The lines without an answer, in the order of their requests, as sent on this connection.
    pub(crate) fn unanswered(&self, generation: u64) -> Vec<u8> {
        let mut state = self.lock();
        let mut lines = Vec::new();
        for slot in state
            .slots
            .values_mut()
            .filter(|slot| slot.answer.is_none())
        {
            slot.sent_on = Some(generation);
            lines.extend_from_slice(&slot.line);
        }
        lines
    }

    /// The repair is over, with or without success: without, it may be tried again.
    pub(crate) fn repaired(&self, with_success: bool) {
        let mut state = self.lock();
        if with_success {
            state.lost = None;
        } else if let Some(lost) = &mut state.lost {
            lost.is_being_repaired = false;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until a request has come to `stage`.
    pub(crate) fn wait(&self, reference: u64, stage: Stage, until: Option<Instant>) -> Wake {
        let mut state = self.lock();
        loop {
            if let Some(wake) = state.slots.get(&reference).and_then(|slot| slot.at(stage)) {
                return wake;
            }
            if let Some(lost) = state.lost.as_mut().filter(|lost| !lost.is_being_repaired) {
                lost.is_being_repaired = true;
                return Wake::Repair { since: lost.since };
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Wake::TimedOut;
            }
            state = self.sleep(state, left);
        }
    }

    fn sleep<'s>(
        &self,
        state: MutexGuard<'s, State>,
        left: Option<Duration>,
    ) -> MutexGuard<'s, State> {
        match left {
            None => self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner),
            Some(left) => {
                let woken = self.changed.wait_timeout(state, left);
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn at(&self, stage: Stage) -> Option<Wake> {
        // Both may be there by now: the task was quick.
        let acknowledged = self.acknowledged.filter(|_| stage == Stage::Acknowledged);
        let answered = || Some(Wake::Answered(self.answer.as_ref()?.to_result()));
        acknowledged.map(Wake::Acknowledged).or_else(answered)
    }
}

impl Answered {
    fn to_result(&self) -> Result<Reply> {
        match self {
            Self::Reply(reply) => Ok(reply.clone()),
            Self::Refused(object) => Err(crate::Error::Refused(object.clone())),
            Self::Broken(what) => Err(crate::Error::Malformed { what: what.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{End, Status, TaskId};

    fn acknowledged() -> Result<Reply> {
        let task_id = TaskId::new();
        Ok(Reply::Acknowledged(Acknowledged {
            task_id,
            status: Status::Queued,
            is_duplicate: false,
        }))
    }

    fn soon() -> Option<Instant> {
        Some(Instant::now() + Duration::from_millis(5))
    }

    #[test]
    fn an_acknowledgement_is_not_yet_the_end() {
        let board = Board::default();
        let reference = board.open(true, |reference| reference.as_bytes().to_vec());
        board.answer(reference, acknowledged());
        let wake = board.wait(reference, Stage::Acknowledged, soon());
        assert!(matches!(wake, Wake::Acknowledged(_)));
        assert!(matches!(
            board.wait(reference, Stage::Answered, soon()),
            Wake::TimedOut
        ));
        board.answer(reference, Ok(Reply::Ended(End::Succeeded("4".into()))));
        assert!(matches!(
            board.wait(reference, Stage::Answered, soon()),
            Wake::Answered(Ok(_))
        ));
        let late = board.wait(reference, Stage::Acknowledged, soon());
        assert!(
            matches!(late, Wake::Acknowledged(_)),
            "asked for after the end, it is still there"
        );
    }

    #[test]
    fn one_waiter_repairs_and_unanswered_lines_are_sent_again_in_order() {
        let board = Board::default();
        let generation = board.next_generation();
        let line = |reference: &str| format!("{reference}\n").into_bytes();
        let (a, b, c) = (
            board.open(true, line),
            board.open(true, line),
            board.open(true, line),
        );
        board.answer(b, Ok(Reply::Elsewhere));
        assert_eq!(board.line_for(a, generation).unwrap(), b"1\n");
        assert_eq!(
            board.line_for(a, generation),
            None,
            "once on each connection"
        );
        assert_eq!(board.lose(generation), Some(2));
        assert_eq!(board.lose(generation), None);
        assert!(
            matches!(board.wait(a, Stage::Answered, soon()), Wake::TimedOut),
            "the loss is not told yet"
        );
        board.repaired(false);
        assert!(matches!(
            board.wait(a, Stage::Answered, soon()),
            Wake::Repair { .. }
        ));
        assert!(matches!(
            board.wait(c, Stage::Answered, soon()),
            Wake::TimedOut
        ));
        let generation = board.next_generation();
        assert_eq!(board.unanswered(generation), b"1\n3\n");
        assert_eq!(board.line_for(c, generation), None);
        board.repaired(true);
        assert!(matches!(
            board.wait(a, Stage::Answered, soon()),
            Wake::TimedOut
        ));
    }

    #[test]
    fn what_is_said_about_a_forgotten_request_is_ignored() {
        let board = Board::default();
        let reference = board.open(false, |_| Vec::new());
        board.close(reference);
        board.answer(reference, acknowledged());
        assert!(board.lock().slots.is_empty());
    }
}
