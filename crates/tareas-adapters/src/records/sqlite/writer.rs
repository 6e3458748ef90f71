//! The writer: the one thread that writes, and the one connection that it writes with.
//!
//! What it does is in `rounds`; here it is started, and ended so that nobody is left waiting.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;

use super::commit::{Failed, Transactions};
use super::config::SqliteConfig;
use super::folder::Folder;
use super::readers::ReadGate;
use super::rounds::Rounds;
use super::shared::Shared;
use super::stats::Counters;

/// The writer's name among the threads.
const THREAD: &str = "tareas-writer";

/// What the writer is made of.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) gate: Arc<ReadGate>,
    pub(super) counters: Arc<Counters>,
    pub(super) folder: Arc<Folder>,
    pub(super) config: SqliteConfig,
}

impl Writer {
    /// Starts the thread. It ends when the store is closed or has stopped, and then drops the
    /// connection.
    pub(super) fn start(self, connection: Connection) -> std::io::Result<JoinHandle<()>> {
        let thread = Builder::new().name(THREAD.to_owned());
        thread.spawn(move || self.run(connection))
    }

    fn run(self, mut connection: Connection) {
        let on_panic = StopOnPanic(Arc::clone(&self.shared));
        let counters = Arc::clone(&self.counters);
        let count_frames = move |_: &mut rusqlite::hooks::Wal, frames| {
            let frames = u64::try_from(frames).unwrap_or(0);
            counters.wal_frames.store(frames, Ordering::Relaxed);
            Ok(())
        };
        let hooked = connection
            .wal_hook(Some(count_frames))
            .map_err(Failed::from);
        let ended = hooked.and_then(|()| {
            let transactions = Transactions::prepare(&connection)?;
            Rounds::new(&self, &connection, transactions).run()
        });
        match ended {
            Ok(()) => self.shared.durable.stop("the store is closed"),
            Err(failed) => {
                tracing::error!(reason = %failed, "the store has stopped");
                self.shared.stop(&failed.to_string());
            }
        }
        drop(on_panic);
    }
}

/// A writer that panics must not leave anybody waiting.
#[derive(Debug)]
struct StopOnPanic(Arc<Shared>);

impl Drop for StopOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop("the writer has panicked");
        }
    }
}
