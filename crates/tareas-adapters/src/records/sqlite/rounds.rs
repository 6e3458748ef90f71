//! The rounds of the writer.
//!
//! Each round: wait for something to write, and a moment more for the quick tasks that are
//! about to end; take what was decided, oldest first, writing piece by piece so that the lock
//! is never held for long; commit; tell those whose position is reached; let go of what need
//! not be in memory; checkpoint.
//!
//! Between decided and durable there are two ends only: durable, or [`Stopped`] with nothing
//! told. A commit that finds no room is rolled back and the same commit is tried again; any
//! other error stops the store. An fsync is never tried again.
//!
//! [`Stopped`]: tareas_engine::ports::Stopped

use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tareas_engine::failpoint;

use super::boot;
use super::checkpoint::Checkpoints;
use super::commit::{Extras, Failed, Transactions};
use super::error::is_passing;
use super::pressure::Pressure;
use super::shared::{AskedSession, State};
use super::stats::{nanos, smooth};
use super::taking::Taken;
use super::waiting::{Next, next};
use super::writer::Writer;

/// Statements of one commit take about this long at most.
const STATEMENTS_TIME: Duration = Duration::from_millis(5);
/// However slow the rows are, a commit may hold this many.
const ROWS_MIN: usize = 256;
/// Pauses between tries of a commit that found no room.
const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

/// The loop of the writer.
#[derive(Debug)]
pub(super) struct Rounds<'w> {
    writer: &'w Writer,
    connection: &'w Connection,
    transactions: Transactions<'w>,
    checkpoints: Checkpoints,
    pressure: Pressure,
    /// Nanoseconds per row, smoothed.
    row_cost: u64,
}

impl<'w> Rounds<'w> {
    pub(super) fn new(
        writer: &'w Writer,
        connection: &'w Connection,
        transactions: Transactions<'w>,
    ) -> Self {
        let gate = Arc::clone(&writer.gate);
        let folder = Arc::clone(&writer.folder);
        Self {
            writer,
            connection,
            transactions,
            checkpoints: Checkpoints::new(gate, Arc::clone(&writer.counters)),
            pressure: Pressure::new(folder, writer.config.disk_reserve_bytes),
            row_cost: 0,
        }
    }

    /// Runs until the store is closed.
    ///
    /// # Errors
    /// When nothing more can be made durable.
    pub(super) fn run(mut self) -> Result<(), Failed> {
        let writer = self.writer;
        loop {
            self.watch_disk();
            match next(&writer.shared, self.fold_wait()) {
                Next::Write(state) => {
                    self.commit(state)?;
                    self.checkpoints.after_commit(self.connection)?;
                }
                Next::Idle => self.checkpoints.when_idle(self.connection)?,
                Next::Close => break,
                Next::Stop => return Ok(()),
            }
        }
        boot::record_clean_end(self.connection)?;
        self.checkpoints.at_end(self.connection)?;
        Ok(())
    }

    fn watch_disk(&mut self) {
        if let Some(is_full) = self.pressure.check() {
            self.writer.shared.lock().ledger.set_storage_full(is_full);
        }
    }

    /// How long the writer waits for quick tasks to end: less than what a commit more costs.
    fn fold_wait(&self) -> Duration {
        let (shortest, longest) = self.writer.config.fold_wait;
        (self.writer.counters.commit_smoothed() / 2).clamp(shortest, longest)
    }

    fn commit(&mut self, mut state: MutexGuard<'w, State>) -> Result<(), Failed> {
        let began = Instant::now();
        let sessions = std::mem::take(&mut state.sessions);
        let bytes_max = self.writer.config.commit_bytes_max;
        let mut taken = Taken::first(&mut state, self.rows_max(), bytes_max);
        drop(state);
        self.pressure.ensure_ballast();
        let mut tried = self.write_as_taken(&mut taken, &sessions);
        let mut pause = RETRY_PAUSE.0;
        while let Err(failed) = tried {
            self.make_room(failed, began)?;
            std::thread::sleep(pause);
            pause = (pause * 2).min(RETRY_PAUSE.1);
            tried = self.write_again(&taken, &sessions);
        }
        failpoint::hit("after_commit_before_durable");
        self.writer
            .counters
            .committed(taken.rows(), taken.folded(), began.elapsed());
        self.publish(taken, sessions);
        Ok(())
    }

    /// The first try: each piece is written as soon as it is taken.
    fn write_as_taken(
        &mut self,
        taken: &mut Taken,
        sessions: &[AskedSession],
    ) -> Result<(), Failed> {
        let began = Instant::now();
        self.transactions.begin()?;
        self.transactions.write_rows(taken.last_rows())?;
        while let Some(rows) = taken.more(&self.writer.shared) {
            self.transactions.write_rows(rows)?;
        }
        if let Some(cost) = nanos(began.elapsed()).checked_div(taken.rows() as u64) {
            self.row_cost = smooth(self.row_cost, cost);
        }
        self.finish(taken, sessions)
    }

    /// Another try: all that the first one took, and nothing else.
    fn write_again(&mut self, taken: &Taken, sessions: &[AskedSession]) -> Result<(), Failed> {
        self.writer.counters.retried();
        self.transactions.begin()?;
        for piece in taken.pieces() {
            self.transactions.write_rows(&piece.rows)?;
        }
        self.finish(taken, sessions)
    }

    fn finish(&mut self, taken: &Taken, sessions: &[AskedSession]) -> Result<(), Failed> {
        let extras = Extras {
            sessions,
            now: self.writer.config.clock.now(),
        };
        self.transactions.write_rest(taken.pieces(), &extras)?;
        self.writer.shared.durable.begin_commit(taken.position());
        self.transactions.commit()
    }

    /// After a commit that failed: rolls back, and makes room when that was what it lacked.
    ///
    /// # Errors
    /// The failure itself, when it will not pass or has not passed for too long.
    fn make_room(&mut self, failed: Failed, since: Instant) -> Result<(), Failed> {
        let Failed::Sqlite(error) = &failed else {
            return Err(failed);
        };
        if !is_passing(error) || since.elapsed() > self.writer.config.retry_for {
            return Err(failed);
        }
        tracing::warn!(%error, "a commit is tried again");
        self.transactions.roll_back()?;
        self.writer.shared.durable.roll_back();
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
            self.pressure.release_ballast();
            self.writer.shared.lock().ledger.set_storage_full(true);
        }
        Ok(())
    }

    /// Tells what is durable, then lets go of what need not be in memory.
    fn publish(&self, taken: Taken, sessions: Vec<AskedSession>) {
        let shared = &self.writer.shared;
        let now = self.writer.config.clock.now();
        {
            let mut state = shared.lock();
            state.writing = 0;
            state.published += 1;
            state.ledger.committed(&taken.position_only(), now);
        }
        shared.durable.reach(taken.position());
        failpoint::hit("after_durable_before_wake");
        shared.durable.wake();
        for asked in sessions {
            // Nobody waits any more: fine.
            let _ = asked.done.send(());
        }
        for piece in taken.into_pieces() {
            shared.lock().ledger.committed(&piece, now);
            // The rows are dropped here, without the lock.
        }
    }

    /// How many rows one commit may have, so that its statements take about as long as they may.
    fn rows_max(&self) -> usize {
        let most = self.writer.config.commit_rows_max;
        match nanos(STATEMENTS_TIME).checked_div(self.row_cost) {
            Some(rows) => usize::try_from(rows)
                .unwrap_or(most)
                .clamp(ROWS_MIN.min(most), most),
            None => most,
        }
    }
}
