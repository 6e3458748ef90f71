//! Reading what is not in memory, and taking it in.
//!
//! A task that is not live has no decision that is not durable. So: ask the ledger what is not
//! live, *then* open a snapshot and read it, then take it in. One look-up goes at a time (the
//! turn), and only who has the turn takes in, so what was not live stays so until then.
//!
//! The exception are removed tasks, whose rows go with the next commit: the ledger knows them
//! and does not ask for them.

use std::collections::{HashMap, HashSet};
use std::sync::MutexGuard;

use rusqlite::{Connection, OptionalExtension, Result};
use smol_str::SmolStr;
use tareas_core::ledger::{Missing, Stored};
use tareas_core::{Command, TaskId, Timestamp};
use tareas_engine::ports::PortError;

use super::SqliteRecords;
use super::error::{read_error, unavailable};
use super::readers::Purpose;
use super::row;
use super::shared::State;

/// What one look-up has learned: what is not on disk, and what it has taken in.
#[derive(Debug, Default)]
pub(super) struct Learned {
    absent_ids: HashSet<TaskId>,
    absent_keys: HashSet<SmolStr>,
    installed: Vec<TaskId>,
}

/// What was found on disk.
#[derive(Debug, Default)]
struct Found {
    tasks: Vec<Stored>,
    keys: HashMap<SmolStr, TaskId>,
}

impl Learned {
    /// What these commands are about that is neither live nor known to be absent.
    pub(super) fn missing(&self, state: &State, commands: &[Command]) -> Missing {
        self.unknown(state.ledger.missing(commands))
    }

    /// Of these tasks, those that are neither live nor known to be absent.
    pub(super) fn missing_of(&self, state: &State, ids: &[TaskId]) -> Missing {
        let is_cold = |id: &&TaskId| !state.ledger.is_live(**id) && !state.ledger.is_removed(**id);
        let cold = ids.iter().filter(is_cold).copied().collect();
        self.unknown(Missing {
            ids: cold,
            keys: Vec::new(),
        })
    }

    fn unknown(&self, mut missing: Missing) -> Missing {
        missing.ids.retain(|id| !self.absent_ids.contains(id));
        missing.keys.retain(|key| !self.absent_keys.contains(key));
        missing
    }

    fn take_in(&mut self, state: &mut State, asked: Missing, found: Found) {
        let seen: HashSet<TaskId> = found.tasks.iter().map(|stored| stored.task.id()).collect();
        self.absent_ids
            .extend(asked.ids.into_iter().filter(|id| !seen.contains(id)));
        let Found { tasks, keys } = found;
        self.absent_keys
            .extend(asked.keys.into_iter().filter(|key| !keys.contains_key(key)));
        self.installed.extend(seen);
        state.ledger.install_keys(keys);
        state.ledger.install(tasks);
    }

    /// Lets go of what was taken in and not changed.
    pub(super) fn forget(self, state: &mut State, now: Timestamp) {
        state.ledger.forget(&self.installed, now);
    }
}

impl SqliteRecords {
    /// Makes these tasks live, as far as there are any, and locks for deciding on them: without
    /// the lock the next commit may let go of some again. The caller has the turn.
    pub(super) async fn all_live(
        &self,
        learned: &mut Learned,
        ids: &[TaskId],
    ) -> std::result::Result<MutexGuard<'_, State>, PortError> {
        loop {
            let missing = {
                let state = self.shared.lock_to_decide().map_err(unavailable)?;
                let missing = learned.missing_of(&state, ids);
                if missing.is_empty() {
                    return Ok(state);
                }
                missing
            };
            self.bring_in(learned, missing).await?;
        }
    }

    /// Reads what is missing and takes it in. The caller has the turn.
    pub(super) async fn bring_in(
        &self,
        learned: &mut Learned,
        missing: Missing,
    ) -> std::result::Result<(), PortError> {
        let found = {
            let rows = missing.ids.len() + missing.keys.len();
            let inside = self.gate.enter(Purpose::LookUp, rows).await;
            inside
                .snapshot(|connection| read(connection, &missing))
                .map_err(read_error)?
        };
        let mut state = self.shared.lock_to_decide().map_err(unavailable)?;
        learned.take_in(&mut state, missing, found);
        Ok(())
    }
}

fn read(connection: &Connection, missing: &Missing) -> Result<Found> {
    let mut keys = HashMap::new();
    if !missing.keys.is_empty() {
        let mut by_key = connection.prepare_cached("SELECT id FROM keys WHERE key = ?1")?;
        for key in &missing.keys {
            let id = by_key
                .query_row([key.as_str()], |row| row::read_id(row, 0))
                .optional()?;
            keys.extend(id.map(|id| (key.clone(), id)));
        }
    }
    Ok(Found {
        tasks: tasks(connection, &missing.ids)?,
        keys,
    })
}

/// The tasks with these ids, as far as there are any, in their order.
pub(super) fn tasks(connection: &Connection, ids: &[TaskId]) -> Result<Vec<Stored>> {
    let mut found = Vec::with_capacity(ids.len().min(1_024));
    if ids.is_empty() {
        return Ok(found);
    }
    let sql = format!("SELECT {} FROM tasks t WHERE t.id = ?1", row::COLUMNS);
    let mut by_id = connection.prepare_cached(&sql)?;
    for id in ids {
        found.extend(
            by_id
                .query_row([id.as_bytes().as_slice()], row::stored)
                .optional()?,
        );
    }
    Ok(found)
}
