//! What is only read: lines, tasks, pages, attempts.
//!
//! Everything that can be read is committed, and so durable. A page looks at a bounded number of
//! rows, so its cost does not grow with the table; it may be short and still have a next one.

use std::sync::Arc;

use tareas_core::{Attempt, Hint, Lane, Place, Task, TaskId};
use tareas_engine::filter::Filter;
use tareas_engine::ports::{Page, PageCursor, PortError, TaskQuery};
use tokio::sync::RwLock;
use tokio_postgres::Row;
use uuid::Uuid;

use super::batch::uuids;
use super::fault::Fault;
use super::link::{Link, Purpose, Value};
use super::row::{self, columns};
use super::shared::Shared;
use super::statements::{LOAD, READY};
use super::wanted::{Range, Wanted};

/// Rows among which a page looks, one stretch after the other until it is full. What is common is
/// found in the first, and a page looks at no more than all of them together.
const STRETCHES: [i64; 2] = [1_000, 9_000];
/// Most tasks on one page.
const PAGE_MAX: usize = 1_000;
/// Most tasks of one statement.
const LOAD_MAX: usize = 1_000;
/// Rows of a line that are read first.
const READY_ROWS: i64 = 4;

const ATTEMPTS: &str = "SELECT attempt, started_at, ended_at, outcome, error \
    FROM tareas.attempts WHERE task_id = $1 ORDER BY attempt";
const WHERE_IT_IS: &str = "SELECT t.queue FROM tareas.tasks t WHERE t.id = $1";

/// One way to the tasks of a page.
#[derive(Debug)]
struct Source {
    /// Finds where a stretch ends; nothing where all that there are may be looked at.
    end: Option<&'static str>,
    /// Finds the tasks between two ids.
    rows: &'static str,
}

/// The end of a stretch, and the tasks between two ids, from these rows.
macro_rules! end {
    ($which:literal) => {
        concat!(
            "SELECT t.id FROM tareas.tasks t WHERE t.id < $1 AND t.id >= $2",
            $which,
            " ORDER BY t.id DESC OFFSET $3 LIMIT 1"
        )
    };
}
macro_rules! rows {
    ($with:literal, $from:literal, $which:literal) => {
        concat!(
            $with,
            "SELECT ",
            columns!(),
            " FROM ",
            $from,
            " WHERE t.id < $1 AND t.id >= $2",
            $which,
            " AND ($3::int2[] IS NULL OR t.state = ANY ($3)) \
             AND ($4::int2[] IS NULL OR t.reason = ANY ($4)) \
             AND ($5::text[] IS NULL OR t.queue = ANY ($5)) AND t.queue <> ALL ($6) \
             AND ($7::text[] IS NULL OR t.kind = ANY ($7)) AND t.kind <> ALL ($8) \
             AND t.priority BETWEEN $9 AND $10 AND t.attempt BETWEEN $11 AND $12 \
             AND ($13::timestamptz IS NULL OR t.submitted_at >= $13) \
             AND ($14::timestamptz IS NULL OR t.submitted_at <= $14) \
             AND ($15::timestamptz IS NULL OR t.finished_at >= $15) \
             ORDER BY t.id DESC LIMIT $16"
        )
    };
}
const ALL: Source = Source {
    end: Some(end!("")),
    rows: rows!("", "tareas.tasks t", ""),
};
const ENDED: Source = Source {
    end: Some(end!(" AND t.reason IS NOT NULL")),
    rows: rows!("", "tareas.tasks t", " AND t.reason IS NOT NULL"),
};
/// Tasks that run are few, as many as there are threads, and claims name them all, beside some
/// that have ended. They are looked up one by one, which `OFFSET 0` keeps a planner from turning
/// around: it would walk all tasks for it.
const RUNNING: Source = Source {
    end: None,
    rows: rows!(
        "WITH claimed AS MATERIALIZED (SELECT DISTINCT unnest(c.ids) AS id FROM tareas.claims c) ",
        "claimed CROSS JOIN LATERAL (SELECT * FROM tareas.tasks o \
         WHERE o.id = claimed.id AND o.session_id IS NOT NULL OFFSET 0) t",
        ""
    ),
};

/// Connections that only read, each made at its first use and again when it has ended.
#[derive(Debug)]
pub(super) struct Reader {
    shared: Arc<Shared>,
    purpose: Purpose,
    link: RwLock<Option<Arc<Link>>>,
}

impl Reader {
    /// Not connected yet.
    pub(super) fn new(shared: Arc<Shared>, purpose: Purpose) -> Self {
        Self {
            shared,
            purpose,
            link: RwLock::default(),
        }
    }

    /// The connection; many may use it at once.
    pub(super) async fn link(&self) -> Result<Arc<Link>, Fault> {
        if let Some(link) = &*self.link.read().await
            && !link.is_closed()
        {
            return Ok(Arc::clone(link));
        }
        let mut slot = self.link.write().await;
        match &*slot {
            Some(link) if !link.is_closed() => Ok(Arc::clone(link)),
            _ => {
                let link = Arc::new(Link::open(&self.shared.options, self.purpose).await?);
                *slot = Some(Arc::clone(&link));
                Ok(link)
            }
        }
    }

    /// Reads; once more when the connection ended meanwhile.
    pub(super) async fn rows(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, PortError> {
        let first = match self.link().await {
            Ok(link) => link.rows(sql, values).await,
            Err(fault) => Err(fault),
        };
        let read = match first {
            Err(Fault::Lost(_)) => match self.link().await {
                Ok(link) => link.rows(sql, values).await,
                Err(fault) => Err(fault),
            },
            other => other,
        };
        read.map_err(Fault::into_port_error)
    }

    /// The next hints of a lane.
    pub(super) async fn ready(
        &self,
        lane: &Lane,
        after: Place,
        limit: usize,
    ) -> Result<Vec<Hint>, PortError> {
        let (queue, priority) = (lane.queue.as_str(), i16::from(lane.priority.level()));
        let (mut hints, mut after) = (Vec::new(), after.0);
        let mut width = READY_ROWS;
        loop {
            let most = i64::try_from(limit - hints.len()).unwrap_or(i64::MAX);
            let values: [Value<'_>; 5] = [&queue, &priority, &after, &most, &width];
            let rows = self.rows(READY, &values).await?;
            let next = ready(&rows, &mut hints).map_err(Fault::into_port_error)?;
            match next {
                Some(place) if hints.len() < limit => after = after.max(place - 1),
                _ => return Ok(hints),
            }
            // Rows that overlap, or of which nobody waits, tell of few: the next look is wider.
            width *= 2;
        }
    }

    /// These tasks, in the same order.
    pub(super) async fn load(&self, ids: &[TaskId]) -> Result<Vec<Option<Task>>, PortError> {
        let mut found = std::collections::HashMap::with_capacity(ids.len());
        for part in ids.chunks(LOAD_MAX) {
            let rows = self.rows(LOAD, &[&uuids(part.iter().copied())]).await?;
            let tasks = row::tasks(&rows).map_err(Fault::into_port_error)?;
            found.extend(tasks.into_iter().map(|task| (task.id(), task)));
        }
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }

    /// Attempts of one task that did not succeed, as long as there is the task.
    pub(super) async fn attempts(&self, id: TaskId) -> Result<Vec<Attempt>, PortError> {
        let id = row::uuid(id);
        if self.rows(WHERE_IT_IS, &[&id]).await?.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.rows(ATTEMPTS, &[&id]).await?;
        let attempts: Result<Vec<Attempt>, Fault> = rows.iter().map(row::attempt).collect();
        attempts.map_err(Fault::into_port_error)
    }

    /// One page, newest first by the ids' own time.
    pub(super) async fn page(&self, query: &TaskQuery) -> Result<Page, PortError> {
        let source = Source::of(&query.filter);
        let Range { mut below, lowest } = Range::of(query);
        let mut page = Page::default();
        // Of the newest tasks every row that is looked at is shown.
        let end = source.end.filter(|_| !query.filter.finds_all());
        let Some(end) = end else {
            self.fill(&mut page, query, (below, lowest)).await?;
            return Ok(page);
        };
        for stretch in STRETCHES {
            let end = self.rows(end, &[&below, &lowest, &(stretch - 1)]).await?;
            let end: Option<Uuid> = end.first().map(|row| row.get(0));
            let within = (below, end.unwrap_or(lowest));
            self.fill(&mut page, query, within).await?;
            let Some(end) = end.filter(|_| page.next.is_none()) else {
                return Ok(page);
            };
            below = end;
        }
        page.next = Some(PageCursor(below.as_u128()));
        Ok(page)
    }

    /// Adds what is wanted of these ids. A page that is full has a next one after its last task.
    async fn fill(
        &self,
        page: &mut Page,
        query: &TaskQuery,
        (below, lowest): (Uuid, Uuid),
    ) -> Result<(), PortError> {
        let Source { rows, .. } = Source::of(&query.filter);
        let limit = query.limit.clamp(1, PAGE_MAX);
        let wanted = Wanted::of(&query.filter, limit - page.tasks.len());
        let found = self.rows(rows, &wanted.values(&below, &lowest)).await?;
        let tasks = row::tasks(&found).map_err(Fault::into_port_error)?;
        page.after
            .extend(tasks.iter().map(|task| cursor(task.id())));
        page.tasks.extend(tasks);
        if page.tasks.len() == limit {
            page.next = page.after.last().copied();
        }
        Ok(())
    }
}

fn cursor(id: TaskId) -> PageCursor {
    PageCursor(id.as_u128())
}

impl Source {
    /// The index that leads to what a filter finds.
    fn of(filter: &Filter) -> Self {
        match filter {
            _ if filter.is_of_running() => RUNNING,
            _ if filter.is_of_ended() => ENDED,
            _ => ALL,
        }
    }
}

/// Adds the hints of these rows; where the rest of the line begins, if there is one.
fn ready(rows: &[Row], hints: &mut Vec<Hint>) -> Result<Option<i64>, Fault> {
    let mut next = None;
    for row in rows {
        next = row::get(row, 4)?;
        if row::get::<Option<Uuid>>(row, 0)?.is_some() {
            hints.push(hint(row)?);
        }
    }
    Ok(next)
}

fn hint(row: &Row) -> Result<Hint, Fault> {
    Ok(Hint {
        task: row::id(row, 0)?,
        attempt: row::get::<i64>(row, 1)?.cast_unsigned(),
        place: Place(row::get(row, 2)?),
        suspect: row::get(row, 3)?,
    })
}
