//! The store as a whole, while nobody serves from it: read ([`SqliteExport`]) or filled
//! ([`SqliteImport`]).
//!
//! Both hold the lock of the data folder, so no server starts meanwhile. A store that is being
//! filled says so in its table `meta`, which keeps servers away also after a kill.

mod export;
mod import;

use rusqlite::Connection;
use tareas_engine::ports::PortError;

pub use self::export::SqliteExport;
pub use self::import::SqliteImport;
use super::error::{ADAPTER, read_error, unavailable};
use super::folder::Folder;

/// The one connection to a folder that is held.
#[derive(Debug)]
struct Held {
    connection: Connection,
    /// Claims of tasks up to this number may be unrecorded.
    suspect_seq: i64,
    /// Let go of after the connection.
    _folder: Folder,
}

/// What is lent to work that may block, and comes back with its outcome.
#[derive(Debug)]
struct Lent(Option<Box<Held>>);

impl Lent {
    fn new(held: Held) -> Self {
        Self(Some(Box::new(held)))
    }

    /// Does work where it may block.
    async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Held) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let mut held = self.0.take().ok_or_else(given_up)?;
        let working = tokio::task::spawn_blocking(move || {
            let done = work(&mut held);
            (held, done)
        });
        let (held, done) = working.await.map_err(unavailable)?;
        self.0 = Some(held);
        done
    }
}

/// The caller dropped a call before this one.
fn given_up() -> PortError {
    PortError::Unavailable {
        adapter: ADAPTER,
        source: "an earlier call was given up".into(),
    }
}

/// What cannot have been written.
fn damaged(what: impl Into<tareas_engine::ports::BoxError>) -> PortError {
    PortError::Corrupt {
        what: "the database".to_owned(),
        source: what.into(),
    }
}

/// An error of a statement that only reads.
fn read(error: rusqlite::Error) -> PortError {
    read_error(error)
}
