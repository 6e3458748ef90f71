//! When a commit begins: the writer waits for what is about to end.
//!
//! A commit begins when something is decided and either every quick task that was accepted
//! before the writer became free has ended, or the writer has waited long enough. So
//! one statement records all of the life of a short task, and slow ones are never waited for.

use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::shared::{Mood, Shared, State};

/// After this long without anything to write, there is time for a checkpoint.
const IDLE_AFTER: Duration = Duration::from_millis(250);
/// How often the writer looks whether commits are still held back.
const HOLD_LOOK: Duration = Duration::from_millis(5);

/// What there is to do.
#[derive(Debug)]
pub(super) enum Next<'s> {
    /// A commit begins, with what is decided under this lock.
    Write(MutexGuard<'s, State>),
    /// Nothing, for a while.
    Idle,
    /// Everything is written, and nothing more will come.
    Close,
    /// A decision was cut short: nothing more may become durable.
    Stop,
}

/// Waits until a commit should begin, or there is nothing to do for a while.
pub(super) fn next(shared: &Shared, fold_wait: Duration) -> Next<'_> {
    let mut state = shared.lock();
    loop {
        if state.is_stopped {
            return Next::Stop;
        }
        if !state.has_work() {
            if state.is_closing {
                return Next::Close;
            }
            let (woken, is_late) = sleep(shared, state, Mood::Idle, IDLE_AFTER);
            state = woken;
            if is_late && !state.has_work() && !state.is_closing {
                return Next::Idle;
            }
        } else if state.holds > 0 && !state.is_closing {
            (state, _) = sleep(shared, state, Mood::Busy, HOLD_LOOK);
        } else {
            return Next::Write(fold(shared, state, fold_wait));
        }
    }
}

/// Waits a moment for the quick tasks that were accepted before this round to end; new ones
/// wait until those are taken.
fn fold<'s>(
    shared: &'s Shared,
    mut state: MutexGuard<'s, State>,
    time_max: Duration,
) -> MutexGuard<'s, State> {
    let since = Instant::now();
    state.ledger.begin_round();
    if state.ledger.round_is_folded() {
        return state;
    }
    shared.begin_fold();
    while !state.ledger.round_is_folded() && !state.is_closing && !state.is_stopped {
        let left = time_max.saturating_sub(since.elapsed());
        if left.is_zero() {
            break;
        }
        (state, _) = sleep(shared, state, Mood::Folding, left);
    }
    shared.end_fold();
    state
}

/// Sleeps in this mood; whether the time went by before anybody woke the writer.
fn sleep<'s>(
    shared: &'s Shared,
    mut state: MutexGuard<'s, State>,
    mood: Mood,
    time_max: Duration,
) -> (MutexGuard<'s, State>, bool) {
    state.mood = mood;
    let slept = shared.wakes_writer().wait_timeout(state, time_max);
    let (mut state, timeout) = slept.unwrap_or_else(PoisonError::into_inner);
    state.mood = Mood::Busy;
    (state, timeout.timed_out())
}
