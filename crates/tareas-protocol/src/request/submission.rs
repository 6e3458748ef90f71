//! Submissions: a kind, a payload, and what else one may ask for.

use super::field::Fields;
use super::{Expected, Fault, Options, Payload, Refusal};
use crate::id::TaskIdBytes;
use std::borrow::Cow;

/// The members of the full form.
pub(super) const MEMBERS: [&str; 20] = [
    "cmd",
    "kind",
    "payload",
    "ref",
    "task_id",
    "wait",
    "queue",
    "priority",
    "delay_ms",
    "due_at",
    "expires_at",
    "timeout_ms",
    "max_attempts",
    "backoff",
    "idempotency_key",
    "retention_ms",
    "metadata",
    "requires",
    "traceparent",
    "tracestate",
];

/// One task to be accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission<'a> {
    /// What is to be done; has the form of a name.
    pub kind: Cow<'a, str>,
    /// With what. The full form without one means `null`.
    pub payload: Payload<'a>,
    /// The id that the client made for it.
    pub task_id: Option<TaskIdBytes>,
    /// The JSON text of its `ref`.
    pub reference: Option<&'a str>,
    /// Whether the end is to be told, besides the acknowledgement.
    pub wait: bool,
    /// What only the full form can say, when it says any of it.
    pub options: Option<Box<Options<'a>>>,
}

impl<'a> Submission<'a> {
    /// The task that a text line asks for.
    #[must_use]
    pub fn from_text(kind: &'a str, rest: &'a str) -> Self {
        Self {
            kind: Cow::Borrowed(kind),
            payload: Payload::Words(rest),
            task_id: None,
            reference: None,
            wait: true,
            options: None,
        }
    }

    /// Decodes either form; the full form may leave out `cmd`.
    pub(super) fn decode(
        fields: &Fields<'_, 'a>,
        reference: Option<&'a str>,
    ) -> Result<Self, Box<Refusal>> {
        if fields.has_op() {
            return Self::short(fields, reference);
        }
        if let Some(cmd) = fields.cmd()
            && cmd.text != "\"submit\""
        {
            return Err(cmd.expected(Expected::SubmitCommand));
        }
        Self::full(fields, reference)
    }

    /// Decodes the short form, which has an `op`.
    #[inline]
    pub(super) fn short(
        fields: &Fields<'_, 'a>,
        reference: Option<&'a str>,
    ) -> Result<Self, Box<Refusal>> {
        let kind = match fields.op() {
            Some(op) => op.kind_name()?,
            None => return Err(Refusal::of(Fault::Missing { member: "op" })),
        };
        Ok(Self {
            kind,
            payload: short_payload(fields),
            task_id: fields.task_id()?,
            reference,
            wait: true,
            options: None,
        })
    }

    /// Decodes the full form.
    pub(super) fn full(
        fields: &Fields<'_, 'a>,
        reference: Option<&'a str>,
    ) -> Result<Self, Box<Refusal>> {
        let mut kind = None;
        let mut payload = "null";
        let mut wait = true;
        let mut options: Option<Box<Options<'a>>> = None;
        for member in fields.members() {
            let key = fields.key(member);
            let Some(&name) = MEMBERS.iter().find(|name| **name == key) else {
                return Err(Refusal::unknown(&key, &MEMBERS));
            };
            let field = fields.field(member, name);
            match name {
                "cmd" | "ref" | "task_id" => {}
                "kind" => kind = Some(field.kind_name()?),
                "payload" => payload = field.text,
                "wait" => wait = field.boolean()?,
                _ => options.get_or_insert_default().set(field)?,
            }
        }
        if let Some(options) = &options {
            options.exclusive()?;
        }
        Ok(Self {
            kind: kind.ok_or_else(|| Refusal::of(Fault::Missing { member: "kind" }))?,
            payload: Payload::Json(Cow::Borrowed(payload)),
            task_id: fields.task_id()?,
            reference,
            wait,
            options,
        })
    }
}

/// Every member of the short form but the envelope's, as an object. Usually they stand side by
/// side, and then nothing is copied.
#[inline]
fn short_payload<'a>(fields: &Fields<'_, 'a>) -> Payload<'a> {
    let members = fields.members();
    let mut own = members
        .iter()
        .enumerate()
        .filter(|(index, _)| !fields.is_envelope(*index))
        .map(|(index, _)| index);
    let Some(first) = own.next() else {
        return Payload::Json(Cow::Borrowed("{}"));
    };
    let count = 1 + own.clone().count();
    let last = own.next_back().unwrap_or(first);
    if last - first + 1 == count {
        // A key's span is without its quotes.
        let from = members[first].key.start as usize - 1;
        return Payload::Members(&fields.text()[from..members[last].value.end as usize]);
    }
    gathered(fields)
}

#[cold]
fn gathered<'a>(fields: &Fields<'_, 'a>) -> Payload<'a> {
    let mut text = String::with_capacity(fields.text().len());
    for (index, member) in fields.members().iter().enumerate() {
        if fields.is_envelope(index) {
            continue;
        }
        text.push(if text.is_empty() { '{' } else { ',' });
        let from = member.key.start as usize - 1;
        text.push_str(&fields.text()[from..member.value.end as usize]);
    }
    text.push('}');
    Payload::Json(Cow::Owned(text))
}
