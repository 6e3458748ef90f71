//! Which messages are acknowledged together: RabbitMQ takes "this one and all before it" as one
//! entry in the log of a quorum queue, where one by one each is an entry of its own.

use std::collections::BTreeSet;

/// What is to be acknowledged, in this order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Due {
    /// This message and all before it.
    pub(super) up_to: Option<u64>,
    /// These alone.
    pub(super) alone: Vec<u64>,
}

/// What has been acknowledged on one channel. Messages are numbered from 1 there, without gaps.
#[derive(Debug, Default)]
pub(super) struct Acks {
    /// All messages up to this one are.
    up_to: u64,
    /// Of those behind it, these are. There are no more than come while one is held.
    alone: BTreeSet<u64>,
}

impl Acks {
    /// These messages are finished. What is acknowledged already is not named again: the channel
    /// would end.
    pub(super) fn finished(&mut self, tags: Vec<u64>) -> Due {
        let finished: BTreeSet<u64> = tags.into_iter().collect();
        let mut due = Due::default();
        loop {
            let next = self.up_to + 1;
            if finished.contains(&next) {
                due.up_to = Some(next);
            } else if !self.alone.remove(&next) {
                break;
            }
            self.up_to = next;
        }
        due.alone = finished.range(self.up_to + 1..).copied().collect();
        self.alone.extend(&due.alone);
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(up_to: Option<u64>, alone: &[u64]) -> Due {
        let alone = alone.to_vec();
        Due { up_to, alone }
    }

    #[test]
    fn what_is_finished_in_order_is_acknowledged_at_once() {
        let mut acks = Acks::default();
        assert_eq!(acks.finished(vec![1]), due(Some(1), &[]));
        assert_eq!(acks.finished(vec![4, 2, 3]), due(Some(4), &[]));
        assert_eq!(acks.finished(vec![]), due(None, &[]));
    }

    #[test]
    fn what_is_behind_an_unfinished_one_is_acknowledged_alone_and_once() {
        let mut acks = Acks::default();
        assert_eq!(acks.finished(vec![2, 3]), due(None, &[2, 3]));
        assert_eq!(acks.finished(vec![5]), due(None, &[5]));
        // The first one comes last; what follows it is acknowledged already.
        assert_eq!(acks.finished(vec![1]), due(Some(1), &[]));
        assert_eq!(acks.finished(vec![4, 6]), due(Some(6), &[]));
        assert_eq!(acks.finished(vec![7]), due(Some(7), &[]));
    }
}
