//! The lines to be sent, made once: `square` of the numbers 0 to 999, over and over.

use std::io::Write;

/// How many different numbers are squared.
pub(super) const NUMBERS: u64 = 1_000;

/// One turn of lines, and where each begins.
#[derive(Debug)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    /// Where each line begins, and at last where the next turn would.
    starts: Vec<usize>,
}

impl Lines {
    /// Text or JSON lines. Those of JSON can be padded to so many bytes of payload: with spaces
    /// behind the number, which the handler ignores.
    pub(super) fn new(is_text: bool, payload_bytes: usize) -> Self {
        let mut bytes = Vec::new();
        let mut starts = Vec::new();
        for number in 0..NUMBERS {
            starts.push(bytes.len());
            // Writing to memory cannot fail.
            let _ = match (is_text, payload_bytes) {
                (true, _) => writeln!(bytes, "square {number}"),
                (false, 0) => writeln!(bytes, "{{\"op\":\"square\",\"n\":{number}}}"),
                (false, width) => {
                    writeln!(bytes, "{{\"op\":\"square\",\"n\":\"{number:<width$}\"}}")
                }
            };
        }
        starts.push(bytes.len());
        Self { bytes, starts }
    }

    /// The line of a number.
    pub(super) fn line(&self, number: u64) -> &[u8] {
        let at = (number % NUMBERS) as usize;
        &self.bytes[self.starts[at]..self.starts[at + 1]]
    }

    /// Some of the lines from number `from` on, at most `count` and not beyond the end of the
    /// turn; how many there are.
    pub(super) fn some(&self, from: u64, count: u64) -> (&[u8], u64) {
        let first = from % NUMBERS;
        let count = count.min(NUMBERS - first);
        let (first, last) = (first as usize, (first + count) as usize);
        (&self.bytes[self.starts[first]..self.starts[last]], count)
    }
}

/// The sum of the squares, and of their squares, of the first `count` numbers sent. Both may
/// wrap around; so may what they are compared with.
pub(super) fn expected(count: u64) -> (u64, u64) {
    let square = |number: u64| number * number;
    let sums = |numbers: u64| {
        (0..numbers)
            .map(square)
            .fold((0_u64, 0_u64), |(once, twice), n| {
                (once.wrapping_add(n), twice.wrapping_add(n.wrapping_mul(n)))
            })
    };
    let (turn, rest) = (sums(NUMBERS), sums(count % NUMBERS));
    let turns = count / NUMBERS;
    let total = |turn: u64, rest: u64| turn.wrapping_mul(turns).wrapping_add(rest);
    (total(turn.0, rest.0), total(turn.1, rest.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_round() {
        let lines = Lines::new(false, 0);
        assert_eq!(lines.line(1_005), b"{\"op\":\"square\",\"n\":5}\n");
        let (bytes, count) = lines.some(998, 10);
        assert_eq!(count, 2);
        assert!(bytes.ends_with(b"{\"op\":\"square\",\"n\":999}\n"));
        assert_eq!(Lines::new(true, 0).line(7), b"square 7\n");
        let padded = Lines::new(false, 6);
        assert_eq!(padded.line(7), b"{\"op\":\"square\",\"n\":\"7     \"}\n");
    }

    #[test]
    fn sums_are_those_of_the_numbers_sent() {
        let (once, twice) = expected(2_003);
        let all = || (0..2_003_u64).map(|n| (n % NUMBERS) * (n % NUMBERS));
        assert_eq!(once, all().sum::<u64>());
        assert_eq!(twice, all().map(|n| n * n).sum::<u64>());
    }
}
