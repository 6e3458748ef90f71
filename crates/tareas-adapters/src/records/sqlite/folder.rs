//! The data folder: made, locked, and checked to be a file system of this machine.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::sys::statfs::statfs;
use nix::sys::statvfs::statvfs;

use super::OpenError;

/// Held by the server that uses the folder.
pub(super) const LOCK_FILE: &str = "lock";
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// File systems of other machines, by the number that the kernel gives them.
const REMOTE: [(i64, &str); 5] = [
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFE53_4D42, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0x0102_1997, "9P"),
];

/// The data folder, held for this process alone until it is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder when it does not exist, and locks it.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Folder {
            path: path.to_owned(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(path)
            .map_err(failed)?;
        refuse_remote(path)?;
        // Its name must survive a power cut, or all that is in it is lost. What is in it is
        // synced by SQLite.
        if let Some(parent) = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            File::open(parent)
                .and_then(|parent| parent.sync_all())
                .map_err(failed)?;
        }
        let lock = lock(path)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The path of a file in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Makes sure that only the owner can read a file that SQLite will use.
    pub(super) fn make_private(&self, name: &str) -> Result<(), OpenError> {
        let path = self.file(name);
        let made = private_file().create_new(true).open(&path);
        match made {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(OpenError::Folder {
                path,
                source: error,
            }),
            _ => Ok(()),
        }
    }

    /// Room on the disk: free for this process, and in all.
    pub(super) fn room(&self) -> io::Result<Room> {
        let stat = statvfs(&self.path)?;
        let unit = stat.fragment_size();
        let (free, total) = (stat.blocks_available(), stat.blocks());
        Ok(Room {
            free: free.saturating_mul(unit),
            total: total.saturating_mul(unit),
        })
    }
}

/// Bytes on a disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) free: u64,
    pub(super) total: u64,
}

fn private_file() -> OpenOptions {
    let mut options = File::options();
    options.write(true).mode(FILE_MODE);
    options
}

fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join(LOCK_FILE);
    let failed = |source| OpenError::Folder {
        path: path.clone(),
        source,
    };
    let file = private_file()
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            folder: folder.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn refuse_remote(folder: &Path) -> Result<(), OpenError> {
    let failed = |errno: nix::Error| OpenError::Folder {
        path: folder.to_owned(),
        source: errno.into(),
    };
    #[allow(
        clippy::useless_conversion,
        reason = "the type is another one on other platforms"
    )]
    let found = i64::from(statfs(folder).map_err(failed)?.filesystem_type().0);
    match remote_kind(found) {
        Some(kind) => Err(OpenError::Remote {
            folder: folder.to_owned(),
            kind,
        }),
        None => Ok(()),
    }
}

/// The name of a file system of another machine, by its number.
pub(super) fn remote_kind(found: i64) -> Option<&'static str> {
    let remote = REMOTE.iter().find(|(number, _)| *number == found);
    remote.map(|(_, kind)| *kind)
}

/// Removes a file; one that is not there is fine.
pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
