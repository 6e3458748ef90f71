//! Progress and log lines of recent attempts, in memory, bounded; and who follows them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tareas_core::TaskId;
use tokio::sync::Notify;

/// Tasks whose notes are kept; the oldest go first.
const TASKS_MAX: usize = 10_000;
/// Bytes of log lines that are kept per attempt.
const LOG_BYTES_MAX: usize = 64 * 1024;
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
    bytes: usize,
}

/// How much of a task's notes somebody has seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The newest attempt of which something was seen.
    pub attempt: u64,
    /// How many lines of its log.
    pub lines: usize,
    progress: Option<(u64, Progress)>,
    truncated: Option<u64>,
}

impl Seen {
    /// So many lines of the log of an attempt, and all of the attempts before.
    pub fn up_to(attempt: u64, lines: usize) -> Self {
        Self {
            attempt,
            lines,
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
    /// How far the attempt has come.
    Progress(u64, Progress),
    /// Further lines of the attempt are dropped.
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
            if notes.bytes + line.len() > LOG_BYTES_MAX {
                notes.is_truncated = true;
            } else {
                notes.bytes += line.len();
                notes.log.push(line);
            }
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
        if !book.tasks.contains_key(&task) {
            if book.order.len() >= TASKS_MAX
                && let Some(oldest) = book.order.pop_front()
            {
                book.tasks.remove(&oldest);
            }
            book.order.push_back(task);
        }
        let attempts = book.tasks.entry(task).or_default();
        if attempts.back().is_none_or(|notes| notes.attempt != attempt) {
            if attempts.len() >= ATTEMPTS_MAX {
                attempts.pop_front();
            }
            attempts.push_back(AttemptNotes {
                attempt,
                ..AttemptNotes::default()
            });
        }
        if let Some(notes) = attempts.back_mut() {
            change(notes);
        }
        if let Some(notify) = book.followed.get(&task).and_then(Weak::upgrade) {
            notify.notify_waiters();
        }
    }
}

impl AttemptNotes {
    fn unseen(&self, seen: &mut Seen, heard: &mut Vec<Heard>) {
        let attempt = self.attempt;
        if attempt < seen.attempt {
            return;
        }
        if attempt > seen.attempt {
            (seen.attempt, seen.lines) = (attempt, 0);
        }
        let lines = self.log.iter().enumerate().skip(seen.lines);
        heard.extend(lines.map(|(index, text)| Heard::Line {
            attempt,
            number: index + 1,
            text: text.clone(),
        }));
        seen.lines = self.log.len().max(seen.lines);
        if self.is_truncated && seen.truncated != Some(attempt) {
            seen.truncated = Some(attempt);
            heard.push(Heard::Truncated(attempt));
        }
        let progress = self.progress.clone().map(|progress| (attempt, progress));
        if progress.is_some() && progress != seen.progress {
            heard.extend(progress.clone().map(|(at, told)| Heard::Progress(at, told)));
            seen.progress = progress;
        }
    }
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
            notes.unseen(task, &mut Seen::up_to(1, 1))[0],
            line(1, 2, "b")
        );
        notes.log(task, 2, "x".repeat(LOG_BYTES_MAX));
        assert_eq!(notes.unseen(task, &mut seen), [Heard::Truncated(2)]);
        assert_eq!(notes.unseen(task, &mut seen), []);
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
