//! Files that appear whole, under a name that nobody had.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How the names of temporary files begin.
const TEMPORARY: &str = ".new-";

/// What came of storing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// The file has these bytes, and they are on disk.
    Whole,
    /// The file has other bytes.
    TakenByOther,
}

/// Stores `bytes` at `path`, durably, unless there are others.
pub(super) fn store(path: &Path, bytes: &[u8]) -> io::Result<Stored> {
    let folder = path.parent().unwrap_or(Path::new("."));
    if path.exists() {
        return confirm(path, folder, bytes);
    }
    make_folder(folder)?;
    let temporary = write_temporary(folder, bytes)?;
    match take_name(&temporary, path) {
        Ok(()) => {
            sync(folder)?;
            Ok(Stored::Whole)
        }
        Err(error) => {
            let _ = fs::remove_file(&temporary);
            match error.kind() {
                ErrorKind::AlreadyExists => confirm(path, folder, bytes),
                _ => Err(error),
            }
        }
    }
}

/// Compares with what is there. Equal bytes are synced again: whoever wrote them may have died
/// before it did.
fn confirm(path: &Path, folder: &Path, bytes: &[u8]) -> io::Result<Stored> {
    if fs::metadata(path)?.len() != bytes.len() as u64 || fs::read(path)? != bytes {
        return Ok(Stored::TakenByOther);
    }
    sync(path)?;
    sync(folder)?;
    Ok(Stored::Whole)
}

/// A synced file with these bytes, that only this process knows of.
fn write_temporary(folder: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{TEMPORARY}{}-{number}", std::process::id()));
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let written = match opened {
            // Left by an earlier process of the same number.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
            Ok(mut file) => file.write_all(bytes).and_then(|()| file.sync_all()),
        };
        return match written {
            Ok(()) => Ok(path),
            Err(error) => {
                let _ = fs::remove_file(&path);
                Err(error)
            }
        };
    }
}

/// Gives the temporary file its name, in one step, unless somebody has that name.
fn take_name(temporary: &Path, path: &Path) -> io::Result<()> {
    match rename_without_replacing(temporary, path) {
        Err(error) if is_unsupported(&error) => {
            fs::hard_link(temporary, path)?;
            fs::remove_file(temporary)
        }
        renamed => renamed,
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn rename_without_replacing(from: &Path, to: &Path) -> io::Result<()> {
    use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
    Ok(renameat2(
        AT_FDCWD,
        from,
        AT_FDCWD,
        to,
        RenameFlags::RENAME_NOREPLACE,
    )?)
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn rename_without_replacing(_from: &Path, _to: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Whether this file system cannot rename without replacing.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unsupported | ErrorKind::InvalidInput
    )
}

/// Makes a folder that only the owner may enter, and has its name on disk.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync(parent),
        _ => Ok(()),
    }
}

/// Has a file, or the names in a folder, on disk.
fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The names of the folders below `root`, in order.
pub(super) fn shards(root: &Path) -> io::Result<Vec<String>> {
    let mut shards = Vec::new();
    for shard in fs::read_dir(root)? {
        let shard = shard?;
        if shard.file_type()?.is_dir()
            && let Ok(name) = shard.file_name().into_string()
        {
            shards.push(name);
        }
    }
    shards.sort_unstable();
    Ok(shards)
}

/// The names of all files of one folder.
pub(super) fn each_name(folder: &Path, mut found: impl FnMut(&str)) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        if let Some(name) = entry?.file_name().to_str() {
            found(name);
        }
    }
    Ok(())
}

/// Removes temporary files that nobody has written to for `age`.
pub(super) fn remove_orphans(root: &Path, age: Duration) -> io::Result<()> {
    each_file(root, |path| {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let is_old = || {
            let written = fs::metadata(path).and_then(|found| found.modified());
            // A time in the future is not old.
            written.is_ok_and(|at| at.elapsed().is_ok_and(|elapsed| elapsed > age))
        };
        if name.starts_with(TEMPORARY) && is_old() {
            // Another process may have been faster; a file that stays is harmless.
            let _ = fs::remove_file(path);
        }
    })
}

fn each_file(root: &Path, mut found: impl FnMut(&Path)) -> io::Result<()> {
    for shard in shards(root)? {
        for entry in fs::read_dir(root.join(shard))? {
            found(&entry?.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::SystemTime;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_can_read_blobs() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("ab").join("blob");
        assert_eq!(store(&path, b"bytes").unwrap(), Stored::Whole);
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "nothing is left"
        );
    }

    #[test]
    fn a_name_is_never_taken_over() {
        let root = tempfile::tempdir().unwrap();
        let (new, old) = (root.path().join("new"), root.path().join("old"));
        for take in [take_name, |new: &Path, old: &Path| fs::hard_link(new, old)] {
            fs::write(&new, b"new").unwrap();
            fs::write(&old, b"old").unwrap();
            assert_eq!(
                take(&new, &old).unwrap_err().kind(),
                ErrorKind::AlreadyExists
            );
            assert_eq!(fs::read(&old).unwrap(), b"old");
        }
    }

    #[test]
    fn what_dead_writers_left_is_removed_when_it_is_old() {
        let root = tempfile::tempdir().unwrap();
        let shard = root.path().join("ab");
        fs::create_dir(&shard).unwrap();
        let old = shard.join(".new-1-1");
        let blob = shard.join("0190c1f0-0000-7000-8000-0000000000ab.in");
        let two_hours_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
        for path in [&old, &blob] {
            fs::write(path, b"x").unwrap();
            File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_modified(two_hours_ago)
                .unwrap();
        }
        let fresh = shard.join(".new-1-2");
        fs::write(&fresh, b"x").unwrap();
        remove_orphans(root.path(), Duration::from_secs(3600)).unwrap();
        assert_eq!(
            [&old, &blob, &fresh].map(|path| path.exists()),
            [false, true, true]
        );
    }
}
