//! Pages of tasks, and the attempts of one: what is on disk.
//!
//! A page looks at a bounded number of rows, so its cost does not grow with the table; it may
//! be short and still have a next one. It is handed out when all that it shows is durable.

use rusqlite::{Connection, OptionalExtension, Result, params_from_iter};
use tareas_core::{Attempt, Position, Task, TaskId};
use tareas_engine::filter::Filter;
use tareas_engine::ports::{Page, PageCursor, PortError, TaskQuery};

use super::SqliteRecords;
use super::conditions::Conditions;
use super::error::{read_error, unavailable};
use super::readers::Purpose;
use super::{moments, row};

/// Rows that one page looks at.
const SCAN_MAX: i64 = 20_000;
/// Most tasks on one page.
const PAGE_MAX: usize = 1_000;

const SEQ_OF: &str = "SELECT seq FROM tasks WHERE id = ?1";
const NEWEST: &str = "SELECT max(seq) FROM tasks WHERE seq < ?1 AND seq >= ?2";
const ATTEMPTS: &str = "SELECT attempt, started_at, ended_at, outcome, error FROM attempts \
    WHERE seq = ?1 ORDER BY attempt";

impl SqliteRecords {
    /// One page, newest first.
    pub(super) async fn read_page(
        &self,
        query: &TaskQuery,
    ) -> std::result::Result<Page, PortError> {
        let inside = self
            .gate
            .enter(Purpose::Page, query.limit.min(PAGE_MAX))
            .await;
        let query = query.clone();
        let shared = std::sync::Arc::clone(&self.shared);
        let reading = tokio::task::spawn_blocking(move || {
            let read = inside.snapshot(|connection| page(connection, &query));
            (read, shared.durable.visible())
        });
        let (read, visible) = reading.await.map_err(unavailable)?;
        let page = read.map_err(read_error)?;
        self.until_told(visible).await?;
        Ok(page)
    }

    /// Attempts of one task that did not succeed.
    pub(super) async fn read_attempts(
        &self,
        id: TaskId,
    ) -> std::result::Result<Vec<Attempt>, PortError> {
        let read = {
            let inside = self.gate.enter(Purpose::LookUp, 0).await;
            inside.snapshot(|connection| attempts(connection, id))
        };
        let visible = self.shared.durable.visible();
        let attempts = read.map_err(read_error)?;
        self.until_told(visible).await?;
        Ok(attempts)
    }

    /// A commit can be seen a moment before its position is told: waits for that.
    async fn until_told(&self, visible: Position) -> std::result::Result<(), PortError> {
        if visible > self.shared.durable.position() {
            let before = Position(visible.0 - 1);
            self.shared
                .durable
                .after(before)
                .await
                .map_err(unavailable)?;
        }
        Ok(())
    }
}

fn attempts(connection: &Connection, id: TaskId) -> Result<Vec<Attempt>> {
    let mut seq_of = connection.prepare_cached(SEQ_OF)?;
    let seq: Option<i64> = seq_of
        .query_row([id.as_bytes().as_slice()], |row| row.get(0))
        .optional()?;
    let mut statement = connection.prepare_cached(ATTEMPTS)?;
    statement.query_map([seq], row::attempt)?.collect()
}

fn page(connection: &Connection, query: &TaskQuery) -> Result<Page> {
    let cursor = query.cursor.map(|cursor| i64::try_from(cursor.0));
    let below = cursor.and_then(Result::ok).unwrap_or(i64::MAX);
    let (first, end) = moments::between(connection, query.filter.submitted)?;
    let below = below.min(end);
    let source = Source::of(&query.filter);
    let window = match query.filter.finds_all() {
        // Every row that is looked at is shown.
        true => Window::UNBOUNDED,
        false => window(connection, source, below, first)?,
    };
    let limit = query.limit.clamp(1, PAGE_MAX);
    let found = rows(connection, query, source, below, window.lowest, limit)?;
    let next = match found.last() {
        Some((seq, _)) if found.len() == limit => Some(*seq),
        _ if window.is_last => None,
        _ => Some(window.lowest),
    };
    let cursor = |seq: i64| PageCursor(u128::from(seq.cast_unsigned()));
    let (after, tasks) = found
        .into_iter()
        .map(|(seq, task)| (cursor(seq), task))
        .unzip();
    let next = next.map(cursor);
    Ok(Page { tasks, after, next })
}

/// Which index leads to the tasks of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The table itself.
    All,
    /// Tasks that failed or were cancelled.
    Ended,
    /// Tasks that run.
    Running,
}

impl Source {
    fn of(filter: &Filter) -> Self {
        match filter {
            _ if filter.is_of_running() => Self::Running,
            _ if filter.is_of_ended() => Self::Ended,
            _ => Self::All,
        }
    }

    fn from(self) -> &'static str {
        match self {
            Self::All => "tasks t WHERE",
            Self::Ended => "tasks t INDEXED BY tasks_reason WHERE t.reason IS NOT NULL AND",
            Self::Running => "tasks t INDEXED BY tasks_session WHERE t.session IS NOT NULL AND",
        }
    }
}

/// The rows that one page looks at.
#[derive(Clone, Copy, Debug)]
struct Window {
    lowest: i64,
    is_last: bool,
}

impl Window {
    const UNBOUNDED: Self = Self {
        lowest: i64::MIN,
        is_last: true,
    };
}

fn window(connection: &Connection, source: Source, below: i64, first: i64) -> Result<Window> {
    let lowest = match source {
        Source::All => numbered(connection, below, first)?,
        Source::Ended | Source::Running => counted(connection, source, below, first)?,
    };
    let lowest = lowest.unwrap_or(first);
    let is_last = newest(connection, lowest, first)?.is_none();
    Ok(Window { lowest, is_last })
}

/// Where a window of the table itself ends. Numbers are dense but for what was pruned, so nothing
/// is counted; it begins at a row that is there, however many are gone above it.
fn numbered(connection: &Connection, below: i64, first: i64) -> Result<Option<i64>> {
    let highest = newest(connection, below, first)?;
    Ok(highest.map(|highest| highest.saturating_sub(SCAN_MAX - 1).max(first)))
}

/// Where a window of an index ends, in which numbers may be far apart.
fn counted(connection: &Connection, source: Source, below: i64, first: i64) -> Result<Option<i64>> {
    let sql = format!(
        "SELECT t.seq FROM {} t.seq < ?1 AND t.seq >= ?2 ORDER BY t.seq DESC LIMIT 1 OFFSET ?3",
        source.from()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let last = statement.query_row([below, first, SCAN_MAX - 1], |row| row.get(0));
    last.optional()
}

/// The newest task below a number.
fn newest(connection: &Connection, below: i64, first: i64) -> Result<Option<i64>> {
    let mut statement = connection.prepare_cached(NEWEST)?;
    statement.query_row([below, first], |row| row.get(0))
}

fn rows(
    connection: &Connection,
    query: &TaskQuery,
    source: Source,
    below: i64,
    lowest: i64,
    limit: usize,
) -> Result<Vec<(i64, Task)>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let own = vec![below.into(), lowest.into(), limit.into()];
    let Conditions { sql, values } = Conditions::of(&query.filter, own);
    let sql = format!(
        "SELECT {} FROM {} t.seq < ?1 AND t.seq >= ?2{sql} ORDER BY t.seq DESC LIMIT ?3",
        row::COLUMNS,
        source.from()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let found = statement.query_map(params_from_iter(values), |row| {
        let stored = row::stored(row)?;
        Ok((stored.seq.cast_signed(), stored.task))
    })?;
    found.collect()
}

#[cfg(test)]
mod tests;
