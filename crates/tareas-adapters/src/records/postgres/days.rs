//! Partitions: one for each day of the ids' own time, made before the first id of it comes, and
//! dropped when nothing in it is left.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tareas_core::limits::{ID_WINDOW_FUTURE, ID_WINDOW_PAST};
use tareas_core::{TaskId, Timestamp};

use super::fault::Fault;
use super::link::Link;
use super::migrate::schema_lock;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Partitions are made this much before their first id is accepted. Each costs every statement
/// a lock, so there are not many.
const AHEAD: Duration = Duration::from_secs(2 * 24 * 3600);

const MAKE: &str = concat!(
    "SELECT tareas.make_day($1) FROM (SELECT pg_advisory_xact_lock(",
    schema_lock!(),
    ")) locked"
);
const OLD: &str = "SELECT substr(c.relname, 7) FROM pg_inherits i \
    JOIN pg_class c ON c.oid = i.inhrelid \
    WHERE i.inhparent = 'tareas.tasks'::regclass AND substr(c.relname, 7) < tareas.day_name($1)";
const DROP: &str = concat!(
    "SELECT tareas.drop_day_if_empty($1) FROM (SELECT pg_advisory_xact_lock(",
    schema_lock!(),
    ")) locked"
);

/// The days that are known to have a partition.
#[derive(Debug, Default)]
pub(super) struct Days {
    known: Mutex<BTreeSet<i32>>,
}

impl Days {
    /// Makes the partitions of all ids that may come soon.
    pub(super) async fn make_ahead(&self, link: &Link, now: Timestamp) -> Result<(), Fault> {
        let first = day(now - ID_WINDOW_PAST);
        let last = day(now + ID_WINDOW_FUTURE + AHEAD);
        self.make(link, (first..=last).collect()).await
    }

    /// Makes the partitions of these ids, unless they are known to be there.
    pub(super) async fn make_for(
        &self,
        link: &Link,
        ids: impl Iterator<Item = TaskId>,
    ) -> Result<(), Fault> {
        let missing: BTreeSet<i32> = {
            let known = self.lock();
            ids.map(day_of).filter(|day| !known.contains(day)).collect()
        };
        self.make(link, missing).await
    }

    /// Believes nothing any more: a partition was dropped by another server.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    /// Drops partitions of days that are over and of which nothing is left.
    pub(super) async fn drop_empty(&self, link: &Link, now: Timestamp) -> Result<(), Fault> {
        let kept_from = day(now - ID_WINDOW_PAST) - 1;
        for row in link.rows(OLD, &[&kept_from]).await? {
            let suffix: &str = row.get(0);
            match link.rows(DROP, &[&suffix]).await {
                // Somebody reads it just now: the next round will find it.
                Ok(_) | Err(Fault::Collided(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    async fn make(&self, link: &Link, days: BTreeSet<i32>) -> Result<(), Fault> {
        for day in days {
            link.rows(MAKE, &[&day]).await.map_err(nothing_decided)?;
            self.lock().insert(day);
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<i32>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A partition more or less decides nothing about tasks.
fn nothing_decided(fault: Fault) -> Fault {
    match fault {
        Fault::Lost(source) => Fault::Unreachable(source),
        other => other,
    }
}

fn day(at: Timestamp) -> i32 {
    let days = at.as_millis().div_euclid(DAY.as_millis() as i64);
    i32::try_from(days).unwrap_or(i32::MAX)
}

/// The day of all of these ids; `None` when there are several.
pub(super) fn day_of_all(ids: impl Iterator<Item = TaskId>) -> Option<i32> {
    let mut days = ids.map(day_of);
    let first = days.next();
    first.filter(|first| days.all(|day| day == *first))
}

/// A statement about tasks, over the partition of one day.
pub(super) fn over(sql: &str, day: i32) -> String {
    let midnight = jiff::Timestamp::from_second(i64::from(day) * DAY.as_secs() as i64);
    let midnight = midnight.unwrap_or_default();
    let partition = format!("tareas.tasks_{} ", midnight.strftime("%Y%m%d"));
    sql.replace("tareas.tasks ", &partition)
}

/// The day in the upper 48 bits of an id, whatever kind of UUID it is: that is what partitions
/// go by.
fn day_of(id: TaskId) -> i32 {
    day(Timestamp::from_millis((id.as_u128() >> 80) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_goes_over_the_partition_of_a_day() {
        let day = 20_779;
        let at = Timestamp::from_millis(86_400_000 * i64::from(day));
        let ids = [TaskId::v7(at, 1), TaskId::v7(at + DAY / 2, 2)];
        assert_eq!(day_of_all(ids.into_iter()), Some(day));
        let sql = "UPDATE tareas.tasks t SET version = 1";
        let over_it = "UPDATE tareas.tasks_20261122 t SET version = 1";
        assert_eq!(over(sql, day), over_it);
        let others = [ids[0], TaskId::v7(at + DAY, 3)];
        assert_eq!(day_of_all(others.into_iter()), None);
        assert_eq!(day_of_all(std::iter::empty()), None);
    }

    #[test]
    fn days_follow_the_ids() {
        let at = Timestamp::from_millis(86_400_000 * 20_000);
        assert_eq!(day_of(TaskId::v7(at, 7)), 20_000);
        assert_eq!(day_of(TaskId::v7(at - Duration::from_millis(1), 7)), 19_999);
    }
}
