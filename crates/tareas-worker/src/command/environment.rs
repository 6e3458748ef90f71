//! What a process of one task is told by its environment.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::Context;

/// The variables that are added for one attempt.
pub(super) fn of_attempt(context: &Context) -> Vec<(String, String)> {
    let mut variables = vec![
        ("TAREAS_TASK_ID", task_id(context)),
        ("TAREAS_ATTEMPT", context.attempt().to_string()),
        ("TAREAS_KIND", context.kind().to_owned()),
        ("TAREAS_QUEUE", context.queue().to_owned()),
    ];
    if let Some(deadline) = deadline(context.remaining()) {
        variables.push(("TAREAS_DEADLINE", deadline.as_secs().to_string()));
    }
    if let Some(trace) = context.trace() {
        variables.push(("TRACEPARENT", trace.parent.to_string()));
        let state = trace.state.as_ref();
        variables.extend(state.map(|state| ("TRACESTATE", state.to_string())));
    }
    variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The task's id as everybody writes it.
pub(super) fn task_id(context: &Context) -> String {
    Uuid::from_u128(context.task_id()).hyphenated().to_string()
}

/// When the attempt must be over, counted from 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "a program outside can only compare with the clock of the system"
)]
fn deadline(remaining: Duration) -> Option<Duration> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    now.checked_add(remaining)
}
