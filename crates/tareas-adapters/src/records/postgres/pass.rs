//! One pass over commands that wait: know, decide, write, and see what was written.
//!
//! The first pass assumes: that a task which is submitted is new, that a running task is as its
//! claim returned it. A decision that was written on an assumption is certain, since the write
//! has checked it; any other one is made again in a pass that has read what there is.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use tareas_core::ledger::{Write, alone};
use tareas_core::{Command, Outcome, Place, Rejected, SessionId, Task, TaskId, Timestamp};
use uuid::Uuid;

use super::batch::uuids;
use super::decide::{Decision, Entry, Known, decide, decide_alone};
use super::fault::Fault;
use super::row;
use super::statements::{CLOSED, FREE_KEYS, KEYS, LOAD, PAUSED};
use super::write::{Ids, Writer};
use crate::ids::{IdMap, IdSet};

/// What a pass goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Basis {
    /// What is likely, and what was seen before.
    Assumed,
    /// What is stored.
    Read,
}

impl Writer<'_> {
    /// One pass over commands of different tasks. Those that stay open need another one.
    pub(super) async fn pass(self, entries: &mut [&mut Entry], basis: Basis) -> Result<(), Fault> {
        let all_claims = entries
            .iter()
            .all(|e| matches!(e.command, Command::Claim { .. }));
        if basis == Basis::Assumed && all_claims {
            return self.claim(entries).await;
        }
        match basis {
            Basis::Assumed => self.pass_on_assumption(entries).await,
            Basis::Read => self.pass_on_rows(entries).await,
        }
    }

    async fn pass_on_assumption(self, entries: &mut [&mut Entry]) -> Result<(), Fault> {
        let seen = self.assume(entries).await?;
        let queue_tasks_max = self.shared.options.queue_tasks_max;
        if queue_tasks_max.is_none() && entries.iter().all(|e| alone::can_decide(&e.command)) {
            let places = self.places(entries);
            let decisions = decide_alone(entries, seen, places);
            return self.carry_out(entries, decisions, Basis::Assumed).await;
        }
        let mut known = self.around(entries).await?;
        known.tasks = seen.into_iter().flatten().collect();
        self.decide(entries, &known, Basis::Assumed).await
    }

    async fn pass_on_rows(self, entries: &mut [&mut Entry]) -> Result<(), Fault> {
        let known = self.read(entries).await?;
        recognise(entries, &known);
        self.refuse_closed(entries).await?;
        let mut open: Vec<&mut Entry> = entries
            .iter_mut()
            .filter(|entry| entry.outcome.is_none())
            .map(|entry| &mut **entry)
            .collect();
        self.decide(&mut open, &known, Basis::Read).await
    }

    /// Refuses the claims of sessions that were closed: their process was declared gone.
    async fn refuse_closed(self, entries: &mut [&mut Entry]) -> Result<(), Fault> {
        let sessions: HashSet<SessionId> = entries.iter().filter_map(|e| session_of(e)).collect();
        if sessions.is_empty() {
            return Ok(());
        }
        let sessions: Vec<_> = sessions.into_iter().map(row::session_uuid).collect();
        let found = self.link.rows(CLOSED, &[&sessions]).await.map_err(unsent)?;
        let closed: Result<Vec<_>, Fault> = found.iter().map(|row| row::session(row, 0)).collect();
        let closed = closed?;
        for entry in entries {
            if session_of(entry).is_some_and(|session| closed.contains(&session)) {
                entry.outcome = Some(Outcome::Refused(Rejected::Stale));
            }
        }
        Ok(())
    }

    /// Decides by a ledger.
    async fn decide(
        self,
        open: &mut [&mut Entry],
        known: &Known,
        basis: Basis,
    ) -> Result<(), Fault> {
        let queue_tasks_max = self.shared.options.queue_tasks_max;
        let mut ledger = known.ledger(self.places(open), queue_tasks_max);
        let outcomes = decide(&mut ledger, open);
        let mut decisions = known.decisions(&mut ledger);
        let numbers = open.iter().map(|entry| entry.command.task()).zip(0..);
        let numbers: IdMap<usize> = numbers.collect();
        for decision in &mut decisions {
            decision.entry = numbers[&decision.id];
        }
        if basis == Basis::Read {
            self.free_keys(open, known, &decisions).await?;
            for (entry, outcome) in open.iter_mut().zip(outcomes) {
                let is_done = matches!(outcome, Outcome::Done(_));
                entry.outcome = (!is_done).then_some(outcome);
            }
        }
        self.carry_out(open, decisions, basis).await
    }

    /// Places for all of these commands, above the returned one.
    fn places(self, entries: &[&mut Entry]) -> Place {
        let latest = entries.iter().map(|entry| entry.now).max();
        let latest = latest.unwrap_or(Timestamp::EPOCH);
        self.shared.places(latest, entries.len())
    }

    /// Writes what was decided of these commands. What is written is certain, since the write has
    /// checked what it was decided on; the others stay open.
    async fn carry_out(
        self,
        open: &mut [&mut Entry],
        mut decisions: Vec<Decision>,
        basis: Basis,
    ) -> Result<(), Fault> {
        let ids = match basis {
            Basis::Assumed if open.iter().all(|entry| entry.has_fresh_id()) => Ids::Fresh,
            Basis::Assumed | Basis::Read => Ids::Any,
        };
        let claim = Uuid::now_v7();
        let result = self.write(&mut decisions, ids, claim).await;
        let is_lost = matches!(result, Err(Fault::Lost(_)));
        let mut has_changed = false;
        for decision in decisions {
            let entry = &mut *open[decision.entry];
            has_changed |= decision.is_written;
            if decision.is_written {
                entry.outcome = Some(Outcome::Done(decision.task));
            } else if is_lost {
                entry.sent = decision.sent();
            }
        }
        self.settle(open, has_changed, claim);
        result
    }

    /// Tells those who wait, and remembers what runs by this claim.
    pub(super) fn settle(self, entries: &[&mut Entry], has_changed: bool, claim: Uuid) {
        if has_changed {
            self.shared.advance();
        }
        let done = entries.iter().filter_map(|entry| match &entry.outcome {
            Some(Outcome::Done(task)) => Some((&entry.command, task)),
            _ => None,
        });
        let is_claimed = |(command, task): &(&Command, &Task)| {
            matches!(command, Command::Claim { .. }) && task.lease().is_some()
        };
        let task = |(_, task)| task;
        let mut running = self.shared.running();
        running.claimed(claim, done.clone().filter(is_claimed).map(task));
        running.changed(done.filter(|done| !is_claimed(done)).map(task));
    }

    /// The tasks of these commands as they were last seen here; other tasks are read, unless they
    /// are submitted just now.
    async fn assume(self, entries: &[&mut Entry]) -> Result<Vec<Option<Task>>, Fault> {
        let (mut seen, unseen) = self.seen(entries);
        if !unseen.is_empty() {
            let id = |number: &usize| entries[*number].command.task();
            let tasks = self.load(unseen.iter().map(id)).await?.into_iter();
            let mut tasks: IdMap<Task> = tasks.map(|task| (task.id(), task)).collect();
            for number in unseen {
                seen[number] = tasks.remove(&id(&number));
            }
        }
        Ok(seen)
    }

    /// What runs here, and the numbers of those commands whose tasks are to be read.
    fn seen(self, entries: &[&mut Entry]) -> (Vec<Option<Task>>, Vec<usize>) {
        let mut unseen = Vec::new();
        let running = self.shared.running();
        let seen = entries.iter().enumerate().map(|(number, entry)| {
            if matches!(entry.command, Command::Submit(_)) {
                return None;
            }
            let task = running.get(entry.command.task());
            if task.is_none() {
                unseen.push(number);
            }
            task.cloned()
        });
        (seen.collect(), unseen)
    }

    /// Everything that these commands depend on, as it is stored. Keys before the tasks: who
    /// has a key was stored with it, so it is found, or gone, or never had it.
    async fn read(self, entries: &[&mut Entry]) -> Result<Known, Fault> {
        let mut known = self.around(entries).await?;
        let keys: Vec<&[u8]> = entries
            .iter()
            .filter_map(|entry| entry.key().map(|key| key.as_bytes()))
            .collect();
        if !keys.is_empty() {
            for row in self.link.rows(KEYS, &[&keys]).await.map_err(unsent)? {
                known.keys.insert(row::key(&row, 0)?, row::id(&row, 1)?);
            }
        }
        let ids: IdSet = entries
            .iter()
            .map(|entry| entry.command.task())
            .chain(known.keys.values().copied())
            .collect();
        known.tasks = self.load(ids.into_iter()).await?;
        Ok(known)
    }

    /// What commands depend on beside their tasks: pauses, and counts when they are limited.
    async fn around(self, entries: &[&mut Entry]) -> Result<Known, Fault> {
        let mut known = Known::default();
        if self.shared.options.queue_tasks_max.is_some() {
            known.counts = self.shared.tally.sums().into_iter().collect();
        }
        if entries
            .iter()
            .any(|e| matches!(e.command, Command::Claim { .. }))
        {
            let rows = self.link.rows(PAUSED, &[]).await.map_err(unsent)?;
            let paused: Result<Vec<_>, Fault> = rows.iter().map(|row| row::queue(row, 0)).collect();
            known.paused = paused?;
        }
        Ok(known)
    }

    async fn load(self, ids: impl Iterator<Item = TaskId>) -> Result<Vec<Task>, Fault> {
        self.shared.stats.statements.fetch_add(1, Ordering::Relaxed);
        let ids = uuids(ids);
        let tasks = self.link.tasks(LOAD, &[&ids], ids.len()).await;
        tasks.map_err(unsent)
    }

    /// Frees keys that are stored for a task which does not have them, for those who may have
    /// them now.
    async fn free_keys(
        self,
        open: &[&mut Entry],
        known: &Known,
        decisions: &[Decision],
    ) -> Result<(), Fault> {
        let is_new: IdSet = decisions
            .iter()
            .filter(|decision| decision.write == Write::Insert)
            .map(|decision| decision.id)
            .collect();
        let (mut keys, mut owners) = (Vec::new(), Vec::new());
        for entry in open {
            if let Some(key) = entry.key()
                && let Some(owner) = known.keys.get(key)
                && is_new.contains(&entry.command.task())
            {
                keys.push(key.as_bytes());
                owners.push(row::uuid(*owner));
            }
        }
        if !keys.is_empty() {
            let freed = self.link.rows(FREE_KEYS, &[&keys, &owners]).await;
            freed.map_err(unsent)?;
        }
        Ok(())
    }
}

/// What reads, or frees what nobody has, decides nothing: it may be done again.
fn unsent(fault: Fault) -> Fault {
    match fault {
        Fault::Lost(source) => Fault::Unreachable(source),
        other => other,
    }
}

/// The session of a claim that is not decided yet.
fn session_of(entry: &Entry) -> Option<SessionId> {
    match &entry.command {
        Command::Claim { session, .. } if entry.outcome.is_none() => Some(*session),
        _ => None,
    }
}

/// After a lost connection: what was sent is recognised by the row that it left.
fn recognise(entries: &mut [&mut Entry], known: &Known) {
    if entries.iter().all(|entry| entry.sent.is_none()) {
        return;
    }
    let found: IdMap<&Task> = known.tasks.iter().map(|task| (task.id(), task)).collect();
    for entry in entries.iter_mut() {
        let row = found.get(&entry.command.task()).copied();
        if let Some(task) = entry.was_done(row) {
            entry.outcome = Some(Outcome::Done(task));
        }
        entry.sent = None;
    }
}
