//! Copying a database that somebody else is writing, by SQLite's own backup.
//!
//! A second process reads here, so nothing of the server's connection is touched. One snapshot
//! holds for all pages: the copy is the store as it was on disk at one moment.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

/// Pages per step: 1 MiB.
const STEP_PAGES: i32 = 256;
/// Pause between steps, so that the copy leaves the disk to the server.
const STEP_PAUSE: Duration = Duration::from_millis(1);
/// How long a lock of the server may be waited for.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Copies `source` into the new file `target`; durable on return.
pub(super) fn copy(source: &Path, target: &Path) -> std::io::Result<()> {
    copy_pages(source, target).map_err(std::io::Error::other)?;
    std::fs::File::open(target)?.sync_all()
}

fn copy_pages(source: &Path, target: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let from = Connection::open_with_flags(source, flags)?;
    from.busy_timeout(BUSY_TIMEOUT)?;
    let snapshot = from.unchecked_transaction()?;
    snapshot.query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
        row.get::<_, i64>(0)
    })?;
    let mut to = Connection::open(target)?;
    let backup = Backup::new(&from, &mut to)?;
    while backup.step(STEP_PAGES)? != StepResult::Done {
        std::thread::sleep(STEP_PAUSE);
    }
    Ok(())
}
