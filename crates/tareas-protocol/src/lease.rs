//! Leases as text: the 32 hexadecimal digits by which a worker shows that it was given an attempt.

/// A lease, as bytes.
pub type LeaseBytes = [u8; 16];

/// Length of a lease's text.
pub const LEASE_TEXT_LEN: usize = 32;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The text of a lease, in lower case.
#[must_use]
pub fn format_lease(lease: &LeaseBytes) -> [u8; LEASE_TEXT_LEN] {
    let mut text = [b'0'; LEASE_TEXT_LEN];
    for (byte, pair) in lease.iter().zip(text.chunks_exact_mut(2)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0xf)];
    }
    text
}

/// Reads the text of a lease: 32 digits of either case.
#[must_use]
pub fn parse_lease(text: &str) -> Option<LeaseBytes> {
    let text: &[u8; LEASE_TEXT_LEN] = text.as_bytes().try_into().ok()?;
    let mut lease = [0; 16];
    for (byte, pair) in lease.iter_mut().zip(text.chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
    }
    Some(lease)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_reads_back_as_it_was_written() {
        let lease = *b"\x00\x9a\xbc\xde\xf0\x12\x73\x45\x86\x78\x9a\xbc\xde\xf0\x12\xff";
        let text = format_lease(&lease);
        let text = std::str::from_utf8(&text).unwrap();
        assert_eq!(text, "009abcdef012734586789abcdef012ff");
        assert_eq!(parse_lease(text), Some(lease));
        for wrong in ["", "009abcdef012734586789abcdef012fg", &text[1..]] {
            assert_eq!(parse_lease(wrong), None, "{wrong}");
        }
    }
}
