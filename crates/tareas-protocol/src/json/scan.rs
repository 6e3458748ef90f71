//! The scanner: one pass that checks a whole text and notes its outermost members.

use super::cursor::Cursor;
use super::text::unescape;
use crate::limits::JSON_KEYS_MAX;
use std::borrow::Cow;
use std::collections::HashSet;

/// Up to so many members are compared pair by pair; beyond, through a set.
const PAIRWISE_MAX: usize = 24;

/// What a JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// `null`
    Null,
    /// `false`
    False,
    /// `true`
    True,
    /// A number, kept as its text.
    Number,
    /// A string.
    Text,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// Why a text was refused, and the byte where that showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flaw {
    /// What is wrong.
    pub kind: FlawKind,
    /// Offset in bytes.
    pub at: usize,
}

/// What can be wrong with a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlawKind {
    /// It is not UTF-8.
    NotUtf8,
    /// It stops in the middle of a value.
    UnexpectedEnd,
    /// A character that JSON does not allow there.
    Unexpected,
    /// Something follows the value.
    Trailing,
    /// It is not an object, where one is required.
    NotObject,
    /// It is not an array, where one is required.
    NotArray,
    /// A control character inside a string.
    ControlCharacter,
    /// An escape that JSON does not have.
    BadEscape,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// A number without the digits it needs.
    BadNumber,
    /// Nested deeper than the limit.
    TooDeep,
    /// More keys than the limit.
    TooManyKeys,
}

/// A stretch of the scanned text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The spans of this crate lie in texts that a line or body limit has bounded.
    #[inline]
    fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    #[inline]
    pub(crate) fn of(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }
}

/// One outermost member of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The key, without its quotes, as written.
    pub key: Span,
    /// The value; a string with its quotes.
    pub value: Span,
    /// What the value is.
    pub kind: ValueKind,
    /// Whether the key is written with escapes.
    pub key_escaped: bool,
    /// Whether the value is a string written with escapes.
    pub value_escaped: bool,
}

/// Checks texts, one after the other, and keeps its memory between them.
#[derive(Debug, Default)]
pub struct Scanner {
    members: Vec<Member>,
}

impl Scanner {
    /// A scanner that has not allocated anything yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks any single JSON value, limits included, and says what it is.
    pub fn check(text: &str) -> Result<ValueKind, Flaw> {
        let mut cursor = begin(text)?;
        cursor.blanks();
        let (kind, _) = cursor.value(0)?;
        finish(&mut cursor)?;
        within_keys(cursor.keys, 0)?;
        Ok(kind)
    }

    /// Checks an object, limits included, and notes its members in the order of the text.
    pub fn object<'s, 'a>(&'s mut self, text: &'a str) -> Result<Object<'s, 'a>, Flaw> {
        let object = self.envelope(text)?;
        within_keys(object.keys, 0)?;
        Ok(object)
    }

    /// Like [`object`](Self::object), but leaves to the caller how many keys may be nested.
    pub(crate) fn envelope<'s, 'a>(&'s mut self, text: &'a str) -> Result<Object<'s, 'a>, Flaw> {
        self.members.clear();
        let mut cursor = begin(text)?;
        open(&mut cursor, b'{', FlawKind::NotObject)?;
        if cursor.peek() == b'}' {
            cursor.at += 1;
        } else {
            while self.member(&mut cursor)? {}
        }
        finish(&mut cursor)?;
        Ok(Object {
            text,
            members: &self.members,
            keys: cursor.keys,
        })
    }

    /// Steps over one member and what follows it; true when another one must come.
    #[inline]
    fn member(&mut self, cursor: &mut Cursor<'_>) -> Result<bool, Flaw> {
        let key_start = cursor.at + 1;
        let (key_end, key_escaped) = cursor.key()?;
        let value_start = cursor.at;
        let (kind, value_escaped) = cursor.value(1)?;
        within_keys(self.members.len() + 1, cursor.at)?;
        self.members.push(Member {
            key: Span::new(key_start, key_end),
            value: Span::new(value_start, cursor.at),
            kind,
            key_escaped,
            value_escaped,
        });
        separator(cursor, b'}')
    }

    /// Checks an array and appends the spans of its elements. The number of keys is left to
    /// whoever scans the elements; `elements_max` bounds what is allocated, and one span more
    /// than that tells that there were too many.
    pub(crate) fn array(
        text: &str,
        elements_max: usize,
        elements: &mut Vec<Span>,
    ) -> Result<(), Flaw> {
        let mut cursor = begin(text)?;
        open(&mut cursor, b'[', FlawKind::NotArray)?;
        if cursor.peek() == b']' {
            cursor.at += 1;
            return finish(&mut cursor);
        }
        loop {
            let start = cursor.at;
            cursor.value(1)?;
            elements.push(Span::new(start, cursor.at));
            if elements.len() > elements_max {
                return Ok(());
            }
            if !separator(&mut cursor, b']')? {
                return finish(&mut cursor);
            }
        }
    }
}

/// Spans hold 32 bits, so a text beyond them is refused rather than cut.
fn begin(text: &str) -> Result<Cursor<'_>, Flaw> {
    if u32::try_from(text.len()).is_err() {
        return Err(Flaw {
            kind: FlawKind::Unexpected,
            at: u32::MAX as usize,
        });
    }
    Ok(Cursor::new(text))
}

fn open(cursor: &mut Cursor<'_>, opener: u8, otherwise: FlawKind) -> Result<(), Flaw> {
    cursor.blanks();
    if cursor.peek() != opener {
        return Err(cursor.flaw(otherwise));
    }
    cursor.at += 1;
    cursor.blanks();
    Ok(())
}

/// After a member or element: true when a comma follows, false when `closer` does.
#[inline]
fn separator(cursor: &mut Cursor<'_>, closer: u8) -> Result<bool, Flaw> {
    cursor.blanks();
    let byte = cursor.peek();
    if byte != b',' && byte != closer {
        return Err(cursor.flaw(FlawKind::Unexpected));
    }
    cursor.at += 1;
    if byte == b',' {
        cursor.blanks();
    }
    Ok(byte == b',')
}

fn finish(cursor: &mut Cursor<'_>) -> Result<(), Flaw> {
    cursor.blanks();
    if cursor.at_end() {
        return Ok(());
    }
    Err(cursor.flaw(FlawKind::Trailing))
}

fn within_keys(keys: usize, at: usize) -> Result<(), Flaw> {
    if keys <= JSON_KEYS_MAX {
        return Ok(());
    }
    let kind = FlawKind::TooManyKeys;
    Err(Flaw { kind, at })
}

/// A checked object: its text and its outermost members.
#[derive(Debug, Clone, Copy)]
pub struct Object<'s, 'a> {
    text: &'a str,
    members: &'s [Member],
    keys: usize,
}

impl<'s, 'a> Object<'s, 'a> {
    /// The members, in the order of the text.
    #[must_use]
    pub fn members(&self) -> &'s [Member] {
        self.members
    }

    /// How many keys there are at every depth.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.keys
    }

    /// The text that was scanned.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The key of a member, as it is meant.
    #[inline]
    #[must_use]
    pub fn key(&self, member: &Member) -> Cow<'a, str> {
        let raw = member.key.of(self.text);
        if member.key_escaped {
            return unescape(raw);
        }
        Cow::Borrowed(raw)
    }

    /// The JSON text of a member's value.
    #[inline]
    #[must_use]
    pub fn value(&self, member: &Member) -> &'a str {
        member.value.of(self.text)
    }

    /// What a member's string value means; `None` when it is not a string.
    #[inline]
    #[must_use]
    pub fn string(&self, member: &Member) -> Option<Cow<'a, str>> {
        if member.kind != ValueKind::Text {
            return None;
        }
        let quoted = self.value(member);
        let raw = &quoted[1..quoted.len() - 1];
        if member.value_escaped {
            return Some(unescape(raw));
        }
        Some(Cow::Borrowed(raw))
    }

    /// The first member with this key.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&'s Member> {
        self.members.iter().find(|member| self.key(member) == key)
    }

    /// A member whose key, as it is meant, stands at an earlier one already.
    #[inline]
    #[must_use]
    pub fn duplicate(&self) -> Option<&'s Member> {
        if self.all_differ() {
            return None;
        }
        self.compare_keys()
    }

    /// A quick look that settles most objects: no two keys alike in length, first and last byte.
    /// False says nothing.
    #[inline]
    fn all_differ(&self) -> bool {
        let mut seen = 0_u64;
        self.members.iter().all(|member| {
            let key = member.key.of(self.text).as_bytes();
            let (Some(first), Some(last)) = (key.first(), key.last()) else {
                return false;
            };
            let length = key.len() as u32;
            let mark = u32::from(*first) ^ u32::from(*last).rotate_left(3) ^ length;
            let bit = 1 << (mark % u64::BITS);
            let is_new = seen & bit == 0 && !member.key_escaped;
            seen |= bit;
            is_new
        })
    }

    fn compare_keys(&self) -> Option<&'s Member> {
        if self.members.len() > PAIRWISE_MAX {
            let mut seen = HashSet::with_capacity(self.members.len());
            return self
                .members
                .iter()
                .find(|member| !seen.insert(self.key(member)));
        }
        let mut members = self.members.iter().enumerate();
        members
            .find(|(index, member)| {
                let before = &self.members[..*index];
                before.iter().any(|earlier| self.same_key(earlier, member))
            })
            .map(|(_, member)| member)
    }

    #[inline]
    fn same_key(&self, one: &Member, other: &Member) -> bool {
        if one.key_escaped || other.key_escaped {
            return self.key(one) == self.key(other);
        }
        one.key.of(self.text) == other.key.of(self.text)
    }
}
