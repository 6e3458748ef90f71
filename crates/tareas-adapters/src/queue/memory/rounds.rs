//! The queues and their turns: each queue that has hints is served in its turn.

use std::collections::{HashMap, VecDeque};

use tareas_core::{Hint, Lane, QueueName};
use tareas_engine::ports::{Delivery, QueueDepth, Spilled};

use super::lanes::Lanes;

/// All queues.
#[derive(Debug)]
pub(in crate::queue) struct Rounds {
    heads_max: usize,
    queues: Vec<Lanes>,
    index: HashMap<QueueName, usize>,
    /// Queues with hints that are not paused, the next one first.
    turns: VecDeque<usize>,
}

impl Rounds {
    pub(in crate::queue) fn new(heads_max: usize) -> Self {
        Self {
            heads_max: heads_max.max(1),
            queues: Vec::new(),
            index: HashMap::new(),
            turns: VecDeque::new(),
        }
    }

    /// Whether a receiver would get something.
    pub(in crate::queue) fn has_hints(&self) -> bool {
        !self.turns.is_empty()
    }

    pub(in crate::queue) fn publish(&mut self, lane: &Lane, hints: &[Hint]) {
        let heads_max = self.heads_max;
        let queue = self.queue(&lane.queue);
        self.queues[queue].change(lane.priority, |heads| heads.publish(hints, heads_max));
        self.give_turn(queue);
    }

    pub(in crate::queue) fn refill(&mut self, spilled: &Spilled, hints: &[Hint], is_all: bool) {
        let heads_max = self.heads_max;
        let queue = self.queue(&spilled.lane.queue);
        self.queues[queue].change(spilled.lane.priority, |heads| {
            heads.refill(spilled, hints, is_all, heads_max);
        });
        self.give_turn(queue);
    }

    pub(in crate::queue) fn pause(&mut self, queue: &QueueName, paused: bool) {
        let queue = self.queue(queue);
        self.queues[queue].is_paused = paused;
        if paused && std::mem::take(&mut self.queues[queue].is_in_turn) {
            self.turns.retain(|other| *other != queue);
        }
        self.give_turn(queue);
    }

    /// Takes up to `max` hints of the queue whose turn it is.
    pub(in crate::queue) fn take(&mut self, max: usize) -> Vec<Delivery> {
        let Some(queue) = self.turns.pop_front() else {
            return Vec::new();
        };
        let lanes = &mut self.queues[queue];
        lanes.is_in_turn = false;
        let mut taken = Vec::new();
        lanes.take(max.max(1), &mut taken);
        self.give_turn(queue);
        taken
    }

    /// Lets a queue take part in the rounds when it has something to give.
    fn give_turn(&mut self, queue: usize) {
        let lanes = &mut self.queues[queue];
        if !lanes.is_in_turn && !lanes.is_paused && !lanes.is_empty() {
            lanes.is_in_turn = true;
            self.turns.push_back(queue);
        }
    }

    pub(in crate::queue) fn spilled(&self) -> Vec<Spilled> {
        let mut spilled = Vec::new();
        for lanes in &self.queues {
            for (priority, heads) in lanes.used() {
                let Some(cursor) = heads.cursor() else {
                    continue;
                };
                let lane = Lane {
                    queue: lanes.name().clone(),
                    priority,
                };
                let room = self.heads_max - heads.len();
                spilled.push(Spilled {
                    lane,
                    cursor,
                    dropped: heads.dropped(),
                    room,
                });
            }
        }
        spilled
    }

    pub(in crate::queue) fn depth(&self) -> Vec<QueueDepth> {
        let mut depth = Vec::new();
        for lanes in &self.queues {
            for (priority, heads) in lanes.used() {
                let lane = Lane {
                    queue: lanes.name().clone(),
                    priority,
                };
                let is_spilled = heads.cursor().is_some();
                depth.push(QueueDepth {
                    lane,
                    hints: heads.len(),
                    is_spilled,
                });
            }
        }
        depth
    }

    fn queue(&mut self, name: &QueueName) -> usize {
        if let Some(queue) = self.index.get(name) {
            return *queue;
        }
        self.queues.push(Lanes::new(name.clone()));
        self.index.insert(name.clone(), self.queues.len() - 1);
        self.queues.len() - 1
    }
}
