//! A pool thread: takes a batch, runs one after the other, hands over what has ended.
//!
//! One clock reading and one lock a task. Results wait for the end of the batch, but no longer
//! than [`HAND_OVER_AFTER`]; when a task turns out to be slow the watcher hands them over.

use std::io;
use std::sync::Arc;
use std::thread::Builder;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::exchange::Held;
use super::shared::Shared;
use super::watcher::PATIENCE;
use crate::{Assignment, Cause, Completion, Context, Ending, HandlerError, Registry};

/// A batch that has taken longer hands over what it has before it goes on.
const HAND_OVER_AFTER: Duration = Duration::from_millis(1);

/// Starts the thread of a slot.
pub(super) fn spawn(shared: &Arc<Shared>, slot: usize) -> io::Result<()> {
    let generation = shared.slots[slot].lock().generation;
    let thread = PoolThread {
        slot,
        generation,
        context: Context::idle(slot, Some(shared.source.clone()), shared.runtime_handle()),
        done: Vec::new(),
        counted: true,
        registry: shared.registry.hold(),
        shared: shared.clone(),
    };
    shared.roster.join();
    // On failure the closure is dropped and with it the thread, which leaves the roster.
    let name = format!("{}-{slot}", shared.options.name);
    Builder::new()
        .name(name)
        .spawn(move || thread.serve())
        .map(drop)
}

struct PoolThread {
    shared: Arc<Shared>,
    slot: usize,
    generation: u64,
    context: Context,
    registry: Held<Registry>,
    /// Empty; swapped with the slot's to hand over without allocation.
    done: Vec<Completion>,
    /// Whether the roster still counts this thread.
    counted: bool,
}

/// What comes after an attempt.
enum Step {
    Next(Assignment),
    HandOver,
    /// The slot belongs to another thread by now.
    Retired,
}

impl PoolThread {
    fn serve(mut self) {
        let mut taken = Vec::new();
        while !self.shared.is_stopping() {
            let more = self.shared.source.take(self.slot, &mut taken);
            self.accept(&mut taken);
            if !self.run_batch() {
                self.counted = false;
                return;
            }
            if !more {
                return;
            }
        }
    }

    fn accept(&mut self, taken: &mut Vec<Assignment>) {
        let mut state = self.shared.slots[self.slot].lock();
        if !self.shared.is_stopping() {
            return state.rest.extend(taken.drain(..));
        }
        drop(state);
        self.shared.put_back(std::mem::take(taken).into());
    }

    /// Runs what the slot has. `false` when this thread was retired meanwhile.
    fn run_batch(&mut self) -> bool {
        let mut now = Instant::now();
        let mut began = now;
        let mut next = self.begin(now);
        while let Some(assignment) = next {
            let completion = self.run(assignment, &mut now);
            next = match self.finish(completion, began, now) {
                Step::Next(assignment) => Some(assignment),
                Step::Retired => return false,
                Step::HandOver => {
                    self.hand_over();
                    now = Instant::now();
                    began = now;
                    self.begin(now)
                }
            };
        }
        self.hand_over();
        true
    }

    /// Makes the slot's next assignment the running one. When there is none, all that ended is
    /// ready to be handed over, also what was cancelled before it began.
    fn begin(&mut self, now: Instant) -> Option<Assignment> {
        let mut state = self.shared.slots[self.slot].lock();
        let Some(begun) = state.begin(self.context.cancel_mut(), now) else {
            state.swap_done(&mut self.done);
            return None;
        };
        let waiting = state.has_waiting();
        drop(state);
        self.set_alarm(begun.timeout, waiting, now);
        Some(begun)
    }

    /// Calls the handler. `now` is when it begins, and afterwards when it ended.
    fn run(&mut self, mut next: Assignment, now: &mut Instant) -> Completion {
        let (ticket, task_id, attempt) = (next.ticket, next.task_id, next.attempt);
        let started = *now;
        let payload = std::mem::take(&mut next.payload);
        self.context.begin(next, started);
        let result = match self.context.check() {
            Ok(()) => {
                let registry = self.registry.newest(&self.shared.registry);
                registry.run(&self.context, payload)
            }
            Err(interrupted) => Err(interrupted.into()),
        };
        *now = Instant::now();
        Completion {
            ticket,
            task_id,
            attempt,
            ending: ending(result, self.context.cancel_mut().cause()),
            run_time: now.saturating_duration_since(started),
            started,
            trail: self.context.take_trail(),
        }
    }

    /// Records the end of the running attempt, and begins the next if results can wait.
    fn finish(&mut self, completion: Completion, began: Instant, now: Instant) -> Step {
        let mut state = self.shared.slots[self.slot].lock();
        if state.generation != self.generation {
            return Step::Retired;
        }
        state.running = None;
        state.done.push(completion);
        if now.saturating_duration_since(began) < HAND_OVER_AFTER
            && let Some(assignment) = state.begin(self.context.cancel_mut(), now)
        {
            drop(state);
            self.set_alarm(assignment.timeout, true, now);
            return Step::Next(assignment);
        }
        state.swap_done(&mut self.done);
        Step::HandOver
    }

    /// The watcher must look at this attempt when it can be too slow for what waits behind it,
    /// or over its limit.
    fn set_alarm(&self, timeout: Duration, waiting: bool, now: Instant) {
        let patience = if waiting {
            PATIENCE.min(timeout)
        } else {
            timeout
        };
        if let Some(at) = now.checked_add(patience) {
            self.shared.alarm.need(at);
        }
    }

    fn hand_over(&mut self) {
        if !self.done.is_empty() {
            self.shared.source.settle(self.slot, &mut self.done);
            self.done.clear();
        }
    }
}

impl Drop for PoolThread {
    fn drop(&mut self) {
        if self.counted {
            self.shared.roster.leave();
        }
    }
}

/// What a handler's return means. An error after the attempt was asked to end is taken as
/// compliance, whatever its text; a result is a result.
fn ending(result: Result<Bytes, HandlerError>, cause: Option<Cause>) -> Ending {
    match (result, cause) {
        (Ok(result), _) => Ending::Succeeded(result),
        (Err(error), None) => Ending::Failed(error),
        (Err(_), Some(Cause::Cancelled)) => Ending::Cancelled,
        (Err(_), Some(Cause::TimedOut)) => Ending::TimedOut,
        (Err(_), Some(Cause::Stopping)) => Ending::Released,
    }
}
