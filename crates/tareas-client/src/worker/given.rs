//! An attempt as it was given, taken out of its line.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tareas_protocol::response::Assigned;
use tareas_protocol::{LeaseBytes, TraceParent};
use tareas_worker::{Assignment, Trace};

/// What a worker gets: an attempt, and what it has to show to end it.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) assignment: Assignment,
    pub(super) lease: LeaseBytes,
}

impl Given {
    /// What a line says.
    pub(super) fn of(assigned: &Assigned<'_>) -> Self {
        Self {
            assignment: assignment(assigned),
            lease: assigned.held.lease,
        }
    }
}

fn trace(parent: TraceParent, assigned: &Assigned<'_>) -> Box<Trace> {
    Box::new(Trace {
        parent: parent.to_string().into(),
        state: assigned.tracestate.as_deref().map(Into::into),
    })
}

fn assignment(assigned: &Assigned<'_>) -> Assignment {
    let metadata = assigned.metadata.iter();
    let metadata: BTreeMap<String, String> = metadata
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect();
    Assignment {
        task_id: u128::from_be_bytes(assigned.held.task_id),
        attempt: assigned.held.attempt,
        kind: (&*assigned.kind).into(),
        payload: Bytes::copy_from_slice(assigned.payload.as_bytes()),
        metadata: (!metadata.is_empty()).then(|| Arc::new(metadata)),
        trace: assigned.traceparent.map(|parent| trace(parent, assigned)),
        queue: (&*assigned.queue).into(),
        timeout: Duration::from_millis(assigned.deadline_ms),
        ticket: 0,
        cancel: None,
    }
}
