//! Options of a submission, which the full form alone can say.

use super::field::Field;
use super::names::names_as as labels;
use super::submission::MEMBERS;
use super::{Expected, Fault, Refusal};
use crate::json::Scanner;
use crate::limits::{
    ATTEMPT_TIMEOUT_MS_MAX, ATTEMPTS_MAX, BACKOFF_FACTOR_MAX, BACKOFF_MS_MAX, DELAY_MS_MAX,
    METADATA_BYTES_MAX, METADATA_ENTRIES_MAX, PRIORITY_MAX, REQUIRES_MAX,
};
use crate::trace::TraceParent;
use std::borrow::Cow;

/// What only the full form can say. `None` leaves it to the server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options<'a> {
    /// The queue.
    pub queue: Option<Cow<'a, str>>,
    /// 0 to 9, the highest first.
    pub priority: Option<u8>,
    /// Not before so long from now. Never together with `due_at_us`.
    pub delay_ms: Option<u64>,
    /// Not before then; microseconds since 1970.
    pub due_at_us: Option<i64>,
    /// Not started any more after then; microseconds since 1970.
    pub expires_at_us: Option<i64>,
    /// How long one attempt may take.
    pub timeout_ms: Option<u64>,
    /// How many attempts there may be.
    pub max_attempts: Option<u32>,
    /// How long to wait between attempts.
    pub backoff: Option<Backoff>,
    /// Two submissions with one key are one task.
    pub idempotency_key: Option<Cow<'a, str>>,
    /// How long the task is kept after its end.
    pub retention_ms: Option<u64>,
    /// Notes of the client, in their order.
    pub metadata: Metadata<'a>,
    /// Labels that a worker must have.
    pub requires: Vec<Cow<'a, str>>,
    /// The span that submits it.
    pub traceparent: Option<TraceParent>,
    /// What tracing systems add to that.
    pub tracestate: Option<Cow<'a, str>>,
}

/// Keys and values, in the order of the text.
pub type Metadata<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// How long to wait between attempts; what is `None` is left to the server.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Backoff {
    /// After the first attempt.
    pub initial_ms: Option<u64>,
    /// Never longer than this.
    pub max_ms: Option<u64>,
    /// How many times longer from one attempt to the next.
    pub factor: Option<f64>,
}

impl<'a> Options<'a> {
    pub(super) fn set(&mut self, field: Field<'a>) -> Result<(), Box<Refusal>> {
        match field.name {
            "queue" => self.queue = Some(field.name()?),
            "priority" => {
                let priority = field.integer(0, PRIORITY_MAX.into())?;
                self.priority = u8::try_from(priority).ok();
            }
            "delay_ms" => self.delay_ms = Some(field.integer(0, DELAY_MS_MAX)?),
            "due_at" => self.due_at_us = Some(field.instant()?),
            "expires_at" => self.expires_at_us = Some(field.instant()?),
            "timeout_ms" => self.timeout_ms = Some(field.integer(1, ATTEMPT_TIMEOUT_MS_MAX)?),
            "max_attempts" => {
                let attempts = field.integer(1, ATTEMPTS_MAX.into())?;
                self.max_attempts = u32::try_from(attempts).ok();
            }
            "backoff" => self.backoff = Some(Backoff::decode(&field)?),
            "idempotency_key" => self.idempotency_key = Some(field.name()?),
            "retention_ms" => self.retention_ms = Some(field.integer(0, DELAY_MS_MAX)?),
            "metadata" => self.metadata = metadata(&field)?,
            "requires" => self.requires = labels(&field, REQUIRES_MAX, Expected::Labels)?,
            "traceparent" => self.traceparent = Some(field.traceparent()?),
            "tracestate" => self.tracestate = Some(field.tracestate()?),
            unknown => return Err(Refusal::unknown(unknown, &MEMBERS)),
        }
        Ok(())
    }

    pub(super) fn exclusive(&self) -> Result<(), Box<Refusal>> {
        if self.delay_ms.is_some() && self.due_at_us.is_some() {
            return Err(Refusal::of(Fault::Exclusive {
                one: "delay_ms",
                other: "due_at",
            }));
        }
        Ok(())
    }
}

impl Backoff {
    fn decode(field: &Field<'_>) -> Result<Self, Box<Refusal>> {
        let mut scanner = Scanner::new();
        let object = field
            .object(&mut scanner)
            .ok_or_else(|| field.expected(Expected::Object))?;
        let mut backoff = Self::default();
        for member in object.members() {
            let part = |name| Field::new(name, &object, member);
            match &*object.key(member) {
                "initial_ms" => {
                    let initial = part("backoff.initial_ms").integer(0, BACKOFF_MS_MAX)?;
                    backoff.initial_ms = Some(initial);
                }
                "max_ms" => {
                    backoff.max_ms = Some(part("backoff.max_ms").integer(0, BACKOFF_MS_MAX)?);
                }
                "factor" => {
                    let factor = part("backoff.factor").number(1.0, BACKOFF_FACTOR_MAX)?;
                    backoff.factor = Some(factor);
                }
                key => {
                    let known = ["initial_ms", "max_ms", "factor"];
                    return Err(Refusal::unknown(key, &known).under("/backoff"));
                }
            }
        }
        Ok(backoff)
    }
}

fn metadata<'a>(field: &Field<'a>) -> Result<Metadata<'a>, Box<Refusal>> {
    let wrong = || field.expected(Expected::Metadata);
    let mut scanner = Scanner::new();
    let object = field.object(&mut scanner).ok_or_else(wrong)?;
    if object.members().len() > METADATA_ENTRIES_MAX {
        return Err(wrong());
    }
    let entries = object.members().iter().map(|member| {
        let key = object.key(member);
        let value = object.string(member).ok_or_else(wrong)?;
        if key.len() > METADATA_BYTES_MAX || value.len() > METADATA_BYTES_MAX {
            return Err(wrong());
        }
        Ok((key, value))
    });
    entries.collect()
}
