//! Shelves: hints sorted by who can run their tasks, so that a task that nobody can run keeps
//! nobody from what waits behind it.
//!
//! A shelf has one queue, one priority and one [`Class`], in order of place. It is bounded: what
//! does not fit is dropped from its end, the shelf is *spilled*, and is filled again from the
//! records, from its cursor on. Order is that of the queue: queues take turns, within a queue the
//! higher priority comes first, and lower ones get at least one hint in [`ONE_IN`].

use std::collections::BTreeMap;

use tareas_core::{Hint, Lane, Place, Priority, QueueName, Spec};

use super::fit::Class;
use crate::ports::{Delivery, Receipt};

/// Hints on one shelf.
pub(super) const SHELF_HINTS_MAX: usize = 10_000;
/// Shelves that are not empty, all queues together. A hint that finds no shelf is lost for now;
/// the sweep of the feeder finds its task again.
const SHELVES_MAX: usize = 4_096;
/// Of so many hints at least one comes from a shelf that is not among the most urgent ones.
const ONE_IN: u32 = 20;

/// All shelves.
#[derive(Debug, Default)]
pub(super) struct Shelves {
    queues: Vec<Queue>,
    /// Whose turn it is.
    turn: usize,
    hints: usize,
    count: usize,
}

#[derive(Debug)]
struct Queue {
    name: QueueName,
    is_paused: bool,
    /// Hints in a row that passed others by.
    passed_by: u32,
    shelves: Vec<Shelf>,
}

#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) class: Class,
    pub(super) priority: Priority,
    hints: BTreeMap<Place, Hint>,
    /// Tasks that have killed an executor: given out one at a time.
    suspects: BTreeMap<Place, Hint>,
    /// While spilled: every hint at or below it is, or was, here.
    cursor: Option<Place>,
    dropped: u64,
}

/// A shelf that is to be filled from the records.
#[derive(Clone, Debug)]
pub(super) struct SpilledShelf {
    pub(super) lane: Lane,
    pub(super) class: Class,
    pub(super) cursor: Place,
    pub(super) dropped: u64,
    pub(super) room: usize,
}

/// Who takes, and what it may be given.
pub(super) trait Taker {
    /// Whether it can run such tasks at all.
    fn can_run(&self, queue: &QueueName, class: &Class) -> bool;

    /// Whether it may be given one more task of this class now. Once refused, the class is not
    /// offered again in this turn.
    fn admits(&mut self, class: &Class, is_suspect: bool) -> bool;
}

impl Shelves {
    pub(super) fn len(&self) -> usize {
        self.hints
    }

    pub(super) fn has_spilled(&self) -> bool {
        let mut shelves = self.queues.iter().flat_map(|queue| &queue.shelves);
        shelves.any(|shelf| shelf.cursor.is_some())
    }

    pub(super) fn pause(&mut self, queue: &QueueName, paused: bool) {
        let queue = self.queue(queue);
        self.queues[queue].is_paused = paused;
    }

    /// Puts a hint where it belongs.
    pub(super) fn put(&mut self, spec: &Spec, hint: Hint) {
        let queue = self.queue(&spec.queue);
        let shelves = &mut self.queues[queue].shelves;
        let is_it = |shelf: &Shelf| shelf.priority == spec.priority && shelf.class.is_of(spec);
        let at = match shelves.iter().position(is_it) {
            Some(at) => at,
            None if self.count >= SHELVES_MAX => return,
            None => {
                shelves.push(Shelf::new(Class::of(spec), spec.priority));
                self.count += 1;
                shelves.len() - 1
            }
        };
        let before = shelves[at].len();
        shelves[at].put(hint);
        self.hints += shelves[at].len();
        self.hints -= before;
    }

    /// Takes up to `max` hints that the taker can run and admits, of the queue whose turn it is.
    pub(super) fn take(&mut self, taker: &mut dyn Taker, max: usize) -> Vec<Delivery> {
        for _ in 0..self.queues.len() {
            let turn = self.turn % self.queues.len();
            self.turn = turn + 1;
            let queue = &mut self.queues[turn];
            if queue.is_paused {
                continue;
            }
            let taken = queue.take(taker, max);
            if taken.is_empty() {
                continue;
            }
            self.hints -= taken.len();
            let before = queue.shelves.len();
            queue.shelves.retain(|shelf| !shelf.is_done());
            self.count -= before - queue.shelves.len();
            return taken;
        }
        Vec::new()
    }

    /// Forgets what is on the shelves of other classes than these.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&QueueName, &Class) -> bool) {
        for Queue { name, shelves, .. } in &mut self.queues {
            shelves.retain(|shelf| is_kept(name, &shelf.class));
        }
        let shelves = || self.queues.iter().flat_map(|queue| &queue.shelves);
        (self.count, self.hints) = (shelves().count(), shelves().map(Shelf::len).sum());
    }

    /// Whether there is anything for this taker.
    pub(super) fn has_any(&self, taker: &dyn Taker) -> bool {
        self.queues.iter().any(|queue| {
            let can_run =
                |shelf: &Shelf| shelf.len() > 0 && taker.can_run(&queue.name, &shelf.class);
            !queue.is_paused && queue.shelves.iter().any(can_run)
        })
    }

    /// Spilled shelves that have room again.
    pub(super) fn spilled(&self) -> Vec<SpilledShelf> {
        let mut spilled = Vec::new();
        for queue in &self.queues {
            for shelf in &queue.shelves {
                let room = SHELF_HINTS_MAX.saturating_sub(shelf.len());
                if let Some(cursor) = shelf.cursor
                    && room >= SHELF_HINTS_MAX / 2
                {
                    let lane = Lane {
                        queue: queue.name.clone(),
                        priority: shelf.priority,
                    };
                    let (class, dropped) = (shelf.class.clone(), shelf.dropped);
                    spilled.push(SpilledShelf {
                        lane,
                        class,
                        cursor,
                        dropped,
                        room,
                    });
                }
            }
        }
        spilled
    }

    /// Gives a spilled shelf its next hints, which are all that the records had of its class
    /// above the cursor up to `reached`, or to the end when that is `None`.
    pub(super) fn refill(&mut self, of: &SpilledShelf, hints: &[Hint], reached: Option<Place>) {
        let queue = self.queue(&of.lane.queue);
        let mut shelves = self.queues[queue].shelves.iter_mut();
        let is_it =
            |shelf: &&mut Shelf| shelf.priority == of.lane.priority && shelf.class == of.class;
        let Some(shelf) = shelves.find(is_it) else {
            return;
        };
        let before = shelf.len();
        shelf.refill(of, hints, reached);
        self.hints += shelf.len();
        self.hints -= before;
    }

    fn queue(&mut self, name: &QueueName) -> usize {
        if let Some(at) = self.queues.iter().position(|queue| queue.name == *name) {
            return at;
        }
        self.queues.push(Queue {
            name: name.clone(),
            is_paused: false,
            passed_by: 0,
            shelves: Vec::new(),
        });
        self.queues.len() - 1
    }
}

impl Queue {
    fn take(&mut self, taker: &mut dyn Taker, max: usize) -> Vec<Delivery> {
        let shelves = self.shelves.iter().enumerate();
        let mut open: Vec<(usize, bool)> = shelves
            .filter(|(_, shelf)| shelf.len() > 0 && taker.can_run(&self.name, &shelf.class))
            .flat_map(|(at, _)| [(at, false), (at, true)])
            .collect();
        let mut taken = Vec::new();
        while taken.len() < max {
            let Some((at, is_suspect)) = self.next(&open) else {
                break;
            };
            let shelf = &mut self.shelves[at];
            if !taker.admits(&shelf.class, is_suspect) {
                open.retain(|other| *other != (at, is_suspect));
                continue;
            }
            if let Some(hint) = shelf.pop(is_suspect) {
                let lane = Lane {
                    queue: self.name.clone(),
                    priority: shelf.priority,
                };
                taken.push(Delivery {
                    lane,
                    hint,
                    // Acknowledged when it was put here.
                    receipt: Receipt::NONE,
                });
            }
        }
        taken
    }

    /// The shelf whose first hint is next, and whether it is that of a suspect.
    fn next(&mut self, open: &[(usize, bool)]) -> Option<(usize, bool)> {
        let firsts = open.iter().filter_map(|&(at, is_suspect)| {
            let shelf = &self.shelves[at];
            Some((shelf.priority, shelf.first(is_suspect)?, at, is_suspect))
        });
        let firsts: Vec<_> = firsts.collect();
        let top = firsts.iter().map(|first| first.0).max()?;
        let oldest = |is_wanted: &dyn Fn(Priority) -> bool| {
            let wanted = firsts.iter().filter(|first| is_wanted(first.0));
            wanted.min_by_key(|first| first.1).copied()
        };
        let lower = oldest(&|priority| priority < top);
        let is_lower_due = lower.is_some() && self.passed_by + 1 >= ONE_IN;
        self.passed_by = match lower {
            Some(_) if !is_lower_due => self.passed_by + 1,
            _ => 0,
        };
        let next = if is_lower_due {
            lower
        } else {
            oldest(&|priority| priority == top)
        };
        next.map(|(_, _, at, is_suspect)| (at, is_suspect))
    }
}

impl Shelf {
    fn new(class: Class, priority: Priority) -> Self {
        Self {
            class,
            priority,
            hints: BTreeMap::new(),
            suspects: BTreeMap::new(),
            cursor: None,
            dropped: 0,
        }
    }

    fn len(&self) -> usize {
        self.hints.len() + self.suspects.len()
    }

    /// Nothing is here, and nothing is missing.
    fn is_done(&self) -> bool {
        self.len() == 0 && self.cursor.is_none()
    }

    fn first(&self, is_suspect: bool) -> Option<Place> {
        let hints = if is_suspect {
            &self.suspects
        } else {
            &self.hints
        };
        hints.first_key_value().map(|(place, _)| *place)
    }

    fn pop(&mut self, is_suspect: bool) -> Option<Hint> {
        let hints = if is_suspect {
            &mut self.suspects
        } else {
            &mut self.hints
        };
        hints.pop_first().map(|(_, hint)| hint)
    }

    fn put(&mut self, hint: Hint) {
        if self.cursor.is_some_and(|cursor| hint.place > cursor) {
            self.dropped += 1;
            return;
        }
        if hint.suspect {
            self.suspects.insert(hint.place, hint);
        } else {
            self.hints.insert(hint.place, hint);
        }
        self.bound();
    }

    /// Drops what does not fit, from the end.
    fn bound(&mut self) {
        while self.len() > SHELF_HINTS_MAX {
            let last = |hints: &BTreeMap<Place, Hint>| hints.last_key_value().map(|(at, _)| *at);
            let hints = if last(&self.suspects) > last(&self.hints) {
                &mut self.suspects
            } else {
                &mut self.hints
            };
            hints.pop_last();
            self.dropped += 1;
            self.cursor = last(&self.hints).max(last(&self.suspects));
        }
    }

    fn refill(&mut self, of: &SpilledShelf, hints: &[Hint], reached: Option<Place>) {
        match self.cursor {
            // It gave way in the meantime: what lies between was not read.
            Some(cursor) if cursor < of.cursor => return,
            None => {}
            Some(_) if reached.is_none() && self.dropped == of.dropped => self.cursor = None,
            Some(cursor) => {
                let last = hints.last().map_or(of.cursor, |hint| hint.place);
                self.cursor = Some(cursor.max(reached.unwrap_or(last)));
            }
        }
        for hint in hints {
            self.put(*hint);
        }
    }
}
