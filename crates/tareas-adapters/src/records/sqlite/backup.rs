//! A copy of the store while it works.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use tareas_engine::ports::PortError;

use super::config::DATABASE_FILE;
use super::error::{read_error, unavailable};
use super::open;

/// Pages per step: 1 MiB.
const STEP_PAGES: i32 = 256;
/// Pause between steps, so that the copy leaves the disk to the writer.
const STEP_PAUSE: Duration = Duration::from_millis(1);

/// How far a backup has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupProgress {
    /// Pages copied.
    pub pages_done: u32,
    /// Pages in all.
    pub pages: u32,
}

/// Copies the store of a data folder, as it is on disk at this moment, into a new file, and tells
/// how far it has come after each step. Only reads, so a server, also one in another process,
/// goes on meanwhile; its write-ahead log cannot start again until the copy is complete.
///
/// # Errors
/// `Conflict` when the file exists, else what SQLite or the system said. Nothing is left
/// behind then.
pub fn backup(
    folder: &Path,
    target: &Path,
    progress: impl FnMut(BackupProgress),
) -> Result<(), PortError> {
    if target.exists() {
        return Err(PortError::Conflict {
            what: target.display().to_string(),
        });
    }
    let partial = partial(target);
    let copied = copy(&folder.join(DATABASE_FILE), &partial, progress)
        .and_then(|()| keep(&partial, target).map_err(unavailable));
    if copied.is_err() {
        // The error that counts is the one before.
        let _ = fs::remove_file(&partial);
    }
    copied
}

fn copy(
    source: &Path,
    partial: &Path,
    mut progress: impl FnMut(BackupProgress),
) -> Result<(), PortError> {
    let from = open::reader(source).map_err(read_error)?;
    // One snapshot for all steps: without it the copy would begin again at each commit.
    let snapshot = from.unchecked_transaction().map_err(read_error)?;
    let looked = snapshot.query_row("SELECT count(*) FROM meta", [], |row| row.get::<_, i64>(0));
    looked.map_err(read_error)?;
    let mut to = Connection::open(partial).map_err(unavailable)?;
    let backup = Backup::new(&from, &mut to).map_err(unavailable)?;
    loop {
        let step = backup.step(STEP_PAGES).map_err(unavailable)?;
        let now = backup.progress();
        let pages = u32::try_from(now.pagecount).unwrap_or(0);
        let left = u32::try_from(now.remaining).unwrap_or(0);
        progress(BackupProgress {
            pages_done: pages.saturating_sub(left),
            pages,
        });
        if step == StepResult::Done {
            return Ok(());
        }
        std::thread::sleep(STEP_PAUSE);
    }
}

/// Makes the complete copy durable, under its name.
fn keep(partial: &Path, target: &Path) -> io::Result<()> {
    File::open(partial)?.sync_all()?;
    fs::hard_link(partial, target)?;
    fs::remove_file(partial)?;
    match target
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        Some(parent) => File::open(parent)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

fn partial(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}
