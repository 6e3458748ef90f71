//! Reading the payloads of built-ins: a text line gives a JSON string, the short JSON form an
//! object, and a bare number is taken where one is natural.
//!
//! Numbers stay text until [`Number`] reads them, so that no digit is lost.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::number::Number;
use crate::HandlerError;

/// A payload, one level deep.
#[derive(Debug)]
pub(super) enum Payload<'a> {
    Text(String),
    Number(&'a str),
    List(Vec<&'a RawValue>),
    Object(BTreeMap<String, &'a RawValue>),
    Other(&'a str),
}

/// The payload is not what the kind takes. `usage` says what that is.
pub(super) fn invalid(problem: impl std::fmt::Display, usage: &str) -> HandlerError {
    HandlerError::rejected(format!("{problem}; {usage}")).named("invalid_payload")
}

/// A piece of the user's input, short enough for an error message.
pub(super) fn quoted(text: &str) -> Cow<'_, str> {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("\"{}…\"", &text[..end])),
        None => Cow::Owned(format!("\"{text}\"")),
    }
}

impl<'a> Payload<'a> {
    pub(super) fn read(json: &'a [u8], usage: &str) -> Result<Self, HandlerError> {
        let raw = serde_json::from_slice::<&RawValue>(json)
            .map_err(|error| invalid(format_args!("not JSON: {error}"), usage))?;
        Self::of(raw.get()).map_err(|error| invalid(error, usage))
    }

    fn of(json: &'a str) -> serde_json::Result<Self> {
        Ok(match json.as_bytes().first() {
            Some(b'"') => Self::Text(serde_json::from_str(json)?),
            Some(b'-' | b'0'..=b'9') => Self::Number(json),
            Some(b'[') => Self::List(serde_json::from_str(json)?),
            Some(b'{') => Self::Object(serde_json::from_str(json)?),
            _ => Self::Other(json),
        })
    }

    /// The text of `"TEXT"` or `{"member":"TEXT"}`, whichever of the names it has.
    pub(super) fn into_text(self, members: &[&str], usage: &str) -> Result<String, HandlerError> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Object(object) => match Self::of(only(&object, members, usage)?.get()) {
                Ok(Self::Text(text)) => Ok(text),
                _ => Err(invalid(
                    format_args!("\"{}\" is not a text", members[0]),
                    usage,
                )),
            },
            other => Err(invalid(
                format_args!("{} is not a text", other.name()),
                usage,
            )),
        }
    }

    /// The number of `N`, `"N"`, `{"member":N}`, or of that object written in a text line.
    pub(super) fn into_number(self, member: &str, usage: &str) -> Result<Number, HandlerError> {
        match self {
            Self::Number(digits) => Number::parse(digits),
            Self::Text(text) => match object_in(&text) {
                Some(object) => number_of(only(&object, &[member], usage)?, usage),
                None if text.trim().is_empty() => Err(invalid("a number is missing", usage)),
                None => Number::parse(unquoted(&text)),
            },
            Self::Object(object) => number_of(only(&object, &[member], usage)?, usage),
            other => Err(invalid(
                format_args!("{} is not a number", other.name()),
                usage,
            )),
        }
    }

    /// What kind of JSON value this is, for an error message.
    pub(super) fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Text(_) => "a text".into(),
            Self::Number(_) => "a number".into(),
            Self::List(_) => "a list".into(),
            Self::Object(_) => "an object".into(),
            Self::Other(json) => json.to_string().into(),
        }
    }
}

/// The object that a text line spells out, if it does.
pub(super) fn object_in(text: &str) -> Option<BTreeMap<String, &RawValue>> {
    let text = text.trim();
    text.starts_with('{')
        .then(|| serde_json::from_str(text).ok())
        .flatten()
}

/// The text without a pair of quotes around it: people write `calc "2 + 2"` as in a shell.
pub(super) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text).trim()
}

/// A number, or a text that is one.
pub(super) fn number_of(value: &RawValue, usage: &str) -> Result<Number, HandlerError> {
    match Payload::of(value.get()) {
        Ok(Payload::Number(digits)) => Number::parse(digits),
        Ok(Payload::Text(text)) => Number::parse(text.trim()),
        _ => Err(invalid(
            format_args!("{} is not a number", quoted(value.get())),
            usage,
        )),
    }
}

/// The object's only member, which has one of the names.
fn only<'a>(
    object: &BTreeMap<String, &'a RawValue>,
    names: &[&str],
    usage: &str,
) -> Result<&'a RawValue, HandlerError> {
    refuse_others(object, names, usage)?;
    let found = names.iter().find_map(|name| object.get(*name).copied());
    found.ok_or_else(|| invalid(format_args!("\"{}\" is missing", names[0]), usage))
}

/// An error when the object has a member that is none of `names`.
pub(super) fn refuse_others(
    object: &BTreeMap<String, &RawValue>,
    names: &[&str],
    usage: &str,
) -> Result<(), HandlerError> {
    match object.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(invalid(
            format_args!("unknown member {}", quoted(name)),
            usage,
        )),
        None => Ok(()),
    }
}
