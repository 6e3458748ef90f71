//! Progress and log lines of recent attempts, in memory, bounded.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use tareas_core::TaskId;

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

/// Notes of recent tasks.
#[derive(Debug, Default)]
pub struct Notes {
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    tasks: HashMap<TaskId, VecDeque<AttemptNotes>>,
    order: VecDeque<TaskId>,
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
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.tasks
            .get(&task)
            .map(|notes| notes.iter().cloned().collect())
            .unwrap_or_default()
    }

    fn with(&self, task: TaskId, attempt: u64, change: impl FnOnce(&mut AttemptNotes)) {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
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
    }
}
