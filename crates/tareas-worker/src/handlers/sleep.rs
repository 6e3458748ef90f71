//! `sleep`: occupies a thread for a while, and ends at once when cancelled.

use std::time::Duration;

use bytes::Bytes;

use super::payload::{Payload, invalid};
use crate::{Context, HandlerError, Registry};

const USAGE: &str = "sleep takes whole milliseconds, at most a day: `sleep 30` or {\"ms\":30}";
const MS_MAX: u64 = 24 * 60 * 60 * 1000;

pub(super) fn register(registry: &mut Registry) {
    registry
        .register_raw("sleep", sleep)
        .describe("Waits that many milliseconds.", "Espera esos milisegundos.")
        .example("sleep 30", r#"{"op":"sleep","ms":30}"#)
        .not_retryable();
}

fn sleep(context: &Context, payload: Bytes) -> Result<Bytes, HandlerError> {
    let ms = Payload::read(&payload, USAGE)?.into_number("ms", USAGE)?;
    let whole = ms.to_u64().filter(|ms| *ms <= MS_MAX);
    let whole = whole.ok_or_else(|| invalid("that is not a time to sleep", USAGE))?;
    context.sleep(Duration::from_millis(whole))?;
    ms.to_json()
}
