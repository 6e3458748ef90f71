//! JSON on one line: what stands between its tokens is taken out, nothing else is touched.

use std::borrow::Cow;

/// The same JSON text without line breaks. Numbers keep every digit.
pub(super) fn on_one_line(json: &[u8]) -> Cow<'_, [u8]> {
    if !json.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return Cow::Borrowed(json.trim_ascii());
    }
    let (mut in_string, mut escaped) = (false, false);
    let is_kept = |byte: &u8| {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            return true;
        }
        in_string = *byte == b'"';
        !byte.is_ascii_whitespace()
    };
    Cow::Owned(json.iter().copied().filter(is_kept).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_tokens_goes() {
        let pretty =
            b"{\n  \"a b\\\\\": [1, 2],\r\n  \"c\\\"\\n d\": 123456789012345678901234567890\n}\n";
        assert_eq!(
            on_one_line(pretty).as_ref(),
            br#"{"a b\\":[1,2],"c\"\n d":123456789012345678901234567890}"#
        );
        assert!(matches!(on_one_line(b" 5 "), Cow::Borrowed(b"5")));
    }
}
