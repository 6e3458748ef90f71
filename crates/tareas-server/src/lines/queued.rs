//! Bytes in the order in which they are to be written, each with the position that must be
//! durable before it may leave the process.

use std::collections::VecDeque;

use tareas_core::Position;

/// Bytes that were written are dropped from the front once there are this many of them.
const COMPACT_BYTES: usize = 64 * 1024;
/// A buffer larger than this is not kept for the next bytes.
const KEPT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Queued {
    bytes: Vec<u8>,
    /// Where in `bytes` the first byte is that was not taken yet.
    start: usize,
    /// How many bytes came before `bytes[0]`.
    before: u64,
    marks: VecDeque<Mark>,
}

/// Everything before `end` and behind the mark before it needs `position`.
#[derive(Clone, Copy, Debug)]
struct Mark {
    position: Position,
    end: u64,
}

impl Queued {
    /// Appends what `write` writes. Writing nothing is a mark as well: its position is waited
    /// for like that of any answer.
    ///
    /// A position below one that is queued already is raised to it: bytes never overtake.
    pub(super) fn push(&mut self, position: Position, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        let end = self.before + self.bytes.len() as u64;
        match self.marks.back_mut() {
            Some(last) if last.position >= position => last.end = end,
            _ => self.marks.push_back(Mark { position, end }),
        }
    }

    /// Bytes that were not taken yet.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// The position that the next bytes need; `None` when nothing is queued.
    pub(super) fn front(&self) -> Option<Position> {
        self.marks.front().map(|mark| mark.position)
    }

    /// Moves everything that may leave into `out`, which must be empty.
    pub(super) fn take(&mut self, durable: Position, out: &mut Vec<u8>) {
        debug_assert!(out.is_empty());
        let mut end = None;
        while let Some(mark) = self.marks.front()
            && mark.position <= durable
        {
            end = Some(mark.end);
            self.marks.pop_front();
        }
        let Some(end) = end else { return };
        let end = usize::try_from(end - self.before).unwrap_or(self.bytes.len());
        if end < self.bytes.len() || self.start > 0 {
            out.extend_from_slice(&self.bytes[self.start..end]);
            self.start = end;
            self.compact();
        } else {
            std::mem::swap(out, &mut self.bytes);
            self.before += out.len() as u64;
            if self.bytes.capacity() > KEPT_BYTES_MAX {
                self.bytes = Vec::new();
            }
        }
    }

    fn compact(&mut self) {
        let is_all = self.start == self.bytes.len();
        if is_all || (self.start > COMPACT_BYTES && self.start * 2 > self.bytes.len()) {
            self.bytes.drain(..self.start);
            self.before += self.start as u64;
            self.start = 0;
        }
    }

    /// Gives back memory that is not used.
    pub(super) fn trim(&mut self) {
        if self.marks.is_empty() {
            self.before += self.bytes.len() as u64;
            self.start = 0;
            self.bytes = Vec::new();
            self.marks = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(queued: &mut Queued, position: u64, text: &str) {
        queued.push(Position(position), |out| {
            out.extend_from_slice(text.as_bytes())
        });
    }

    fn take(queued: &mut Queued, durable: u64) -> String {
        let mut out = Vec::new();
        queued.take(Position(durable), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn bytes_leave_when_their_position_is_durable() {
        let mut queued = Queued::default();
        push(&mut queued, 3, "a");
        push(&mut queued, 3, "b");
        push(&mut queued, 5, "c");
        assert_eq!((queued.front(), queued.len()), (Some(Position(3)), 3));
        assert_eq!(take(&mut queued, 2), "");
        assert_eq!(take(&mut queued, 4), "ab");
        push(&mut queued, 6, "d");
        assert_eq!(take(&mut queued, 5), "c");
        assert_eq!(take(&mut queued, 9), "d");
        assert_eq!((queued.front(), queued.len()), (None, 0));
        push(&mut queued, 9, "e");
        assert_eq!(take(&mut queued, 9), "e");
    }

    #[test]
    fn nothing_overtakes() {
        let mut queued = Queued::default();
        push(&mut queued, 7, "first ");
        push(&mut queued, 2, "second");
        assert_eq!(take(&mut queued, 6), "");
        assert_eq!(take(&mut queued, 7), "first second");
    }

    #[test]
    fn a_mark_without_bytes_is_waited_for() {
        let mut queued = Queued::default();
        push(&mut queued, 4, "");
        assert_eq!(queued.front(), Some(Position(4)));
        assert_eq!(take(&mut queued, 4), "");
        assert_eq!(queued.front(), None);
    }

    #[test]
    fn long_runs_are_the_same_bytes() {
        let mut queued = Queued::default();
        let (mut sent, mut got) = (String::new(), String::new());
        for round in 0..5_000_u64 {
            let text = format!("{round};").repeat(20);
            sent += &text;
            push(&mut queued, round, &text);
            got += &take(&mut queued, round.saturating_sub(round % 700));
        }
        got += &take(&mut queued, 5_000);
        assert_eq!(sent, got);
    }
}
