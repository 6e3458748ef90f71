//! `SqliteRecords`: the store of one process, in one file.
//!
//! What it promises: what [`Records::durable`] has reached survives a power cut (with
//! [`Durability::Full`]); a decision is never taken back; when that cannot be kept any more the
//! store stops, says why, and nothing more is told.
//!
//! How it keeps it, in the order in which to read:
//!
//! | file | what it does |
//! |---|---|
//! | [`config`], `folder`, `open`, `migrate`, `boot` | how a store is opened, and what its last life left |
//! | `shared`, `durable` | the ledger behind one lock; how far everything is on disk |
//! | `apply`, `look_up` | deciding: at once for live tasks, after a look-up for cold ones |
//! | `sweep`, `prune`, `lanes` | tasks found by their state or by their place in line |
//! | `writer`, `rounds`, `waiting`, `taking`, `commit`, `statements`, `inserts`, `row` | the one thread that writes |
//! | `checkpoint`, `readers` | the log, and the gate that keeps it short |
//! | `pressure` | room on the disk |
//! | `page`, `settings`, `backup`, `stats`, `lives` | the rest |
//! | `transfer` | the store as a whole, read or filled while nobody serves from it |

mod apply;
mod backup;
mod boot;
mod checkpoint;
mod commit;
mod conditions;
pub mod config;
mod durable;
mod error;
mod folder;
mod inserts;
mod lanes;
mod lives;
mod look_up;
mod migrate;
mod moments;
mod open;
mod page;
mod pressure;
mod prune;
mod readers;
mod rounds;
mod row;
mod settings;
mod shared;
mod statements;
mod stats;
mod survey;
mod sweep;
mod taking;
mod transfer;
mod waiting;
mod writer;

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use tareas_core::{
    Applied, Attempt, Batch, Hint, Kind, Lane, Place, Position, Sweep, Task, TaskId, Timestamp,
    Want,
};
use tareas_engine::ports::{
    ApplyError, Counts, Page, PortError, Records, Stopped, StoredSession, TaskQuery,
};

pub use self::backup::{BackupProgress, backup};
pub use self::boot::BootReport;
use self::checkpoint::FRAME_BYTES;
pub use self::config::{Durability, SqliteConfig};
pub use self::error::OpenError;
use self::folder::Folder;
pub use self::lives::write_lives;
use self::pressure::Pressure;
use self::readers::ReadGate;
use self::shared::Shared;
use self::stats::Counters;
pub use self::stats::SqliteStats;
pub use self::survey::{Survey, survey};
pub use self::transfer::{SqliteExport, SqliteImport};
use self::writer::Writer;

/// Tasks in a SQLite file: decided in memory, written behind by one thread.
pub struct SqliteRecords {
    shared: Arc<Shared>,
    gate: Arc<ReadGate>,
    counters: Arc<Counters>,
    /// Holds the lock of the data folder.
    _folder: Arc<Folder>,
    config: SqliteConfig,
    report: BootReport,
    lost_sessions: Mutex<Vec<StoredSession>>,
    /// As of the start; what is announced later is known to the engine.
    remembered_kinds: Vec<Kind>,
    /// One look-up of cold tasks at a time.
    turn: tokio::sync::Mutex<()>,
    prune_hand: AtomicI64,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for SqliteRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteRecords")
            .field("folder", &self.config.folder)
            .finish_non_exhaustive()
    }
}

impl SqliteRecords {
    /// Opens the store in a data folder, which then belongs to this process alone. Takes
    /// milliseconds, however many tasks it holds.
    ///
    /// # Errors
    /// [`OpenError::InUse`] when another process has it; see [`OpenError`].
    pub fn open(config: SqliteConfig) -> Result<Self, OpenError> {
        let folder = Arc::new(Folder::open(&config.folder)?);
        let connection = open::writer(&folder, &config)?;
        let boot = boot::boot(&connection, &config)?;
        let gate = ReadGate::open(&folder.file(config::DATABASE_FILE))?;
        let shared = Arc::new(Shared::new(boot.ledger));
        let mut pressure = Pressure::new(Arc::clone(&folder), config.disk_reserve_bytes);
        shared
            .lock()
            .ledger
            .set_storage_full(pressure.check() == Some(true));
        let counters = Arc::new(Counters::default());
        let writer = Writer {
            shared: Arc::clone(&shared),
            gate: Arc::clone(&gate),
            counters: Arc::clone(&counters),
            folder: Arc::clone(&folder),
            config: config.clone(),
        };
        let path = config.folder.clone();
        let started = writer.start(connection);
        let thread = started.map_err(|source| OpenError::Folder { path, source })?;
        Ok(Self {
            shared,
            gate,
            counters,
            _folder: folder,
            config,
            report: boot.report,
            lost_sessions: Mutex::new(boot.lost_sessions),
            remembered_kinds: boot.kinds,
            turn: tokio::sync::Mutex::new(()),
            prune_hand: AtomicI64::new(0),
            writer: Mutex::new(Some(thread)),
        })
    }

    /// What was found at the start.
    pub fn boot(&self) -> &BootReport {
        &self.report
    }

    /// What the writer has done so far.
    pub fn stats(&self) -> SqliteStats {
        let state = self.shared.lock();
        SqliteStats {
            wal_bytes: self.counters.wal_frames.load(Ordering::Relaxed) * FRAME_BYTES,
            journal_tasks: state.ledger.journal_len(),
            journal_bytes: state.ledger.journal_bytes(),
            live_tasks: state.ledger.live(),
            is_full: state.ledger.is_storage_full(),
            ..self.counters.snapshot()
        }
    }

    /// Holds commits back until the guard is dropped: decisions go on and wait. For tests and
    /// for measuring; [`close`](Self::close) does not wait for it.
    pub fn hold_commits(&self) -> CommitHold {
        self.shared.lock().holds += 1;
        CommitHold {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Commits everything that was decided, leaves an empty log behind and ends the writer.
    /// From now on nothing is decided. Closing twice is fine.
    ///
    /// # Errors
    /// [`Stopped`] when the store had stopped before, or could not write what was left.
    pub async fn close(&self) -> Result<(), Stopped> {
        self.begin_close();
        let thread = self.take_writer();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            let is_fine = joined.is_ok_and(|ended| ended.is_ok());
            if !is_fine {
                return Err(Stopped {
                    reason: "the writer has panicked".to_owned(),
                });
            }
        }
        let state = self.shared.lock();
        match self.shared.durable.stopped() {
            Some(stopped) if state.is_stopped => Err(stopped),
            _ => Ok(()),
        }
    }

    fn begin_close(&self) {
        let mut state = self.shared.lock();
        state.is_closing = true;
        self.shared.unlock(state);
    }

    fn take_writer(&self) -> Option<JoinHandle<()>> {
        self.writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Drop for SqliteRecords {
    fn drop(&mut self) {
        if let Some(thread) = self.take_writer() {
            self.begin_close();
            // A panic of the writer has been told to all who waited.
            let _ = thread.join();
        }
    }
}

/// Holds commits back; see [`SqliteRecords::hold_commits`].
#[derive(Debug)]
pub struct CommitHold {
    shared: Arc<Shared>,
}

impl Drop for CommitHold {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.holds -= 1;
        self.shared.unlock(state);
        self.shared.wakes_writer().notify_one();
    }
}

#[async_trait]
impl Records for SqliteRecords {
    async fn apply(&self, batch: Batch) -> Result<Applied, ApplyError> {
        self.decide(&batch).await
    }

    async fn claim_next(&self, want: Want) -> Result<Applied, ApplyError> {
        self.claim_ready(want).await.map_err(ApplyError::NotApplied)
    }

    async fn sweep(
        &self,
        sweep: Sweep,
        now: Timestamp,
        limit: usize,
    ) -> Result<Applied, ApplyError> {
        let swept = match sweep {
            Sweep::Prune => self.prune(now, limit).await,
            other => self.sweep_state(other, now, limit).await,
        };
        swept.map_err(ApplyError::NotApplied)
    }

    fn durable(&self) -> Position {
        self.shared.durable.position()
    }

    async fn durable_after(&self, after: Position) -> Result<Position, Stopped> {
        self.shared.durable.after(after).await
    }

    async fn ready(&self, lane: &Lane, after: Place, limit: usize) -> Result<Vec<Hint>, PortError> {
        self.ready_in(lane, after, limit).await
    }

    async fn load(&self, ids: &[TaskId]) -> Result<(Vec<Option<Task>>, Position), PortError> {
        self.look(ids).await
    }

    async fn page(&self, query: &TaskQuery) -> Result<Page, PortError> {
        self.read_page(query).await
    }

    async fn attempts(&self, id: TaskId) -> Result<Vec<Attempt>, PortError> {
        self.read_attempts(id).await
    }

    fn counts(&self) -> Counts {
        let state = self.shared.lock();
        let counts = state.ledger.counts().map(|(queue, phases)| {
            (
                queue.clone(),
                phases.map(|count| count.max(0).unsigned_abs()),
            )
        });
        counts.collect()
    }
}
