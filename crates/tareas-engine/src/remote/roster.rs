//! All sessions, and how long their kinds take.

use std::collections::{BTreeMap, HashMap, VecDeque};

use smol_str::SmolStr;
use tareas_core::{Kind, SessionId, TaskId, Timestamp};

use super::session::{Presence, Session};
use super::{LostWorker, WINDOW};
use crate::kinds::smooth;

/// How many runs it takes to move the smoothed run time of a kind half of the way.
const SMOOTHING: u64 = 16;

/// Lost workers that are remembered.
const LOST_MAX: usize = 8;

/// A session that is over.
#[derive(Debug)]
pub(super) struct Over {
    pub(super) session: SessionId,
    /// How many of its claims can have been started.
    pub(super) slots: u16,
    /// What its worker was called, unless it never said, or in an earlier life of this process.
    pub(super) worker: Option<SmolStr>,
}

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Roster {
    pub(super) sessions: BTreeMap<SessionId, Session>,
    pub(super) speeds: Speeds,
    /// The workers that were lost last, the newest first.
    pub(super) lost: VecDeque<LostWorker>,
    /// Sessions that are over, until everything they held was taken back.
    pub(super) over: Vec<Over>,
    /// After whom the next turn begins.
    pub(super) turn: Option<SessionId>,
}

impl Roster {
    pub(super) fn drain(&self) {
        for session in self.sessions.values() {
            if let Some(courier) = session.courier() {
                courier.drain();
            }
        }
    }

    /// Takes out a session whose worker did not come back.
    pub(super) fn lose(&mut self, id: SessionId, now: Timestamp) {
        let Some(session) = self.sessions.remove(&id) else {
            return;
        };
        let held = session.given.len();
        tracing::warn!(worker = %session.name, held, "a worker was lost");
        self.over.push(Over {
            session: id,
            slots: session.slots_at_most,
            worker: (!session.name.is_empty()).then(|| session.name.as_str().into()),
        });
        // Of a life before this one nobody knows how much it held.
        if !session.is_restored {
            self.lost.truncate(LOST_MAX - 1);
            self.lost.push_front(LostWorker {
                name: session.name,
                held,
                at: now,
            });
        }
    }

    /// The session that this connection has, unless it is over or another connection has it.
    pub(super) fn of(&mut self, id: SessionId, connection: u64) -> Option<&mut Session> {
        let session = self.sessions.get_mut(&id)?;
        let is_its = session.connection == connection;
        (is_its && matches!(session.presence, Presence::Here(_))).then_some(session)
    }

    /// The session that holds an attempt.
    pub(super) fn holder(&self, task: TaskId, attempt: u64) -> Option<&Session> {
        self.sessions.values().find(|session| {
            let given = session.given.get(&task);
            given.is_some_and(|given| given.attempt == attempt)
        })
    }

    /// Sessions in the order of their turns.
    pub(super) fn in_turn(&self) -> Vec<SessionId> {
        let mut ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        let first = ids.partition_point(|id| Some(*id) <= self.turn);
        ids.rotate_left(first);
        ids
    }
}

/// How long kinds take at remote workers, by their own account or as seen from here.
#[derive(Debug, Default)]
pub(super) struct Speeds {
    micros: HashMap<Kind, u64>,
}

impl Speeds {
    pub(super) fn learn(&mut self, kind: &Kind, micros: u64) {
        match self.micros.get_mut(kind) {
            Some(known) => *known = smooth(*known, micros, 1, SMOOTHING),
            None => {
                self.micros.insert(kind.clone(), micros);
            }
        }
    }

    /// What a task of this kind takes of the window of its worker, in microseconds: its run
    /// time, at most one slot's share, which is also what an unknown kind takes.
    pub(super) fn share(&self, kind: &Kind) -> u64 {
        let most = u64::try_from(WINDOW.as_micros()).unwrap_or(u64::MAX);
        let known = self.micros.get(kind).copied();
        known.unwrap_or(most).clamp(1, most)
    }
}
