//! When a process may be started again, after some that ended by themselves.

use std::time::{Duration, Instant};

/// The wait after the first one.
const FIRST: Duration = Duration::from_millis(100);
/// Each further one doubles the wait, up to this.
const LONGEST: Duration = Duration::from_secs(10);

/// Counts ends in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    until: Option<Instant>,
    in_a_row: u32,
}

impl Backoff {
    /// Another process has ended by itself.
    pub(super) fn failed(&mut self) {
        let doubled = FIRST.saturating_mul(1 << self.in_a_row.min(16));
        self.until = Instant::now().checked_add(doubled.min(LONGEST));
        self.in_a_row = self.in_a_row.saturating_add(1);
    }

    /// A task has been answered.
    pub(super) fn reset(&mut self) {
        self.until = None;
        self.in_a_row = 0;
    }

    /// How long to wait before the next start.
    pub(super) fn wait(&self) -> Duration {
        let until = self
            .until
            .map(|until| until.saturating_duration_since(Instant::now()));
        until.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_limit_and_ends_with_success() {
        let mut backoff = Backoff::default();
        assert!(backoff.wait().is_zero());
        backoff.failed();
        assert!(backoff.wait() <= FIRST);
        for _ in 0..40 {
            backoff.failed();
        }
        assert!(backoff.wait() > LONGEST / 2 && backoff.wait() <= LONGEST);
        backoff.reset();
        assert!(backoff.wait().is_zero());
    }
}
