//! Arrays of names: labels, kinds, queues.

use super::field::Field;
use super::{Expected, Refusal, is_name};
use crate::json::{Scanner, ValueKind, unescape};
use std::borrow::Cow;

/// At most so many names.
pub(super) fn names<'a>(field: &Field<'a>, most: usize) -> Result<Vec<Cow<'a, str>>, Box<Refusal>> {
    names_as(field, most, Expected::Names { most })
}

/// The same, with what to say otherwise.
pub(super) fn names_as<'a>(
    field: &Field<'a>,
    most: usize,
    expected: Expected,
) -> Result<Vec<Cow<'a, str>>, Box<Refusal>> {
    let wrong = || field.expected(expected);
    if field.kind != ValueKind::Array {
        return Err(wrong());
    }
    let mut spans = Vec::new();
    Scanner::array(field.text, most, &mut spans).map_err(|_| wrong())?;
    if spans.len() > most {
        return Err(wrong());
    }
    let names = spans.iter().map(|span| {
        let text = span.of(field.text);
        let raw = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let name = raw.map(unescape).ok_or_else(wrong)?;
        is_name(&name).then_some(name).ok_or_else(wrong)
    });
    names.collect()
}
