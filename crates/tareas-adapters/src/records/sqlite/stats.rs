//! What the writer has done so far, in numbers that anybody may read at any time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Four buckets per doubling, from 1 us to about 18 minutes.
const BUCKETS: usize = 124;
/// One part in this many of each new value goes into a smoothed one.
const SMOOTHING: u64 = 8;

/// A snapshot of the store's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SqliteStats {
    /// Commits so far.
    pub commits: u64,
    /// Rows of tasks written so far.
    pub rows: u64,
    /// Of them, tasks whose whole life was one row written once.
    pub folded: u64,
    /// Checkpoints so far.
    pub checkpoints: u64,
    /// Commits that were rolled back and tried again.
    pub retries: u64,
    /// How long the last commit took.
    pub commit_last: Duration,
    /// How long commits take, smoothed.
    pub commit_smoothed: Duration,
    /// Half of the commits took no longer.
    pub commit_p50: Duration,
    /// Ninety-nine of a hundred commits took no longer.
    pub commit_p99: Duration,
    /// Size of the write-ahead log.
    pub wal_bytes: u64,
    /// Tasks that wait to be written.
    pub journal_tasks: usize,
    /// Bytes of payloads and results that wait to be written.
    pub journal_bytes: usize,
    /// Tasks in memory.
    pub live_tasks: usize,
    /// Submissions are refused because there is no room.
    pub is_full: bool,
}

/// The counters themselves.
#[derive(Debug)]
pub(super) struct Counters {
    commits: AtomicU64,
    rows: AtomicU64,
    folded: AtomicU64,
    checkpoints: AtomicU64,
    retries: AtomicU64,
    commit_last: AtomicU64,
    commit_smoothed: AtomicU64,
    /// Frames in the write-ahead log, as the last commit left it.
    pub(super) wal_frames: AtomicU64,
    histogram: [AtomicU64; BUCKETS],
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            commits: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            folded: AtomicU64::new(0),
            checkpoints: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            commit_last: AtomicU64::new(0),
            commit_smoothed: AtomicU64::new(0),
            wal_frames: AtomicU64::new(0),
            histogram: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl Counters {
    /// Counts a commit. Only the writer calls this.
    pub(super) fn committed(&self, rows: usize, folded: usize, took: Duration) {
        let add = |counter: &AtomicU64, by: usize| counter.fetch_add(by as u64, Ordering::Relaxed);
        add(&self.commits, 1);
        add(&self.rows, rows);
        add(&self.folded, folded);
        let nanos = nanos(took);
        self.commit_last.store(nanos, Ordering::Relaxed);
        let before = self.commit_smoothed.load(Ordering::Relaxed);
        self.commit_smoothed
            .store(smooth(before, nanos), Ordering::Relaxed);
        self.histogram[bucket(took)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn checkpointed(&self) {
        self.checkpoints.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// How long commits take, smoothed.
    pub(super) fn commit_smoothed(&self) -> Duration {
        Duration::from_nanos(self.commit_smoothed.load(Ordering::Relaxed))
    }

    /// All of them; what the ledger knows is left at zero.
    pub(super) fn snapshot(&self) -> SqliteStats {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SqliteStats {
            commits: of(&self.commits),
            rows: of(&self.rows),
            folded: of(&self.folded),
            checkpoints: of(&self.checkpoints),
            retries: of(&self.retries),
            commit_last: Duration::from_nanos(of(&self.commit_last)),
            commit_smoothed: self.commit_smoothed(),
            commit_p50: self.quantile(50),
            commit_p99: self.quantile(99),
            ..SqliteStats::default()
        }
    }

    /// Upper bound of the bucket that the given percentage of commits does not exceed.
    fn quantile(&self, percent: u64) -> Duration {
        let counts: Vec<u64> = self
            .histogram
            .iter()
            .map(|n| n.load(Ordering::Relaxed))
            .collect();
        let wanted = (counts.iter().sum::<u64>() * percent).div_ceil(100);
        let mut seen = 0;
        for (index, count) in counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && wanted > 0 {
                return upper_bound(index);
            }
        }
        Duration::ZERO
    }
}

/// A moving average: the first value as it is.
pub(super) fn smooth(before: u64, new: u64) -> u64 {
    if before == 0 {
        new
    } else {
        before - before / SMOOTHING + new / SMOOTHING
    }
}

/// A duration in nanoseconds, for counters.
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn bucket(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
    let doubling = micros.ilog2() as usize;
    let quarter = (micros << 2 >> doubling) as usize & 3;
    (doubling * 4 + quarter).min(BUCKETS - 1)
}

fn upper_bound(bucket: usize) -> Duration {
    let (doubling, quarter) = (bucket / 4, bucket as u64 % 4);
    Duration::from_micros(((5 + quarter) << doubling).div_ceil(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_its_bound_says() {
        for micros in [1, 2, 3, 5, 80, 100, 1_000, 12_345, 999_999] {
            let took = Duration::from_micros(micros);
            let bound = upper_bound(bucket(took));
            assert!(bound >= took && bound <= took * 2, "{took:?} {bound:?}");
        }
    }

    #[test]
    fn quantiles_count_commits() {
        let counters = Counters::default();
        for _ in 0..98 {
            counters.committed(1, 1, Duration::from_micros(100));
        }
        counters.committed(1, 0, Duration::from_millis(50));
        counters.committed(1, 0, Duration::from_millis(50));
        let stats = counters.snapshot();
        assert_eq!((stats.commits, stats.rows, stats.folded), (100, 100, 98));
        assert!(stats.commit_p50 <= Duration::from_micros(128));
        assert!(stats.commit_p99 >= Duration::from_millis(50));
    }
}
