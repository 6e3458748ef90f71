//! What only tests of kills need: a handler that writes down every start outside the system, and
//! ways to wait less than people do. Built with the feature `failpoints` only.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use tareas_worker::{Context, HandlerError, Registry};

/// Names a file; kind `starts` appends a line "task attempt" to it at every start.
const STARTS: &str = "TAREAS_TEST_STARTS";
/// How long the system is careful after an unclean boot, in milliseconds.
const CAREFUL_MS: &str = "TAREAS_TEST_CAREFUL_MS";

/// How long deliveries of webhooks belong to whoever makes them, in milliseconds.
const CLAIMED_MS: &str = "TAREAS_TEST_CLAIMED_MS";

/// Registers the test's kind, when the test asks for it.
pub(super) fn register(registry: &mut Registry) {
    let Some(path) = std::env::var_os(STARTS) else {
        return;
    };
    registry.register_raw("starts", move |context: &Context, payload: Bytes| {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|error| HandlerError::rejected(error.to_string()))?;
        let id = tareas_core::TaskId::from_u128(context.task_id());
        file.write_all(format!("{id} {}\n", context.attempt()).as_bytes())
            .map_err(|error| HandlerError::rejected(error.to_string()))?;
        // Long enough to be killed in the middle, now and then; some end within a commit.
        let number = std::str::from_utf8(&payload)
            .ok()
            .and_then(|text| text.parse::<u64>().ok());
        context.sleep(Duration::from_millis(number.unwrap_or_default() % 8))?;
        Ok(payload)
    });
}

/// The careful time that the test asks for, or the usual one.
pub(super) fn careful_for(usual: Duration) -> Duration {
    asked(CAREFUL_MS).unwrap_or(usual)
}

/// The time of a claim that the test asks for, or the usual one.
pub(super) fn claimed_for(usual: Duration) -> Duration {
    asked(CLAIMED_MS).unwrap_or(usual)
}

fn asked(variable: &str) -> Option<Duration> {
    let text = std::env::var(variable).ok()?;
    text.parse().ok().map(Duration::from_millis)
}
