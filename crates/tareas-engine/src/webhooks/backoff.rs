//! When a delivery is tried again: the times that Standard Webhooks 1.0 recommends, with jitter.

use std::time::Duration;

use tareas_core::Timestamp;

/// Seconds between a try and the next one.
const PAUSES: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// Tries of one delivery.
pub const ATTEMPTS_MAX: u32 = PAUSES.len() as u32 + 1;
/// Longest wait that an answer can ask for.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// A pause is longer by up to one part in this many.
const JITTER_PART: u64 = 5;

/// When a delivery that was tried so often is tried again; `None` when it is given up. `asked` is
/// what the answer asked to wait; `chance` spreads what failed together.
pub fn next_try(
    now: Timestamp,
    tries: u32,
    asked: Option<Duration>,
    chance: u64,
) -> Option<Timestamp> {
    let at = usize::try_from(tries.saturating_sub(1)).ok()?;
    let pause = Duration::from_secs(*PAUSES.get(at)?);
    let most = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX) / JITTER_PART;
    let jitter = Duration::from_millis(chance % (most + 1));
    let asked = asked.unwrap_or_default().min(RETRY_AFTER_MAX);
    Some(now + (pause + jitter).max(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let now = Timestamp::EPOCH;
        let pause = |tries| next_try(now, tries, None, 0).map(|at| at.since(now).as_secs());
        assert_eq!(pause(1), Some(5));
        assert_eq!(pause(2), Some(300));
        assert_eq!(pause(ATTEMPTS_MAX - 1), Some(86_400));
        assert_eq!(pause(ATTEMPTS_MAX), None);
    }

    #[test]
    fn an_answer_may_ask_for_more_within_limits() {
        let now = Timestamp::EPOCH;
        let pause = |asked: u64, chance| {
            let asked = Some(Duration::from_secs(asked));
            next_try(now, 1, asked, chance).map(|at| at.since(now).as_secs())
        };
        assert_eq!(pause(1, 0), Some(5));
        assert_eq!(pause(60, 0), Some(60));
        assert_eq!(pause(u64::MAX / 2, 0), Some(RETRY_AFTER_MAX.as_secs()));
        assert_eq!(pause(0, 1_000), Some(6));
    }
}
