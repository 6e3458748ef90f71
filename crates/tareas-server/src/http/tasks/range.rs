//! The `Range` header (RFC 9110, one range of bytes).

/// Which bytes of a body to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it: nothing else was asked, or nothing that is understood.
    All,
    /// From the first to the second, the second included.
    Bytes(usize, usize),
    /// A range that lies outside of the body.
    Outside,
}

/// The part that a `Range` header asks of a body of so many bytes.
pub(super) fn part(header: Option<&str>, length: usize) -> Part {
    let Some(range) = header.and_then(|text| text.trim().strip_prefix("bytes=")) else {
        return Part::All;
    };
    let Some((first, last)) = range.split_once('-') else {
        return Part::All;
    };
    match (number(first), number(last)) {
        (Some(Some(first)), Some(last)) => from(first, last, length),
        (Some(None), Some(Some(suffix))) => tail(suffix, length),
        _ => Part::All,
    }
}

fn from(first: usize, last: Option<usize>, length: usize) -> Part {
    let end = length.saturating_sub(1);
    match last {
        Some(last) if last < first => Part::All,
        _ if first >= length => Part::Outside,
        last => Part::Bytes(first, last.unwrap_or(end).min(end)),
    }
}

fn tail(suffix: usize, length: usize) -> Part {
    match (suffix, length) {
        (0, _) | (_, 0) => Part::Outside,
        _ => Part::Bytes(length.saturating_sub(suffix), length - 1),
    }
}

/// A number, nothing (`Some(None)`), or something else (`None`).
fn number(text: &str) -> Option<Option<usize>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(None);
    }
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| Some(text.parse().unwrap_or(usize::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_understood_or_ignored() {
        let table = [
            (None, Part::All),
            (Some("bytes=0-3"), Part::Bytes(0, 3)),
            (Some("bytes=4-"), Part::Bytes(4, 9)),
            (Some("bytes=-3"), Part::Bytes(7, 9)),
            (Some("bytes=-100"), Part::Bytes(0, 9)),
            (Some("bytes=2-100"), Part::Bytes(2, 9)),
            (Some("bytes=10-"), Part::Outside),
            (Some("bytes=99999999999999999999-"), Part::Outside),
            (Some("bytes=-0"), Part::Outside),
            (Some("bytes=5-2"), Part::All),
            (Some("bytes=0-1,3-4"), Part::All),
            (Some("lines=0-1"), Part::All),
            (Some("bytes=-"), Part::All),
            (Some("bytes=+1-2"), Part::All),
        ];
        for (header, expected) in table {
            assert_eq!(part(header, 10), expected, "{header:?}");
        }
        assert_eq!(part(Some("bytes=0-"), 0), Part::Outside);
        assert_eq!(part(Some("bytes=-1"), 0), Part::Outside);
    }
}
