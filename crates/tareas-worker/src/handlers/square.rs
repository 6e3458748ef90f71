//! `square`: the kind that benchmarks use, so the usual form has a short path.

use bytes::Bytes;

use super::payload::Payload;
use crate::{Context, HandlerError, Registry};

const USAGE: &str = "square takes one number: `square 5` or {\"n\":5}";

pub(super) fn register(registry: &mut Registry) {
    registry
        .register_raw("square", square)
        .describe("A number times itself.", "Un número por sí mismo.")
        .example("square 5", r#"{"op":"square","n":5}"#)
        .not_retryable();
}

fn square(_: &Context, payload: Bytes) -> Result<Bytes, HandlerError> {
    if let Some(n) = small(&payload) {
        return Ok(decimal_digits((n * n).unsigned_abs()));
    }
    let n = Payload::read(&payload, USAGE)?.into_number("n", USAGE)?;
    n.multiply(&n)?.to_json()
}

/// The integer of `{"n":INTEGER}` with at most nine digits, exactly so written.
fn small(payload: &[u8]) -> Option<i64> {
    let text = payload.strip_prefix(b"{\"n\":")?.strip_suffix(b"}")?;
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let plain = matches!(digits, [b'0'] | [b'1'..=b'9', ..]) && digits.len() <= 9;
    if !plain || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |value, digit| value * 10 + i64::from(digit - b'0')),
    )
}

fn decimal_digits(mut value: u64) -> Bytes {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] += (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return Bytes::copy_from_slice(&digits[start..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_path_takes_only_what_it_reads_exactly() {
        let cases: [(&str, Option<i64>); 9] = [
            (r#"{"n":5}"#, Some(5)),
            (r#"{"n":-5}"#, Some(5)), // The sign does not matter for the square.
            (r#"{"n":0}"#, Some(0)),
            (r#"{"n":999999999}"#, Some(999_999_999)),
            (r#"{"n":1000000000}"#, None),
            (r#"{"n":05}"#, None),
            (r#"{"n":}"#, None),
            (r#"{"n":2.5}"#, None),
            (r#"{"n": 5}"#, None),
        ];
        for (payload, expected) in cases {
            assert_eq!(small(payload.as_bytes()), expected, "{payload}");
        }
        assert_eq!(decimal_digits(0), "0");
        assert_eq!(decimal_digits(u64::MAX), u64::MAX.to_string());
    }
}
