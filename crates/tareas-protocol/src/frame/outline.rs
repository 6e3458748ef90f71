//! Whether a JSON object is complete, told byte by byte.
//!
//! Follows nesting and strings and nothing else: whether the object is valid is for the
//! decoder to say.

/// What has been seen of the object that a stream may begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outline {
    /// Nothing but blanks yet.
    Blank,
    /// Something that is not an object, so only a newline or a silence ends it.
    Other,
    /// Inside so many braces and brackets.
    Open(u32),
    /// Inside a string, inside so many braces and brackets.
    InString(u32),
    /// After a backslash in such a string.
    Escaped(u32),
}

impl Outline {
    pub(super) fn new() -> Self {
        Self::Blank
    }

    /// Takes the next byte; true when it completes the object.
    pub(super) fn push(&mut self, byte: u8) -> bool {
        *self = match (*self, byte) {
            (Self::Blank, b' ' | b'\t' | b'\r' | b'\n') => Self::Blank,
            (Self::Blank, b'{') => Self::Open(1),
            (Self::Blank | Self::Other, _) => Self::Other,
            (Self::Open(depth), b'{' | b'[') => Self::Open(depth + 1),
            (Self::Open(1), b'}' | b']') => return true,
            (Self::Open(depth), b'}' | b']') => Self::Open(depth - 1),
            (Self::Open(depth), b'"') => Self::InString(depth),
            (Self::InString(depth), b'\\') => Self::Escaped(depth),
            (Self::InString(depth), b'"') => Self::Open(depth),
            (Self::Escaped(depth), _) => Self::InString(depth),
            (unchanged, _) => unchanged,
        };
        false
    }
}
