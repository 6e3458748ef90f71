//! Which kinds are known, and how long they take.
//!
//! A kind is known when it is built in, configured, or was ever announced by a worker. The
//! smoothed run time decides two things only: how many tasks a thread takes at once, and whether
//! the writer of the store may wait a moment for a task's end. Both are hints.
//!
//! A kind may bring rules for its tasks ([`KindRules`]): they fill in what a submission leaves
//! open, and may refuse its payload.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use tareas_core::Kind;

use crate::kind_rules::KindRules;

/// A kind whose smoothed run time is below this is quick.
pub const QUICK_BELOW: Duration = Duration::from_micros(200);
/// How many runs it takes to replace most of what was known. One run that the system happened
/// to interrupt must not make a quick kind slow.
const SMOOTHING: u64 = 64;
const UNMEASURED: u64 = u64::MAX;

/// The known kinds.
#[derive(Debug, Default)]
pub struct Kinds {
    known: RwLock<HashMap<Kind, Known>>,
}

#[derive(Debug, Default)]
struct Known {
    speed: Speed,
    rules: Arc<KindRules>,
}

#[derive(Debug)]
struct Speed {
    smoothed_ns: AtomicU64,
}

impl Kinds {
    /// Makes kinds known; what is known of them already stays.
    pub fn announce(&self, kinds: impl IntoIterator<Item = Kind>) {
        let mut known = self.write();
        for kind in kinds {
            known.entry(kind).or_default();
        }
    }

    /// Makes a kind known, with the rules that hold for its tasks from now on.
    pub fn define(&self, kind: Kind, rules: KindRules) {
        self.write().entry(kind).or_default().rules = Arc::new(rules);
    }

    /// Forgets a kind: no more tasks of it are accepted.
    pub fn withdraw(&self, kind: &Kind) {
        self.write().remove(kind);
    }

    /// Whether a kind is known, and whether it is quick.
    pub fn look_up(&self, kind: &Kind) -> Option<IsQuick> {
        self.read()
            .get(kind)
            .map(|known| IsQuick(known.speed.is_quick()))
    }

    /// The rules of a known kind.
    pub fn rules(&self, kind: &Kind) -> Option<Arc<KindRules>> {
        self.read().get(kind).map(|known| Arc::clone(&known.rules))
    }

    /// The known kinds, in order.
    pub fn all(&self) -> Vec<Kind> {
        let mut all: Vec<Kind> = self.read().keys().cloned().collect();
        all.sort();
        all
    }

    /// The known kinds with their rules, in order.
    pub fn all_with_rules(&self) -> Vec<(Kind, Arc<KindRules>)> {
        let known = self.read();
        let each = known
            .iter()
            .map(|(kind, known)| (kind.clone(), Arc::clone(&known.rules)));
        let mut all: Vec<_> = each.collect();
        drop(known);
        all.sort_by(|(left, _), (right, _)| left.cmp(right));
        all
    }

    /// Learns from some runs, by their average.
    pub fn learn(&self, kind: &Kind, run_time: Duration, runs: u64) {
        if let Some(known) = self.read().get(kind) {
            known.speed.learn(nanos(run_time), runs);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Kind, Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Kind, Known>> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a kind is expected to end within a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsQuick(pub bool);

impl Default for Speed {
    fn default() -> Self {
        Self {
            smoothed_ns: AtomicU64::new(UNMEASURED),
        }
    }
}

impl Speed {
    fn is_quick(&self) -> bool {
        u128::from(self.smoothed_ns.load(Ordering::Relaxed)) < QUICK_BELOW.as_nanos()
    }

    fn learn(&self, nanos: u64, runs: u64) {
        let before = self.smoothed_ns.load(Ordering::Relaxed);
        let smoothed = match before {
            UNMEASURED => nanos,
            _ => smooth(before, nanos, runs, SMOOTHING),
        };
        self.smoothed_ns.store(smoothed, Ordering::Relaxed);
    }
}

/// A smoothed value after `count` new ones with this average; `inertia` is how many it takes to
/// move it half of the way.
pub(crate) fn smooth(before: u64, average: u64, count: u64, inertia: u64) -> u64 {
    let (before, average) = (u128::from(before), u128::from(average));
    let (count, inertia) = (u128::from(count), u128::from(inertia));
    let mixed = (before * inertia + average * count) / (inertia + count).max(1);
    u64::try_from(mixed).unwrap_or(u64::MAX)
}

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_quick_once_it_was_seen_to_be() {
        let kinds = Kinds::default();
        let square = Kind::new("square").unwrap();
        assert_eq!(kinds.look_up(&square), None);
        kinds.announce([square.clone()]);
        assert_eq!(kinds.look_up(&square), Some(IsQuick(false)));
        kinds.learn(&square, Duration::from_micros(1), 1);
        assert_eq!(kinds.look_up(&square), Some(IsQuick(true)));
        kinds.learn(&square, Duration::from_millis(4), 1);
        assert_eq!(
            kinds.look_up(&square),
            Some(IsQuick(true)),
            "interrupted once"
        );
        kinds.learn(&square, Duration::from_secs(1), 1);
        assert_eq!(kinds.look_up(&square), Some(IsQuick(false)));
    }
}
