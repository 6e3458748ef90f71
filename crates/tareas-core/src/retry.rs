//! When to try again: exponential back-off with full jitter, as a pure function.

use std::time::Duration;

use crate::limits::{BACKOFF_INITIAL, BACKOFF_MAX, MAX_ATTEMPTS_DEFAULT};

/// Chance, handed in: 0 is the earliest moment that the back-off allows, `u32::MAX` the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Jitter(pub u32);

impl Jitter {
    /// A duration between zero and `most`, as chance has it.
    pub fn of(self, most: Duration) -> Duration {
        let micros = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        let share = (u128::from(micros) * u128::from(self.0)) >> 32;
        Duration::from_micros(share as u64)
    }
}

/// How the delay grows from retry to retry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// Upper bound of the first delay.
    pub initial: Duration,
    /// Upper bound of all delays.
    pub max: Duration,
    /// What the bound is multiplied by at each retry; 1.0 keeps it constant.
    pub factor: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: BACKOFF_INITIAL,
            max: BACKOFF_MAX,
            factor: 2.0,
        }
    }
}

impl Backoff {
    /// The delay after the `failures`-th failure (1 is the first): full jitter, that is, anything
    /// between zero and the bound, so that tasks which failed together do not return together.
    pub fn delay(&self, failures: u32, jitter: Jitter) -> Duration {
        jitter.of(self.bound(failures))
    }

    /// The bound that the jitter is drawn below. Never above `max`.
    pub fn bound(&self, failures: u32) -> Duration {
        let exponent = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        let factor = if self.factor.is_finite() {
            self.factor.max(1.0)
        } else {
            1.0
        };
        let seconds = self.initial.as_secs_f64() * factor.powi(exponent);
        if seconds >= self.max.as_secs_f64() {
            self.max
        } else {
            Duration::from_secs_f64(seconds)
        }
    }
}

/// How often, and after which delays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Failures that a task may have before it is given up.
    pub max_attempts: u32,
    /// The delays between them.
    pub backoff: Backoff,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: MAX_ATTEMPTS_DEFAULT,
            backoff: Backoff::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_double_up_to_the_maximum() {
        let backoff = Backoff::default();
        let bounds: Vec<u64> = (1..=12).map(|n| backoff.bound(n).as_secs()).collect();
        assert_eq!(bounds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
        assert_eq!(backoff.bound(u32::MAX), BACKOFF_MAX);
    }

    #[test]
    fn jitter_covers_the_whole_range() {
        let backoff = Backoff::default();
        assert_eq!(backoff.delay(3, Jitter(0)), Duration::ZERO);
        assert!(backoff.delay(3, Jitter(u32::MAX)) > Duration::from_millis(3_999));
        assert!(backoff.delay(3, Jitter(u32::MAX)) < Duration::from_secs(4));
    }

    #[test]
    fn a_foolish_factor_is_harmless() {
        for factor in [f64::NAN, f64::INFINITY, -3.0, 0.0] {
            let backoff = Backoff {
                factor,
                ..Backoff::default()
            };
            assert_eq!(backoff.bound(5), BACKOFF_INITIAL);
        }
    }
}
