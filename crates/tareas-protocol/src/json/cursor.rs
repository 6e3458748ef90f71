//! A position in a JSON text, and how to step over one value from there.
//!
//! Nothing recurses: the kinds of the open containers are the bits of one integer, which is
//! why the depth limit is 64.

use super::scan::{Flaw, FlawKind, ValueKind};
use super::text::{plain_end, unit};
use crate::limits::JSON_DEPTH_MAX;

const _: () = assert!(
    JSON_DEPTH_MAX <= u64::BITS,
    "open containers are bits of a u64"
);

/// Where the check has got to. `keys` counts object keys at every depth.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) keys: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            bytes: text.as_bytes(),
            at: 0,
            keys: 0,
        }
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The byte at the position; 0, which is valid nowhere outside a value, at the end.
    #[inline]
    pub(super) fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    #[cold]
    pub(super) fn flaw(&self, kind: FlawKind) -> Flaw {
        let kind = if self.at_end() {
            FlawKind::UnexpectedEnd
        } else {
            kind
        };
        Flaw { kind, at: self.at }
    }

    /// Steps over a key, its colon and the blanks around it; says where the key ended (the
    /// closing quote) and whether it has escapes.
    #[inline]
    pub(super) fn key(&mut self) -> Result<(usize, bool), Flaw> {
        if self.peek() != b'"' {
            return Err(self.flaw(FlawKind::Unexpected));
        }
        self.keys += 1;
        let escaped = self.string()?;
        let end = self.at - 1;
        self.blanks();
        if self.peek() != b':' {
            return Err(self.flaw(FlawKind::Unexpected));
        }
        self.at += 1;
        self.blanks();
        Ok((end, escaped))
    }

    /// Steps over one value with `above` containers open around it; says what it is, and for a
    /// string whether it has escapes.
    #[inline]
    pub(super) fn value(&mut self, above: u32) -> Result<(ValueKind, bool), Flaw> {
        match self.peek() {
            b'{' => self.container(above).map(|()| (ValueKind::Object, false)),
            b'[' => self.container(above).map(|()| (ValueKind::Array, false)),
            _ => self.scalar(),
        }
    }

    #[inline]
    fn scalar(&mut self) -> Result<(ValueKind, bool), Flaw> {
        match self.peek() {
            b'"' => self.string().map(|escaped| (ValueKind::Text, escaped)),
            b'-' | b'0'..=b'9' => self.number().map(|()| (ValueKind::Number, false)),
            b't' => self.word(b"true").map(|()| (ValueKind::True, false)),
            b'f' => self.word(b"false").map(|()| (ValueKind::False, false)),
            b'n' => self.word(b"null").map(|()| (ValueKind::Null, false)),
            _ => Err(self.flaw(FlawKind::Unexpected)),
        }
    }

    /// Steps over an array or object and everything inside it.
    #[inline(never)]
    fn container(&mut self, above: u32) -> Result<(), Flaw> {
        let mut depth = above;
        let mut objects = 0_u64;
        loop {
            let byte = self.peek();
            if matches!(byte, b'{' | b'[') {
                if depth >= JSON_DEPTH_MAX {
                    return Err(self.flaw(FlawKind::TooDeep));
                }
                let is_object = byte == b'{';
                depth += 1;
                objects = objects << 1 | u64::from(is_object);
                self.at += 1;
                self.blanks();
                if self.peek() != closer(is_object) {
                    if is_object {
                        self.key()?;
                    }
                    continue;
                }
            } else {
                self.scalar()?;
            }
            if self.after_value(above, &mut depth, &mut objects)? {
                return Ok(());
            }
        }
    }

    /// After a value, or before the closer of an empty container: closes what closes here and
    /// steps to the next value. True when the outermost container is closed.
    fn after_value(
        &mut self,
        above: u32,
        depth: &mut u32,
        objects: &mut u64,
    ) -> Result<bool, Flaw> {
        loop {
            self.blanks();
            let in_object = *objects & 1 == 1;
            let byte = self.peek();
            if byte == b',' {
                self.at += 1;
                self.blanks();
                if in_object {
                    self.key()?;
                }
                return Ok(false);
            }
            if byte != closer(in_object) {
                return Err(self.flaw(FlawKind::Unexpected));
            }
            self.at += 1;
            *objects >>= 1;
            *depth -= 1;
            if *depth == above {
                return Ok(true);
            }
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Flaw> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(self.flaw(FlawKind::Unexpected));
        }
        self.at += word.len();
        Ok(())
    }

    /// Steps over a string, from its opening quote to after the closing one; says whether it
    /// has escapes.
    #[inline]
    fn string(&mut self) -> Result<bool, Flaw> {
        self.at += 1;
        let mut escaped = false;
        loop {
            self.at = plain_end(self.bytes, self.at);
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok(escaped);
                }
                b'\\' => {
                    self.escape()?;
                    escaped = true;
                }
                _ => return Err(self.flaw(FlawKind::ControlCharacter)),
            }
        }
    }

    #[inline(never)]
    fn escape(&mut self) -> Result<(), Flaw> {
        match self.bytes.get(self.at + 1).copied() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => return self.unicode_escape(),
            _ => {
                self.at += 1;
                return Err(self.flaw(FlawKind::BadEscape));
            }
        }
        Ok(())
    }

    fn unicode_escape(&mut self) -> Result<(), Flaw> {
        let first = unit(self.bytes, self.at).ok_or_else(|| self.flaw(FlawKind::BadEscape))?;
        if matches!(first, 0xDC00..=0xDFFF) {
            return Err(self.flaw(FlawKind::LoneSurrogate));
        }
        if matches!(first, 0xD800..=0xDBFF) {
            let second = unit(self.bytes, self.at + 6);
            if !matches!(second, Some(0xDC00..=0xDFFF)) {
                return Err(self.flaw(FlawKind::LoneSurrogate));
            }
            self.at += 6;
        }
        self.at += 6;
        Ok(())
    }

    fn number(&mut self) -> Result<(), Flaw> {
        if self.peek() == b'-' {
            self.at += 1;
        }
        if self.peek() == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> Result<(), Flaw> {
        let first = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == first {
            return Err(self.flaw(FlawKind::BadNumber));
        }
        Ok(())
    }
}

fn closer(is_object: bool) -> u8 {
    if is_object { b'}' } else { b']' }
}
