//! Reading answers from their end, and checking them.
//!
//! A pipelined connection gets its results in any order. Their number, their sum and the sum of
//! their squares must be those of what was sent: an answer that is missing, doubled or wrong
//! shows. The closed loop knows what it asked and compares each.

use memchr::memchr_iter;

/// What the answers of one connection add up to.
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// Acknowledgements.
    pub(super) acknowledged: u64,
    /// Results.
    pub(super) results: u64,
    once: u64,
    twice: u64,
    /// Lines that are neither.
    pub(super) wrong: u64,
    /// The first of them.
    pub(super) first_wrong: Option<String>,
}

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// An acknowledgement: ends with a word.
    Acknowledged,
    /// A result: ends with a number.
    Result(u64),
    /// Anything else.
    Other,
}

impl Sums {
    /// Adds whole lines.
    pub(super) fn add(&mut self, lines: &[u8]) {
        let mut start = 0;
        for newline in memchr_iter(b'\n', lines) {
            let line = &lines[start..newline];
            start = newline + 1;
            match said(line) {
                Said::Result(number) => {
                    self.results += 1;
                    self.once = self.once.wrapping_add(number);
                    self.twice = self.twice.wrapping_add(number.wrapping_mul(number));
                }
                Said::Acknowledged => self.acknowledged += 1,
                Said::Other => self.refuse(line),
            }
        }
    }

    fn refuse(&mut self, line: &[u8]) {
        self.wrong += 1;
        let text = || String::from_utf8_lossy(line).chars().take(300).collect();
        self.first_wrong.get_or_insert_with(text);
    }

    /// Whether the results are those of the first `count` numbers.
    pub(super) fn are_squares_of(&self, count: u64) -> bool {
        self.results == count && (self.once, self.twice) == super::lines::expected(count)
    }
}

/// Reads a line from its end: `…"queued"}`, `…"result":25}`, or `25`.
fn said(line: &[u8]) -> Said {
    let inner = line.strip_suffix(b"}").unwrap_or(line);
    match inner.last() {
        Some(b'"') if inner.len() < line.len() => Said::Acknowledged,
        Some(b'0'..=b'9') => number_at_end(inner, inner.len() < line.len()),
        _ => Said::Other,
    }
}

fn number_at_end(line: &[u8], is_json: bool) -> Said {
    let (mut number, mut place, mut at) = (0_u64, 1_u64, line.len());
    while at > 0 && line[at - 1].is_ascii_digit() && line.len() - at < 19 {
        at -= 1;
        number += u64::from(line[at] - b'0') * place;
        place = place.wrapping_mul(10);
    }
    let is_whole = if is_json {
        line[..at].ends_with(b"\"result\":")
    } else {
        at == 0
    };
    if is_whole {
        Said::Result(number)
    } else {
        Said::Other
    }
}

/// The number that a line gives; `None` when it gives none.
pub(super) fn result(line: &[u8]) -> Option<u64> {
    match said(line) {
        Said::Result(number) => Some(number),
        _ => None,
    }
}

/// Whether the line acknowledges a task.
pub(super) fn is_acknowledgement(line: &[u8]) -> bool {
    said(line) == Said::Acknowledged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_from_their_end() {
        let table: [(&[u8], Said); 8] = [
            (
                b"{\"task_id\":\"x\",\"status\":\"queued\"}",
                Said::Acknowledged,
            ),
            (
                b"{\"task_id\":\"x\",\"status\":\"queued\",\"durability\":\"os\"}",
                Said::Acknowledged,
            ),
            (
                b"{\"task_id\":\"x\",\"status\":\"succeeded\",\"result\":25}",
                Said::Result(25),
            ),
            (b"998001", Said::Result(998_001)),
            (b"error: no [TAR-1204]", Said::Other),
            (
                b"{\"error\":{\"code\":\"TAR-1301\",\"retryable\":true}}",
                Said::Other,
            ),
            (b"{\"x\":25}", Said::Other),
            (b"", Said::Other),
        ];
        for (line, expected) in table {
            assert_eq!(said(line), expected, "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn a_wrong_or_missing_result_shows() {
        let mut sums = Sums::default();
        sums.add(b"0\n1\n4\n9\n");
        assert!(sums.are_squares_of(4));
        assert!(!sums.are_squares_of(5));
        let mut swapped = Sums::default();
        swapped.add(b"0\n2\n3\n9\n");
        assert!(!swapped.are_squares_of(4), "the same sum, other numbers");
    }
}
