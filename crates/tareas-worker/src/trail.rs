//! What an attempt said while it ran: bounded log, last progress, files that it leaves.

use std::time::{Duration, Instant};

use crate::artifact::Artifact;

/// Most bytes of log kept of one attempt; what follows is replaced by one mark. As many are passed
/// on of its output.
const LOG_BYTES_MAX: usize = 64 * 1024;
/// Progress is passed on no more often than this; the last one always is in the [`Trail`].
pub(crate) const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
const TRUNCATED: &str = "[log truncated: 64 KiB is the most that is kept]";

/// How far an attempt is, by its own account.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// 0 to 100.
    pub percent: f64,
    /// What it is doing; may be empty.
    pub text: String,
}

/// Something a running attempt says.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// How far it is.
    Progress(Progress),
    /// One line of its log, without line break.
    Log(String),
    /// A piece of what it has of its result so far.
    Output(String),
}

/// All that an attempt said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trail {
    /// Lines, each with its line break: at most 64 KiB and a mark.
    pub log: String,
    /// Whether lines are missing at the end of `log`.
    pub log_truncated: bool,
    /// The last progress.
    pub progress: Option<Progress>,
    /// Files that go with the result.
    pub artifacts: Vec<Artifact>,
    output_bytes: usize,
    noted: Option<Instant>,
    /// The last progress has not been passed on.
    is_held: bool,
}

impl Trail {
    pub(crate) fn is_empty(&self) -> bool {
        let says_nothing = self.log.is_empty() && self.progress.is_none();
        says_nothing && self.artifacts.is_empty() && self.output_bytes == 0
    }

    /// Keeps the lines of `text`; what is to be passed on, one note a line.
    pub(crate) fn add_log(&mut self, text: &str) -> Vec<Note> {
        text.lines()
            .filter_map(|line| self.add_line(line))
            .collect()
    }

    fn add_line(&mut self, line: &str) -> Option<Note> {
        if self.log_truncated {
            return None;
        }
        let room = LOG_BYTES_MAX - self.log.len();
        let kept = if line.len() < room { line } else { TRUNCATED };
        self.log_truncated = line.len() >= room;
        self.log.push_str(kept);
        self.log.push('\n');
        Some(Note::Log(kept.to_owned()))
    }

    /// What is to be passed on of a piece of output: nothing beyond the bound.
    pub(crate) fn add_output(&mut self, piece: String) -> Option<Note> {
        self.output_bytes = self.output_bytes.saturating_add(piece.len());
        (self.output_bytes <= LOG_BYTES_MAX).then_some(Note::Output(piece))
    }

    /// Keeps the progress; what is to be passed on, if it is time for that.
    /// The first always is: nobody knows whether there will be another.
    pub(crate) fn add_progress(&mut self, progress: Progress, now: Instant) -> Option<Note> {
        let is_over = |last: Instant| now.saturating_duration_since(last) >= PROGRESS_INTERVAL;
        let due = self.noted.is_none_or(is_over);
        let note = due.then(|| Note::Progress(progress.clone()));
        if due {
            self.noted = Some(now);
        }
        self.is_held = !due;
        self.progress = Some(progress);
        note
    }

    /// Whether the last progress came too soon after another to be passed on.
    pub(crate) fn holds_progress(&self) -> bool {
        self.is_held
    }

    /// The progress that was held back, which is then passed on.
    pub(crate) fn release_progress(&mut self, now: Instant) -> Option<Note> {
        if !std::mem::take(&mut self.is_held) {
            return None;
        }
        self.noted = Some(now);
        self.progress.clone().map(Note::Progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_cut_at_its_limit_with_one_mark() {
        let mut trail = Trail::default();
        let line = "x".repeat(1023);
        for _ in 0..64 {
            assert_eq!(trail.add_log(&line).len(), 1);
        }
        assert_eq!(trail.log.len(), LOG_BYTES_MAX);
        assert_eq!(trail.add_log("one more"), [Note::Log(TRUNCATED.into())]);
        assert_eq!(trail.add_log("and more"), []);
        assert!(trail.log_truncated);
        assert!(trail.log.ends_with("is kept]\n"));
    }

    #[test]
    fn progress_is_passed_on_at_intervals_and_kept_always() {
        let (mut trail, start) = (Trail::default(), Instant::now());
        let at = |percent: f64| Progress {
            percent,
            text: String::new(),
        };
        assert!(trail.add_progress(at(0.0), start).is_some());
        assert_eq!(trail.add_progress(at(1.0), start), None);
        let later = start + PROGRESS_INTERVAL;
        assert!(trail.add_progress(at(2.0), later).is_some());
        assert_eq!(trail.add_progress(at(3.0), later), None);
        assert!(trail.holds_progress());
        let held = Some(Note::Progress(at(3.0)));
        assert_eq!(trail.release_progress(later), held);
        assert_eq!(trail.release_progress(later), None);
        assert_eq!(trail.progress, Some(at(3.0)));
    }
}
