//! What a message says: hints of one lane. The format is in `docs/rabbitmq.md`.
//!
//! No payload and nothing secret travels through the queue. Whatever bytes come, decoding them
//! gives at most [`HINTS_MAX`] hints or an error; a claim then decides what a hint is worth.

use tareas_core::{Hint, Kind, Lane, Place, Priority, QueueName, TaskId};

use super::names::{Band, Line};

/// First byte of every message.
const VERSION: u8 = 1;
/// Hints in one message, at most.
pub(super) const HINTS_MAX: usize = 64;
/// Task, attempt, place, flags.
const HINT_BYTES: usize = 16 + 8 + 8 + 1;
/// The task has killed an executor before.
const SUSPECT: u8 = 1;

/// Hints of one lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) lane: Lane,
    /// Whose line it belongs to. Not in the bytes: the line says it.
    pub(super) kind: Option<Kind>,
    pub(super) hints: Vec<Hint>,
}

impl Message {
    /// Which queue of RabbitMQ it belongs to.
    pub(super) fn line(&self) -> Line {
        Line {
            queue: self.lane.queue.clone(),
            band: Band::of(self.lane.priority),
            kind: self.kind.clone(),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let name = self.lane.queue.text().as_bytes();
        let mut bytes = Vec::with_capacity(3 + name.len() + self.hints.len() * HINT_BYTES);
        bytes.extend([VERSION, self.lane.priority.level()]);
        // Names have 128 bytes at most.
        bytes.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        bytes.extend(name);
        for hint in &self.hints {
            bytes.extend(hint.task.as_u128().to_be_bytes());
            bytes.extend(hint.attempt.to_be_bytes());
            bytes.extend(hint.place.0.to_be_bytes());
            bytes.push(if hint.suspect { SUSPECT } else { 0 });
        }
        bytes
    }

    /// `None` for bytes that this version did not write.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(3)?;
        let [VERSION, level, name_bytes] = *head else {
            return None;
        };
        let (name, hints) = rest.split_at_checked(usize::from(name_bytes))?;
        let lane = Lane {
            queue: QueueName::new(std::str::from_utf8(name).ok()?).ok()?,
            priority: Priority::new(level)?,
        };
        let (hints, rest) = hints.as_chunks::<HINT_BYTES>();
        if !rest.is_empty() || hints.is_empty() || hints.len() > HINTS_MAX {
            return None;
        }
        let hints = hints.iter().map(hint).collect::<Option<_>>()?;
        let kind = None;
        Some(Self { lane, kind, hints })
    }
}

fn hint(bytes: &[u8; HINT_BYTES]) -> Option<Hint> {
    let (task, rest) = bytes.split_first_chunk::<16>()?;
    let (attempt, rest) = rest.split_first_chunk::<8>()?;
    let (place, rest) = rest.split_first_chunk::<8>()?;
    let [flags @ (0 | SUSPECT)] = *rest else {
        return None;
    };
    Some(Hint {
        task: TaskId::from_u128(u128::from_be_bytes(*task)),
        attempt: u64::from_be_bytes(*attempt),
        place: Place(i64::from_be_bytes(*place)),
        suspect: flags == SUSPECT,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(hints: usize) -> Message {
        let hint = |n: usize| Hint {
            task: TaskId::from_u128(n as u128 + 7),
            attempt: n as u64,
            place: Place(1 - n as i64),
            suspect: n % 2 == 1,
        };
        Message {
            lane: Lane {
                queue: QueueName::new("mail").unwrap(),
                priority: Priority::new(9).unwrap(),
            },
            kind: None,
            hints: (0..hints).map(hint).collect(),
        }
    }

    #[test]
    fn a_message_comes_back_as_it_was() {
        for hints in [1, 2, HINTS_MAX] {
            let told = message(hints);
            assert_eq!(Message::decode(&told.encode()), Some(told));
        }
        assert!(message(HINTS_MAX).encode().len() < 2_200);
    }

    #[test]
    fn other_bytes_are_refused() {
        let good = message(2).encode();
        for end in 0..good.len() {
            let is_one_hint = end == good.len() - HINT_BYTES;
            assert_eq!(
                Message::decode(&good[..end]).is_some(),
                is_one_hint,
                "{end}"
            );
        }
        for (at, byte) in [(0, 2), (1, 10), (2, 200), (3, b'/'), (good.len() - 1, 2)] {
            let mut bad = good.clone();
            bad[at] = byte;
            assert_eq!(Message::decode(&bad), None, "{at}");
        }
        assert_eq!(Message::decode(&message(HINTS_MAX + 1).encode()), None);
        assert_eq!(Message::decode(&message(0).encode()), None);
    }
}
