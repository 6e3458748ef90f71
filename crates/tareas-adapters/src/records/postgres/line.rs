//! Who waits in which line, as rows: one for each statement that lets tasks enter, and line.
//!
//! A row names the tasks in the order of their places. It may name more than wait: whether one
//! does is told by the task alone. A service forgets rows of which nobody waits any more, and thins
//! those of which few do; a task that enters again is named by a row of its own.

use std::sync::Arc;
use std::time::Duration;

use tareas_core::{Place, Priority, QueueName, State, Task, TaskId};
use tareas_engine::ports::{Clock, SystemClock};
use uuid::Uuid;

use super::fault::Fault;
use super::link::Value;
use super::row;
use super::rows::Rows;
use super::statements::named;
use super::sweep::Sweeper;

/// How often rows are looked through for those of which nobody waits.
const FORGET_EVERY: Duration = Duration::from_secs(1);
/// Rows of one look. There is another one at once when it found many to forget.
pub(super) const LOOK_ROWS: i64 = 200;
/// Ids lie together when there are so many for each millisecond of their time.
const IDS_PER_MS: u128 = 4;
/// So long a row is young: most drain within it, and clocks differ by less.
const YOUNG: Duration = Duration::from_secs(10);
/// Looks at most, one after the other.
const LOOKS_MAX: usize = 20;

/// Rows `looked` at: of some entries, in order.
macro_rules! looked {
    ($which:literal) => {
        concat!(
            "looked AS MATERIALIZED (SELECT e.* FROM tareas.lines e WHERE ",
            $which,
            " ORDER BY e.entry, e.queue, e.priority LIMIT $2), "
        )
    };
}

/// Those rows `l` of them of which this holds, as `found`. Only they are locked, so that a look which
/// finds nothing writes nothing; those that another process has locked are left to it.
macro_rules! found {
    ($holds:expr) => {
        concat!(
            "found AS MATERIALIZED (SELECT l.* FROM looked l JOIN tareas.lines d \
               ON d.entry = l.entry AND d.queue = l.queue AND d.priority = l.priority WHERE ",
            $holds,
            " FOR UPDATE OF d SKIP LOCKED), "
        )
    };
}

/// The last entry that was looked at, and how many rows were looked at and changed.
macro_rules! told {
    () => {
        " SELECT (SELECT l.entry FROM looked l ORDER BY l.entry DESC LIMIT 1), \
           (SELECT count(*) FROM looked), (SELECT count(*) FROM changed)"
    };
}

/// Rows above an entry: forgets those of which nobody waits. Ids that were made together lie
/// together, and all tasks there are looked at in one go. Others are looked up one by one, the last
/// one first: while that one waits, as it mostly does, nobody looks for the rest.
///
/// A plan goes over the partitions that there were when it was made, and a row may be seen of tasks
/// that are in a newer one: so a young row is kept unless its tasks are seen.
pub(super) const FORGET: &str = concat!(
    "WITH ",
    looked!("e.entry > $1"),
    found!(concat!(
        "NOT CASE WHEN l.first_id IS NOT NULL THEN EXISTS (SELECT FROM tareas.tasks t \
           WHERE t.id BETWEEN l.first_id AND l.last_id AND t.place IS NOT NULL \
             AND t.queue = l.queue AND t.priority = l.priority OFFSET 0) \
           OR l.entry >= $3 AND (SELECT count(*) FROM ",
        named!("ARRAY[l.first_id, l.last_id]", "true"),
        ") < 2 WHEN EXISTS (SELECT FROM tareas.tasks t \
           WHERE t.id = l.ids[cardinality(l.ids)] AND t.place IS NOT NULL OFFSET 0) THEN true \
         WHEN l.entry >= $3 THEN (SELECT count(*) FROM ",
        named!("l.ids", "o.place IS NULL"),
        ") < cardinality(l.ids) ELSE EXISTS (SELECT FROM ",
        named!("l.ids", "o.place IS NOT NULL"),
        ") END"
    )),
    "changed AS (DELETE FROM tareas.lines d USING found f \
       WHERE d.entry = f.entry AND d.queue = f.queue AND d.priority = f.priority \
       RETURNING d.entry)",
    told!()
);

/// Old rows above an entry: names only those who still wait where these are few, as when nobody
/// can run them. Whoever looks for who is next would probe all others each time. Three tasks are
/// probed first: where one of them waits, there may be many.
pub(super) const THIN: &str = concat!(
    "WITH ",
    looked!("e.entry > $1 AND e.entry < $3"),
    found!(concat!(
        "cardinality(l.ids) > 1 AND NOT EXISTS (SELECT FROM ",
        named!(
            "ARRAY[l.ids[(cardinality(l.ids) + 3) / 4], l.ids[(cardinality(l.ids) + 1) / 2], \
             l.ids[(3 * cardinality(l.ids) + 3) / 4]]",
            "o.place IS NOT NULL"
        ),
        ")"
    )),
    "changed AS (UPDATE tareas.lines d SET ids = w.ids, first_id = NULL, last_id = NULL \
       FROM found f CROSS JOIN LATERAL (SELECT array_agg(t.id ORDER BY t.place, t.id) AS ids FROM ",
    named!("f.ids", "o.place IS NOT NULL"),
    ") w WHERE d.entry = f.entry AND d.queue = f.queue AND d.priority = f.priority \
         AND w.ids IS NOT NULL RETURNING d.entry)",
    told!()
);

/// Tasks that enter lines by one statement.
#[derive(Debug, Default)]
pub(super) struct Entered {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    queue: QueueName,
    priority: Priority,
    tasks: Vec<(Place, Uuid)>,
}

impl Entered {
    /// Adds a task, when it waits.
    pub(super) fn add(&mut self, task: &Task) {
        let State::Queued { place } = task.state else {
            return;
        };
        let (queue, priority) = (&task.spec.queue, task.spec.priority);
        let is_of = |line: &Line| line.priority == priority && line.queue == *queue;
        let found = self.lines.iter().rposition(is_of);
        let at = found.unwrap_or_else(|| {
            self.lines.push(Line {
                queue: queue.clone(),
                priority,
                tasks: Vec::new(),
            });
            self.lines.len() - 1
        });
        self.lines[at].tasks.push((place, row::uuid(task.id())));
    }

    /// Rows of the type `tareas.new_line`.
    pub(super) fn rows(mut self) -> Rows {
        let mut rows = Rows::default();
        for line in &mut self.lines {
            line.tasks.sort_unstable();
            let (Some((first, _)), Some((last, _))) = (line.tasks.first(), line.tasks.last())
            else {
                continue;
            };
            let ids: Vec<Uuid> = line.tasks.iter().map(|(_, id)| *id).collect();
            let ends = ends(&ids);
            rows.push(|fields| {
                fields.text(Some(line.queue.as_str()));
                fields.int2(Some(i16::from(line.priority.level())));
                fields.int8(Some(first.0));
                fields.int8(Some(last.0));
                fields.uuids(&ids);
                fields.uuid(ends.map(|(first, _)| first));
                fields.uuid(ends.map(|(_, last)| last));
            });
        }
        rows
    }
}

/// The least and the greatest of these ids, when they were made so close together that not many
/// others can lie between them.
fn ends(ids: &[Uuid]) -> Option<(Uuid, Uuid)> {
    let (first, last) = (*ids.iter().min()?, *ids.iter().max()?);
    let millis = |id: Uuid| id.as_u128() >> 80;
    let span = millis(last) - millis(first);
    (span * IDS_PER_MS <= ids.len() as u128).then_some((first, last))
}

/// Entries from this one on are young.
pub(super) fn first_young() -> Uuid {
    row::uuid(TaskId::v7(SystemClock.now() - YOUNG, 0))
}

/// Forgets rows of which nobody waits, and thins those of which few do, until the store is closed.
pub(super) async fn run(sweeper: Arc<Sweeper>) {
    let shared = Arc::clone(&sweeper.shared);
    let (mut drained, mut sparse) = (Hand::default(), Hand::default());
    while !shared.front.is_closed() {
        tokio::select! {
            () = shared.closing.notified() => return,
            () = SystemClock.sleep(FORGET_EVERY) => {}
        }
        let looked = match drained.pass(&sweeper, FORGET).await {
            Ok(()) => sparse.pass(&sweeper, THIN).await,
            failed => failed,
        };
        if let Err(fault) = looked {
            let error = fault.into_port_error();
            tracing::debug!(%error, "the rows of the lines were not looked through");
        }
    }
}

/// Goes through the rows in order, again and again: the last entry it looked at.
#[derive(Debug, Default)]
struct Hand(Uuid);

impl Hand {
    /// Some looks; each continues behind the one before.
    async fn pass(&mut self, sweeper: &Sweeper, sql: &'static str) -> Result<(), Fault> {
        for _ in 0..LOOKS_MAX {
            let found = {
                let values: [Value<'_>; 3] = [&self.0, &LOOK_ROWS, &first_young()];
                let mut counting = sweeper.counting.lock().await;
                let link = counting.link(&sweeper.shared).await?;
                link.rows(sql, &values).await?
            };
            let found = found.first().ok_or_else(|| row::damaged("no answer"))?;
            let (looked, changed): (i64, i64) = (row::get(found, 1)?, row::get(found, 2)?);
            let last: Option<Uuid> = row::get(found, 0)?;
            // At the end it begins again.
            self.0 = last.filter(|_| looked == LOOK_ROWS).unwrap_or_default();
            if self.0.is_nil() || changed * 2 < LOOK_ROWS {
                break;
            }
        }
        Ok(())
    }
}
