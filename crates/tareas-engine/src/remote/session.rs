//! One session: what is known of a worker, what it holds, and what more it may be given.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tareas_core::{Kind, Position, SessionId, Task, TaskId, Timestamp, Token};

use super::fit::{Class, Fit};
use super::shelves::Taker;
use super::{WINDOW, roster::Speeds};

/// Bytes of payloads that a worker holds beyond what it runs.
const HELD_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Brings things to a worker: implemented by whoever holds its connection. Must not block.
pub trait Courier: fmt::Debug + Send + Sync + 'static {
    /// These attempts are the worker's. Nothing of it may leave before `position` is durable.
    fn assign(&self, position: Position, assigned: Vec<Assigned>);

    /// An attempt is to stop. Nothing of it may leave before `position` is durable.
    fn cancel(&self, position: Position, task: TaskId, attempt: u64);

    /// The server gives no more work.
    fn drain(&self);

    /// Another connection has the session from now on: this one is to be closed.
    fn replaced(&self);
}

/// An attempt for a worker.
#[derive(Debug)]
pub struct Assigned {
    /// The task, running.
    pub task: Task,
    /// What proves that the worker was given it.
    pub token: Token,
    /// Its payload, as JSON text.
    pub payload: Bytes,
    /// How long it may run.
    pub timeout: Duration,
}

/// An attempt that a worker says it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeldBy {
    /// The task.
    pub task: TaskId,
    /// The attempt.
    pub attempt: u64,
    /// What proves that the worker was given it.
    pub token: Token,
}

/// An attempt that a worker was given, as the server remembers it.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) attempt: u64,
    pub(super) token: Token,
    pub(super) kind: Kind,
    pub(super) given_at: Timestamp,
    pub(super) deadline_at: Timestamp,
    pub(super) bytes: usize,
    pub(super) is_suspect: bool,
    /// Its share of the window, in microseconds.
    share: u64,
}

/// Where the worker is.
#[derive(Debug)]
pub(super) enum Presence {
    /// Connected.
    Here(Arc<dyn Courier>),
    /// Its connection is gone; it has until then to come back.
    Away(Timestamp),
}

/// One worker.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: SessionId,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) fit: Fit,
    pub(super) slots: u16,
    /// So many of its claims can have been started, whatever it says later.
    pub(super) slots_at_most: u16,
    pub(super) prefetch: u16,
    pub(super) resume_hash: [u8; 32],
    pub(super) presence: Presence,
    /// Which of its connections, counted from 1.
    pub(super) connection: u64,
    /// Microseconds; told by the connection without a lock.
    pub(super) heard_at: Arc<AtomicI64>,
    pub(super) opened_at: Timestamp,
    /// It is of an earlier life of this process: what it holds is known by the records only.
    pub(super) is_restored: bool,
    pub(super) given: HashMap<TaskId, Given>,
    pub(super) ended: u64,
    load: u64,
    bytes: usize,
    suspects: usize,
}

impl Session {
    pub(super) fn new(id: SessionId, slots: u16, resume_hash: [u8; 32], now: Timestamp) -> Self {
        Self {
            id,
            name: String::new(),
            address: String::new(),
            fit: Fit::default(),
            slots,
            slots_at_most: slots,
            prefetch: 0,
            resume_hash,
            presence: Presence::Away(now),
            connection: 0,
            heard_at: Arc::new(AtomicI64::new(now.as_micros())),
            opened_at: now,
            is_restored: false,
            given: HashMap::new(),
            ended: 0,
            load: 0,
            bytes: 0,
            suspects: 0,
        }
    }

    pub(super) fn courier(&self) -> Option<&Arc<dyn Courier>> {
        match &self.presence {
            Presence::Here(courier) => Some(courier),
            Presence::Away(_) => None,
        }
    }

    pub(super) fn heard_at(&self) -> Timestamp {
        Timestamp::from_micros(self.heard_at.load(Ordering::Relaxed))
    }

    /// Slots that nothing is given for.
    pub(super) fn free_slots(&self) -> usize {
        usize::from(self.slots).saturating_sub(self.given.len())
    }

    /// Remembers an attempt that is the worker's from now on.
    pub(super) fn give(&mut self, task: &Task, token: Token, speeds: &Speeds, now: Timestamp) {
        let share = speeds.share(&task.spec.kind);
        let bytes = task.spec.payload.inline_len();
        let is_suspect = task.crashes > 0;
        self.load += share;
        self.bytes += bytes;
        self.suspects += usize::from(is_suspect);
        let given = Given {
            attempt: task.attempt,
            token,
            kind: task.spec.kind.clone(),
            given_at: now,
            deadline_at: now + task.spec.timeout(),
            bytes,
            is_suspect,
            share,
        };
        self.given.insert(task.id(), given);
    }

    /// Forgets an attempt that the worker no longer has; `None` when it does not hold it.
    pub(super) fn take_back(&mut self, held: &HeldBy) -> Option<Given> {
        let given = self.given.get(&held.task)?;
        if given.attempt != held.attempt || given.token != held.token {
            return None;
        }
        self.forget(held.task)
    }

    pub(super) fn forget(&mut self, task: TaskId) -> Option<Given> {
        let given = self.given.remove(&task)?;
        self.load = self.load.saturating_sub(given.share);
        self.bytes = self.bytes.saturating_sub(given.bytes);
        self.suspects -= usize::from(given.is_suspect);
        Some(given)
    }
}

/// A session that takes from the shelves.
#[derive(Debug)]
pub(super) struct Taking<'s> {
    session: &'s Session,
    speeds: &'s Speeds,
    /// What it was given in this turn and before.
    count: usize,
    load: u64,
    suspects: usize,
    /// May it be given more than it has slots for?
    beyond_slots: bool,
}

impl<'s> Taking<'s> {
    /// `count` and `load` of this turn come on top of what the session holds.
    pub(super) fn new(
        session: &'s Session,
        speeds: &'s Speeds,
        reserved: (usize, u64, usize),
        beyond_slots: bool,
    ) -> Self {
        let (count, load, suspects) = reserved;
        Self {
            session,
            speeds,
            count: session.given.len() + count,
            load: session.load + load,
            suspects: session.suspects + suspects,
            beyond_slots,
        }
    }

    /// What was reserved in the end.
    pub(super) fn reserved(&self) -> (usize, u64, usize) {
        let session = self.session;
        (
            self.count - session.given.len(),
            self.load - session.load,
            self.suspects - session.suspects,
        )
    }

    /// For how many more tasks there is room, when they take as long as its slowest kind.
    pub(super) fn room(&self) -> usize {
        let session = self.session;
        let free = usize::from(session.slots).saturating_sub(self.count);
        let shares = session.fit.kinds.iter().map(|kind| self.speeds.share(kind));
        let (Some(share), true) = (shares.max(), self.beyond_slots) else {
            return free;
        };
        let left = self.window().saturating_sub(self.load) / share;
        let beyond = usize::try_from(left).unwrap_or(usize::MAX);
        let most = usize::from(session.slots) + usize::from(session.prefetch);
        let room = beyond.min(most.saturating_sub(self.count));
        // Few at a time cost a statement each.
        let is_worth_it = room >= usize::from(session.prefetch) / 4;
        if is_worth_it { room.max(free) } else { free }
    }

    /// How much work a worker may hold, in microseconds.
    fn window(&self) -> u64 {
        let slots = u64::from(self.session.slots);
        u64::try_from(WINDOW.as_micros()).unwrap_or(u64::MAX) * slots
    }

    fn has_room(&self, share: u64) -> bool {
        let slots = usize::from(self.session.slots);
        if self.count < slots {
            return true;
        }
        self.beyond_slots
            && slots > 0
            && self.count < slots + usize::from(self.session.prefetch)
            && self.load + share <= self.window()
            && self.session.bytes < HELD_BYTES_MAX
    }
}

impl Taker for Taking<'_> {
    fn can_run(&self, queue: &tareas_core::QueueName, class: &Class) -> bool {
        self.session.fit.can_run(queue, class)
    }

    fn admits(&mut self, class: &Class, is_suspect: bool) -> bool {
        let share = self.speeds.share(&class.kind);
        let is_alone = !is_suspect || self.suspects == 0;
        if !is_alone || !self.has_room(share) {
            return false;
        }
        self.count += 1;
        self.load += share;
        self.suspects += usize::from(is_suspect);
        true
    }
}
