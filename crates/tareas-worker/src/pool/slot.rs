//! One slot: what its thread runs, what it will run next, what has ended.
//!
//! All of it is behind one lock, taken once a task. The generation says which thread the slot
//! belongs to: it is raised when a thread is given up on, whose late result is then nobody's.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use smol_str::SmolStr;

use super::SlotView;
use super::watcher::PATIENCE;
use crate::{Assignment, CancelHandle, Completion, Ending};

#[derive(Debug, Default)]
pub(super) struct Slot {
    state: Mutex<SlotState>,
}

#[derive(Debug, Default)]
pub(super) struct SlotState {
    /// Which thread owns the slot.
    pub(super) generation: u64,
    /// No thread owns the slot: it was retired, and no new one could be started yet.
    pub(super) vacant: bool,
    pub(super) running: Option<Running>,
    /// Taken and not begun, in order.
    pub(super) rest: VecDeque<Assignment>,
    /// Ended and not handed over.
    pub(super) done: Vec<Completion>,
}

/// The attempt a handler is being called for.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) task_id: u128,
    pub(super) attempt: u64,
    pub(super) ticket: u64,
    pub(super) kind: SmolStr,
    pub(super) started: Instant,
    pub(super) deadline: Option<Instant>,
    /// When the handler was told that it is over its limit.
    pub(super) overdue_since: Option<Instant>,
    pub(super) cancel: CancelHandle,
}

/// Where a slot has an attempt that is to be cancelled.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    /// It had not begun, and has ended now.
    Unbegun,
    Running(CancelHandle),
}

impl Slot {
    pub(super) fn lock(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SlotState {
    /// Takes the next assignment to run, and makes `cancel` its handle: the one it brings, or
    /// the memory of the last one again.
    pub(super) fn begin(&mut self, cancel: &mut CancelHandle, now: Instant) -> Option<Assignment> {
        let mut next = self.rest.pop_front()?;
        match next.cancel.take() {
            Some(own) => *cancel = own,
            None => cancel.renew(),
        }
        self.running = Some(Running {
            task_id: next.task_id,
            attempt: next.attempt,
            ticket: next.ticket,
            kind: next.kind.clone(),
            started: now,
            deadline: now.checked_add(next.timeout),
            overdue_since: None,
            cancel: cancel.clone(),
        });
        Some(next)
    }

    /// Whether something here waits for the running attempt, and would wait too long for a slow
    /// one.
    pub(super) fn has_waiting(&self) -> bool {
        !(self.rest.is_empty() && self.done.is_empty())
    }

    /// When what waits behind the running attempt has waited long enough.
    pub(super) fn relief(&self) -> Option<Instant> {
        let running = self.running.as_ref().filter(|_| self.has_waiting())?;
        Some(running.started + PATIENCE)
    }

    /// Exchanges what has ended for an empty list, to hand it over without allocation.
    pub(super) fn swap_done(&mut self, empty: &mut Vec<Completion>) {
        std::mem::swap(&mut self.done, empty);
    }

    /// Ends an attempt that has not begun, or finds the handle of the one that runs.
    pub(super) fn cancel(&mut self, task_id: u128, attempt: u64) -> Found {
        let running = self.running.as_ref();
        if let Some(found) = running.filter(|r| r.task_id == task_id && r.attempt == attempt) {
            return Found::Running(found.cancel.clone());
        }
        let same = |a: &Assignment| a.task_id == task_id && a.attempt == attempt;
        let at = self.rest.iter().position(same);
        let Some(unbegun) = at.and_then(|at| self.rest.remove(at)) else {
            return Found::Nothing;
        };
        self.done.push(Completion {
            ticket: unbegun.ticket,
            task_id,
            attempt,
            ending: Ending::Cancelled,
            run_time: Duration::ZERO,
            started: Instant::now(),
            trail: None,
        });
        Found::Unbegun
    }

    /// Gives up on the thread that runs an attempt: reports `ending` for it, and lets nothing
    /// of what the thread still says count. What has ended and what has not begun.
    pub(super) fn abandon(
        &mut self,
        ending: Ending,
        now: Instant,
    ) -> Option<(Vec<Completion>, VecDeque<Assignment>)> {
        let running = self.running.take()?;
        running.cancel.abandon();
        self.generation += 1;
        let mut done = std::mem::take(&mut self.done);
        done.push(Completion {
            ticket: running.ticket,
            task_id: running.task_id,
            attempt: running.attempt,
            ending,
            run_time: now.saturating_duration_since(running.started),
            started: running.started,
            trail: None,
        });
        Some((done, std::mem::take(&mut self.rest)))
    }

    pub(super) fn view(&self, slot: usize, now: Instant) -> Option<SlotView> {
        self.running.as_ref().map(|running| SlotView {
            slot,
            task_id: running.task_id,
            attempt: running.attempt,
            kind: running.kind.clone(),
            running_for: now.saturating_duration_since(running.started),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assignment(task_id: u128) -> Assignment {
        Assignment {
            task_id,
            attempt: 1,
            kind: "square".into(),
            payload: bytes::Bytes::new(),
            metadata: None,
            trace: None,
            queue: "default".into(),
            timeout: Duration::from_secs(1),
            ticket: 7,
            cancel: None,
        }
    }

    fn with_two() -> (SlotState, CancelHandle) {
        let (mut state, mut cancel) = (SlotState::default(), CancelHandle::new());
        state.rest.extend([assignment(1), assignment(2)]);
        assert_eq!(state.begin(&mut cancel, Instant::now()).unwrap().task_id, 1);
        (state, cancel)
    }

    #[test]
    fn an_unbegun_attempt_is_cancelled_on_the_spot() {
        let (mut state, _) = with_two();
        assert!(matches!(state.cancel(2, 1), Found::Unbegun));
        assert!(matches!(state.cancel(2, 1), Found::Nothing));
        assert!(state.rest.is_empty());
        assert!(matches!(state.done[0].ending, Ending::Cancelled));
        assert_eq!((state.done[0].ticket, state.done[0].task_id), (7, 2));
    }

    #[test]
    fn a_running_attempt_is_found_by_its_handle() {
        let (mut state, cancel) = with_two();
        assert!(matches!(state.cancel(1, 2), Found::Nothing));
        let Found::Running(handle) = state.cancel(1, 1) else {
            panic!("not found")
        };
        handle.cancel();
        assert!(cancel.cause().is_some());
    }

    #[test]
    fn an_abandoned_slot_belongs_to_the_next_thread() {
        let (mut state, cancel) = with_two();
        let (done, rest) = state.abandon(Ending::TimedOut, Instant::now()).unwrap();
        assert!(matches!(done[0].ending, Ending::TimedOut));
        assert_eq!(rest[0].task_id, 2);
        assert_eq!(state.generation, 1);
        assert!(cancel.is_abandoned());
        assert!(state.abandon(Ending::Released, Instant::now()).is_none());
    }

    #[test]
    fn only_what_waits_behind_a_running_attempt_needs_relief() {
        let (mut state, _) = with_two();
        let started = state.running.as_ref().unwrap().started;
        assert_eq!(state.relief(), Some(started + PATIENCE));
        state.rest.clear();
        assert_eq!(state.relief(), None);
    }
}
