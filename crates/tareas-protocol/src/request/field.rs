//! Members of a request, read with their types.

use super::{Expected, Fault, Refusal, is_name};
use crate::id::{TaskIdBytes, parse_id};
use crate::json::{Flaw, FlawKind, Member, Object, Scanner, ValueKind};
use crate::lease::{LeaseBytes, parse_lease};
use crate::limits::{JSON_KEYS_MAX, REF_BYTES_MAX};
use crate::time::parse_instant;
use crate::trace::{TraceParent, is_tracestate, parse_traceparent};
use std::borrow::Cow;

/// A checked object without duplicate members, with the members of every envelope found.
#[derive(Debug)]
pub(super) struct Fields<'s, 'a> {
    object: Object<'s, 'a>,
    op: Option<usize>,
    cmd: Option<usize>,
    task_id: Option<usize>,
    reference: Option<usize>,
}

impl<'s, 'a> Fields<'s, 'a> {
    /// Scans an object. Its keys are counted, but judged by [`within_keys`](Self::within_keys):
    /// a batch may have more.
    pub(super) fn scan(scanner: &'s mut Scanner, text: &'a str) -> Result<Self, Box<Refusal>> {
        let object = scanner.envelope(text).map_err(Refusal::json)?;
        if let Some(member) = object.duplicate() {
            return Err(Refusal::of(Fault::duplicate(&object.key(member))));
        }
        let mut fields = Self {
            object,
            op: None,
            cmd: None,
            task_id: None,
            reference: None,
        };
        for (index, member) in object.members().iter().enumerate() {
            match object.key(member).as_bytes() {
                b"op" => fields.op = Some(index),
                b"cmd" => fields.cmd = Some(index),
                b"task_id" => fields.task_id = Some(index),
                b"ref" => fields.reference = Some(index),
                _ => {}
            }
        }
        Ok(fields)
    }

    pub(super) fn keys(&self) -> usize {
        self.object.keys()
    }

    pub(super) fn within_keys(&self) -> Result<(), Box<Refusal>> {
        if self.keys() <= JSON_KEYS_MAX {
            return Ok(());
        }
        let kind = FlawKind::TooManyKeys;
        Err(Refusal::json(Flaw { kind, at: 0 }))
    }

    pub(super) fn text(&self) -> &'a str {
        self.object.text()
    }

    pub(super) fn members(&self) -> &'s [Member] {
        self.object.members()
    }

    pub(super) fn key(&self, member: &Member) -> Cow<'a, str> {
        self.object.key(member)
    }

    /// Whether this is the short form.
    #[inline]
    pub(super) fn has_op(&self) -> bool {
        self.op.is_some()
    }

    #[inline]
    pub(super) fn op(&self) -> Option<Field<'a>> {
        self.at(self.op, "op")
    }

    pub(super) fn cmd(&self) -> Option<Field<'a>> {
        self.at(self.cmd, "cmd")
    }

    pub(super) fn find(&self, name: &'static str) -> Option<Field<'a>> {
        self.object
            .find(name)
            .map(|member| self.field(member, name))
    }

    #[inline]
    fn at(&self, index: Option<usize>, name: &'static str) -> Option<Field<'a>> {
        index.map(|index| self.field(&self.members()[index], name))
    }

    #[inline]
    pub(super) fn field(&self, member: &Member, name: &'static str) -> Field<'a> {
        Field::new(name, &self.object, member)
    }

    /// Whether the member at `index` belongs to the envelope of the short form.
    #[inline]
    pub(super) fn is_envelope(&self, index: usize) -> bool {
        let index = Some(index);
        index == self.op || index == self.reference || index == self.task_id
    }

    /// The task id, if there is one.
    #[inline]
    pub(super) fn task_id(&self) -> Result<Option<TaskIdBytes>, Box<Refusal>> {
        self.at(self.task_id, "task_id")
            .map(Field::task_id)
            .transpose()
    }

    /// The JSON text of `ref`, if there is one.
    #[inline]
    pub(super) fn reference(&self) -> Result<Option<&'a str>, Box<Refusal>> {
        let Some(field) = self.at(self.reference, "ref") else {
            return Ok(None);
        };
        let is_scalar = matches!(field.kind, ValueKind::Text | ValueKind::Number);
        if !is_scalar || field.text.len() > REF_BYTES_MAX {
            return Err(field.expected(Expected::Reference));
        }
        Ok(Some(field.text))
    }

    /// Refuses a member that is not among `known`.
    pub(super) fn only(&self, known: &[&'static str]) -> Result<(), Box<Refusal>> {
        for member in self.members() {
            let key = self.key(member);
            if !known.contains(&&*key) {
                return Err(Refusal::unknown(&key, known));
            }
        }
        Ok(())
    }
}

/// One member, with the name under which errors speak of it.
#[derive(Debug)]
pub(super) struct Field<'a> {
    /// Nested names are joined by dots, as in `backoff.factor`.
    pub(super) name: &'static str,
    pub(super) text: &'a str,
    pub(super) kind: ValueKind,
    string: Option<Cow<'a, str>>,
}

impl<'a> Field<'a> {
    #[inline]
    pub(super) fn new(name: &'static str, object: &Object<'_, 'a>, member: &Member) -> Self {
        Self {
            name,
            text: object.value(member),
            kind: member.kind,
            string: object.string(member),
        }
    }

    /// The refusal of this member's value.
    #[cold]
    pub(super) fn expected(&self, expected: Expected) -> Box<Refusal> {
        let pointer = format!("/{}", self.name.replace('.', "/"));
        let member = self.name;
        Refusal::of(Fault::WrongValue { member, expected }).at(pointer)
    }

    #[inline]
    pub(super) fn string(self) -> Result<Cow<'a, str>, Box<Refusal>> {
        match self.string {
            Some(string) => Ok(string),
            None => Err(self.expected(Expected::Text)),
        }
    }

    /// A string of at most so many bytes.
    pub(super) fn string_within(self, bytes_max: usize) -> Result<Cow<'a, str>, Box<Refusal>> {
        match self.string {
            Some(string) if string.len() <= bytes_max => Ok(string),
            _ => Err(self.expected(Expected::TextWithin { bytes_max })),
        }
    }

    #[inline]
    pub(super) fn name(self) -> Result<Cow<'a, str>, Box<Refusal>> {
        match self.string {
            Some(name) if is_name(&name) => Ok(name),
            _ => Err(self.expected(Expected::Name)),
        }
    }

    /// The name of a kind; a string that cannot be one names no kind.
    #[inline]
    pub(super) fn kind_name(self) -> Result<Cow<'a, str>, Box<Refusal>> {
        let pointer = self.name;
        let kind = self.string()?;
        if is_name(&kind) {
            return Ok(kind);
        }
        Err(Refusal::of(Fault::not_a_kind(&kind)).at(format!("/{pointer}")))
    }

    pub(super) fn integer(&self, min: u64, max: u64) -> Result<u64, Box<Refusal>> {
        let number = match self.kind {
            ValueKind::Number => self.text.parse().ok(),
            _ => None,
        };
        number
            .filter(|number| (min..=max).contains(number))
            .ok_or_else(|| self.expected(Expected::Integer { min, max }))
    }

    pub(super) fn number(&self, min: f64, max: f64) -> Result<f64, Box<Refusal>> {
        let number: Option<f64> = match self.kind {
            ValueKind::Number => self.text.parse().ok(),
            _ => None,
        };
        number
            .filter(|number| (min..=max).contains(number))
            .ok_or_else(|| self.expected(Expected::Number { min, max }))
    }

    pub(super) fn boolean(&self) -> Result<bool, Box<Refusal>> {
        match self.kind {
            ValueKind::True => Ok(true),
            ValueKind::False => Ok(false),
            _ => Err(self.expected(Expected::Boolean)),
        }
    }

    pub(super) fn task_id(self) -> Result<TaskIdBytes, Box<Refusal>> {
        let id = self.string.as_deref().and_then(parse_id);
        id.ok_or_else(|| self.expected(Expected::TaskId))
    }

    /// What an assignment was given with.
    pub(super) fn lease(self) -> Result<LeaseBytes, Box<Refusal>> {
        let lease = self.string.as_deref().and_then(parse_lease);
        lease.ok_or_else(|| self.expected(Expected::Lease))
    }

    /// The span of a trace.
    pub(super) fn traceparent(self) -> Result<TraceParent, Box<Refusal>> {
        let parent = self.string.as_deref().and_then(parse_traceparent);
        parent.ok_or_else(|| self.expected(Expected::TraceParent))
    }

    /// What tracing systems add to the span.
    pub(super) fn tracestate(self) -> Result<Cow<'a, str>, Box<Refusal>> {
        match self.string {
            Some(state) if is_tracestate(&state) => Ok(state),
            _ => Err(self.expected(Expected::TraceState)),
        }
    }

    /// RFC 3339, or whole milliseconds since 1970; as microseconds.
    pub(super) fn instant(&self) -> Result<i64, Box<Refusal>> {
        let micros = match (&self.string, self.kind) {
            (Some(text), _) => parse_instant(text),
            (None, ValueKind::Number) => {
                let millis = self.text.parse::<i64>().ok();
                millis.and_then(|millis| millis.checked_mul(1_000))
            }
            _ => None,
        };
        micros
            .filter(|micros| (0..=crate::time::LATEST_US).contains(micros))
            .ok_or_else(|| self.expected(Expected::Instant))
    }

    /// The members of an object value, in a scanner of their own.
    pub(super) fn object<'s>(&self, nested: &'s mut Scanner) -> Option<Object<'s, 'a>> {
        if self.kind != ValueKind::Object {
            return None;
        }
        let object = nested.object(self.text).ok()?;
        object.duplicate().is_none().then_some(object)
    }
}
