//! A source that gives what it was given and records what it gets, and a gate for handlers.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(crate) use tareas_worker::Assignment;
use tareas_worker::{Completion, Note, Source};

/// Nothing here takes that long; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn assignment(n: u64, kind: &str, payload: &str) -> Assignment {
    Assignment {
        task_id: u128::from(n),
        attempt: 1,
        kind: kind.into(),
        payload: payload.to_owned().into(),
        metadata: None,
        trace: None,
        queue: "default".into(),
        timeout: Duration::from_secs(300),
        ticket: n,
        cancel: None,
    }
}

#[derive(Default)]
struct Record {
    waiting: VecDeque<Assignment>,
    done: Vec<Completion>,
    put_back: Vec<Assignment>,
    notes: Vec<Note>,
    closed: bool,
}

pub(crate) struct Recorder {
    batch: usize,
    /// Whether what is put back is given again.
    again: bool,
    record: Mutex<Record>,
    changed: Condvar,
}

impl Recorder {
    pub(crate) fn with_batches_of(batch: usize) -> Arc<Self> {
        Self::new(batch, false)
    }

    /// Gives again what is put back.
    pub(crate) fn giving_again(batch: usize) -> Arc<Self> {
        Self::new(batch, true)
    }

    fn new(batch: usize, again: bool) -> Arc<Self> {
        Arc::new(Self {
            batch,
            again,
            record: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    pub(crate) fn give(&self, assignment: Assignment) {
        self.give_all([assignment]);
    }

    /// At once, so that they may be one batch.
    pub(crate) fn give_all(&self, assignments: impl IntoIterator<Item = Assignment>) {
        self.lock().waiting.extend(assignments);
        self.changed.notify_all();
    }

    /// Waits for `count` endings, and takes a look at all there are by then.
    pub(crate) fn wait_for_done(&self, count: usize) -> Vec<Completion> {
        let record = self.wait(|record| record.done.len() >= count);
        record.done.iter().map(copy).collect()
    }

    /// Waits until the last that was put back are these.
    pub(crate) fn wait_for_put_back_of(&self, tickets: &[u64]) {
        drop(self.wait(|record| {
            let put_back: Vec<u64> = record.put_back.iter().map(|a| a.ticket).collect();
            put_back.ends_with(tickets)
        }));
    }

    pub(crate) fn put_back(&self) -> Vec<Assignment> {
        self.lock().put_back.clone()
    }

    pub(crate) fn notes(&self) -> Vec<Note> {
        self.lock().notes.clone()
    }

    /// Not taken.
    pub(crate) fn left(&self) -> usize {
        self.lock().waiting.len()
    }

    fn wait(&self, reached: impl Fn(&Record) -> bool) -> MutexGuard<'_, Record> {
        let wait = self
            .changed
            .wait_timeout_while(self.lock(), PATIENCE, |r| !reached(r));
        let (record, timeout) = wait.unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "nothing happened");
        record
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn copy(completion: &Completion) -> Completion {
    use tareas_worker::Ending::{Cancelled, Failed, Released, Succeeded, TimedOut};
    Completion {
        ending: match &completion.ending {
            Succeeded(result) => Succeeded(result.clone()),
            Failed(error) => Failed(error.clone()),
            Cancelled => Cancelled,
            TimedOut => TimedOut,
            Released => Released,
        },
        trail: completion.trail.clone(),
        ..*completion
    }
}

impl Source for Recorder {
    fn take(&self, _: usize, into: &mut Vec<Assignment>) -> bool {
        let idle = |record: &mut Record| record.waiting.is_empty() && !record.closed;
        let mut record = self
            .changed
            .wait_while(self.lock(), idle)
            .expect("no test panics here");
        if record.closed {
            return false;
        }
        let count = self.batch.min(record.waiting.len());
        into.extend(record.waiting.drain(..count));
        true
    }

    fn settle(&self, _: usize, done: &mut Vec<Completion>) {
        self.lock().done.append(done);
        self.changed.notify_all();
    }

    fn put_back(&self, rest: Vec<Assignment>) {
        let mut record = self.lock();
        record.put_back.extend(rest.iter().cloned());
        if self.again {
            record.waiting.extend(rest);
        }
        drop(record);
        self.changed.notify_all();
    }

    fn note(&self, _: usize, _: u128, _: u64, note: Note) {
        self.lock().notes.push(note);
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

/// Where handlers wait until the test opens it.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    open: bool,
    entered: usize,
    left: usize,
}

impl Gate {
    pub(crate) fn enter(&self) {
        self.lock().entered += 1;
        self.changed.notify_all();
    }

    pub(crate) fn pass(&self) {
        self.enter();
        self.wait(|state| state.open).left += 1;
        self.changed.notify_all();
    }

    pub(crate) fn open(&self) {
        self.lock().open = true;
        self.changed.notify_all();
    }

    pub(crate) fn entered(&self) -> usize {
        self.lock().entered
    }

    pub(crate) fn wait_for_entered(&self, count: usize) {
        drop(self.wait(|state| state.entered >= count));
    }

    pub(crate) fn wait_for_left(&self, count: usize) {
        drop(self.wait(|state| state.left >= count));
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, reached: impl Fn(&GateState) -> bool) -> MutexGuard<'_, GateState> {
        let state = self.lock();
        let wait = self
            .changed
            .wait_timeout_while(state, PATIENCE, |s| !reached(s));
        let (state, timeout) = wait.unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "nobody came");
        state
    }
}
