//! Chance, drawn once at the start and stretched: ids, jitter. Nothing secret comes from here.

use std::sync::atomic::{AtomicU64, Ordering};

use tareas_core::{Jitter, TaskId, Timestamp};

/// Draws ids and jitter without a system call each.
#[derive(Debug)]
pub struct Chance {
    boot: u64,
    drawn: AtomicU64,
}

/// Bits of an id that count; the other 40 free bits are those of the boot, stirred.
const COUNTER_BITS: u32 = 34;
/// Stirs the bits of the boot by the counter. Odd, so that the last 32 bits, by which people know
/// a task, repeat only after four thousand million ids.
const STIR: u64 = 0x9E37_79B9_7F4A_7C15;

impl Chance {
    /// From 64 random bits of this boot.
    pub const fn new(boot: u64) -> Self {
        Self {
            boot,
            drawn: AtomicU64::new(0),
        }
    }

    /// Reserves `count` ids made at `now`: unique within the boot by a counter, between boots by
    /// 40 random bits and the time. Two with the same counter differ in those bits, however they
    /// are stirred.
    pub fn ids(&self, count: usize, now: Timestamp) -> impl Iterator<Item = TaskId> + use<> {
        let first = self.drawn.fetch_add(count as u64, Ordering::Relaxed);
        let boot = self.boot;
        (first..first + count as u64).map(move |n| {
            let counter = u128::from(n & ((1 << COUNTER_BITS) - 1));
            let stirred = (boot ^ n.wrapping_mul(STIR)) & ((1 << 40) - 1);
            TaskId::v7(now, counter << 40 | u128::from(stirred))
        })
    }

    /// One draw of jitter.
    pub fn jitter(&self) -> Jitter {
        Jitter((self.draw() >> 32) as u32)
    }

    /// 64 well-mixed bits (SplitMix64).
    pub fn draw(&self) -> u64 {
        let n = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut bits = self.boot.wrapping_add(n.wrapping_mul(STIR));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_in_order() {
        let chance = Chance::new(0xDEAD_BEEF_F00D_CAFE);
        let now = Timestamp::from_millis(1_700_000_000_000);
        let ids: Vec<TaskId> = chance
            .ids(1_000, now)
            .chain(chance.ids(1_000, now))
            .collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 2_000);
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| id.made_at() == Some(now)));
        let ends: HashSet<_> = ids.iter().map(|id| id.to_string().split_off(28)).collect();
        assert_eq!(ends.len(), 2_000, "people know a task by the end of its id");
    }
}
