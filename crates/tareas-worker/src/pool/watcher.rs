//! The watcher: one thread a pool that does what slots cannot do while a handler has them.
//!
//! - An attempt over its limit is asked to end; if it does not within the grace, its slot is
//!   retired: the attempt is reported as timed out and another thread takes over the slot.
//! - Behind an attempt that turns out to be slow, what has ended is handed over and what has
//!   not begun is put back.
//!
//! It sleeps until the first of that can be due, and for ever while nothing runs.

use std::io;
use std::sync::Arc;
use std::thread::Builder;
use std::time::{Duration, Instant};

use super::shared::Shared;
use super::slot::SlotState;
use super::thread;
use crate::{CancelHandle, Cause};

/// How long results and unbegun assignments wait behind a running attempt.
pub(super) const PATIENCE: Duration = Duration::from_millis(5);
/// How long after a thread could not be started the next try is.
const SPAWN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Starts the watcher.
pub(super) fn spawn(shared: &Arc<Shared>) -> io::Result<()> {
    let name = format!("{}-w", shared.options.name);
    shared.watchers.join();
    // On failure the closure is dropped, and the presence with it.
    let presence = Presence(shared.clone());
    Builder::new()
        .name(name)
        .spawn(move || watch(&presence))
        .map(drop)
}

/// The watcher is waited for at the end: it may be about to hand something over.
struct Presence(Arc<Shared>);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.watchers.leave();
    }
}

fn watch(Presence(shared): &Presence) {
    shared.alarm.attend();
    while !shared.alarm.has_ended() {
        shared.alarm.begin_round();
        let slots = 0..shared.slots.len();
        let next = slots.filter_map(|slot| attend_to(shared, slot)).min();
        shared.alarm.sleep(next);
    }
}

/// Does what is due for a slot. When to look again, if nothing new begins there.
fn attend_to(shared: &Arc<Shared>, slot: usize) -> Option<Instant> {
    let now = Instant::now();
    let (limit, next) = {
        let mut state = shared.slots[slot].lock();
        (
            limit(&mut state, now, shared.options.retire_grace),
            state.relief(),
        )
    };
    if next.is_some_and(|due| due <= now) {
        relieve(shared, slot);
    }
    let next = next.filter(|due| *due > now);
    match limit {
        Limit::None => {}
        Limit::At(at) => return Some(next.map_or(at, |next| next.min(at))),
        Limit::Reached(handle) => {
            handle.raise(Cause::TimedOut);
            return Some(now);
        }
        Limit::GraceOver => shared.retire(slot),
    }
    let refilled = refill(shared, slot);
    [next, refilled].into_iter().flatten().min()
}

/// How the running attempt stands with its time limit.
enum Limit {
    None,
    At(Instant),
    Reached(CancelHandle),
    GraceOver,
}

fn limit(state: &mut SlotState, now: Instant, grace: Duration) -> Limit {
    let Some(running) = &mut state.running else {
        return Limit::None;
    };
    let Some(deadline) = running.deadline else {
        return Limit::None;
    };
    match running
        .overdue_since
        .and_then(|since| since.checked_add(grace))
    {
        Some(end) if end <= now => Limit::GraceOver,
        Some(end) => Limit::At(end),
        None if running.overdue_since.is_some() => Limit::None,
        None if deadline <= now => {
            running.overdue_since = Some(now);
            Limit::Reached(running.cancel.clone())
        }
        None => Limit::At(deadline),
    }
}

/// Hands over and puts back what waits behind a slow attempt.
fn relieve(shared: &Shared, slot: usize) {
    let (mut done, rest) = {
        let mut state = shared.slots[slot].lock();
        if state.relief().is_none_or(|due| due > Instant::now()) {
            return;
        }
        (
            std::mem::take(&mut state.done),
            std::mem::take(&mut state.rest),
        )
    };
    if !done.is_empty() {
        shared.source.settle(slot, &mut done);
    }
    shared.put_back(rest);
}

/// Gives a slot whose thread was retired another one. When to try again, if that fails.
fn refill(shared: &Arc<Shared>, slot: usize) -> Option<Instant> {
    let vacant = std::mem::take(&mut shared.slots[slot].lock().vacant);
    if !vacant || shared.is_stopping() || thread::spawn(shared, slot).is_ok() {
        return None;
    }
    shared.slots[slot].lock().vacant = true;
    Some(Instant::now() + SPAWN_AGAIN_AFTER)
}
