//! What is only read: lines, tasks, pages, attempts.
//!
//! Everything that can be read is committed, and so durable. A page looks at a bounded number of
//! rows, so its cost does not grow with the table; it may be short and still have a next one.

use std::sync::Arc;

use tareas_core::{Attempt, Hint, Lane, Phase, Place, Task, TaskId};
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

/// Rows that one page looks at.
const SCAN_MAX: i64 = 20_000;
/// Most tasks on one page.
const PAGE_MAX: usize = 1_000;
/// Most tasks of one statement.
const LOAD_MAX: usize = 1_000;

const ATTEMPTS: &str = "SELECT attempt, started_at, ended_at, outcome, error \
    FROM tareas.attempts WHERE task_id = $1 ORDER BY attempt";
const WHERE_IT_IS: &str = "SELECT t.queue FROM tareas.tasks t WHERE t.id = $1";

/// Statements of a page, for one way to the tasks.
macro_rules! pages {
    ($source:literal) => {
        (
            concat!(
                "SELECT t.id FROM tareas.tasks t WHERE t.id < $1",
                $source,
                " ORDER BY t.id DESC OFFSET $2 LIMIT 1"
            ),
            concat!(
                "SELECT ",
                columns!(),
                " FROM tareas.tasks t WHERE t.id < $1 AND t.id >= $2",
                $source,
                " AND ($3::int2[] IS NULL OR t.state = ANY ($3)) \
                 AND ($4::text IS NULL OR t.queue = $4) AND ($5::text IS NULL OR t.kind = $5) \
                 ORDER BY t.id DESC LIMIT $6"
            ),
        )
    };
}
const ALL: (&str, &str) = pages!("");
const ENDED: (&str, &str) = pages!(" AND t.reason IS NOT NULL");
const RUNNING: (&str, &str) = pages!(" AND t.session_id IS NOT NULL");

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
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let values: [Value<'_>; 4] = [&queue, &priority, &after.0, &most];
        let rows = self.rows(READY, &values).await?;
        let hints: Result<Vec<Hint>, Fault> = rows.iter().map(hint).collect();
        hints.map_err(Fault::into_port_error)
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
        let below = query.cursor.map_or(u128::MAX, |cursor| cursor.0);
        let below = Uuid::from_u128(below);
        let (window, rows) = source(&query.phases);
        let lowest = match is_filtered(query) {
            true => self.rows(window, &[&below, &(SCAN_MAX - 1)]).await?,
            // Every row that is looked at is shown.
            false => Vec::new(),
        };
        let lowest: Option<Uuid> = lowest.first().map(|row| row.get(0));
        let tasks = self.tasks(rows, query, below, lowest).await?;
        let limit = query.limit.clamp(1, PAGE_MAX);
        let next = match tasks.last() {
            Some(last) if tasks.len() == limit => Some(last.id().as_u128()),
            _ => lowest.map(|lowest| lowest.as_u128()),
        };
        Ok(Page {
            tasks,
            next: next.map(PageCursor),
        })
    }

    async fn tasks(
        &self,
        sql: &'static str,
        query: &TaskQuery,
        below: Uuid,
        lowest: Option<Uuid>,
    ) -> Result<Vec<Task>, PortError> {
        let lowest = lowest.unwrap_or(Uuid::nil());
        let states: Vec<i16> = query.phases.iter().map(|phase| *phase as i16).collect();
        let states = Some(states).filter(|states| !states.is_empty());
        let queue = query.queue.as_ref().map(|queue| queue.as_str());
        let kind = query.kind.as_ref().map(|kind| kind.as_str());
        let most = query.limit.clamp(1, PAGE_MAX) as i64;
        let values: [Value<'_>; 6] = [&below, &lowest, &states, &queue, &kind, &most];
        let rows = self.rows(sql, &values).await?;
        row::tasks(&rows).map_err(Fault::into_port_error)
    }
}

fn is_filtered(query: &TaskQuery) -> bool {
    !query.phases.is_empty() || query.queue.is_some() || query.kind.is_some()
}

/// Which index leads to the tasks of a page: how to find its end, and its rows.
fn source(phases: &[Phase]) -> (&'static str, &'static str) {
    let is_ended = |phase: &Phase| matches!(phase, Phase::Failed | Phase::Cancelled);
    match phases {
        [] => ALL,
        [Phase::Running] => RUNNING,
        phases if phases.iter().all(is_ended) => ENDED,
        _ => ALL,
    }
}

fn hint(row: &Row) -> Result<Hint, Fault> {
    Ok(Hint {
        task: row::id(row, 0)?,
        attempt: row::get::<i64>(row, 1)?.cast_unsigned(),
        place: Place(row::get(row, 2)?),
        suspect: row::get(row, 3)?,
    })
}
