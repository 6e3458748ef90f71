//! Many tasks: identities, order in line, what is decided and what of it is not on disk yet.
//!
//! A ledger decides at once and remembers what must be written. A store that keeps everything
//! in memory is a ledger behind a lock and nothing else; the SQLite store is the same ledger
//! with a thread that takes [`Cut`]s and commits them. What is durable and idle leaves memory
//! and is [installed](Ledger::install) again when somebody asks for it.
//!
//! Rules that the rest relies on:
//! - A decision is never taken back. What could refuse is checked before deciding.
//! - A refusal changes nothing.
//! - The order in line is a [`Place`], fresh at every entry into `queued`; only a release keeps
//!   the old one.
//! - A task has at most one start that is not durable.

pub mod alone;
mod cold;
mod cut;
mod decide;
mod hash;
mod line;
mod places;
mod slot;
mod sweep;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use smol_str::SmolStr;

pub use self::cold::{Missing, Stored};
pub use self::cut::{CountChange, Cut, Row, Write};
pub use self::decide::fence;
pub use self::hash::IdHash;
use self::line::Lanes;
use self::places::is_queued_at;
use self::slot::{Index, Slot};
use crate::{Hint, Lane, Phase, Place, Position, Priority, QueueName, Task, TaskId, Timestamp};

/// What a ledger starts from, and its bounds.
#[derive(Clone, Debug)]
pub struct Config {
    /// Tasks that wait may leave memory above this many live ones.
    pub live_max: usize,
    /// Submissions are refused while this many tasks wait to be written.
    pub journal_tasks_max: usize,
    /// Submissions are refused while this many bytes wait to be written.
    pub journal_bytes_max: usize,
    /// Most waiting tasks in one queue; `None` for no limit.
    pub queue_tasks_max: Option<u64>,
    /// Chance for the hash of ids.
    pub hash_seed: u64,
    /// The highest `seq` ever used.
    pub high_seq: u64,
    /// The highest place ever given.
    pub high_place: Place,
    /// Starts of tasks up to this `seq` may be unrecorded: their next claim leaves a number out.
    pub suspect_seq: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            live_max: usize::MAX,
            journal_tasks_max: usize::MAX,
            journal_bytes_max: usize::MAX,
            queue_tasks_max: None,
            hash_seed: 0,
            high_seq: 0,
            high_place: Place::START,
            suspect_seq: 0,
        }
    }
}

/// Many tasks, decided in memory. See the module's documentation.
#[derive(Debug)]
pub struct Ledger {
    config: Config,
    slots: Vec<Option<Slot>>,
    free: Vec<Index>,
    ids: HashMap<TaskId, Index, IdHash>,
    keys: HashMap<SmolStr, TaskId>,
    /// Removals that are decided and not on disk: what the disk says of them is out of date.
    removed: HashMap<TaskId, Index>,
    queues: Vec<Lanes>,
    queue_index: HashMap<QueueName, u32>,
    last_queue: u32,
    dues: BTreeSet<(Timestamp, TaskId)>,
    expiries: BTreeSet<(Timestamp, TaskId)>,
    position: Position,
    durable: Position,
    high_seq: u64,
    high_place: Place,
    dirty: VecDeque<Index>,
    dirty_queues: Vec<u32>,
    journal_bytes: usize,
    storage_full: bool,
    quick_open: [usize; 2],
    quick_round: bool,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(config: Config) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            ids: HashMap::with_hasher(IdHash(config.hash_seed)),
            keys: HashMap::new(),
            removed: HashMap::new(),
            queues: Vec::new(),
            queue_index: HashMap::new(),
            last_queue: 0,
            dues: BTreeSet::new(),
            expiries: BTreeSet::new(),
            position: Position::ZERO,
            durable: Position::ZERO,
            high_seq: config.high_seq,
            high_place: config.high_place,
            dirty: VecDeque::new(),
            dirty_queues: Vec::new(),
            journal_bytes: 0,
            storage_full: false,
            quick_open: [0; 2],
            quick_round: false,
            config,
        }
    }

    /// The next hints of a lane above `after`, in order: the decided state of what is live.
    pub fn ready(&self, lane: &Lane, after: Place, limit: usize) -> Vec<Hint> {
        let Some(queue) = self.queue_index.get(&lane.queue) else {
            return Vec::new();
        };
        let line = &self.queues[*queue as usize].lines[usize::from(lane.priority.level())];
        line.after(after)
            .filter(|(place, index)| is_queued_at(&self.slots, *index, *place))
            .filter_map(|(_, index)| hint(self.task(index)))
            .take(limit)
            .collect()
    }

    /// The decided state of a live task.
    pub fn get(&self, id: TaskId) -> Option<&Task> {
        self.find(id).map(|index| self.task(index))
    }

    /// The newest decision.
    pub fn position(&self) -> Position {
        self.position
    }

    /// How many tasks are in memory.
    pub fn live(&self) -> usize {
        self.ids.len()
    }

    /// Decided counts by phase, per queue.
    pub fn counts(&self) -> impl Iterator<Item = (&QueueName, &[i64; Phase::ALL.len()])> {
        self.queues.iter().map(|lanes| (&lanes.name, &lanes.counts))
    }

    /// The queues that are known, and whether each is paused.
    pub fn queues(&self) -> impl Iterator<Item = (&QueueName, bool)> {
        self.queues.iter().map(|lanes| (&lanes.name, lanes.paused))
    }

    /// Pauses or resumes a queue: no task of a paused queue is claimed. Returns the position
    /// at which this may be told.
    pub fn pause(&mut self, queue: &QueueName, paused: bool) -> Position {
        let index = self.queue_of(queue);
        if self.queues[index as usize].paused != paused {
            self.queues[index as usize].paused = paused;
            self.position = Position(self.position.0 + 1);
            self.dirty_queues.push(index);
        }
        self.position
    }

    /// Opens or closes admission because of the disk.
    pub fn set_storage_full(&mut self, is_full: bool) {
        self.storage_full = is_full;
    }

    /// Whether submissions are refused because there is no room.
    pub fn is_storage_full(&self) -> bool {
        self.storage_full
    }

    fn find(&self, id: TaskId) -> Option<Index> {
        self.ids.get(&id).copied()
    }

    fn slot(&self, index: Index) -> &Slot {
        self.slots[index as usize]
            .as_ref()
            .expect("an index names a live slot")
    }

    fn slot_mut(&mut self, index: Index) -> &mut Slot {
        self.slots[index as usize]
            .as_mut()
            .expect("an index names a live slot")
    }

    fn task(&self, index: Index) -> &Task {
        &self.slot(index).task
    }

    fn insert(&mut self, slot: Slot) -> Index {
        let id = slot.task.id();
        let index = match self.free.pop() {
            Some(index) => {
                self.slots[index as usize] = Some(slot);
                index
            }
            None => {
                self.slots.push(Some(slot));
                Index::try_from(self.slots.len() - 1).expect("live tasks are bounded by memory")
            }
        };
        self.ids.insert(id, index);
        index
    }

    /// The index of a queue; most tasks go where the one before went.
    fn queue_of(&mut self, name: &QueueName) -> u32 {
        if self
            .queues
            .get(self.last_queue as usize)
            .is_some_and(|lanes| lanes.name == *name)
        {
            return self.last_queue;
        }
        let next = u32::try_from(self.queues.len()).expect("queues are bounded by memory");
        let index = *self.queue_index.entry(name.clone()).or_insert(next);
        if index == next {
            self.queues.push(Lanes::new(name.clone()));
        }
        self.last_queue = index;
        index
    }

    fn fresh_place(&mut self, now: Timestamp) -> Place {
        self.high_place = Place((self.high_place.0.saturating_add(1)).max(now.as_micros()));
        self.high_place
    }
}

/// The hint for a queued task; `None` for any other.
pub fn hint(task: &Task) -> Option<Hint> {
    let place = task.place()?;
    Some(Hint {
        task: task.id(),
        attempt: task.attempt,
        place,
        suspect: task.crashes > 0,
    })
}

/// The lane that a task belongs to.
pub fn lane(task: &Task) -> Lane {
    Lane {
        queue: task.spec.queue.clone(),
        priority: task.spec.priority,
    }
}

/// Distinct ids of a batch, for stores that look them up.
pub(crate) fn distinct(ids: impl Iterator<Item = TaskId>) -> Vec<TaskId> {
    let mut seen = HashSet::new();
    ids.filter(|id| seen.insert(*id)).collect()
}

/// All priorities, the most urgent first.
pub fn priorities() -> impl Iterator<Item = Priority> {
    (0..Priority::COUNT)
        .rev()
        .filter_map(|level| Priority::new(level as u8))
}
