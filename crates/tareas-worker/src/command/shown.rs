//! What a process has written of its result so far, shown to whoever follows the task while it
//! still runs. A process that is done soon shows nothing: its result is there at once.

use std::time::{Duration, Instant};

use crate::Context;

/// Between two pieces, and before the first one.
const EVERY: Duration = Duration::from_millis(100);

/// How much was shown, and when.
#[derive(Debug)]
pub(super) struct Shown {
    bytes: usize,
    at: Instant,
}

impl Shown {
    pub(super) fn new() -> Self {
        Self {
            bytes: 0,
            at: Instant::now(),
        }
    }

    /// How long to wait before there is something to show, if there is.
    pub(super) fn due(&self, output: &[u8]) -> Option<Duration> {
        (output.len() > self.bytes).then(|| EVERY.saturating_sub(self.at.elapsed()))
    }

    /// Shows what is new, if it is time for that.
    pub(super) fn show_in_time(&mut self, output: &[u8], context: &Context) {
        if self.at.elapsed() >= EVERY {
            self.show(output, context);
        }
    }

    /// Shows what is new, as far as it is whole characters.
    pub(super) fn show(&mut self, output: &[u8], context: &Context) {
        let new = &output[self.bytes..];
        let whole = match std::str::from_utf8(new) {
            Ok(_) => new.len(),
            // Cut within a character, whose rest may come.
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => new.len(),
        };
        if whole > 0 {
            context.output(String::from_utf8_lossy(&new[..whole]));
            self.bytes += whole;
        }
        self.at = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_not_cut() {
        let (mut shown, context) = (Shown::new(), Context::detached("x"));
        let text = "añb".as_bytes();
        shown.show(&text[..2], &context);
        assert_eq!(shown.bytes, 1);
        assert!(shown.due(&text[..2]).is_some());
        shown.show(text, &context);
        assert_eq!((shown.bytes, shown.due(text)), (4, None));
        shown.show(b"a\xc3\xb1b\xff", &context);
        assert_eq!(shown.bytes, 5);
    }
}
