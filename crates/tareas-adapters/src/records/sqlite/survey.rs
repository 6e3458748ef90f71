//! A look at a data folder for whoever sets a system up. It makes nothing that stays, and leaves
//! a server that uses the folder alone.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::statfs::statfs;
use nix::sys::statvfs::statvfs;

use super::folder::{LOCK_FILE, remote_kind};

/// How often a file is brought to the disk; the middle one counts.
const SYNCS: usize = 7;
/// Bytes written each time, as much as a page.
const SYNC_BYTES: usize = 4 * 1024;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Where it was measured: the folder, or the nearest one above that exists.
    pub at: PathBuf,
    /// Whether the folder itself exists.
    pub exists: bool,
    /// A server uses it now.
    pub is_in_use: bool,
    /// The file system, when it is one of another machine, which cannot be used.
    pub remote: Option<&'static str>,
    /// The number that the kernel gives this kind of file system.
    pub kind: i64,
    /// Bytes that are free for this account.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
    /// How long it takes until bytes are on the disk.
    pub fsync: Duration,
}

/// Looks at a data folder that may not exist yet.
///
/// # Errors
/// When it, or the nearest folder above, cannot be looked at or written to.
pub fn survey(folder: &Path) -> io::Result<Survey> {
    let at = nearest(folder);
    let kind = kind_of(&at)?;
    let stat = statvfs(&at)?;
    let unit = stat.fragment_size();
    Ok(Survey {
        exists: folder.is_dir(),
        is_in_use: is_in_use(folder)?,
        remote: remote_kind(kind),
        kind,
        free: stat.blocks_available().saturating_mul(unit),
        total: stat.blocks().saturating_mul(unit),
        fsync: fsync(&at)?,
        at,
    })
}

fn nearest(folder: &Path) -> PathBuf {
    let existing = folder.ancestors().find(|path| path.is_dir());
    // What is above a relative path is where we are.
    existing.unwrap_or(Path::new(".")).to_owned()
}

#[expect(
    clippy::useless_conversion,
    reason = "the type is another one on other platforms"
)]
fn kind_of(folder: &Path) -> io::Result<i64> {
    Ok(i64::from(statfs(folder)?.filesystem_type().0))
}

/// Whether somebody holds the lock; a folder without one was never used.
fn is_in_use(folder: &Path) -> io::Result<bool> {
    let lock = match File::open(folder.join(LOCK_FILE)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    // Shared, so that a server that starts at this moment is kept out for no time at all.
    match lock.try_lock_shared() {
        Ok(()) => lock.unlock().map(|()| false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn fsync(folder: &Path) -> io::Result<Duration> {
    let path = folder.join(format!(".tareas-doctor-{}", std::process::id()));
    let measured = File::create_new(&path).and_then(|mut file| {
        file.write_all(&[0; SYNC_BYTES])?;
        file.sync_all()?;
        let mut times = [Duration::ZERO; SYNCS];
        for (round, time) in (1..).zip(&mut times) {
            let began = Instant::now();
            file.write_all_at(&[round; SYNC_BYTES], 0)?;
            file.sync_data()?;
            *time = began.elapsed();
        }
        times.sort_unstable();
        Ok(times[SYNCS / 2])
    });
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => measured,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_to_be_made_is_measured_above() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = folder.path().join("a/b");
        let survey = survey(&wanted).unwrap();
        assert_eq!(survey.at, folder.path());
        assert!(!survey.exists && !survey.is_in_use);
        assert!(survey.free > 0 && survey.free <= survey.total);
        assert!(survey.fsync > Duration::ZERO);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            0,
            "left behind"
        );
    }

    #[test]
    fn a_lock_that_is_held_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let lock = File::create(folder.path().join(LOCK_FILE)).unwrap();
        assert!(!survey(folder.path()).unwrap().is_in_use);
        lock.lock().unwrap();
        assert!(survey(folder.path()).unwrap().is_in_use);
    }
}
