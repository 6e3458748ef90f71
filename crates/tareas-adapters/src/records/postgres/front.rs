//! The front: what arrives while a statement is in flight goes into the next one together.
//!
//! Commands wait in three lanes, by what kind of statement they need. A batch is cut into
//! segments in which no task and no key occurs twice, and its segments go one after the other;
//! so a round may take whole segments of many batches, and still each command is decided against
//! the state left by the one before.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use smol_str::SmolStr;
use tareas_core::{Batch, Command, Ending, Outcome};
use tareas_engine::ports::ApplyError;
use tokio::sync::{Notify, oneshot};

use super::decide::Entry;
use crate::ids::IdSet;

/// Most commands in one statement; more make no statement cheaper per row.
pub(super) const ROUND_MAX: usize = 1_000;
/// About as many bytes of payloads and results go into one statement, so that large ones do not
/// delay everybody.
const ROUND_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Submissions are refused while this many commands wait.
const WAITING_MAX: usize = 50_000;

/// Which statement a command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// Submissions only.
    Submit = 0,
    /// Claims only.
    Claim = 1,
    /// Everything else, and batches of several kinds.
    Rest = 2,
}

impl Course {
    /// All three.
    pub(super) const ALL: [Self; 3] = [Self::Submit, Self::Claim, Self::Rest];

    fn of(commands: &[Command]) -> Self {
        let all = |is: fn(&Command) -> bool| commands.iter().all(is);
        if all(|command| matches!(command, Command::Submit(_))) {
            return Self::Submit;
        }
        match all(|command| matches!(command, Command::Claim { .. })) {
            true => Self::Claim,
            false => Self::Rest,
        }
    }
}

/// What comes of a segment.
pub(super) type Answer = Result<Vec<Outcome>, ApplyError>;

/// Commands of one batch that go together: different tasks, different keys.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) entries: Vec<Entry>,
    pub(super) bytes: usize,
    pub(super) answer: oneshot::Sender<Answer>,
}

#[derive(Debug, Default)]
struct Waiting {
    segments: Mutex<VecDeque<Segment>>,
    wake: Notify,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Front {
    waiting: [Waiting; Course::ALL.len()],
    commands: AtomicUsize,
    is_closed: AtomicBool,
}

impl Front {
    /// Whether so much waits that submissions are refused.
    pub(super) fn is_full(&self) -> bool {
        self.commands.load(Ordering::Relaxed) >= WAITING_MAX
    }

    /// Puts a segment in line; its answer comes later. `None` when nobody serves any more.
    pub(super) fn push(
        &self,
        course: Course,
        entries: Vec<Entry>,
        bytes: usize,
    ) -> Option<oneshot::Receiver<Answer>> {
        let (answer, answered) = oneshot::channel();
        let waiting = &self.waiting[course as usize];
        let count = entries.len();
        {
            let mut segments = lock(&waiting.segments);
            if self.is_closed() {
                return None;
            }
            segments.push_back(Segment {
                entries,
                bytes,
                answer,
            });
        }
        self.commands.fetch_add(count, Ordering::Relaxed);
        waiting.wake.notify_one();
        Some(answered)
    }

    /// Waits for segments and takes as many as go into one round. `None` once the front is
    /// closed and empty.
    pub(super) async fn take(&self, course: Course) -> Option<Vec<Segment>> {
        let waiting = &self.waiting[course as usize];
        loop {
            let round = take_round(&mut lock(&waiting.segments));
            if !round.is_empty() {
                let count = round.iter().map(|segment| segment.entries.len()).sum();
                self.commands.fetch_sub(count, Ordering::Relaxed);
                return Some(round);
            }
            if self.is_closed() {
                return None;
            }
            waiting.wake.notified().await;
        }
    }

    /// Takes no more segments; those that wait are served.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        for waiting in &self.waiting {
            // Whoever pushes has either been seen or sees the flag.
            drop(lock(&waiting.segments));
            waiting.wake.notify_one();
        }
    }

    /// Whether it takes no more.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The first segments that fit together.
fn take_round(segments: &mut VecDeque<Segment>) -> Vec<Segment> {
    let (mut round, mut touched) = (Vec::new(), Touched::default());
    let (mut count, mut bytes) = (0, 0);
    while let Some(next) = segments.front() {
        count += next.entries.len();
        bytes += next.bytes;
        let is_too_much = count > ROUND_MAX || bytes > ROUND_BYTES_MAX;
        if !round.is_empty() && (is_too_much || touched.meets(&next.entries)) {
            break;
        }
        // What is alone in its round meets nobody.
        if segments.len() > 1 {
            touched.add(&next.entries);
        }
        round.extend(segments.pop_front());
    }
    round
}

/// The tasks and keys of a round.
#[derive(Debug, Default)]
struct Touched {
    tasks: IdSet,
    keys: HashSet<SmolStr>,
}

impl Touched {
    fn meets(&self, entries: &[Entry]) -> bool {
        entries.iter().any(|entry| {
            self.tasks.contains(&entry.command.task())
                || entry.key().is_some_and(|key| self.keys.contains(key))
        })
    }

    fn add(&mut self, entries: &[Entry]) {
        self.tasks.reserve(entries.len());
        for entry in entries {
            self.tasks.insert(entry.command.task());
            self.keys.extend(entry.key().cloned());
        }
    }
}

/// Cuts a batch into its segments, with the bytes of each.
pub(super) fn segments(batch: Batch) -> (Course, Vec<(Vec<Entry>, usize)>) {
    let Batch { now, commands } = batch;
    let course = Course::of(&commands);
    let all = commands.into_iter().map(|command| Entry::new(now, command));
    let all: Vec<Entry> = all.collect();
    let bytes = all.iter().map(|entry| bytes_of(&entry.command)).sum();
    if all.is_empty() {
        return (course, Vec::new());
    }
    if all.len() <= ROUND_MAX && bytes <= ROUND_BYTES_MAX && are_apart(&all) {
        return (course, vec![(all, bytes)]);
    }
    (course, cut(all))
}

/// Whether it is plain to see that these commands are of different tasks and keys: without a look
/// at each in a set.
fn are_apart(entries: &[Entry]) -> bool {
    let is_in_order = entries.is_sorted_by(|one, next| one.command.task() < next.command.task());
    is_in_order && entries.iter().all(|entry| entry.key().is_none())
}

fn cut(entries: Vec<Entry>) -> Vec<(Vec<Entry>, usize)> {
    let (mut segments, mut open, mut bytes) = (Vec::new(), Vec::new(), 0);
    let mut touched = Touched::default();
    touched.tasks.reserve(entries.len().min(ROUND_MAX));
    for entry in entries {
        let size = bytes_of(&entry.command);
        let is_full = open.len() == ROUND_MAX || bytes + size > ROUND_BYTES_MAX;
        if !open.is_empty() && (is_full || touched.meets(std::slice::from_ref(&entry))) {
            segments.push((std::mem::take(&mut open), std::mem::take(&mut bytes)));
            touched = Touched::default();
        }
        touched.add(std::slice::from_ref(&entry));
        open.push(entry);
        bytes += size;
    }
    if !open.is_empty() {
        segments.push((open, bytes));
    }
    segments
}

fn bytes_of(command: &Command) -> usize {
    match command {
        Command::Submit(new) => new.spec.payload.inline_len(),
        Command::Settle {
            ending: Ending::Succeeded(result),
            ..
        } => result.inline_len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use tareas_core::{Actor, TaskId, Timestamp};

    use super::*;

    fn cancel(task: u128) -> Command {
        Command::Cancel {
            task: TaskId::from_u128(task),
            by: Actor::System,
            only: None,
        }
    }

    fn sizes(tasks: &[u128]) -> Vec<usize> {
        let commands = tasks.iter().map(|task| cancel(*task)).collect();
        let now = Timestamp::EPOCH;
        let (_, segments) = segments(Batch { now, commands });
        segments.iter().map(|(entries, _)| entries.len()).collect()
    }

    #[test]
    fn a_segment_names_each_task_once() {
        assert!(sizes(&[]).is_empty());
        assert_eq!(sizes(&[1, 2, 3]), [3]);
        assert_eq!(sizes(&[3, 1, 2]), [3]);
        assert_eq!(sizes(&[1, 2, 1, 2, 3, 3]), [2, 3, 1]);
        let many: Vec<u128> = (0..2_500).collect();
        assert_eq!(sizes(&many), [1_000, 1_000, 500]);
    }

    #[test]
    fn a_round_takes_what_fits_together() {
        let mut waiting = VecDeque::new();
        for tasks in [&[1, 2][..], &[3], &[2, 4], &[5]] {
            let entries = tasks.iter().map(|task| cancel(*task));
            waiting.push_back(Segment {
                entries: entries.map(|c| Entry::new(Timestamp::EPOCH, c)).collect(),
                bytes: 0,
                answer: oneshot::channel().0,
            });
        }
        let mut sizes = Vec::new();
        while !waiting.is_empty() {
            sizes.push(take_round(&mut waiting).len());
        }
        assert_eq!(sizes, [2, 2]);
    }
}
