//! Carrying out what a ledger decided: one statement for each kind of row.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

use tareas_core::ledger::{Row, Write};
use tareas_core::{Phase, TaskId};

use super::batch::{Inserted, Removed, Replaced};
use super::fault::Fault;
use super::link::{Link, Value};
use super::row;
use super::shared::Shared;
use super::statements::{INSERT, INSERT_FRESH, INSERT_KEYED, REMOVE, REPLACE};

/// Writes rows over one connection, which counts in a shard of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer<'a> {
    pub(super) shared: &'a Shared,
    pub(super) link: &'a Link,
    pub(super) shard: i32,
}

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
    /// written is in `written`, also when a later statement failed.
    pub(super) async fn write(
        self,
        rows: &[Row],
        phases: &HashMap<TaskId, Phase>,
        written: &mut HashSet<TaskId>,
        ids: Ids,
    ) -> Result<(), Fault> {
        let of = |is: fn(&Write) -> bool| -> Vec<&Row> {
            rows.iter().filter(|row| is(&row.write)).collect()
        };
        let was = |row: &Row| phases.get(&row.task.id()).copied();
        let removals = of(|write| matches!(write, Write::Delete { .. }));
        if !removals.is_empty() {
            let with_phase = removals.iter().filter_map(|row| Some((*row, was(row)?)));
            let columns = Removed::of(with_phase);
            let done = self.done(REMOVE, &columns.values(&self.shard)).await?;
            self.count(&removals, phases, &done);
            written.extend(done);
        }
        let updates = of(|write| matches!(write, Write::Update { .. }));
        if !updates.is_empty() {
            let with_phase = updates.iter().filter_map(|row| Some((*row, was(row)?)));
            let columns = Replaced::of(with_phase);
            let done = self.done(REPLACE, &columns.values(&self.shard)).await?;
            self.count(&updates, phases, &done);
            written.extend(done);
        }
        let inserts = of(|write| matches!(write, Write::Insert));
        if !inserts.is_empty() {
            self.insert(&inserts, phases, written, ids).await?;
        }
        Ok(())
    }

    async fn insert(
        self,
        rows: &[&Row],
        phases: &HashMap<TaskId, Phase>,
        written: &mut HashSet<TaskId>,
        ids: Ids,
    ) -> Result<(), Fault> {
        let days = &self.shared.days;
        days.make_for(self.link, rows.iter().map(|row| row.task.id()))
            .await?;
        let columns = Inserted::of(rows.iter().map(|row| &row.task));
        let sql = match ids {
            _ if columns.has_keys() => INSERT_KEYED,
            Ids::Any => INSERT,
            Ids::Fresh => INSERT_FRESH,
        };
        let values = columns.values(&self.shard, &self.shared.server);
        let done = self.done(sql, &values).await?;
        self.count(rows, phases, &done);
        written.extend(done);
        Ok(())
    }

    async fn done(self, sql: &'static str, values: &[Value<'_>]) -> Result<HashSet<TaskId>, Fault> {
        let stats = &self.shared.stats;
        stats.statements.fetch_add(1, Ordering::Relaxed);
        let rows = self.link.rows(sql, values).await?;
        let done = row::ids(&rows)?;
        stats.rows.fetch_add(done.len() as u64, Ordering::Relaxed);
        Ok(done)
    }

    fn count(self, rows: &[&Row], phases: &HashMap<TaskId, Phase>, done: &HashSet<TaskId>) {
        let moves = rows.iter().filter(|row| done.contains(&row.task.id()));
        let moves = moves.map(|row| {
            let was = phases.get(&row.task.id()).copied();
            let is_removal = matches!(row.write, Write::Delete { .. });
            let is = (!is_removal).then(|| row.task.phase());
            (
                &row.task.spec.queue,
                was.filter(|_| row.write != Write::Insert),
                is,
            )
        });
        self.shared.tally.moved(self.shard, moves);
    }
}
