//! The read connections, and the gate in front of them.
//!
//! Readers wait for the writer, never the writer for readers: a read that goes on and on would
//! keep the log from being used again, and it would grow without end. So reads are short (a
//! progress handler interrupts them) and pass a gate; when the log is too large the writer
//! closes the gate, goes on committing, and starts the log again when nobody is inside.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::Notify;

use super::open;

/// What one row more may add to the time of a read, on a machine that is busy elsewhere.
const ROW_TIME: Duration = Duration::from_micros(20);
/// Virtual machine steps between two looks at the clock.
const STEPS_BETWEEN_LOOKS: i32 = 4_000;

/// What a connection is for. One each, so that a long page never delays a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reads by id, by key and along an index: microseconds.
    LookUp = 0,
    /// Pages for people.
    Page = 1,
}

impl Purpose {
    /// How long one read may take, apart from the rows that it was asked for.
    fn time_max(self) -> Duration {
        match self {
            // Microseconds; the rest is for a machine that lets others go first.
            Self::LookUp => Duration::from_secs(1),
            Self::Page => Duration::from_secs(2),
        }
    }
}

/// Read connections behind a gate.
#[derive(Debug)]
pub(super) struct ReadGate {
    inner: Mutex<Inner>,
    changed: Notify,
    is_closed: AtomicBool,
    started: Instant,
}

#[derive(Debug)]
struct Inner {
    readers: [Option<Reader>; 2],
}

/// A connection, and the moment at which its read is interrupted.
#[derive(Debug)]
struct Reader {
    connection: Connection,
    deadline: Arc<AtomicU64>,
}

impl ReadGate {
    /// Opens the connections.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Arc<Self>> {
        let started = Instant::now();
        let readers = [
            Some(Reader::open(path, started)?),
            Some(Reader::open(path, started)?),
        ];
        Ok(Arc::new(Self {
            inner: Mutex::new(Inner { readers }),
            changed: Notify::new(),
            is_closed: AtomicBool::new(false),
            started,
        }))
    }

    /// Waits for the connection of this purpose, for reads of about so many rows: a read that
    /// takes much longer than they explain is interrupted.
    pub(super) async fn enter(self: &Arc<Self>, purpose: Purpose, rows: usize) -> Inside {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(inside) = self.try_enter(purpose, rows) {
                return inside;
            }
            changed.await;
        }
    }

    fn try_enter(self: &Arc<Self>, purpose: Purpose, rows: usize) -> Option<Inside> {
        let mut inner = self.lock();
        if self.is_closed.load(Ordering::Acquire) {
            return None;
        }
        let reader = inner.readers[purpose as usize].take()?;
        let rows_time = ROW_TIME.saturating_mul(u32::try_from(rows).unwrap_or(u32::MAX));
        let until = self
            .started
            .elapsed()
            .saturating_add(purpose.time_max())
            .saturating_add(rows_time);
        reader.deadline.store(micros(until), Ordering::Relaxed);
        Some(Inside {
            gate: Arc::clone(self),
            purpose,
            reader: Some(reader),
        })
    }

    /// Lets nobody in from now on.
    pub(super) fn close(&self) {
        let _inner = self.lock();
        self.is_closed.store(true, Ordering::Release);
    }

    /// Lets readers in again.
    pub(super) fn reopen(&self) {
        self.is_closed.store(false, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Whether it is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Whether nobody is inside.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().readers.iter().all(Option::is_some)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    fn open(path: &Path, started: Instant) -> rusqlite::Result<Self> {
        let mut connection = open::reader(path)?;
        let deadline = Arc::new(AtomicU64::new(u64::MAX));
        let seen = Arc::clone(&deadline);
        let is_late = move || micros(started.elapsed()) > seen.load(Ordering::Relaxed);
        connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(is_late))?;
        Ok(Self {
            connection,
            deadline,
        })
    }
}

/// A borrowed connection; given back when dropped.
#[derive(Debug)]
pub(super) struct Inside {
    gate: Arc<ReadGate>,
    purpose: Purpose,
    reader: Option<Reader>,
}

impl Inside {
    /// Runs reads that see one and the same snapshot.
    pub(super) fn snapshot<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let connection = &self
            .reader
            .as_ref()
            .expect("there until dropped")
            .connection;
        let transaction = connection.unchecked_transaction()?;
        let found = read(&transaction)?;
        transaction.finish()?;
        Ok(found)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.gate.lock().readers[self.purpose as usize] = self.reader.take();
        self.gate.changed.notify_waiters();
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
