//! Checkpoints: the log goes into the database file between commits, by the writer alone.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::readers::ReadGate;
use super::stats::Counters;

/// Size of one frame of the log: a page and its header.
pub(super) const FRAME_BYTES: u64 = 4_096 + 24;
/// A checkpoint is made when this many frames have gathered.
const FRAMES_DUE: u64 = 4_000;
/// Above this the gate is closed, so that the log can start again.
const FRAMES_MAX: u64 = 64 * 1024 * 1024 / FRAME_BYTES;
/// How long the end of the store waits for readers that are still inside.
const READERS_LEAVE_WITHIN: Duration = Duration::from_secs(3);

/// Decides when to checkpoint, and does it. Belongs to the writer.
#[derive(Debug)]
pub(super) struct Checkpoints {
    gate: Arc<ReadGate>,
    counters: Arc<Counters>,
    seen: u64,
    /// Frames at which the next checkpoint is due.
    due_at: u64,
    /// Frames at which the gate is closed.
    close_at: u64,
    /// Nothing was committed since the last checkpoint.
    is_settled: bool,
}

impl Checkpoints {
    pub(super) fn new(gate: Arc<ReadGate>, counters: Arc<Counters>) -> Self {
        Self {
            gate,
            counters,
            seen: 0,
            due_at: FRAMES_DUE,
            close_at: FRAMES_MAX,
            is_settled: false,
        }
    }

    /// After a commit was published: does what is due.
    pub(super) fn after_commit(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let frames = self.frames();
        if frames < self.seen {
            // The log has started again from its beginning.
            (self.due_at, self.close_at) = (FRAMES_DUE, FRAMES_MAX);
        }
        self.seen = frames;
        self.is_settled = false;
        if self.gate.is_closed() {
            return self.restart_when_empty(connection);
        }
        if frames >= self.due_at {
            self.passive(connection)?;
            self.due_at = frames + FRAMES_DUE;
        }
        if frames >= self.close_at {
            self.gate.close();
            return self.restart_when_empty(connection);
        }
        Ok(())
    }

    /// Nothing happens: puts what has gathered into the database.
    pub(super) fn when_idle(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.gate.is_closed() {
            return self.restart_when_empty(connection);
        }
        if self.frames() > 0 && !self.is_settled {
            self.passive(connection)?;
            self.is_settled = true;
        }
        Ok(())
    }

    /// At the end: leaves an empty log behind, unless a reader stays inside.
    pub(super) fn at_end(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.gate.close();
        let since = Instant::now();
        while !self.gate.is_empty() && since.elapsed() < READERS_LEAVE_WITHIN {
            std::thread::sleep(Duration::from_millis(1));
        }
        run(connection, "TRUNCATE")?;
        self.counters.checkpointed();
        Ok(())
    }

    fn passive(&self, connection: &Connection) -> rusqlite::Result<()> {
        run(connection, "PASSIVE")?;
        self.counters.checkpointed();
        Ok(())
    }

    fn restart_when_empty(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if !self.gate.is_empty() {
            return Ok(());
        }
        // Another process may read, or a backup: then it is tried again much later, without
        // waiting for it now.
        connection.busy_timeout(Duration::ZERO)?;
        let was_busy = run(connection, "RESTART")?;
        connection.busy_timeout(super::open::BUSY_TIMEOUT)?;
        self.counters.checkpointed();
        if was_busy {
            self.close_at = self.frames().saturating_mul(2);
            tracing::warn!(
                wal_bytes = self.frames() * FRAME_BYTES,
                "another process or a backup keeps the write-ahead log from starting again"
            );
        }
        self.gate.reopen();
        Ok(())
    }

    fn frames(&self) -> u64 {
        self.counters.wal_frames.load(Ordering::Relaxed)
    }
}

/// Runs a checkpoint; whether somebody was in its way.
fn run(connection: &Connection, mode: &str) -> rusqlite::Result<bool> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    connection
        .query_row(&sql, [], |row| row.get::<_, i64>(0))
        .map(|busy| busy != 0)
}
