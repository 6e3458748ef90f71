//! What a command says on stderr: every line goes to the attempt's log, the last ones are kept
//! for the sentence that tells why it failed.

use std::collections::VecDeque;

use super::lines::Lines;
use crate::Context;

/// Longest line of a log; a longer one becomes several.
const LOG_LINE_BYTES_MAX: usize = 8 * 1024;
/// How many of the last lines are repeated in the error.
const LAST_LINES: usize = 5;
/// Most bytes of them.
const LAST_BYTES_MAX: usize = 2 * 1024;

/// The stderr of one process.
#[derive(Debug)]
pub(super) struct Complaints {
    lines: Lines,
    last: VecDeque<String>,
}

impl Complaints {
    pub(super) fn new() -> Self {
        Self {
            lines: Lines::new(LOG_LINE_BYTES_MAX),
            last: VecDeque::new(),
        }
    }

    /// Takes what has arrived.
    pub(super) fn add(&mut self, bytes: &[u8], context: &Context) {
        let last = &mut self.last;
        self.lines.add(bytes, |line| keep(last, line, context));
    }

    /// Nothing more will arrive.
    pub(super) fn finish(&mut self, context: &Context) {
        let last = &mut self.last;
        self.lines.finish(|line| keep(last, line, context));
    }

    /// Forgets what was said in an earlier attempt.
    pub(super) fn forget(&mut self) {
        self.last.clear();
    }

    /// The last lines, in one.
    pub(super) fn last_words(&self) -> String {
        let words = self.last.iter().map(String::as_str).collect::<Vec<_>>();
        let mut words = words.join(" | ");
        if words.len() > LAST_BYTES_MAX {
            let mut at = words.len() - LAST_BYTES_MAX;
            while !words.is_char_boundary(at) {
                at += 1;
            }
            words.replace_range(..at, "…");
        }
        words
    }
}

fn keep(last: &mut VecDeque<String>, line: &str, context: &Context) {
    context.log(line);
    if line.trim().is_empty() {
        return;
    }
    if last.len() == LAST_LINES {
        last.pop_front();
    }
    last.push_back(line.trim_end().to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_bounded() {
        let (mut complaints, context) = (Complaints::new(), Context::detached("x"));
        complaints.add(b"1\n2\n3\n\n4\n5\n6", &context);
        complaints.finish(&context);
        assert_eq!(complaints.last_words(), "2 | 3 | 4 | 5 | 6");
        complaints.add("ñ".repeat(3_000).as_bytes(), &context);
        complaints.finish(&context);
        assert!(complaints.last_words().len() < LAST_BYTES_MAX + 8);
    }
}
