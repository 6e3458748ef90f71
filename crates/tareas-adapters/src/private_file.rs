//! A small SQLite file beside the tasks, for its user alone.
//!
//! Every call is a transaction of its own on a thread that may block, written to the disk before
//! it returns. Several processes may have the file open: one waits for the other.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tareas_engine::ports::{BoxError, PortError};

/// How long one process waits for another.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What a file is called and what is in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Its name in the data folder.
    pub(crate) file: &'static str,
    /// The version of the schema; a newer file is refused.
    pub(crate) version: i64,
    /// Makes the tables where they are missing.
    pub(crate) schema: &'static str,
}

/// See the module's documentation.
#[derive(Clone, Debug)]
pub(crate) struct PrivateFile {
    connection: Arc<Mutex<Connection>>,
    name: &'static str,
}

impl PrivateFile {
    /// Opens the file in this folder; makes both where they are missing.
    ///
    /// # Errors
    /// When they cannot be made or read, or the file is of a newer version.
    pub(crate) fn open(folder: &Path, layout: Layout) -> Result<Self, PortError> {
        let name = layout.file;
        let path = make(folder, name).map_err(|error| unavailable(name, error))?;
        let (connection, found) = open(&path, layout).map_err(|error| unavailable(name, error))?;
        if found > layout.version {
            let known = layout.version;
            return Err(PortError::Corrupt {
                what: path.display().to_string(),
                source: format!("its schema is {found}, this version knows {known}").into(),
            });
        }
        let connection = Arc::new(Mutex::new(connection));
        Ok(Self { connection, name })
    }

    /// Does this on a thread that may block.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, PortError> {
        let connection = Arc::clone(&self.connection);
        let done = tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection)
        });
        let done = done.await.map_err(|error| unavailable(self.name, error))?;
        done.map_err(|error| unavailable(self.name, error))
    }
}

fn make(folder: &Path, file: &str) -> std::io::Result<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let path = folder.join(file);
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true).mode(0o600).open(&path)?;
    Ok(path)
}

/// The connection, and the version of the schema.
fn open(path: &Path, layout: Layout) -> rusqlite::Result<(Connection, i64)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", 2)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found >= layout.version {
        return Ok((connection, found));
    }
    let Layout {
        schema, version, ..
    } = layout;
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;\n{schema}\nPRAGMA user_version = {version};\nCOMMIT;"
    ))?;
    Ok((connection, version))
}

fn unavailable(adapter: &'static str, source: impl Into<BoxError>) -> PortError {
    PortError::Unavailable {
        adapter,
        source: source.into(),
    }
}
