//! Room on the disk: admission closes before it runs out, and a ballast keeps results going.
//!
//! Below the reserve submissions are refused, settlements are not. When a commit still finds
//! the disk full, the ballast file is removed, and the same commit is tried again.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::fcntl::{FallocateFlags, fallocate};

use super::folder::{Folder, Room, remove_file};

const BALLAST_FILE: &str = "ballast";
const MIB: u64 = 1024 * 1024;
const RESERVE_MIN: u64 = 64 * MIB;
const RESERVE_MAX: u64 = 1024 * MIB;
const RESERVE_PERCENT: u64 = 2;
/// The ballast is this part of the reserve.
const BALLAST_PART: u64 = 4;
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// Watches the room on the disk. Belongs to the writer.
#[derive(Debug)]
pub(super) struct Pressure {
    folder: Arc<Folder>,
    reserve: Option<u64>,
    has_ballast: bool,
    is_released: bool,
    checked_at: Option<Instant>,
}

impl Pressure {
    /// `reserve` in bytes; `None` for a part of the disk.
    pub(super) fn new(folder: Arc<Folder>, reserve: Option<u64>) -> Self {
        Self {
            folder,
            reserve,
            has_ballast: false,
            is_released: false,
            checked_at: None,
        }
    }

    /// Whether admission must be closed; looks at most once a second, `None` in between.
    pub(super) fn check(&mut self) -> Option<bool> {
        if self.checked_at.is_some_and(|at| at.elapsed() < CHECK_EVERY) {
            return None;
        }
        self.checked_at = Some(Instant::now());
        let room = self.folder.room().ok()?;
        let is_full = room.free < self.reserve_of(room);
        if !is_full && self.is_released {
            // There is room again: the next commit makes a new ballast.
            (self.is_released, self.has_ballast) = (false, false);
        }
        Some(is_full)
    }

    /// Puts the ballast in place, once there is something to protect and room for it.
    pub(super) fn ensure_ballast(&mut self) {
        if self.has_ballast {
            return;
        }
        self.has_ballast = true;
        if let Err(error) = self.make_ballast() {
            tracing::warn!(%error, "no ballast: a full disk will be felt at once");
        }
    }

    fn make_ballast(&self) -> io::Result<()> {
        let room = self.folder.room()?;
        let reserve = self.reserve_of(room);
        let length = reserve / BALLAST_PART;
        let path = self.path();
        let is_there = path.metadata().is_ok_and(|found| found.len() == length);
        if is_there || length == 0 || room.free < reserve.saturating_add(length) {
            return Ok(());
        }
        let file = File::options()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        let length = i64::try_from(length).map_err(io::Error::other)?;
        fallocate(&file, FallocateFlags::empty(), 0, length)?;
        Ok(())
    }

    /// The disk is full: gives the ballast to the commit that needs it.
    pub(super) fn release_ballast(&mut self) {
        if let Err(error) = remove_file(&self.path()) {
            tracing::warn!(%error, "the ballast cannot be removed");
        }
        self.is_released = true;
        self.checked_at = Some(Instant::now());
    }

    fn reserve_of(&self, room: Room) -> u64 {
        let part = (room.total / 100).saturating_mul(RESERVE_PERCENT);
        self.reserve.unwrap_or(part.clamp(RESERVE_MIN, RESERVE_MAX))
    }

    fn path(&self) -> PathBuf {
        self.folder.file(BALLAST_FILE)
    }
}
