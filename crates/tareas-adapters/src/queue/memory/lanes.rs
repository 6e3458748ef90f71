//! The lanes of one queue: who of them is next.

use tareas_core::{Hint, Priority, QueueName};
use tareas_engine::ports::{Delivery, Receipt};

use super::lane::Heads;

/// Of so many hints at least one comes from a lane that is not the most urgent one.
const ONE_IN: u32 = 20;

/// One queue.
#[derive(Debug)]
pub(super) struct Lanes {
    name: QueueName,
    heads: [Heads; Priority::COUNT],
    /// Hints in all lanes.
    len: usize,
    /// Hints in a row that passed others by.
    passed_by: u32,
    /// No deliveries.
    pub(super) is_paused: bool,
    /// It takes part in the rounds.
    pub(super) is_in_turn: bool,
}

impl Lanes {
    pub(super) fn new(name: QueueName) -> Self {
        Self {
            name,
            heads: Default::default(),
            len: 0,
            passed_by: 0,
            is_paused: false,
            is_in_turn: false,
        }
    }

    pub(super) fn name(&self) -> &QueueName {
        &self.name
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Changes the lane of one priority.
    pub(super) fn change(&mut self, priority: Priority, change: impl FnOnce(&mut Heads)) {
        let heads = &mut self.heads[usize::from(priority.level())];
        self.len -= heads.len();
        change(heads);
        self.len += heads.len();
    }

    /// Lanes that are or were in use, with their priority.
    pub(super) fn used(&self) -> impl Iterator<Item = (Priority, &Heads)> {
        let lanes =
            self.heads.iter().enumerate().filter_map(|(level, heads)| {
                Some((Priority::new(u8::try_from(level).ok()?)?, heads))
            });
        lanes.filter(|(_, heads)| !heads.is_empty() || heads.cursor().is_some())
    }

    /// Takes up to `max` hints, the most urgent first, but not only those.
    pub(super) fn take(&mut self, max: usize, into: &mut Vec<Delivery>) {
        for _ in 0..max.min(self.len) {
            let Some((level, hint)) = self.next() else {
                return;
            };
            let Some(priority) = u8::try_from(level).ok().and_then(Priority::new) else {
                return;
            };
            let lane = tareas_core::Lane {
                queue: self.name.clone(),
                priority,
            };
            into.push(Delivery {
                lane,
                hint,
                receipt: Receipt::NONE,
            });
        }
    }

    fn next(&mut self) -> Option<(usize, Hint)> {
        let top = self.heads.iter().rposition(|heads| !heads.is_empty())?;
        let lower = self.longest_waiting_below(top);
        let level = match lower {
            Some(lower) if self.passed_by + 1 >= ONE_IN => lower,
            _ => top,
        };
        let is_passing_by = level == top && lower.is_some();
        self.passed_by = if is_passing_by { self.passed_by + 1 } else { 0 };
        self.len -= 1;
        self.heads[level].pop().map(|hint| (level, hint))
    }

    /// The lane below whose first hint has waited longest: so none starves.
    fn longest_waiting_below(&self, top: usize) -> Option<usize> {
        let waiting = self.heads[..top].iter().enumerate();
        let firsts = waiting.filter_map(|(level, heads)| Some((heads.first()?, level)));
        firsts.min().map(|(_, level)| level)
    }
}
