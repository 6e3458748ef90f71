//! How many of a kind run at once: a gate that lets so many in and makes the others wait in line.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bell::Bell;
use crate::{CancelHandle, HandlerError};

/// A gate with a number of places.
#[derive(Debug)]
pub(super) struct Gate {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Who waits, in order; a place is handed to the first by taking it out of here.
    waiting: VecDeque<Arc<Bell>>,
}

/// A place behind the gate, given back when dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    gate: &'a Gate,
}

impl Gate {
    pub(super) fn new(places: usize) -> Self {
        let state = State {
            free: places,
            waiting: VecDeque::new(),
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// Waits for a place, or until the attempt is asked to end.
    pub(super) fn enter(&self, cancel: &CancelHandle) -> Result<Place<'_>, HandlerError> {
        let bell = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                return Ok(Place { gate: self });
            }
            let bell = Arc::new(Bell::new()?);
            state.waiting.push_back(Arc::clone(&bell));
            bell
        };
        self.wait(&bell, cancel)
    }

    fn wait(&self, bell: &Arc<Bell>, cancel: &CancelHandle) -> Result<Place<'_>, HandlerError> {
        let attached = cancel.attach(bell);
        let heard: io::Result<()> = bell.wait();
        drop(attached);
        let mut state = self.lock();
        let still_waits = state.waiting.iter().position(|b| Arc::ptr_eq(b, bell));
        let Some(at) = still_waits else {
            // Handed over; a request to end that came as well is seen by whoever runs next.
            return Ok(Place { gate: self });
        };
        state.waiting.remove(at);
        drop(state);
        heard?;
        cancel.check()?;
        Err(HandlerError::retry(
            "waiting for a free process was interrupted",
        ))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        match state.waiting.pop_front() {
            Some(next) => next.ring(),
            None => state.free += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_goes_to_whoever_waits() {
        let (gate, cancel) = (Gate::new(1), CancelHandle::new());
        let first = gate.enter(&cancel).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.enter(&CancelHandle::new()).is_ok());
            while gate.lock().waiting.is_empty() {
                std::thread::yield_now();
            }
            drop(first);
            assert!(waiting.join().unwrap());
        });
        assert_eq!(gate.lock().free, 1);
    }

    #[test]
    fn who_is_cancelled_leaves_the_line() {
        let (gate, cancel) = (Gate::new(1), CancelHandle::new());
        let _first = gate.enter(&cancel).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.enter(&cancel).is_err());
            while gate.lock().waiting.is_empty() {
                std::thread::yield_now();
            }
            cancel.cancel();
            assert!(waiting.join().unwrap());
        });
        assert!(gate.lock().waiting.is_empty());
    }
}
