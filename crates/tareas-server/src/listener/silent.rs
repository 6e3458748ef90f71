//! Connections that have said nothing yet: as many as there is room for, the oldest leave first.
//!
//! A person at `nc` may think for minutes before the first word, so silence alone closes nothing
//! for a long while. But whoever opens connections and never speaks must not keep others out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The silent connections of one listener, by age.
#[derive(Debug)]
pub(super) struct Silent {
    most: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    by_age: BTreeMap<u64, Arc<Notify>>,
}

/// One silent connection: dropping it says that it is silent no more.
#[derive(Debug)]
pub(super) struct Listening {
    silent: Arc<Silent>,
    age: u64,
    leave: Arc<Notify>,
}

impl Silent {
    /// Room for `most` connections that say nothing.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            waiting: Mutex::default(),
        }
    }

    /// Counts one in; beyond the limit the oldest is told to leave.
    pub(super) fn enter(self: &Arc<Self>) -> Listening {
        let leave = Arc::new(Notify::new());
        let mut waiting = self.lock();
        let age = waiting.next;
        waiting.next += 1;
        waiting.by_age.insert(age, Arc::clone(&leave));
        if waiting.by_age.len() > self.most
            && let Some((_, oldest)) = waiting.by_age.pop_first()
        {
            oldest.notify_one();
        }
        Listening {
            silent: Arc::clone(self),
            age,
            leave,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listening {
    /// Returns when others need the room.
    pub(super) async fn must_leave(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.silent.lock().by_age.remove(&self.age);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn leaves(listening: &Listening) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(listening.must_leave()).poll(&mut context) == Poll::Ready(())
    }

    #[test]
    fn the_oldest_that_is_still_silent_leaves() {
        let silent = Arc::new(Silent::new(2));
        let (spoke, second) = (silent.enter(), silent.enter());
        drop(spoke);
        let third = silent.enter();
        assert!(!leaves(&second) && !leaves(&third));
        let fourth = silent.enter();
        assert!(leaves(&second));
        assert!(!leaves(&third) && !leaves(&fourth));
    }
}
