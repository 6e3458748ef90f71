//! Carrying out what core decided: one statement for each kind of row.

use std::sync::atomic::Ordering;

use tareas_core::ledger::Write;
use uuid::Uuid;

use super::batch::{Inserted, Removed, Replaced, Succeeded};
use super::days::day_of_all;
use super::decide::Decision;
use super::fault::Fault;
use super::link::{Link, Value};
use super::row;
use super::shared::Shared;
use super::statements::{INSERT, INSERT_FRESH, INSERT_KEYED, REMOVE, REPLACE, SUCCEED};
use crate::ids::IdSet;

/// Writes rows over one connection, which counts in a shard of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer<'a> {
    pub(super) shared: &'a Shared,
    pub(super) link: &'a Link,
    pub(super) shard: i32,
}

/// The ids of the rows that a statement has written; `None` when it has written all.
type Told = Option<IdSet>;

/// Where the ids of new tasks come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ids {
    /// Made by this server just now: no task can have one of them.
    Fresh,
    /// Some of them may have been sent before.
    Any,
}

impl Writer<'_> {
    /// Carries out the decisions, each on its own: those whose task has moved on are left out.
    /// Each tells whether it was written, also when a later statement failed. What is claimed with
    /// it, is claimed by `claim`.
    pub(super) async fn write(
        self,
        decisions: &mut [Decision],
        ids: Ids,
        claim: Uuid,
    ) -> Result<(), Fault> {
        let (mut removals, mut successes) = (Vec::new(), Vec::new());
        let (mut updates, mut inserts) = (Vec::new(), Vec::new());
        for decision in decisions {
            match decision.write {
                Write::Delete { .. } => removals.push(decision),
                Write::Update { .. } if Succeeded::is_one(decision) => successes.push(decision),
                Write::Update { .. } => updates.push(decision),
                Write::Insert => inserts.push(decision),
                Write::Nothing => {}
            }
        }
        if !removals.is_empty() {
            let columns = Removed::of(removals.iter().map(|one| &**one));
            let told = self
                .told(None, REMOVE, &columns.values(&self.shard))
                .await?;
            self.count(&mut removals, told);
        }
        if !successes.is_empty() {
            let columns = Succeeded::of(successes.iter().map(|one| &**one));
            let day = day_of_all(successes.iter().map(|one| one.id));
            let told = self
                .told(day, SUCCEED, &columns.values(&self.shard))
                .await?;
            self.count(&mut successes, told);
        }
        if !updates.is_empty() {
            let columns = Replaced::of(updates.iter().map(|one| &**one));
            let values = columns.values(&self.shard, &claim);
            let told = self.told(None, REPLACE, &values).await?;
            self.count(&mut updates, told);
        }
        if !inserts.is_empty() {
            self.insert(&mut inserts, ids).await?;
        }
        Ok(())
    }

    async fn insert(self, inserts: &mut [&mut Decision], ids: Ids) -> Result<(), Fault> {
        let days = &self.shared.days;
        days.make_for(self.link, inserts.iter().map(|one| one.id))
            .await?;
        let columns = Inserted::of(inserts.iter().map(|one| &one.task));
        let sql = match ids {
            _ if columns.has_keys() => INSERT_KEYED,
            Ids::Any => INSERT,
            Ids::Fresh => INSERT_FRESH,
        };
        let entry = Uuid::now_v7();
        let values = columns.values(&self.shard, &self.shared.server, &entry);
        let told = match sql {
            INSERT_FRESH => {
                let day = day_of_all(inserts.iter().map(|one| one.id));
                self.rows(day, sql, &values).await?;
                None
            }
            _ => self.told(None, sql, &values[..values.len() - 1]).await?,
        };
        self.count(inserts, told);
        Ok(())
    }

    /// Which rows a statement has written: `None` is all.
    async fn told(
        self,
        day: Option<i32>,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Told, Fault> {
        row::written(&self.rows(day, sql, values).await?)
    }

    /// Rows of a statement about tasks of one day, or of any.
    async fn rows(
        self,
        day: Option<i32>,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<tokio_postgres::Row>, Fault> {
        let stats = &self.shared.stats;
        stats.statements.fetch_add(1, Ordering::Relaxed);
        self.link.rows_of(day, sql, values).await
    }

    /// Notes what a statement has written.
    fn count(self, decisions: &mut [&mut Decision], told: Told) {
        let mut written = 0;
        for decision in &mut *decisions {
            decision.is_written = told.as_ref().is_none_or(|ids| ids.contains(&decision.id));
            written += u64::from(decision.is_written);
        }
        self.shared.stats.rows.fetch_add(written, Ordering::Relaxed);
        let done = decisions.iter().filter(|decision| decision.is_written);
        let moves = done.map(|decision| {
            let is_removal = matches!(decision.write, Write::Delete { .. });
            let is = (!is_removal).then(|| decision.task.phase());
            (&decision.task.spec.queue, decision.was, is)
        });
        self.shared.tally.moved(self.shard, moves);
    }
}
