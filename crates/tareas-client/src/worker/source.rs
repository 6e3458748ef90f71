//! The desk as the pool sees it: where threads get work, and where they leave results.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use tareas_protocol::request::{Failed, Reported};
use tareas_worker::{Assignment, Completion, Ending, HandlerError, Note, ProcessEnd, Source};

use super::desk::Desk;
use super::state::State;

/// A thread takes at most this much work at once, by the smoothed run time.
const BATCH_WORK: Duration = Duration::from_millis(1);
/// A thread takes at most this many tasks at once.
const BATCH_MAX: usize = 64;
/// How many tasks it takes to move the smoothed run time half of the way.
const SMOOTHING: u64 = 64;

impl Source for Desk {
    fn take(&self, _slot: usize, into: &mut Vec<Assignment>) -> bool {
        let idle = |state: &mut State| state.waiting.is_empty() && !state.is_closing;
        let waited = self.work.wait_while(self.lock(), idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let share = state
            .waiting
            .len()
            .div_ceil(usize::from(self.options.threads.max(1)));
        let batch = state.batch().min(share);
        let taken = state.waiting.drain(..batch);
        into.extend(taken.map(|(_, assignment)| assignment));
        !state.is_closing
    }

    fn settle(&self, slot: usize, done: &mut Vec<Completion>) {
        let mut state = self.lock();
        for completion in &*done {
            state.learn(completion.run_time);
            state.ended(completion, slot);
        }
        drop(state);
        self.out.notify_one();
    }

    fn put_back(&self, rest: Vec<Assignment>) {
        let mut state = self.lock();
        for assignment in rest.into_iter().rev() {
            if state.is_closing || state.is_draining {
                let key = (assignment.task_id, assignment.attempt);
                state.say(key, Reported::Released);
            } else {
                state.waiting.push_front((Instant::now(), assignment));
            }
        }
        drop(state);
        self.work.notify_all();
        self.out.notify_one();
    }

    fn note(&self, _slot: usize, task_id: u128, attempt: u64, note: Note) {
        let said = match &note {
            Note::Progress(progress) => Reported::Progress {
                percent: progress.percent,
                message: (&*progress.text).into(),
            },
            Note::Log(line) => Reported::Log {
                text: (&**line).into(),
            },
            Note::Output(piece) => Reported::Partial {
                text: (&**piece).into(),
            },
        };
        self.lock().say((task_id, attempt), said);
        self.out.notify_one();
    }

    fn close(&self) {
        self.lock().is_closing = true;
        self.work.notify_all();
    }
}

impl State {
    /// As many tasks as make a millisecond of work, one when they are slow.
    fn batch(&self) -> usize {
        if self.smoothed_ns == 0 {
            return 1;
        }
        let by_work = BATCH_WORK.as_nanos() / u128::from(self.smoothed_ns);
        usize::try_from(by_work).unwrap_or(1).clamp(1, BATCH_MAX)
    }

    fn learn(&mut self, run_time: Duration) {
        let nanos = u64::try_from(run_time.as_nanos())
            .unwrap_or(u64::MAX / SMOOTHING)
            .max(1);
        self.smoothed_ns = match self.smoothed_ns {
            0 => nanos,
            before => (before * (SMOOTHING - 1)).saturating_add(nanos) / SMOOTHING,
        };
    }

    fn ended(&mut self, completion: &Completion, slot: usize) {
        let failed = |error, run_us| failed(error, run_us, slot);
        let key = (completion.task_id, completion.attempt);
        let last = completion
            .trail
            .as_ref()
            .and_then(|trail| trail.progress.as_ref());
        if let Some(last) = last {
            let message = (&*last.text).into();
            self.say(
                key,
                Reported::Progress {
                    percent: last.percent,
                    message,
                },
            );
        }
        let run_us = u64::try_from(completion.run_time.as_micros()).ok();
        match &completion.ending {
            Ending::Succeeded(result) => match std::str::from_utf8(result) {
                Ok(text) => {
                    let trail = completion.trail.as_ref();
                    let files = trail.map_or(&[][..], |trail| &trail.artifacts);
                    self.say_done(key, text, files, run_us);
                }
                Err(_) => {
                    let error = HandlerError::rejected("the result is not UTF-8");
                    self.say(key, Reported::Failed(failed(&error, run_us)));
                }
            },
            Ending::Failed(error) => self.say(key, Reported::Failed(failed(error, run_us))),
            Ending::TimedOut => {
                let error = HandlerError::retry("the attempt is over its time limit");
                let mut late = failed(&error, run_us);
                late.timed_out = true;
                self.say(key, Reported::Failed(late));
            }
            // Of a task that was cancelled, the end of its attempt is the end of the task.
            Ending::Cancelled | Ending::Released => self.say(key, Reported::Released),
        }
    }
}

fn failed(error: &HandlerError, run_us: Option<u64>, slot: usize) -> Failed<'_> {
    let retry_after = error.retry_after;
    let (exit_code, signal) = match error.process_end {
        Some(ProcessEnd::Exit(code)) => (Some(code), None),
        Some(ProcessEnd::Signal(number)) => (None, Some(number)),
        None => (None, None),
    };
    Failed {
        name: Some((&*error.name).into()),
        message: (&*error.message).into(),
        backtrace: error.backtrace.as_deref().map(Into::into),
        exit_code,
        signal,
        retryable: error.retryable,
        retry_after_ms: retry_after.and_then(|after| u64::try_from(after.as_millis()).ok()),
        timed_out: false,
        thread: u32::try_from(slot + 1).ok(),
        run_us,
    }
}
