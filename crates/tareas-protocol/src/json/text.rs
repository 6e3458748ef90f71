//! Strings inside JSON: where the plain part ends, and what escapes mean.

use std::borrow::Cow;

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
const QUOTES: u64 = u64::from_ne_bytes([b'"'; 8]);
const SLASHES: u64 = u64::from_ne_bytes([b'\\'; 8]);
const BLANKS: u64 = u64::from_ne_bytes([0x20; 8]);

/// The first position from `at` on of a quote, a backslash or a control character, or the end.
///
/// Eight bytes at a time: each of the three tests sets the high bit of a byte that meets it.
/// A borrow can set one falsely only above a true one, and the lowest is what is asked for.
#[inline]
pub(super) fn plain_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ QUOTES;
        let slash = word ^ SLASHES;
        let found = (quote.wrapping_sub(ONES) & !quote
            | slash.wrapping_sub(ONES) & !slash
            | word.wrapping_sub(BLANKS) & !word)
            & HIGHS;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = bytes.get(at) {
        if byte < 0x20 || byte == b'"' || byte == b'\\' {
            break;
        }
        at += 1;
    }
    at
}

/// The UTF-16 unit of a `\uXXXX` escape that begins at `at`.
pub(super) fn unit(bytes: &[u8], at: usize) -> Option<u32> {
    let escape = bytes.get(at..)?.first_chunk::<6>()?;
    if escape[..2] != *b"\\u" {
        return None;
    }
    escape[2..].iter().try_fold(0, |unit, byte| {
        Some(unit << 4 | char::from(*byte).to_digit(16)?)
    })
}

/// What the inside of a scanned string means. Borrows when nothing is escaped.
///
/// For a text that no [`Scanner`](super::Scanner) has accepted, escapes that mean nothing come
/// out as U+FFFD.
#[must_use]
pub fn unescape(raw: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', raw.as_bytes()) else {
        return Cow::Borrowed(raw);
    };
    let mut meaning = String::with_capacity(raw.len());
    meaning.push_str(&raw[..first]);
    let mut rest = &raw[first..];
    while rest.starts_with('\\') {
        let (character, length) = escaped(rest);
        meaning.push(character);
        rest = rest.get(length..).unwrap_or("");
        let plain = memchr::memchr(b'\\', rest.as_bytes()).unwrap_or(rest.len());
        meaning.push_str(&rest[..plain]);
        rest = &rest[plain..];
    }
    Cow::Owned(meaning)
}

/// The character of the escape at the beginning of `text`, and how long the escape is.
fn escaped(text: &str) -> (char, usize) {
    let character = match text.as_bytes().get(1) {
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => return unicode(text.as_bytes()),
        Some(&byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
        _ => return (char::REPLACEMENT_CHARACTER, 1),
    };
    (character, 2)
}

fn unicode(bytes: &[u8]) -> (char, usize) {
    let Some(first) = unit(bytes, 0) else {
        return (char::REPLACEMENT_CHARACTER, 2);
    };
    if let (0xD800..=0xDBFF, Some(second @ 0xDC00..=0xDFFF)) = (first, unit(bytes, 6)) {
        let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        let pair = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        return (pair, 12);
    }
    let single = char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER);
    (single, 6)
}

/// Whether a character would steer a terminal instead of being shown.
pub(crate) fn is_control(character: char) -> bool {
    character.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_part_ends_at_the_first_special_byte_wherever_it_stands() {
        for length in 0..40 {
            for special in [b'"', b'\\', 0x00, 0x1f] {
                let mut bytes = vec![b'a'; length];
                bytes.push(special);
                bytes.extend_from_slice(b"\"tail of it");
                assert_eq!(plain_end(&bytes, 0), length);
            }
        }
        let plain = "añ€😀\u{7f}~ !#[]".repeat(3);
        assert_eq!(plain_end(plain.as_bytes(), 0), plain.len());
    }

    #[test]
    fn escapes_mean_what_the_standard_says() {
        let table = [
            ("plain", "plain"),
            (r#"a\"b\\c\/d"#, "a\"b\\c/d"),
            (r"\b\f\n\r\t", "\u{8}\u{c}\n\r\t"),
            (r"\u00f1and\u0000", "ñand\0"),
            (r"\ud83d\uDE00!", "😀!"),
            (r"x\ud83dy", "x\u{fffd}y"),
        ];
        for (raw, meaning) in table {
            assert_eq!(unescape(raw), meaning);
        }
        assert!(matches!(unescape("plain"), Cow::Borrowed(_)));
    }
}
