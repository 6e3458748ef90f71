//! Carrying out what a ledger decided: one statement for each kind of row.

use std::sync::atomic::Ordering;

use tareas_core::Phase;
use tareas_core::ledger::{Row, Write};
use uuid::Uuid;

use super::batch::{Inserted, Removed, Replaced, Succeeded};
use super::fault::Fault;
use super::ids::{IdMap, IdSet};
use super::link::{Link, Value};
use super::row;
use super::shared::Shared;
use super::statements::{INSERT, INSERT_FRESH, INSERT_KEYED, REMOVE, REPLACE, SUCCEED};

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
    /// Writes the rows, each on its own: those whose task has moved on are left out. What was
    /// written is in `written`, also when a later statement failed. What is claimed with it, is
    /// claimed by `claim`.
    pub(super) async fn write(
        self,
        rows: &[Row],
        phases: &IdMap<Phase>,
        written: &mut IdSet,
        ids: Ids,
        claim: Uuid,
    ) -> Result<(), Fault> {
        let (mut removals, mut successes) = (Vec::new(), Vec::new());
        let (mut updates, mut inserts) = (Vec::new(), Vec::new());
        for row in rows {
            let was = phases.get(&row.task.id()).copied();
            match (row.write, was) {
                (Write::Delete { .. }, Some(was)) => removals.push((row, was)),
                (Write::Update { .. }, Some(was)) if Succeeded::is_one(row, was) => {
                    successes.push((row, was));
                }
                (Write::Update { .. }, Some(was)) => updates.push((row, was)),
                (Write::Insert, _) => inserts.push(row),
                (Write::Nothing | Write::Delete { .. } | Write::Update { .. }, _) => {}
            }
        }
        if !removals.is_empty() {
            let columns = Removed::of(removals.iter().copied());
            let told = self.told(REMOVE, &columns.values(&self.shard)).await?;
            self.moved(&removals, told, written);
        }
        if !successes.is_empty() {
            let columns = Succeeded::of(successes.iter().map(|(row, _)| *row));
            let told = self.told(SUCCEED, &columns.values(&self.shard)).await?;
            self.moved(&successes, told, written);
        }
        if !updates.is_empty() {
            let columns = Replaced::of(updates.iter().copied());
            let told = self
                .told(REPLACE, &columns.values(&self.shard, &claim))
                .await?;
            self.moved(&updates, told, written);
        }
        if !inserts.is_empty() {
            self.insert(&inserts, written, ids).await?;
        }
        Ok(())
    }

    async fn insert(self, rows: &[&Row], written: &mut IdSet, ids: Ids) -> Result<(), Fault> {
        let days = &self.shared.days;
        days.make_for(self.link, rows.iter().map(|row| row.task.id()))
            .await?;
        let columns = Inserted::of(rows.iter().map(|row| &row.task));
        let sql = match ids {
            _ if columns.has_keys() => INSERT_KEYED,
            Ids::Any => INSERT,
            Ids::Fresh => INSERT_FRESH,
        };
        let entry = Uuid::now_v7();
        let values = columns.values(&self.shard, &self.shared.server, &entry);
        let told = match sql {
            INSERT_FRESH => {
                self.rows(sql, &values).await?;
                None
            }
            _ => self.told(sql, &values[..values.len() - 1]).await?,
        };
        self.count(rows.iter().map(|row| (*row, None)), told, written);
        Ok(())
    }

    /// Which rows a statement has written: `None` is all.
    async fn told(self, sql: &'static str, values: &[Value<'_>]) -> Result<Told, Fault> {
        row::written(&self.rows(sql, values).await?)
    }

    async fn rows(
        self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<tokio_postgres::Row>, Fault> {
        let stats = &self.shared.stats;
        stats.statements.fetch_add(1, Ordering::Relaxed);
        self.link.rows(sql, values).await
    }

    /// Notes rows of tasks that were there, each with the phase that it leaves.
    fn moved(self, rows: &[(&Row, Phase)], told: Told, written: &mut IdSet) {
        self.count(
            rows.iter().map(|(row, was)| (*row, Some(*was))),
            told,
            written,
        );
    }

    fn count<'r>(
        self,
        rows: impl Iterator<Item = (&'r Row, Option<Phase>)> + Clone,
        told: Told,
        written: &mut IdSet,
    ) {
        let is_done = |row: &Row| told.as_ref().is_none_or(|ids| ids.contains(&row.task.id()));
        let done = rows.filter(|(row, _)| is_done(row));
        let before = written.len();
        written.extend(done.clone().map(|(row, _)| row.task.id()));
        let stats = &self.shared.stats;
        let count = (written.len() - before) as u64;
        stats.rows.fetch_add(count, Ordering::Relaxed);
        let moves = done.map(|(row, was)| {
            let is_removal = matches!(row.write, Write::Delete { .. });
            let is = (!is_removal).then(|| row.task.phase());
            (&row.task.spec.queue, was, is)
        });
        self.shared.tally.moved(self.shard, moves);
    }
}
