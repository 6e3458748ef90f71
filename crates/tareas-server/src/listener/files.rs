//! Open files: how many the process may have, and one kept back for the day they run out.

use std::fs::File;

/// Files that are not connections: the store, blobs, timers, logs.
const KEPT_BACK: usize = 256;
/// Connections where the system does not tell how many files there may be.
const UNKNOWN_MAX: usize = 10_000;

/// How many connections may be open at once: what was asked for, but never more than there are
/// files for. Raises the soft limit of open files to the hard one first.
pub(super) fn connections_max(wanted: Option<usize>) -> usize {
    let by_files = open_files_max().map(|files| {
        // With very few files half of them are still connections.
        files.saturating_sub(KEPT_BACK).max(files / 2)
    });
    match (wanted, by_files) {
        (Some(wanted), Some(by_files)) => wanted.min(by_files),
        (Some(wanted), None) => wanted,
        (None, Some(by_files)) => by_files,
        (None, None) => UNKNOWN_MAX,
    }
}

#[cfg(unix)]
fn open_files_max() -> Option<usize> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let raised = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    // macOS reports a hard limit that it does not grant; then the soft one stays.
    let files = if raised.is_ok() { hard } else { soft };
    usize::try_from(files).ok()
}

#[cfg(not(unix))]
fn open_files_max() -> Option<usize> {
    None
}

/// One open file, given up when there are no others: so that a connection which there is no
/// file for can still be accepted, told, and closed.
#[derive(Debug)]
pub(super) struct Reserve(Option<File>);

impl Reserve {
    pub(super) fn new() -> Self {
        Self(Self::open())
    }

    fn open() -> Option<File> {
        File::open(if cfg!(windows) { "NUL" } else { "/dev/null" }).ok()
    }

    pub(super) fn give_up(&mut self) {
        self.0 = None;
    }

    pub(super) fn take_back(&mut self) {
        if self.0.is_none() {
            self.0 = Self::open();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_bounded_by_the_system() {
        assert_eq!(connections_max(Some(3)), 3);
        assert!(connections_max(Some(usize::MAX)) < usize::MAX);
        assert!(connections_max(None) > 0);
    }
}
