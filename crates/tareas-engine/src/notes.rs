//! Progress, log lines and partial output of recent attempts, in memory, bounded; and who follows
//! them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tareas_core::TaskId;
use tokio::sync::Notify;

/// Tasks whose notes are kept; the oldest go first.
const TASKS_MAX: usize = 10_000;
/// Bytes of log lines that are kept per attempt, and as many of partial output.
const LOG_BYTES_MAX: usize = 64 * 1024;
/// Bytes of all notes together; those of the oldest tasks go first.
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// Attempts whose log is kept per task.
const ATTEMPTS_MAX: usize = 8;

/// How far an attempt has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// 0 to 100.
    pub percent: f32,
    /// One sentence.
    pub message: String,
}

/// What one attempt has said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttemptNotes {
    /// Its number.
    pub attempt: u64,
    /// How far it has come, if it tells.
    pub progress: Option<Progress>,
    /// Its log, oldest first.
    pub log: Vec<String>,
    /// Lines were dropped because there were too many.
    pub is_truncated: bool,
    /// What it has of its result so far, in the pieces in which it came.
    pub output: Vec<String>,
    /// Pieces were dropped because there were too many.
    pub is_output_truncated: bool,
    log_bytes: usize,
    output_bytes: usize,
}

/// How much of a task's notes somebody has seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The newest attempt of which something was seen.
    pub attempt: u64,
    /// How many lines of its log.
    pub lines: usize,
    /// How many pieces of its output.
    pub pieces: usize,
    progress: Option<(u64, Progress)>,
    truncated: Option<(u64, bool, bool)>,
}

impl Seen {
    /// So many lines and pieces of an attempt, and all of the attempts before.
    pub fn up_to(attempt: u64, lines: usize, pieces: usize) -> Self {
        Self {
            attempt,
            lines,
            pieces,
            ..Self::default()
        }
    }
}

/// Something that an attempt has said and that was not seen before.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// A line of the log, and how many there are with it.
    Line {
        /// The attempt.
        attempt: u64,
        /// Its number in the attempt, from 1.
        number: usize,
        /// The line.
        text: String,
    },
    /// A piece of what it has of its result so far, and how many there are with it.
    Output {
        /// The attempt.
        attempt: u64,
        /// Its number in the attempt, from 1.
        number: usize,
        /// The piece.
        text: String,
    },
    /// How far the attempt has come.
    Progress(u64, Progress),
    /// Further lines, or pieces of output, of the attempt are dropped.
    Truncated(u64),
}

/// Notes of recent tasks.
#[derive(Debug, Default)]
pub struct Notes {
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    tasks: HashMap<TaskId, VecDeque<AttemptNotes>>,
    order: VecDeque<TaskId>,
    bytes: usize,
    /// Woken when something is said about the task.
    followed: HashMap<TaskId, Weak<Notify>>,
}

impl Notes {
    /// How far the attempt has come.
    pub fn progress(&self, task: TaskId, attempt: u64, progress: Progress) {
        self.with(task, attempt, |notes| notes.progress = Some(progress));
    }

    /// One line of its log.
    pub fn log(&self, task: TaskId, attempt: u64, line: String) {
        self.with(task, attempt, |notes| {
            notes.is_truncated |= !add(&mut notes.log, &mut notes.log_bytes, line);
        });
    }

    /// The next piece of what it has of its result so far.
    pub fn output(&self, task: TaskId, attempt: u64, piece: String) {
        self.with(task, attempt, |notes| {
            notes.is_output_truncated |= !add(&mut notes.output, &mut notes.output_bytes, piece);
        });
    }

    /// What the attempts of a task have said, oldest first.
    pub fn of(&self, task: TaskId) -> Vec<AttemptNotes> {
        let book = self.lock();
        let notes = book.tasks.get(&task).into_iter().flatten();
        notes.cloned().collect()
    }

    /// What is notified of everything that is said about a task, as long as it is held.
    pub fn follow(&self, task: TaskId) -> Arc<Notify> {
        let mut book = self.lock();
        book.followed.retain(|_, notify| notify.strong_count() > 0);
        if let Some(notify) = book.followed.get(&task).and_then(Weak::upgrade) {
            return notify;
        }
        let notify = Arc::new(Notify::new());
        book.followed.insert(task, Arc::downgrade(&notify));
        notify
    }

    /// What was not seen of a task's notes, in order; it is seen then.
    pub fn unseen(&self, task: TaskId, seen: &mut Seen) -> Vec<Heard> {
        let book = self.lock();
        let mut heard = Vec::new();
        for notes in book.tasks.get(&task).into_iter().flatten() {
            notes.unseen(seen, &mut heard);
        }
        heard
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with(&self, task: TaskId, attempt: u64, change: impl FnOnce(&mut AttemptNotes)) {
        let mut book = self.lock();
        let notes = book.attempt(task, attempt);
        let before = notes.bytes();
        change(notes);
        let grown = notes.bytes() - before;
        book.bytes += grown;
        if let Some(notify) = book.followed.get(&task).and_then(Weak::upgrade) {
            notify.notify_waiters();
        }
        // Not this task, which is the newest or was spoken of before others.
        while book.bytes > BYTES_MAX && book.order.len() > 1 {
            book.forget_oldest();
        }
    }
}

/// Adds a text within the bound of its kind; `false` when it was dropped.
fn add(to: &mut Vec<String>, bytes: &mut usize, text: String) -> bool {
    let has_room = *bytes + text.len() <= LOG_BYTES_MAX;
    if has_room {
        *bytes += text.len();
        to.push(text);
    }
    has_room
}

impl Book {
    /// The notes of an attempt, which may be its first.
    fn attempt(&mut self, task: TaskId, attempt: u64) -> &mut AttemptNotes {
        if !self.tasks.contains_key(&task) {
            if self.order.len() >= TASKS_MAX {
                self.forget_oldest();
            }
            self.order.push_back(task);
        }
        let attempts = self.tasks.entry(task).or_default();
        let is_new = attempts.back().is_none_or(|notes| notes.attempt != attempt);
        if is_new && attempts.len() >= ATTEMPTS_MAX {
            let gone = attempts.pop_front();
            self.bytes -= gone.map_or(0, |notes| notes.bytes());
        }
        if is_new {
            attempts.push_back(AttemptNotes::default());
        }
        let last = attempts.len() - 1;
        let notes = &mut attempts[last];
        notes.attempt = attempt;
        notes
    }

    fn forget_oldest(&mut self) {
        let gone = self.order.pop_front();
        let notes = gone.and_then(|task| self.tasks.remove(&task));
        let bytes = notes.iter().flatten().map(AttemptNotes::bytes);
        self.bytes -= bytes.sum::<usize>();
    }
}

impl AttemptNotes {
    const fn bytes(&self) -> usize {
        self.log_bytes + self.output_bytes
    }

    fn unseen(&self, seen: &mut Seen, heard: &mut Vec<Heard>) {
        let attempt = self.attempt;
        if attempt < seen.attempt {
            return;
        }
        if attempt > seen.attempt {
            (seen.attempt, seen.lines, seen.pieces) = (attempt, 0, 0);
        }
        heard.extend(after(&self.log, &mut seen.lines, |number, text| {
            Heard::Line {
                attempt,
                number,
                text,
            }
        }));
        heard.extend(after(&self.output, &mut seen.pieces, |number, text| {
            Heard::Output {
                attempt,
                number,
                text,
            }
        }));
        let truncated = (attempt, self.is_truncated, self.is_output_truncated);
        if (truncated.1 || truncated.2) && seen.truncated != Some(truncated) {
            seen.truncated = Some(truncated);
            heard.push(Heard::Truncated(attempt));
        }
        let progress = self.progress.clone().map(|progress| (attempt, progress));
        if progress.is_some() && progress != seen.progress {
            heard.extend(progress.clone().map(|(at, told)| Heard::Progress(at, told)));
            seen.progress = progress;
        }
    }
}

/// What comes after the first `seen` texts, each with its number; all of them are seen then.
fn after(texts: &[String], seen: &mut usize, heard: impl Fn(usize, String) -> Heard) -> Vec<Heard> {
    let fresh = texts.iter().enumerate().skip(*seen);
    let fresh = fresh.map(|(index, text)| heard(index + 1, text.clone()));
    *seen = texts.len().max(*seen);
    fresh.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(attempt: u64, number: usize, text: &str) -> Heard {
        let text = text.to_owned();
        Heard::Line {
            attempt,
            number,
            text,
        }
    }

    #[test]
    fn what_was_seen_is_not_told_again() {
        let (notes, task) = (Notes::default(), TaskId::from_u128(7));
        let mut seen = Seen::default();
        notes.log(task, 1, "a".to_owned());
        notes.log(task, 1, "b".to_owned());
        assert_eq!(
            notes.unseen(task, &mut seen),
            [line(1, 1, "a"), line(1, 2, "b")]
        );
        assert_eq!(notes.unseen(task, &mut seen), []);
        let half = Progress {
            percent: 50.0,
            message: String::new(),
        };
        notes.progress(task, 1, half.clone());
        notes.log(task, 2, "c".to_owned());
        let heard = [Heard::Progress(1, half), line(2, 1, "c")];
        assert_eq!(notes.unseen(task, &mut seen), heard);
        assert_eq!(
            notes.unseen(task, &mut Seen::up_to(1, 1, 0))[0],
            line(1, 2, "b")
        );
        notes.log(task, 2, "x".repeat(LOG_BYTES_MAX));
        assert_eq!(notes.unseen(task, &mut seen), [Heard::Truncated(2)]);
        assert_eq!(notes.unseen(task, &mut seen), []);
    }

    #[test]
    fn output_has_a_bound_of_its_own_and_all_notes_have_one() {
        let notes = Notes::default();
        let task = |number: usize| TaskId::from_u128(number as u128);
        let piece = "x".repeat(LOG_BYTES_MAX);
        for number in 0..BYTES_MAX / LOG_BYTES_MAX + 3 {
            notes.output(task(number), 1, piece.clone());
            notes.output(task(number), 1, "more".to_owned());
            notes.log(task(number), 1, "still a line".to_owned());
        }
        assert!(notes.lock().bytes <= BYTES_MAX);
        assert_eq!(notes.of(task(0)), []);
        let mut seen = Seen::default();
        let heard = notes.unseen(task(BYTES_MAX / LOG_BYTES_MAX), &mut seen);
        let output = Heard::Output {
            attempt: 1,
            number: 1,
            text: piece,
        };
        assert_eq!(
            heard,
            [line(1, 1, "still a line"), output, Heard::Truncated(1)]
        );
    }

    #[tokio::test]
    async fn followers_are_woken_and_forgotten() {
        let (notes, task) = (Notes::default(), TaskId::from_u128(7));
        let notify = notes.follow(task);
        let woken = notify.notified();
        notes.log(task, 1, "a".to_owned());
        woken.await;
        drop(notify);
        drop(notes.follow(TaskId::from_u128(8)));
        drop(notes.follow(TaskId::from_u128(9)));
        assert_eq!(notes.lock().followed.len(), 1);
    }
}
