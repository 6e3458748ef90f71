//! When the watcher has to wake: lowered by threads that begin something, at the price of one
//! atomic load when the watcher wakes early enough anyway.
//!
//! Nothing is missed: a thread makes its attempt visible (under its slot's lock) before it calls
//! [`Alarm::need`], and the watcher calls [`Alarm::begin_round`] before it looks at the slots.
//! So either the watcher sees the attempt, or the thread sees the reset alarm and wakes it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

const NEVER: u64 = u64::MAX;

/// The watcher's alarm clock. Times are nanoseconds since `epoch`.
#[derive(Debug)]
pub(super) struct Alarm {
    epoch: Instant,
    wake_at: AtomicU64,
    ended: AtomicBool,
    watcher: OnceLock<Thread>,
}

impl Alarm {
    pub(super) fn new() -> Self {
        Self {
            epoch: Instant::now(),
            wake_at: AtomicU64::new(NEVER),
            ended: AtomicBool::new(false),
            watcher: OnceLock::new(),
        }
    }

    /// Makes the calling thread the one that is woken.
    pub(super) fn attend(&self) {
        // A second watcher does not exist, so there is nothing to replace.
        let _ = self.watcher.set(thread::current());
    }

    /// The watcher must look at the slots at `at`, or before.
    pub(super) fn need(&self, at: Instant) {
        let at = self.nanoseconds(at);
        if at < self.wake_at.load(SeqCst) && at < self.wake_at.fetch_min(at, SeqCst) {
            self.ring();
        }
    }

    /// Forgets what was needed so far: the watcher is about to see for itself.
    pub(super) fn begin_round(&self) {
        self.wake_at.swap(NEVER, SeqCst);
    }

    /// Sleeps until `next`, or what anybody needed since the round began.
    pub(super) fn sleep(&self, next: Option<Instant>) {
        if let Some(next) = next {
            self.wake_at.fetch_min(self.nanoseconds(next), SeqCst);
        }
        let wake_at = self.wake_at.load(SeqCst);
        if self.has_ended() {
            return;
        }
        if wake_at == NEVER {
            return thread::park();
        }
        let wake_at = self.epoch + Duration::from_nanos(wake_at);
        thread::park_timeout(wake_at.saturating_duration_since(Instant::now()));
    }

    /// Tells the watcher to end.
    pub(super) fn end(&self) {
        self.ended.store(true, SeqCst);
        self.ring();
    }

    /// Whether the caller is the watcher, in a call to the source.
    pub(super) fn is_attended_by_caller(&self) -> bool {
        let caller = thread::current().id();
        self.watcher
            .get()
            .is_some_and(|watcher| watcher.id() == caller)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(SeqCst)
    }

    fn ring(&self) {
        if let Some(watcher) = self.watcher.get() {
            watcher.unpark();
        }
    }

    /// Centuries from now are "never".
    fn nanoseconds(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.epoch);
        u64::try_from(since.as_nanos()).unwrap_or(NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_earlier_need_lowers_the_alarm() {
        let alarm = Alarm::new();
        let at = |ms| alarm.epoch + Duration::from_millis(ms);
        for (need, expected) in [(50, 50), (70, 50), (30, 30)] {
            alarm.need(at(need));
            assert_eq!(alarm.wake_at.load(SeqCst), expected * 1_000_000);
        }
        alarm.begin_round();
        assert_eq!(alarm.wake_at.load(SeqCst), NEVER);
    }

    #[test]
    fn a_need_wakes_a_watcher_that_sleeps_for_ever() {
        let alarm = Alarm::new();
        std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                alarm.attend();
                while !alarm.has_ended() {
                    alarm.sleep(None);
                }
            });
            alarm.end();
            watcher.join().unwrap();
        });
    }
}
