//! What a handler is told, and what it can say while it runs.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use smol_str::SmolStr;
use tokio::runtime::{Builder, Handle};

use crate::artifact::{self, Artifact};
use crate::trail::{Note, PROGRESS_INTERVAL, Progress, Trail};
use crate::{Assignment, CancelHandle, HandlerError, Interrupted, Source, Trace};

/// One running attempt, seen by its handler.
///
/// Ending early is co-operative: a handler that runs for long calls [`check`](Context::check)
/// now and then. One that does not is waited for until the pool gives up on it, and keeps its
/// thread until it returns.
pub struct Context {
    slot: usize,
    source: Option<Arc<dyn Source>>,
    runtime: Option<Handle>,
    task_id: u128,
    attempt: u64,
    kind: SmolStr,
    queue: SmolStr,
    metadata: Option<Arc<BTreeMap<String, String>>>,
    trace: Option<Box<Trace>>,
    deadline: Option<Instant>,
    cancel: CancelHandle,
    trail: Mutex<Trail>,
}

impl Context {
    /// A context outside any pool, to call a handler from a test or a program of its own: first
    /// attempt, no time limit; what the handler says goes nowhere.
    pub fn detached(kind: impl Into<SmolStr>) -> Self {
        Self {
            kind: kind.into(),
            ..Self::idle(0, None, None)
        }
    }

    /// The same with another number of attempt.
    pub fn with_attempt(self, attempt: u64) -> Self {
        Self { attempt, ..self }
    }

    /// The same with a handle that can cancel it.
    pub fn with_cancel(self, cancel: CancelHandle) -> Self {
        Self { cancel, ..self }
    }

    /// What a thread of a pool has between attempts.
    pub(crate) fn idle(
        slot: usize,
        source: Option<Arc<dyn Source>>,
        runtime: Option<Handle>,
    ) -> Self {
        Self {
            slot,
            source,
            runtime,
            task_id: 0,
            attempt: 1,
            kind: SmolStr::default(),
            queue: SmolStr::new_static("default"),
            metadata: None,
            trace: None,
            deadline: None,
            cancel: CancelHandle::new(),
            trail: Mutex::default(),
        }
    }

    /// Turns to the next attempt, whose handle is already in place.
    pub(crate) fn begin(&mut self, next: Assignment, now: Instant) {
        self.task_id = next.task_id;
        self.attempt = next.attempt;
        self.kind = next.kind;
        self.queue = next.queue;
        self.metadata = next.metadata;
        self.trace = next.trace;
        self.deadline = now.checked_add(next.timeout);
    }

    /// The handle of the attempt, to be made ready for the next one.
    pub(crate) fn cancel_mut(&mut self) -> &mut CancelHandle {
        &mut self.cancel
    }

    /// What the attempt said, which is then forgotten.
    pub(crate) fn take_trail(&mut self) -> Option<Box<Trail>> {
        let trail = self.trail.get_mut().unwrap_or_else(PoisonError::into_inner);
        (!trail.is_empty()).then(|| Box::new(std::mem::take(trail)))
    }

    /// The bits of the task's UUID.
    pub fn task_id(&self) -> u128 {
        self.task_id
    }

    /// Number of this attempt, from 1.
    pub fn attempt(&self) -> u64 {
        self.attempt
    }

    /// Name of the kind that is run.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The lane the task came from.
    pub fn queue(&self) -> &str {
        &self.queue
    }

    /// What the submitter attached under `name`.
    pub fn metadata(&self, name: &str) -> Option<&str> {
        self.metadata.as_ref()?.get(name).map(String::as_str)
    }

    /// The span that this attempt is in a trace across programs, for spans and calls below it.
    pub fn trace(&self) -> Option<&Trace> {
        self.trace.as_deref()
    }

    /// Whether this attempt is asked to end.
    pub fn cancelled(&self) -> bool {
        self.cancel.cause().is_some()
    }

    /// An error when this attempt is asked to end: cancelled, over its time, pool stopping.
    pub fn check(&self) -> Result<(), Interrupted> {
        self.cancel.check()
    }

    /// The handle that cancels this attempt, for use in another thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        self.cancel.clone()
    }

    /// The time left of the attempt's limit; [`Duration::MAX`] without one.
    pub fn remaining(&self) -> Duration {
        let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
        self.deadline.map_or(Duration::MAX, left)
    }

    /// Sleeps; ends early, with an error, when the attempt is asked to end.
    pub fn sleep(&self, duration: Duration) -> Result<(), Interrupted> {
        let mut left = duration;
        // Whoever sleeps may say nothing more for long.
        if let Some(due) = self.progress_due().filter(|due| *due < duration) {
            self.cancel.sleep(due)?;
            self.pass_on_progress();
            left -= due;
        }
        self.cancel.sleep(left)
    }

    /// Tells how far this attempt is, from 0 to 100. May be called often: it is passed on ten
    /// times a second at most.
    pub fn progress(&self, percent: f64, text: impl Into<String>) {
        let percent = if percent.is_nan() {
            0.0
        } else {
            percent.clamp(0.0, 100.0)
        };
        let progress = Progress {
            percent,
            text: text.into(),
        };
        let note = self.with_trail(|trail| trail.add_progress(progress, Instant::now()));
        self.pass_on(note);
    }

    /// How long to wait before [`pass_on_progress`](Self::pass_on_progress), if something is
    /// held back. For handlers that learn of progress from somebody who may then be silent.
    pub(crate) fn progress_due(&self) -> Option<Duration> {
        let holds = self.with_trail(|trail| trail.holds_progress());
        holds.then_some(PROGRESS_INTERVAL)
    }

    /// Passes on the progress that came too soon after another.
    pub(crate) fn pass_on_progress(&self) {
        let note = self.with_trail(|trail| trail.release_progress(Instant::now()));
        self.pass_on(note);
    }

    /// Adds to the task's log. 64 KiB are kept of an attempt; the rest is dropped with a mark.
    pub fn log(&self, line: impl AsRef<str>) {
        let notes = self.with_trail(|trail| trail.add_log(line.as_ref()));
        self.pass_on(notes);
    }

    /// Shows a piece of what there is of the result so far to whoever follows the task, as it
    /// comes: words of a text, rows of a table. 64 KiB are kept of an attempt. The result itself
    /// is what the handler returns.
    pub fn output(&self, piece: impl Into<String>) {
        let note = self.with_trail(|trail| trail.add_output(piece.into()));
        self.pass_on(note);
    }

    /// Keeps a file with the result of this attempt, if it succeeds; one of the same name takes
    /// the place of the one before.
    ///
    /// # Errors
    /// Rejected beyond [`ARTIFACTS_MAX`](crate::ARTIFACTS_MAX) files or
    /// [`ARTIFACTS_BYTES_MAX`](crate::ARTIFACTS_BYTES_MAX).
    pub fn attach(&self, artifact: Artifact) -> Result<(), HandlerError> {
        self.with_trail(|trail| artifact::add(&mut trail.artifacts, artifact))
    }

    /// Runs a future on this thread until it is done or the attempt is asked to end, in which
    /// case it is dropped at the point where it waits.
    pub fn block_on<T, F>(&self, future: F) -> Result<T, HandlerError>
    where
        F: Future<Output = Result<T, HandlerError>>,
    {
        let bounded = async {
            tokio::select! {
                biased;
                result = future => result,
                interrupted = self.cancel.raised() => Err(interrupted.into()),
            }
        };
        match &self.runtime {
            Some(runtime) => runtime.block_on(bounded),
            None => Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(bounded),
        }
    }

    fn with_trail<T>(&self, change: impl FnOnce(&mut Trail) -> T) -> T {
        change(&mut self.trail.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn pass_on(&self, notes: impl IntoIterator<Item = Note>) {
        let Some(source) = &self.source else { return };
        for note in notes {
            if !self.cancel.is_abandoned() {
                source.note(self.slot, self.task_id, self.attempt, note);
            }
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("task_id", &format_args!("{:032x}", self.task_id))
            .field("attempt", &self.attempt)
            .field("kind", &self.kind)
            .field("cause", &self.cancel.cause())
            .finish_non_exhaustive()
    }
}
