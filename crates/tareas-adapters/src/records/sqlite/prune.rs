//! Pruning: finished tasks past their retention, found by a hand that walks the numbers.
//!
//! Rows are nearly in order of their end, so the hand finds in one sweep of the clock what an
//! index would find at the price of every insert. It waits until everything decided is on
//! disk: then what is on disk is all there is.

use rusqlite::{Connection, OptionalExtension, Result, params};
use tareas_core::{Applied, Position, Sweep, TaskId, Timestamp};
use tareas_engine::ports::PortError;

use super::SqliteRecords;
use super::error::{read_error, unavailable};
use super::look_up::Learned;
use super::readers::Purpose;
use super::row;

/// Rows that one pass looks at.
const SCAN_MAX: u32 = 20_000;
/// A pass removes at most this many, so that its deletes fit beside other work in a commit.
const PASS_MAX: usize = 2_000;
/// A pass is left out while the journal is filled to more than one part in this many.
const BUSY_PART: usize = 4;

const WINDOW_END: &str = "SELECT seq FROM tasks WHERE seq > ?1 ORDER BY seq LIMIT 1 OFFSET ?2";
const OVER: &str = "SELECT seq, id, prune_at FROM tasks WHERE seq > ?1 AND seq <= ?2 \
    AND state >= 3 AND prune_at <= ?3 ORDER BY seq LIMIT ?4";

/// What one walk of the hand found.
#[derive(Debug, Default)]
struct Walk {
    /// By the end of their retention.
    found: Vec<(i64, TaskId)>,
    /// Where the next walk begins.
    hand: i64,
}

impl SqliteRecords {
    /// One pass: at most `limit` tasks.
    pub(super) async fn prune(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> std::result::Result<Applied, PortError> {
        let decided = {
            let state = self.shared.lock_to_decide().map_err(unavailable)?;
            let position = state.ledger.position();
            if state.ledger.journal_len() > self.config.journal_tasks_max / BUSY_PART {
                return Ok(Applied {
                    outcomes: Vec::new(),
                    position,
                });
            }
            position
        };
        if decided > Position::ZERO {
            let before = Position(decided.0 - 1);
            self.shared
                .durable
                .after(before)
                .await
                .map_err(unavailable)?;
        }
        let _turn = self.turn.lock().await;
        let ids = self.walk(now, limit.min(PASS_MAX)).await?;
        let mut learned = Learned::default();
        let mut state = self.all_live(&mut learned, &ids).await?;
        let applied = state.ledger.decide_sweep(&Sweep::Prune, &ids, now);
        learned.forget(&mut state, now);
        self.decided(state, applied.position);
        Ok(applied)
    }

    /// Moves the hand; the tasks that it passed and that are over, in order.
    async fn walk(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> std::result::Result<Vec<TaskId>, PortError> {
        let from = self.prune_hand.load(std::sync::atomic::Ordering::Relaxed);
        let inside = self.gate.enter(Purpose::LookUp, SCAN_MAX as usize).await;
        let walk = inside.snapshot(|connection| walk(connection, from, now, limit));
        drop(inside);
        let mut walk = walk.map_err(read_error)?;
        self.prune_hand
            .store(walk.hand, std::sync::atomic::Ordering::Relaxed);
        walk.found.sort_unstable();
        Ok(walk.found.into_iter().map(|(_, id)| id).collect())
    }
}

/// Walks from `from` to the end of the window; from the end of the table to its beginning.
fn walk(connection: &Connection, from: i64, now: Timestamp, limit: usize) -> Result<Walk> {
    let mut walk = look(connection, from, now, limit)?;
    if walk.hand == 0 && from > 0 && walk.found.len() < limit {
        let again = look(connection, 0, now, limit - walk.found.len())?;
        walk.hand = again.hand;
        walk.found.extend(again.found);
        // A short table is passed twice in one pass.
        walk.found.sort_unstable();
        walk.found.dedup();
    }
    Ok(walk)
}

fn look(connection: &Connection, from: i64, now: Timestamp, limit: usize) -> Result<Walk> {
    let mut window = connection.prepare_cached(WINDOW_END)?;
    let end: Option<i64> = window
        .query_row(params![from, SCAN_MAX - 1], |row| row.get(0))
        .optional()?;
    let limit_sql = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(OVER)?;
    let until = end.unwrap_or(i64::MAX);
    let mut rows = statement.query(params![from, until, now.as_micros(), limit_sql])?;
    let mut walk = Walk {
        found: Vec::new(),
        hand: end.unwrap_or(0),
    };
    while let Some(row) = rows.next()? {
        walk.found.push((row.get(2)?, row::read_id(row, 1)?));
        if walk.found.len() >= limit {
            // There may be more in this window.
            walk.hand = row.get(0)?;
        }
    }
    Ok(walk)
}
