//! Answers to text lines: one each, in the order of the lines, whenever they become known.

use std::collections::VecDeque;

use tareas_core::{Position, TaskId};

use super::queued::Queued;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// The number of the first line that is not answered.
    first: u64,
    slots: VecDeque<Slot>,
    /// Bytes of answers that wait for the answers before them.
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    line_bytes: usize,
    answer: Answer,
}

#[derive(Debug)]
enum Answer {
    /// Not known yet.
    Open,
    Known {
        position: Position,
        text: Vec<u8>,
    },
    /// Known, but to be read again from the records when its turn comes.
    Deferred(TaskId),
}

/// Lines that were answered, and how long they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) lines: usize,
    pub(super) bytes: usize,
}

impl Texts {
    /// A line to be answered; its number.
    pub(super) fn open(&mut self, line_bytes: usize) -> u64 {
        self.slots.push_back(Slot {
            line_bytes,
            answer: Answer::Open,
        });
        self.first + self.slots.len() as u64 - 1
    }

    /// The answer to a line, with its line end.
    pub(super) fn know(&mut self, number: u64, position: Position, text: Vec<u8>) {
        if let Some(slot) = self.slot(number) {
            let bytes = text.len();
            slot.answer = Answer::Known { position, text };
            self.bytes += bytes;
        }
    }

    /// The answer to a line is the end of this task, to be read when its turn comes.
    pub(super) fn defer(&mut self, number: u64, task: TaskId) {
        if let Some(slot) = self.slot(number) {
            slot.answer = Answer::Deferred(task);
        }
    }

    fn slot(&mut self, number: u64) -> Option<&mut Slot> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.slots.get_mut(index)
    }

    /// The first line, when its answer is to be read from the records.
    pub(super) fn front_deferred(&self) -> Option<(u64, TaskId)> {
        match self.slots.front()?.answer {
            Answer::Deferred(task) => Some((self.first, task)),
            _ => None,
        }
    }

    /// Moves the answers whose turn has come to where they leave from.
    pub(super) fn release(&mut self, queued: &mut Queued) -> Answered {
        let mut answered = Answered::default();
        while let Some(Slot {
            line_bytes,
            answer: Answer::Known { position, text },
        }) = self.slots.front()
        {
            queued.push(*position, |out| out.extend_from_slice(text));
            answered.lines += 1;
            answered.bytes += line_bytes;
            self.bytes -= text.len();
            self.first += 1;
            self.slots.pop_front();
        }
        answered
    }

    /// Bytes of answers that wait for the answers before them.
    pub(super) fn len(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn released(texts: &mut Texts) -> (String, Answered) {
        let (mut queued, mut out) = (Queued::default(), Vec::new());
        let answered = texts.release(&mut queued);
        queued.take(Position(u64::MAX), &mut out);
        (String::from_utf8(out).unwrap(), answered)
    }

    #[test]
    fn answers_leave_in_the_order_of_the_lines() {
        let mut texts = Texts::default();
        let numbers: Vec<u64> = (0..3).map(|_| texts.open(10)).collect();
        texts.know(numbers[2], Position(1), b"c".to_vec());
        texts.know(numbers[1], Position(9), b"b".to_vec());
        assert_eq!(released(&mut texts), (String::new(), Answered::default()));
        assert_eq!(texts.len(), 2);
        texts.know(numbers[0], Position(3), b"a".to_vec());
        assert_eq!(
            released(&mut texts),
            (
                "abc".to_owned(),
                Answered {
                    lines: 3,
                    bytes: 30
                }
            )
        );
        assert_eq!((texts.len(), texts.open(1)), (0, 3));
    }

    #[test]
    fn a_deferred_answer_holds_back_the_ones_behind_it() {
        let mut texts = Texts::default();
        let (first, second) = (texts.open(1), texts.open(1));
        let task = TaskId::from_u128(7);
        texts.know(second, Position(1), b"b".to_vec());
        texts.defer(first, task);
        assert_eq!(released(&mut texts).0, "");
        assert_eq!(texts.front_deferred(), Some((first, task)));
        texts.know(first, Position(1), b"a".to_vec());
        assert_eq!(released(&mut texts).0, "ab");
        assert_eq!(texts.front_deferred(), None);
    }
}
