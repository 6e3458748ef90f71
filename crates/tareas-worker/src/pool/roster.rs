//! How many threads of a pool can still take or run work, and waiting until none can.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Counts threads. A retired one is no longer counted, though it may still exist.
#[derive(Debug, Default)]
pub(super) struct Roster {
    present: Mutex<usize>,
    changed: Condvar,
}

impl Roster {
    pub(super) fn join(&self) {
        *self.lock() += 1;
    }

    pub(super) fn leave(&self) {
        *self.lock() -= 1;
        self.changed.notify_all();
    }

    /// `false` when threads are left after `patience`.
    pub(super) fn wait_until_empty(&self, patience: Duration) -> bool {
        let some_left = |present: &mut usize| *present > 0;
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), patience, some_left);
        let (present, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *present == 0
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
