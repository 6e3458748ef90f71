//! `traceparent` of W3C Trace Context: 55 characters that say where in a trace something belongs.

use std::fmt;

/// Length of the text.
pub const TRACEPARENT_LEN: usize = 55;
/// Where the hyphens stand.
const HYPHENS: [usize; 3] = [2, 35, 52];

/// A trace and a span of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace; not zero.
    pub trace_id: u128,
    /// The span; not zero.
    pub span_id: u64,
    /// Bit 0: the trace is recorded.
    pub flags: u8,
}

/// Reads a `traceparent`; `None` when it is none. One of a later version is read like one of the
/// first, as the standard wants.
#[must_use]
pub fn parse_traceparent(text: &str) -> Option<TraceParent> {
    let bytes = text.as_bytes();
    let (first, rest) = bytes.split_at_checked(TRACEPARENT_LEN)?;
    let is_hyphened = HYPHENS.iter().all(|at| first[*at] == b'-');
    let version = hex(&first[..2])?;
    let ends_well = rest.is_empty() || (version > 0 && rest[0] == b'-');
    if !is_hyphened || version == 0xff || !ends_well {
        return None;
    }
    let trace_id = hex(&first[3..35])?;
    let span_id = u64::try_from(hex(&first[36..52])?).ok()?;
    let flags = u8::try_from(hex(&first[53..])?).ok()?;
    (trace_id != 0 && span_id != 0).then_some(TraceParent {
        trace_id,
        span_id,
        flags,
    })
}

/// Whether this may be a `tracestate`: printable ASCII within the limit.
#[must_use]
pub fn is_tracestate(text: &str) -> bool {
    let is_within = (1..=crate::limits::TRACESTATE_BYTES_MAX).contains(&text.len());
    is_within && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// The text of a trace's id.
#[must_use]
pub fn trace_id_text(trace_id: u128) -> String {
    format!("{trace_id:032x}")
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trace_id,
            span_id,
            flags,
        } = self;
        write!(f, "00-{trace_id:032x}-{span_id:016x}-{flags:02x}")
    }
}

/// Digits in lower case, and nothing else.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number: u128, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn it_reads_back() {
        let parent = parse_traceparent(TEXT).unwrap();
        assert_eq!(parent.trace_id, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        assert_eq!((parent.span_id, parent.flags), (0xb7ad_6b71_6920_3331, 1));
        assert_eq!(parent.to_string(), TEXT);
    }

    #[test]
    fn later_versions_are_read_like_the_first() {
        let first = parse_traceparent(TEXT);
        assert_eq!(parse_traceparent(&TEXT.replacen("00", "cc", 1)), first);
        let longer = format!("{}-what-will-come", TEXT.replacen("00", "01", 1));
        assert_eq!(parse_traceparent(&longer), first);
    }

    #[test]
    fn anything_else_is_none() {
        let wrong = [
            "",
            "00",
            &TEXT[..54],
            &format!("{TEXT}-more"),
            &TEXT.replacen("00", "ff", 1),
            &TEXT.replacen("00-", "00_", 1),
            &TEXT.to_uppercase(),
            &TEXT.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &TEXT.replace("b7ad6b7169203331", &"0".repeat(16)),
            &TEXT.replace("b7ad6b71", "b7ad+b71"),
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333\u{e9}-01",
        ];
        for text in wrong {
            assert_eq!(parse_traceparent(text), None, "{text}");
        }
    }

    #[test]
    fn a_state_is_bounded() {
        assert!(is_tracestate("vendor=1,other=2"));
        for text in ["", "a=\u{e9}", "a=\n", &"a".repeat(513)] {
            assert!(!is_tracestate(text), "{text}");
        }
    }
}
