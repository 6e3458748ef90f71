//! One series of samples in steps of one length: a bounded ring, oldest first, without what is not
//! known. Times are arguments.

use std::collections::VecDeque;

use tareas_core::Timestamp;

/// The length of a step. Each has a ring of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A second, kept for five minutes.
    Second,
    /// Ten seconds, kept for an hour.
    TenSeconds,
    /// A minute, kept for a day.
    Minute,
}

impl Step {
    /// All, the shortest first.
    pub const ALL: [Self; 3] = [Self::Second, Self::TenSeconds, Self::Minute];

    /// How long it is, in seconds.
    pub const fn seconds(self) -> u32 {
        match self {
            Self::Second => 1,
            Self::TenSeconds => 10,
            Self::Minute => 60,
        }
    }

    /// How many are kept.
    pub const fn kept(self) -> usize {
        match self {
            Self::Second => 300,
            Self::TenSeconds => 360,
            Self::Minute => 1_440,
        }
    }

    /// The one of so many seconds.
    pub fn of_seconds(seconds: u64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|step| u64::from(step.seconds()) == seconds)
    }
}

/// What happened within a step, and the most there was at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// Tasks that were accepted.
    pub accepted: u32,
    /// Tasks that ended.
    pub ended: u32,
    /// Of them, failed.
    pub failed: u32,
    /// The most that waited.
    pub waiting: u32,
    /// The most that ran.
    pub running: u32,
    /// How long those that ended had waited for their start, in the mean, in milliseconds.
    pub wait_ms: f32,
    /// How long those that ended had run, in the mean, in milliseconds.
    pub run_ms: f32,
}

impl Sample {
    /// Both as one: what happened added up, the most of what there was, means by what ended.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        let ended = self.ended.saturating_add(later.ended);
        let mean = |one: f32, other: f32| match ended {
            0 => 0.0,
            _ => (one * self.ended as f32 + other * later.ended as f32) / ended as f32,
        };
        Self {
            accepted: self.accepted.saturating_add(later.accepted),
            ended,
            failed: self.failed.saturating_add(later.failed),
            waiting: self.waiting.max(later.waiting),
            running: self.running.max(later.running),
            wait_ms: mean(self.wait_ms, later.wait_ms),
            run_ms: mean(self.run_ms, later.run_ms),
        }
    }
}

/// A sample and its place: how many steps have passed since 1970.
pub(super) type Placed = (u32, Sample);

/// The samples of one step length.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    step: Step,
    samples: VecDeque<Placed>,
}

impl Ring {
    /// An empty one.
    pub(super) const fn new(step: Step) -> Self {
        Self {
            step,
            samples: VecDeque::new(),
        }
    }

    /// Takes in what happened in the second that begins at `second` (since 1970). A clock that
    /// was set back adds to the newest step.
    pub(super) fn add(&mut self, second: u32, sample: Sample) {
        let place = second / self.step.seconds();
        match self.samples.back_mut() {
            Some((newest, known)) if *newest >= place => *known = known.and(sample),
            _ => self.push((place, sample)),
        }
    }

    /// Takes in a step that is later than all.
    pub(super) fn push(&mut self, placed: Placed) {
        if self.samples.len() == self.step.kept() {
            self.samples.pop_front();
        }
        self.samples.push_back(placed);
    }

    /// What is held, oldest first.
    pub(super) fn samples(&self) -> impl ExactSizeIterator<Item = &Placed> {
        self.samples.iter()
    }

    /// What is not older than the ring is long, with the instants at which the steps began.
    pub(super) fn since(&self, now: Timestamp) -> Vec<(Timestamp, Sample)> {
        let (length, kept) = (i64::from(self.step.seconds()), self.step.kept() as i64);
        let oldest = now.as_millis() / 1_000 / length - kept;
        let known = self.samples.iter();
        let fresh = known.filter(|(place, _)| i64::from(*place) >= oldest);
        let timed = |(place, sample): &Placed| {
            let at = Timestamp::from_millis(i64::from(*place) * length * 1_000);
            (at, *sample)
        };
        fresh.map(timed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(ended: u32, wait_ms: f32) -> Sample {
        Sample {
            ended,
            wait_ms,
            waiting: ended,
            ..Sample::default()
        }
    }

    #[test]
    fn seconds_become_a_step() {
        let mut ring = Ring::new(Step::TenSeconds);
        for (second, sample) in [
            (10, ended(1, 4.0)),
            (19, ended(3, 8.0)),
            (20, ended(0, 0.0)),
        ] {
            ring.add(second, sample);
        }
        let all = ring.since(Timestamp::from_millis(25_000));
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].0, Timestamp::from_millis(10_000));
        assert_eq!((all[0].1.ended, all[0].1.waiting), (4, 3));
        assert!((all[0].1.wait_ms - 7.0).abs() < 1e-3);
    }

    #[test]
    fn it_is_bounded_and_forgets_what_is_old() {
        let mut ring = Ring::new(Step::Second);
        for second in 0..1_000 {
            ring.add(second, ended(1, 1.0));
        }
        assert_eq!(ring.samples().len(), Step::Second.kept());
        let much_later = Timestamp::from_millis(1_100_000);
        assert_eq!(ring.since(much_later).len(), 200);
        assert_eq!(ring.since(Timestamp::from_millis(9_000_000)).len(), 0);
    }

    #[test]
    fn a_clock_set_back_loses_nothing() {
        let mut ring = Ring::new(Step::Second);
        for second in [100, 50, 51, 101] {
            ring.add(second, ended(1, 1.0));
        }
        let ended: Vec<_> = ring.samples().map(|(_, sample)| sample.ended).collect();
        assert_eq!(ended, [3, 1]);
    }
}
