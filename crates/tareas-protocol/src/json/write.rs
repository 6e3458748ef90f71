//! JSON out: appended to a `Vec<u8>`, without a serializer.

use super::text::plain_end;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` as a JSON string, quotes included.
pub fn append_string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let end = plain_end(bytes, from);
        out.extend_from_slice(&bytes[from..end]);
        let Some(&special) = bytes.get(end) else {
            break;
        };
        append_escape(out, special);
        from = end + 1;
    }
    out.push(b'"');
}

fn append_escape(out: &mut Vec<u8>, special: u8) {
    let short = match special {
        b'"' | b'\\' => special,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => return append_unit(out, u16::from(special)),
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Appends a `\uXXXX` escape.
fn append_unit(out: &mut Vec<u8>, unit: u16) {
    out.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        out.push(HEX[usize::from(unit >> shift & 0xf)]);
    }
}

/// Appends an unsigned integer.
pub fn append_u64(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0_u8; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// Appends a signed integer.
pub fn append_i64(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    append_u64(out, number.unsigned_abs());
}

/// Appends a valid JSON text so that it stays on one line.
///
/// A line end cannot stand inside a JSON string, so wherever one stands in a valid text it is
/// white space, and a blank means the same.
#[inline]
pub fn append_on_one_line(out: &mut Vec<u8>, json: &[u8]) {
    let from = out.len();
    out.extend_from_slice(json);
    if memchr::memchr2(b'\n', b'\r', json).is_some() {
        for byte in &mut out[from..] {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
}

/// Appends a valid JSON text so that it stays on one line and steers no terminal: what a string
/// may hold unescaped and a terminal would obey (U+007F to U+009F) is escaped.
pub(crate) fn append_escaped_controls(out: &mut Vec<u8>, json: &str) {
    let mut buffer = [0; 4];
    for character in json.chars() {
        match character {
            '\n' | '\r' | '\t' => out.push(b' '),
            '\u{7f}'..='\u{9f}' => append_unit(out, character as u16),
            _ => out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped_just_where_they_must_be() {
        let mut out = Vec::new();
        append_string(&mut out, "a\"b\\c\n\u{1}\u{7f}ñ😀");
        assert_eq!(out, "\"a\\\"b\\\\c\\n\\u0001\u{7f}ñ😀\"".as_bytes());
    }

    #[test]
    fn integers_are_written_to_their_ends() {
        let mut out = Vec::new();
        for number in [0, 7, 10, -1, i64::MIN, i64::MAX] {
            out.clear();
            append_i64(&mut out, number);
            assert_eq!(out, number.to_string().as_bytes());
        }
    }

    #[test]
    fn a_pretty_printed_text_becomes_one_line() {
        let mut out = b"x".to_vec();
        append_on_one_line(&mut out, b"{\r\n  \"a\": 1\n}");
        assert_eq!(out, b"x{    \"a\": 1 }");
    }
}
