//! What a pool runs, seen from between the pool and its source.
//!
//! Only tasks that belong to a trace are recorded: whoever began it has decided that. The handler
//! is given the span of its attempt, so that what it does elsewhere stands below.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::trace::SpanKind;
use smol_str::SmolStr;
use tareas_core::{TaskId, TraceContext};
use tareas_engine::ports::{Clock, SystemClock};
use tareas_protocol::trace::parse_traceparent;
use tareas_server::trace::{context, parent};
use tareas_worker::{Assignment, Completion, Ending, Note, Source, Trace};

use super::recorder::Recorder;
use super::span::{self, Processed};

/// An attempt: the bits of the task's id, and its number.
type Key = (u128, u64);

/// A source whose attempts are recorded.
#[derive(Debug)]
pub(super) struct RecordedSource {
    inner: Inner,
    recorder: Arc<Recorder>,
    /// What is in the pool and belongs to a trace: never more than the pool holds.
    open: Mutex<HashMap<Key, Open>>,
}

/// The source itself, which need not be shown.
struct Inner(Arc<dyn Source>);

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

/// An attempt that is in the pool.
#[derive(Debug)]
struct Open {
    span: TraceContext,
    creation: TraceContext,
    queue: SmolStr,
    kind: SmolStr,
}

impl RecordedSource {
    pub(super) fn new(source: Arc<dyn Source>, recorder: Arc<Recorder>) -> Self {
        Self {
            inner: Inner(source),
            recorder,
            open: Mutex::default(),
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Key, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives an attempt that belongs to a recorded trace a span of its own.
    fn begin(&self, assignment: &mut Assignment) {
        let Some(trace) = &mut assignment.trace else {
            return;
        };
        let Some(creation) = parse_traceparent(&trace.parent) else {
            return;
        };
        let creation = context(creation, trace.state.as_deref());
        let span = self.recorder.new_span(Some(&creation), &SpanKind::Consumer);
        let Some(span) = span else { return };
        trace.parent = parent(&span).to_string().into();
        let open = Open {
            span,
            creation,
            queue: assignment.queue.clone(),
            kind: assignment.kind.clone(),
        };
        let key = (assignment.task_id, assignment.attempt);
        self.open().insert(key, open);
    }

    fn end(&self, completion: &Completion) {
        let key = (completion.task_id, completion.attempt);
        let Some(open) = self.open().remove(&key) else {
            return;
        };
        let processed = Processed {
            span: &open.span,
            creation: &open.creation,
            task: TaskId::from_u128(completion.task_id),
            attempt: completion.attempt,
            queue: &open.queue,
            kind: &open.kind,
            began_at: SystemClock.now() - completion.started.elapsed(),
            run_time: completion.run_time,
            error: error(&completion.ending),
        };
        let span = span::of_attempt(processed, self.recorder.scope());
        self.recorder.record(span);
    }
}

impl Source for RecordedSource {
    fn take(&self, slot: usize, into: &mut Vec<Assignment>) -> bool {
        let before = into.len();
        let goes_on = self.inner.0.take(slot, into);
        into.iter_mut().skip(before).for_each(|new| self.begin(new));
        goes_on
    }

    fn settle(&self, slot: usize, done: &mut Vec<Completion>) {
        done.iter().for_each(|completion| self.end(completion));
        self.inner.0.settle(slot, done);
    }

    fn put_back(&self, mut rest: Vec<Assignment>) {
        for assignment in &mut rest {
            let open = self
                .open()
                .remove(&(assignment.task_id, assignment.attempt));
            // It goes back as it came.
            if let (Some(open), Some(trace)) = (open, &mut assignment.trace) {
                **trace = Trace {
                    parent: parent(&open.creation).to_string().into(),
                    state: open.creation.state,
                };
            }
        }
        self.inner.0.put_back(rest);
    }

    fn note(&self, slot: usize, task_id: u128, attempt: u64, note: Note) {
        self.inner.0.note(slot, task_id, attempt, note);
    }

    fn close(&self) {
        self.inner.0.close();
    }
}

/// The kind of error that an attempt ended with, and what was said of it.
fn error(ending: &Ending) -> Option<(String, String)> {
    let said = |name: &str| Some((name.to_owned(), String::new()));
    match ending {
        Ending::Succeeded(_) => None,
        Ending::Failed(error) => Some((error.name.to_string(), error.message.clone())),
        Ending::Cancelled => said("cancelled"),
        Ending::TimedOut => said("timeout"),
        Ending::Released => said("released"),
    }
}
