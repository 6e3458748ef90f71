//! Asking an attempt to end: a flag that is cheap to read and can be waited for.
//!
//! The first cause wins and stays. Nothing is forced: a handler that never looks runs on.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::bell::Bell;

/// Why an attempt is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Somebody cancelled the task.
    Cancelled,
    /// The attempt is over its time limit.
    TimedOut,
    /// The pool is being stopped.
    Stopping,
}

/// The error of [`Context::check`](crate::Context::check): the attempt is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted(pub Cause);

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Cause::Cancelled => "the task was cancelled",
            Cause::TimedOut => "the attempt is over its time limit",
            Cause::Stopping => "the pool is being stopped",
        })
    }
}

impl std::error::Error for Interrupted {}

/// Asks one attempt to end. Clones are the same handle.
#[derive(Debug, Clone, Default)]
pub struct CancelHandle {
    flag: Arc<Flag>,
}

#[derive(Debug, Default)]
struct Flag {
    /// 0 while nothing was asked, else a cause (see `Cause::code`).
    cause: AtomicU8,
    /// The pool no longer waits for this attempt: what it still says is dropped.
    abandoned: AtomicBool,
    /// What is rung, besides the condition, when the attempt is asked to end.
    gate: Mutex<Option<Arc<Bell>>>,
    bell: Condvar,
    waiters: Notify,
}

impl Cause {
    const ALL: [Cause; 3] = [Cause::Cancelled, Cause::TimedOut, Cause::Stopping];

    fn code(self) -> u8 {
        self as u8 + 1
    }

    fn from_code(code: u8) -> Option<Cause> {
        Cause::ALL.into_iter().find(|cause| cause.code() == code)
    }
}

impl CancelHandle {
    /// A handle that asks nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels the attempt. `false` if it was already asked to end.
    pub fn cancel(&self) -> bool {
        self.raise(Cause::Cancelled)
    }

    /// Why the attempt is asked to end, if it is.
    pub fn cause(&self) -> Option<Cause> {
        Cause::from_code(self.flag.cause.load(Ordering::Acquire))
    }

    /// Asks for the end because of `cause`, unless another cause came first.
    pub(crate) fn raise(&self, cause: Cause) -> bool {
        let (none, code) = (0, cause.code());
        let order = (Ordering::AcqRel, Ordering::Acquire);
        if self
            .flag
            .cause
            .compare_exchange(none, code, order.0, order.1)
            .is_err()
        {
            return false;
        }
        // Through the gate: a sleeper is either before its last look at the flag, or waiting.
        let rung = self.gate().clone();
        if let Some(bell) = rung {
            bell.ring();
        }
        self.flag.bell.notify_all();
        self.flag.waiters.notify_waiters();
        true
    }

    /// Sleeps for `duration`, or until the attempt is asked to end.
    pub(crate) fn sleep(&self, duration: Duration) -> Result<(), Interrupted> {
        let unasked = |_: &mut _| self.cause().is_none();
        let condition = &self.flag.bell;
        drop(condition.wait_timeout_while(self.gate(), duration, unasked));
        self.check()
    }

    /// Has `bell` rung when the attempt is asked to end, at once if it is already, for as long
    /// as the answer lives. One bell at a time.
    pub(crate) fn attach(&self, bell: &Arc<Bell>) -> Attached<'_> {
        *self.gate() = Some(Arc::clone(bell));
        if self.cause().is_some() {
            bell.ring();
        }
        Attached(self)
    }

    fn gate(&self) -> MutexGuard<'_, Option<Arc<Bell>>> {
        let gate = self.flag.gate.lock();
        gate.unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the attempt is asked to end.
    pub(crate) async fn raised(&self) -> Interrupted {
        loop {
            let mut waiter = std::pin::pin!(self.flag.waiters.notified());
            waiter.as_mut().enable();
            if let Err(interrupted) = self.check() {
                return interrupted;
            }
            waiter.await;
        }
    }

    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        self.cause().map_or(Ok(()), |cause| Err(Interrupted(cause)))
    }

    /// From now on nobody listens to this attempt.
    pub(crate) fn abandon(&self) {
        self.flag.abandoned.store(true, Ordering::Release);
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.flag.abandoned.load(Ordering::Acquire)
    }

    /// Makes this handle fresh for the next attempt: the same memory if nobody else has it.
    pub(crate) fn renew(&mut self) {
        match Arc::get_mut(&mut self.flag) {
            Some(flag) => {
                *flag.cause.get_mut() = 0;
                *flag.abandoned.get_mut() = false;
            }
            None => *self = Self::new(),
        }
    }
}

/// A bell that is attached to a handle.
#[derive(Debug)]
pub(crate) struct Attached<'a>(&'a CancelHandle);

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        *self.0.gate() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cause_wins() {
        let handle = CancelHandle::new();
        assert_eq!(handle.cause(), None);
        assert!(handle.raise(Cause::TimedOut));
        assert!(!handle.cancel());
        assert_eq!(handle.cause(), Some(Cause::TimedOut));
    }

    #[test]
    fn a_renewed_handle_is_not_reached_by_old_clones() {
        let mut handle = CancelHandle::new();
        let old = handle.clone();
        old.cancel();
        handle.renew();
        assert_eq!(handle.cause(), None);
        assert_eq!(old.cause(), Some(Cause::Cancelled));
    }

    #[test]
    fn a_sleep_ends_when_asked() {
        let handle = CancelHandle::new();
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| handle.sleep(Duration::from_secs(60)));
            handle.cancel();
            assert_eq!(sleeper.join().unwrap(), Err(Interrupted(Cause::Cancelled)));
        });
        assert_eq!(CancelHandle::new().sleep(Duration::from_millis(1)), Ok(()));
    }
}
