//! The shelf: hints that have arrived in this process, and which messages they came in.
//!
//! A message is finished, and may be acknowledged to RabbitMQ, when every hint that came in it
//! is. When the connection breaks, RabbitMQ delivers all unfinished messages again: the shelf is
//! emptied, and receipts of before mean nothing any more.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tareas_core::{QueueName, TaskId};
use tareas_engine::ports::{Delivery, QueueDepth, Receipt};
use tokio::sync::Notify;

use super::message::Message;
use crate::ids::{IdMap, Seeded};
use crate::queue::memory::rounds::Rounds;

/// More than can be delivered unacknowledged: lines never spill here.
const HEADS_MAX: usize = 1 << 20;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Shelf {
    state: Mutex<State>,
    /// There are hints that nobody has been woken for.
    ready: Notify,
    /// There are finished messages.
    finished: Notify,
}

#[derive(Debug)]
struct State {
    rounds: Rounds,
    paused: BTreeSet<QueueName>,
    /// Messages that are not finished, by their tag.
    parcels: HashMap<u64, Parcel>,
    /// In which messages a task was told that is still on the shelf.
    told: IdMap<Tags>,
    /// The same, of what was handed out.
    handed: HashMap<Receipt, Tags, Seeded>,
    finished: Vec<u64>,
    receipts: u64,
    is_closed: bool,
}

/// The messages that told of one task: mostly one.
#[derive(Debug, Default)]
struct Tags {
    first: Option<u64>,
    others: Vec<u64>,
}

impl Tags {
    fn add(&mut self, tag: u64) {
        match self.first {
            None => self.first = Some(tag),
            Some(_) => self.others.push(tag),
        }
    }

    fn into_iter(self) -> impl Iterator<Item = u64> {
        self.first.into_iter().chain(self.others)
    }
}

/// One message.
#[derive(Debug)]
struct Parcel {
    unfinished: usize,
    arrived: Instant,
}

impl Shelf {
    pub(super) fn new() -> Self {
        let state = State {
            rounds: Rounds::new(HEADS_MAX),
            paused: BTreeSet::new(),
            parcels: HashMap::new(),
            told: IdMap::default(),
            handed: HashMap::default(),
            finished: Vec::new(),
            receipts: 0,
            is_closed: false,
        };
        Self {
            state: Mutex::new(state),
            ready: Notify::new(),
            finished: Notify::new(),
        }
    }

    /// Forgets everything but pauses: RabbitMQ delivers it again, under other tags.
    pub(super) fn empty(&self) {
        let mut state = self.lock();
        state.rounds = Rounds::new(HEADS_MAX);
        for queue in state.paused.clone() {
            state.rounds.pause(&queue, true);
        }
        state.parcels.clear();
        state.told.clear();
        state.handed.clear();
        state.finished.clear();
    }

    /// Takes in a message.
    pub(super) fn arrived(&self, tag: u64, message: &Message) {
        let mut state = self.lock();
        let parcel = Parcel {
            unfinished: message.hints.len(),
            arrived: Instant::now(),
        };
        state.parcels.insert(tag, parcel);
        for hint in &message.hints {
            state.told.entry(hint.task).or_default().add(tag);
        }
        state.rounds.publish(&message.lane, &message.hints);
        self.wake(&state);
    }

    /// Takes hints; `None` when closed.
    pub(super) fn take(&self, max: usize) -> Option<Vec<Delivery>> {
        let mut state = self.lock();
        if state.is_closed {
            return None;
        }
        let mut taken = state.rounds.take(max);
        for delivery in &mut taken {
            delivery.receipt = state.hand_out(delivery.hint.task);
        }
        if !taken.is_empty() {
            self.wake(&state);
        }
        Some(taken)
    }

    /// Waits for hints; nothing only when closed.
    pub(super) async fn receive(&self, max: usize) -> Vec<Delivery> {
        loop {
            // Made before looking, so that nothing is missed in between.
            let ready = self.ready.notified();
            match self.take(max) {
                None => return Vec::new(),
                Some(taken) if !taken.is_empty() => return taken,
                Some(_) => ready.await,
            }
        }
    }

    pub(super) fn acknowledge(&self, receipts: &[Receipt]) {
        let mut state = self.lock();
        let before = state.finished.len();
        for receipt in receipts {
            let tags = state.handed.remove(receipt).unwrap_or_default();
            for tag in tags.into_iter() {
                state.settle_one(tag);
            }
        }
        if state.finished.len() > before {
            self.finished.notify_one();
        }
    }

    /// Waits for messages that are finished, and takes their tags.
    pub(super) async fn finished(&self) -> Vec<u64> {
        loop {
            let finished = self.finished.notified();
            let tags = std::mem::take(&mut self.lock().finished);
            if !tags.is_empty() {
                return tags;
            }
            finished.await;
        }
    }

    /// Whether a message has been unfinished for so long.
    pub(super) fn holds_longer_than(&self, age: Duration) -> bool {
        let state = self.lock();
        state
            .parcels
            .values()
            .any(|parcel| parcel.arrived.elapsed() > age)
    }

    pub(super) fn pause(&self, queue: &QueueName, paused: bool) {
        let mut state = self.lock();
        let is_new = match paused {
            true => state.paused.insert(queue.clone()),
            false => state.paused.remove(queue),
        };
        if is_new {
            state.rounds.pause(queue, paused);
            self.wake(&state);
        }
    }

    pub(super) fn depth(&self) -> Vec<QueueDepth> {
        self.lock().rounds.depth()
    }

    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.ready.notify_waiters();
    }

    fn wake(&self, state: &State) {
        if state.rounds.has_hints() {
            self.ready.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A receipt for a task that leaves the shelf. It stands for all messages that told of it.
    fn hand_out(&mut self, task: TaskId) -> Receipt {
        self.receipts += 1;
        let receipt = Receipt(self.receipts);
        let tags = self.told.remove(&task).unwrap_or_default();
        self.handed.insert(receipt, tags);
        receipt
    }

    fn settle_one(&mut self, tag: u64) {
        let Some(parcel) = self.parcels.get_mut(&tag) else {
            return;
        };
        parcel.unfinished = parcel.unfinished.saturating_sub(1);
        if parcel.unfinished == 0 {
            self.parcels.remove(&tag);
            self.finished.push(tag);
        }
    }
}

#[cfg(test)]
mod tests {
    use tareas_core::{Hint, Lane, Place, Priority};

    use super::*;

    fn message(tasks: &[u128]) -> Message {
        let hint = |task: &u128| Hint {
            task: TaskId::from_u128(*task),
            attempt: 0,
            place: Place(*task as i64),
            suspect: false,
        };
        Message {
            lane: Lane {
                queue: QueueName::new("a").unwrap(),
                priority: Priority::default(),
            },
            kind: None,
            hints: tasks.iter().map(hint).collect(),
        }
    }

    fn take(shelf: &Shelf, max: usize) -> Vec<Receipt> {
        let taken = shelf.take(max).unwrap();
        taken.iter().map(|delivery| delivery.receipt).collect()
    }

    fn finished(shelf: &Shelf) -> Vec<u64> {
        std::mem::take(&mut shelf.lock().finished)
    }

    #[test]
    fn a_message_is_finished_when_all_its_hints_are() {
        let shelf = Shelf::new();
        shelf.arrived(1, &message(&[1, 2, 3]));
        let first = take(&shelf, 2);
        shelf.acknowledge(&first);
        shelf.acknowledge(&first);
        assert_eq!(finished(&shelf), [] as [u64; 0]);
        shelf.acknowledge(&take(&shelf, 2));
        assert_eq!(finished(&shelf), [1]);
    }

    #[test]
    fn a_task_that_was_told_twice_finishes_both_messages() {
        let shelf = Shelf::new();
        shelf.arrived(1, &message(&[1]));
        shelf.arrived(2, &message(&[1]));
        let taken = take(&shelf, 9);
        assert_eq!(taken.len(), 1);
        shelf.acknowledge(&taken);
        assert_eq!(finished(&shelf), [1, 2]);
    }

    #[test]
    fn receipts_of_an_earlier_connection_mean_nothing() {
        let shelf = Shelf::new();
        shelf.arrived(1, &message(&[1]));
        let before = take(&shelf, 9);
        shelf.empty();
        shelf.arrived(1, &message(&[1, 2]));
        shelf.acknowledge(&before);
        assert_eq!(take(&shelf, 9).len(), 2);
        assert_eq!(finished(&shelf), [] as [u64; 0]);
    }
}
