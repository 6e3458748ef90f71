//! `fail`: fails as asked, to see what the system does then.

use bytes::Bytes;
use serde::Deserialize;

use super::payload::{Payload, invalid};
use crate::{Context, HandlerError, Registry};

const USAGE: &str = "fail takes a text or {\"message\":\"…\",\"retryable\":true,\"times\":2}";

pub(super) fn register(registry: &mut Registry) {
    registry
        .register_raw("fail", fail)
        .describe(
            "Fails: always, or that many times before it succeeds.",
            "Falla: siempre, o esas veces antes de tener éxito.",
        )
        .example(
            "fail on purpose",
            r#"{"op":"fail","message":"on purpose","times":2}"#,
        );
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    message: Option<String>,
    retryable: Option<bool>,
    /// `None`: always.
    times: Option<u64>,
}

fn fail(context: &Context, payload: Bytes) -> Result<Bytes, HandlerError> {
    let wanted = read(&payload)?;
    if wanted.times.is_some_and(|times| context.attempt() > times) {
        return Ok(Bytes::from(format!(
            "\"succeeded at attempt {}\"",
            context.attempt()
        )));
    }
    let message = wanted.message.filter(|message| !message.is_empty());
    let message = message.unwrap_or_else(|| "this task was asked to fail".to_owned());
    let error = match wanted.retryable.unwrap_or(true) {
        true => HandlerError::retry(message),
        false => HandlerError::rejected(message),
    };
    Err(error.named("asked_to_fail"))
}

fn read(payload: &[u8]) -> Result<Wanted, HandlerError> {
    let object = |json| serde_json::from_slice(json).map_err(|error| invalid(error, USAGE));
    match Payload::read(payload, USAGE)? {
        Payload::Text(text) if text.trim_start().starts_with('{') => object(text.as_bytes()),
        Payload::Text(text) => Ok(Wanted {
            message: Some(text),
            ..Wanted::default()
        }),
        Payload::Object(_) => object(payload),
        other => Err(invalid(
            format_args!("{} is not a text", other.name()),
            USAGE,
        )),
    }
}
