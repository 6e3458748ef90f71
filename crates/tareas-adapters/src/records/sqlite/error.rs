//! Why the store could not be opened, and how errors of SQLite look to the engine.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;
use tareas_engine::ports::{BoxError, PortError};

/// The adapter's name in errors.
pub(super) const ADAPTER: &str = "sqlite";

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the data folder {} is in use by another process", folder.display())]
    InUse {
        /// The data folder.
        folder: PathBuf,
    },
    /// Locks and shared memory do not work on file systems of other machines.
    #[error("the data folder {} is on {kind}, where SQLite cannot keep its promises", folder.display())]
    Remote {
        /// The data folder.
        folder: PathBuf,
        /// The kind of file system.
        kind: &'static str,
    },
    /// The file was written by a newer version of the program.
    #[error("the database has schema {found}, this program knows schemas up to {known}")]
    Newer {
        /// The schema of the file.
        found: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// The file is a database of another program.
    #[error("{} is a database of another program", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// SQLite has a known defect, or a setting that durability rests on did not take.
    #[error("SQLite cannot be trusted here: {what}")]
    Unsafe {
        /// What is wrong.
        what: String,
    },
    /// The folder cannot be made, read or locked.
    #[error("cannot use {}", path.display())]
    Folder {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The database cannot be read or written.
    #[error("cannot open the database")]
    Sqlite(#[from] rusqlite::Error),
    /// A migration into it has not ended.
    #[error("a migration into it has not ended: run `tareas migrate` again")]
    Unfinished,
    /// There is nothing to read.
    #[error("there is no database in {}", folder.display())]
    Missing {
        /// The data folder.
        folder: PathBuf,
    },
    /// What is stored cannot be what was written.
    #[error("the database is damaged: {what}")]
    Corrupt {
        /// What was read.
        what: String,
    },
}

/// An error of a read, as the engine sees it.
pub(super) fn read_error(error: rusqlite::Error) -> PortError {
    match error {
        rusqlite::Error::FromSqlConversionFailure(_, _, source) => PortError::Corrupt {
            what: "a stored task".to_owned(),
            source,
        },
        other if is_corrupt(&other) => PortError::Corrupt {
            what: "the database".to_owned(),
            source: other.into(),
        },
        other => unavailable(other),
    }
}

/// An error that may pass.
pub(super) fn unavailable(source: impl Into<BoxError>) -> PortError {
    PortError::Unavailable {
        adapter: ADAPTER,
        source: source.into(),
    }
}

fn is_corrupt(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// Whether the same commit may succeed later: there is no room, or somebody holds a lock.
pub(super) fn is_passing(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}
