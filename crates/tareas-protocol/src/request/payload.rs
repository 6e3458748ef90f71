//! The payload of a submission, in whatever shape the line held it.

use crate::json::{append_on_one_line, append_string};
use bytes::Bytes;
use std::borrow::Cow;

/// A payload that has been checked but not yet written as JSON of its own.
///
/// Two payloads are equal when they are written alike.
#[derive(Debug, Clone)]
pub enum Payload<'a> {
    /// A JSON text.
    Json(Cow<'a, str>),
    /// The members of an object, without its braces.
    Members(&'a str),
    /// The words of a text line: a string, not yet quoted.
    Words(&'a str),
}

impl Payload<'_> {
    /// Appends the payload as one JSON text on one line.
    #[inline]
    pub fn append_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Json(text) => append_on_one_line(out, text.as_bytes()),
            Self::Members(members) => {
                out.reserve(members.len() + 2);
                out.push(b'{');
                append_on_one_line(out, members.as_bytes());
                out.push(b'}');
            }
            Self::Words(words) => append_string(out, words),
        }
    }

    /// How long the JSON text is; for words, how long it is at least.
    #[must_use]
    pub fn len_hint(&self) -> usize {
        match self {
            Self::Json(text) => text.len(),
            Self::Members(text) | Self::Words(text) => text.len() + 2,
        }
    }

    /// The payload as a JSON text of its own.
    #[inline]
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = Vec::with_capacity(self.len_hint());
        self.append_to(&mut out);
        out.into()
    }
}

impl PartialEq for Payload<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}
