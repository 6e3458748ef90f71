//! Brings a remote worker its work: written into the outbox of its connection, to leave when the
//! claims are durable.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tareas_core::{Position, TaskId};
use tareas_engine::{Assigned, Courier};
use tareas_protocol::request::Held;
use tareas_protocol::response::{Assign, append_cancel_event, append_drain_event, end_line};

use super::outbox::Outbox;
use crate::trace;

/// Lines that wait, each with its position.
type Early = Vec<(Position, Vec<u8>)>;

/// The courier of one session on one connection.
#[derive(Debug)]
pub(super) struct LineCourier {
    outbox: Arc<Outbox>,
    /// What came before the worker was told of its session; `None` once it was.
    early: Mutex<Option<Early>>,
    is_replaced: Arc<AtomicBool>,
}

impl LineCourier {
    /// One that keeps everything back until [`begin`](Self::begin).
    pub(super) fn new(outbox: Arc<Outbox>, is_replaced: Arc<AtomicBool>) -> Self {
        Self {
            outbox,
            early: Mutex::new(Some(Vec::new())),
            is_replaced,
        }
    }

    /// The worker was told of its session: what was kept back follows.
    pub(super) fn begin(&self) {
        let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        for (position, lines) in early.take().unwrap_or_default() {
            self.outbox.push_lines(position, &lines);
        }
    }

    fn bring(&self, position: Position, lines: Vec<u8>) {
        let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *early {
            Some(early) => early.push((position, lines)),
            None => self.outbox.push_lines(position, &lines),
        }
    }
}

impl Courier for LineCourier {
    fn assign(&self, position: Position, assigned: Vec<Assigned>) {
        let mut lines = Vec::new();
        for assigned in &assigned {
            append_assigned(&mut lines, assigned);
            end_line(&mut lines);
        }
        self.bring(position, lines);
    }

    fn cancel(&self, position: Position, task: TaskId, attempt: u64) {
        let mut line = Vec::new();
        append_cancel_event(&mut line, task.as_bytes(), attempt);
        end_line(&mut line);
        self.bring(position, line);
    }

    fn drain(&self) {
        let mut line = Vec::new();
        append_drain_event(&mut line);
        end_line(&mut line);
        self.bring(Position::ZERO, line);
    }

    fn replaced(&self) {
        self.is_replaced.store(true, Ordering::Release);
        // Something to write wakes the connection, which then looks.
        self.outbox.push_lines(Position::ZERO, b"");
    }
}

fn append_assigned(out: &mut Vec<u8>, assigned: &Assigned) {
    let spec = &assigned.task.spec;
    let trace = spec.options().trace.as_ref();
    let assign = Assign {
        held: Held {
            task_id: *spec.id.as_bytes(),
            attempt: assigned.task.attempt,
            lease: assigned.token.bits().to_be_bytes(),
        },
        kind: spec.kind.as_str(),
        payload: &assigned.payload,
        queue: spec.queue.as_str(),
        deadline_ms: u64::try_from(assigned.timeout.as_millis()).unwrap_or(u64::MAX),
        traceparent: trace.map(trace::parent),
        tracestate: trace.and_then(|trace| trace.state.as_deref()),
    };
    let metadata = &spec.options().metadata;
    let entries = metadata
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    assign.append_to(out, entries);
}
