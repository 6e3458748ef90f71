//! Claims, by one statement for the plain case: what it did must be what core makes of each of
//! them.

use std::sync::atomic::Ordering;

use tareas_core::limits::TIMEOUT_DEFAULT;
use tareas_core::{Command, Outcome, Phase, Task, TaskId, lifecycle};
use tokio_postgres::Row;
use uuid::Uuid;

use super::batch::{Claims, ClaimsAlike};
use super::days::day_of_all;
use super::decide::{Entry, Sent};
use super::fault::Fault;
use super::row;
use super::statements::{CLAIM, CLAIM_ALIKE};
use super::write::Writer;

impl Writer<'_> {
    /// T3 by one statement. What it does not find stays open.
    pub(super) async fn claim(self, entries: &mut [&mut Entry]) -> Result<(), Fault> {
        entries.sort_unstable_by_key(|entry| entry.command.task());
        for entry in entries.iter_mut() {
            entry.sent = Some(Sent::Claim);
        }
        self.shared.stats.statements.fetch_add(1, Ordering::Relaxed);
        let (claim, over) = (Uuid::now_v7(), self.shared.running().take_over());
        let answered = self.claimed(entries, claim, &over).await;
        if answered.is_err() {
            self.shared.running().give_back(over);
        }
        if !matches!(answered, Err(Fault::Lost(_))) {
            entries.iter_mut().for_each(|entry| entry.sent = None);
        }
        let claimed = answered?;
        let has_changed = !claimed.is_empty();
        if !has_changed {
            // The statement has noted it all the same.
            self.shared.running().give_back(vec![claim]);
        }
        let count = claimed.len() as u64;
        self.shared.stats.rows.fetch_add(count, Ordering::Relaxed);
        let moves = claimed.iter().map(|(_, task)| {
            let (was, is) = (Phase::Queued, Phase::Running);
            (&task.spec.queue, Some(was), Some(is))
        });
        self.shared.tally.moved(self.shard, moves);
        for (number, task) in claimed {
            entries[number].outcome = Some(Outcome::Done(task));
        }
        self.settle(entries, has_changed, claim);
        Ok(())
    }

    /// The tasks that were claimed, each with the number of its entry.
    async fn claimed(
        self,
        asked: &[&mut Entry],
        claim: Uuid,
        over: &Vec<Uuid>,
    ) -> Result<Vec<(usize, Task)>, Fault> {
        let timeout = i64::try_from(TIMEOUT_DEFAULT.as_micros()).unwrap_or(i64::MAX);
        let mut next = 0;
        let read = |found: &Row| {
            let number = number_of(asked, row::id(found, 0)?, next)?;
            let entry = &*asked[number];
            next = number + 1;
            let task = row::claimed(found, &claim_of(entry)?, entry.now)?;
            Ok((number, task))
        };
        let (link, about) = (self.link, asked.len());
        let day = day_of_all(asked.iter().map(|entry| entry.command.task()));
        let claims = || asked.iter().map(|entry| (entry.now, &entry.command));
        // Of several days, a list of ids would be looked for in each of them.
        let alike = day.and_then(|_| ClaimsAlike::of(claims()));
        if let Some(alike) = alike {
            let values = alike.values(&self.shard, &timeout, &claim, over);
            return link.collect(day, CLAIM_ALIKE, &values, about, read).await;
        }
        let claims = Claims::of(claims());
        let values = claims.values(&self.shard, &timeout, &claim, over);
        link.collect(day, CLAIM, &values, about, read).await
    }
}

/// Which of these commands, which are in order of id, claims this task: mostly the next one.
fn number_of(entries: &[&mut Entry], id: TaskId, next: usize) -> Result<usize, Fault> {
    let is_next = |entry: &&mut Entry| entry.command.task() == id;
    if entries.get(next).is_some_and(is_next) {
        return Ok(next);
    }
    let found = entries.binary_search_by_key(&id, |entry| entry.command.task());
    found.map_err(|_| row::damaged("a claim that nobody asked for"))
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
