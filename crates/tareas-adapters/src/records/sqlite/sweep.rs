//! Sweeps: tasks that are due, expired, or held by a session that is gone.
//!
//! The indexes on disk name candidates; those that are not live are taken in; then the ledger,
//! which now has all of them, says which come first and decides. Ids from an index may be out
//! of date, decisions never are.

use rusqlite::{Connection, Result, params};
use tareas_core::{Applied, Sweep, TaskId, Timestamp};
use tareas_engine::ports::PortError;

use super::SqliteRecords;
use super::error::read_error;
use super::look_up::Learned;
use super::readers::Purpose;
use super::row;

const DUE: &str = "SELECT id FROM tasks INDEXED BY tasks_due \
    WHERE due_at IS NOT NULL AND due_at <= ?1 ORDER BY due_at, id LIMIT ?2";
const EXPIRED: &str = "SELECT id FROM tasks INDEXED BY tasks_expiry \
    WHERE expires_at IS NOT NULL AND expires_at <= ?1 ORDER BY expires_at, id LIMIT ?2";
const HELD_BY: &str = "SELECT id FROM tasks INDEXED BY tasks_session \
    WHERE session = ?1 ORDER BY started_at, id LIMIT ?2";
/// However much is not written yet, a sweep reads at most this many ids more than asked.
const STALE_MAX: usize = 20_000;
/// How often a sweep looks for an exact answer; what it misses, the next one finds.
const LOOKS_MAX: usize = 3;

impl SqliteRecords {
    /// Finds and decides at most `limit` tasks.
    pub(super) async fn sweep_state(
        &self,
        sweep: Sweep,
        now: Timestamp,
        limit: usize,
    ) -> std::result::Result<Applied, PortError> {
        let _turn = self.turn.lock().await;
        let mut looks_left = LOOKS_MAX;
        loop {
            looks_left -= 1;
            let (ids, published) = self.candidates_on_disk(sweep.clone(), now, limit).await?;
            let mut learned = Learned::default();
            let mut state = self.all_live(&mut learned, &ids).await?;
            if state.published != published && looks_left > 0 {
                // A commit came between: a task may have left memory just before it was asked
                // for, and just after the index was read.
                learned.forget(&mut state, now);
                continue;
            }
            let tasks = state.ledger.candidates(&sweep, now, limit);
            let applied = state.ledger.decide_sweep(&sweep, &tasks, now);
            learned.forget(&mut state, now);
            self.decided(state, applied.position);
            return Ok(applied);
        }
    }

    /// What the index names, and how many commits were published before it was read.
    async fn candidates_on_disk(
        &self,
        sweep: Sweep,
        now: Timestamp,
        limit: usize,
    ) -> std::result::Result<(Vec<TaskId>, u64), PortError> {
        let (stale, published) = {
            let state = self.shared.lock();
            // Rows of tasks that have moved on since take places in the index.
            (state.unwritten().min(STALE_MAX), state.published)
        };
        let rows = limit.saturating_add(stale);
        let inside = self.gate.enter(Purpose::LookUp, rows).await;
        let read = inside.snapshot(|connection| candidates(connection, sweep, now, rows));
        Ok((read.map_err(read_error)?, published))
    }
}

fn candidates(
    connection: &Connection,
    sweep: Sweep,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<TaskId>> {
    let (sql, key) = match sweep {
        Sweep::Due => (DUE, now.as_micros()),
        Sweep::Expired => (EXPIRED, now.as_micros()),
        Sweep::Reclaim { session, .. } => (HELD_BY, session.0.cast_signed()),
        Sweep::Prune => return Ok(Vec::new()),
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map(params![key, limit], |row| row::read_id(row, 0))?;
    found.collect()
}
