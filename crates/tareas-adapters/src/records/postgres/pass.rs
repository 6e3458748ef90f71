//! One pass over commands that wait: know, decide, write, and see what was written.
//!
//! The first pass assumes: that a task which is submitted is new, that a running task is as its
//! claim returned it. A decision that was written on an assumption is certain, since the write
//! has checked it; any other one is made again in a pass that has read what there is.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use tareas_core::ledger::{Row, Write};
use tareas_core::limits::TIMEOUT_DEFAULT;
use tareas_core::{Command, Outcome, Rejected, SessionId, Task, TaskId, lifecycle};
use uuid::Uuid;

use super::batch::{Claims, uuids};
use super::decide::{Entry, Known, Sent, decide, rows};
use super::fault::Fault;
use super::ids::{IdMap, IdSet};
use super::row;
use super::statements::{CLAIM, CLOSED, FREE_KEYS, KEYS, LOAD, PAUSED};
use super::write::{Ids, Writer};

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
        let known = match basis {
            Basis::Assumed => self.assume(entries).await?,
            Basis::Read => self.read(entries).await?,
        };
        if basis == Basis::Read {
            recognise(entries, &known);
            self.refuse_closed(entries).await?;
        }
        let mut open: Vec<&mut Entry> = entries
            .iter_mut()
            .filter(|entry| entry.outcome.is_none())
            .map(|entry| &mut **entry)
            .collect();
        self.decide(&mut open, &known, basis).await
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

    async fn decide(
        self,
        open: &mut [&mut Entry],
        known: &Known,
        basis: Basis,
    ) -> Result<(), Fault> {
        let Some(latest) = open.iter().map(|entry| entry.now).max() else {
            return Ok(());
        };
        let places = self.shared.places(latest, open.len());
        let mut ledger = known.ledger(places, self.shared.options.queue_tasks_max);
        let outcomes = decide(&mut ledger, open);
        let rows = rows(&mut ledger);
        if basis == Basis::Read {
            self.free_keys(open, known, &rows).await?;
        }
        mark_sent(open, &rows);
        let ids = match basis {
            Basis::Assumed if open.iter().all(|entry| entry.has_fresh_id()) => Ids::Fresh,
            Basis::Assumed | Basis::Read => Ids::Any,
        };
        let mut written = IdSet::default();
        let phases = known.phases();
        let claim = Uuid::now_v7();
        let result = self.write(&rows, &phases, &mut written, ids, claim).await;
        for (entry, outcome) in open.iter_mut().zip(outcomes) {
            let is_certain = match &outcome {
                Outcome::Done(task) => written.contains(&task.id()),
                Outcome::Already(_) | Outcome::Refused(_) => basis == Basis::Read,
            };
            if is_certain {
                entry.outcome = Some(outcome);
            }
            if is_certain || !matches!(result, Err(Fault::Lost(_))) {
                entry.sent = None;
            }
        }
        self.settle(open, !written.is_empty(), claim);
        result
    }

    /// Tells those who wait, and remembers what runs by this claim.
    fn settle(self, entries: &[&mut Entry], has_changed: bool, claim: Uuid) {
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

    /// T3 by one statement. What it does not find stays open.
    async fn claim(self, entries: &mut [&mut Entry]) -> Result<(), Fault> {
        entries.sort_unstable_by_key(|entry| entry.command.task());
        let mut claims = Claims::with_room(entries.len());
        for entry in entries.iter_mut() {
            claims.push(&entry.command, entry.now);
            entry.sent = Some(Sent::Claim);
        }
        let claims = claims.complete();
        let timeout = i64::try_from(TIMEOUT_DEFAULT.as_micros()).unwrap_or(i64::MAX);
        self.shared.stats.statements.fetch_add(1, Ordering::Relaxed);
        let (claim, over) = (Uuid::now_v7(), self.shared.running().take_over());
        let values = claims.values(&self.shard, &timeout, &claim, &over);
        let answered = self.link.rows(CLAIM, &values).await;
        if answered.is_err() {
            self.shared.running().give_back(over);
        }
        if !matches!(answered, Err(Fault::Lost(_))) {
            entries.iter_mut().for_each(|entry| entry.sent = None);
        }
        let claimed = answered?;
        for found in &claimed {
            let id = row::id(found, 0)?;
            let entry = entries.binary_search_by_key(&id, |entry| entry.command.task());
            let entry = entry.map_err(|_| row::damaged("a claim that nobody asked for"))?;
            let entry = &mut *entries[entry];
            let task = row::claimed(found, &claim_of(entry)?, entry.now)?;
            entry.outcome = Some(Outcome::Done(task));
        }
        let stats = &self.shared.stats;
        stats
            .rows
            .fetch_add(claimed.len() as u64, Ordering::Relaxed);
        let moves = entries.iter().filter_map(|entry| match &entry.outcome {
            Some(Outcome::Done(task)) => {
                let (was, is) = (tareas_core::Phase::Queued, tareas_core::Phase::Running);
                Some((&task.spec.queue, Some(was), Some(is)))
            }
            _ => None,
        });
        self.shared.tally.moved(self.shard, moves);
        if claimed.is_empty() {
            // The statement has noted it all the same.
            self.shared.running().give_back(vec![claim]);
        }
        self.settle(entries, !claimed.is_empty(), claim);
        Ok(())
    }

    /// What is known without asking; other tasks are read, unless they are submitted just now.
    async fn assume(self, entries: &[&mut Entry]) -> Result<Known, Fault> {
        let mut known = self.around(entries).await?;
        let mut unknown = Vec::new();
        for entry in entries {
            let id = entry.command.task();
            if matches!(entry.command, Command::Submit(_)) {
                continue;
            }
            match self.shared.held(id) {
                Some(task) => known.tasks.push(task),
                None => unknown.push(id),
            }
        }
        if !unknown.is_empty() {
            known.tasks.extend(self.load(unknown.into_iter()).await?);
        }
        Ok(known)
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
        let rows = self.link.rows(LOAD, &[&uuids(ids)]).await.map_err(unsent)?;
        row::tasks(&rows)
    }

    /// Frees keys that are stored for a task which does not have them, for those who may have
    /// them now.
    async fn free_keys(
        self,
        open: &[&mut Entry],
        known: &Known,
        rows: &[Row],
    ) -> Result<(), Fault> {
        let is_new: IdSet = rows
            .iter()
            .filter(|row| row.write == Write::Insert)
            .map(|row| row.task.id())
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

/// Notes what is about to be sent for each command.
fn mark_sent(open: &mut [&mut Entry], rows: &[Row]) {
    let rows: IdMap<&Row> = rows.iter().map(|row| (row.task.id(), row)).collect();
    for entry in open {
        entry.sent = rows.get(&entry.command.task()).and_then(|row| {
            let task = row.task.clone();
            match row.write {
                Write::Insert | Write::Update { .. } => Some(Sent::Image(task)),
                Write::Delete { .. } => Some(Sent::Removal(task)),
                Write::Nothing => None,
            }
        });
    }
}

/// Who claims, and on what knowledge.
fn claim_of(entry: &Entry) -> Result<lifecycle::Claim, Fault> {
    match &entry.command {
        Command::Claim {
            expected_attempt,
            session,
            token,
            ..
        } => Ok(lifecycle::Claim {
            expected_attempt: *expected_attempt,
            session: *session,
            token: *token,
            gap: 0,
        }),
        _ => Err(row::damaged("a claim that is none")),
    }
}
