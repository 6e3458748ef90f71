//! Linux: subreaper, signals as a file, files in memory, `/proc`.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, SysconfVar, sysconf};

use super::{held_back, tree};

/// Makes this process the parent of orphans below it, and takes the privileges away that a
/// `setuid` program would give.
pub(in crate::command) fn adopt_orphans() -> io::Result<()> {
    prctl::set_child_subreaper(true)?;
    prctl::set_no_new_privs()?;
    Ok(())
}

/// Ends of children, as something to wait for.
#[derive(Debug)]
pub(in crate::command) struct Ends(SignalFd);

impl Ends {
    /// How long an end may go unnoticed when nothing else wakes the supervisor.
    pub(in crate::command) const LOOK_EVERY: Option<Duration> = None;

    /// Listens from here on; signals are not delivered any more.
    pub(in crate::command) fn listen() -> io::Result<Self> {
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Self(SignalFd::with_flags(&held_back()?, flags)?))
    }

    /// Readable when there may be one.
    pub(in crate::command) fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.as_fd())
    }

    /// They were noticed.
    pub(in crate::command) fn take(&self) -> io::Result<()> {
        while self.0.read_signal()?.is_some() {}
        Ok(())
    }
}

/// Sends a signal to the process and everything that came of it.
pub(in crate::command) fn signal_all(_process: Pid, signal: Signal) {
    tree::signal_all(signal);
}

/// Nothing is left when there are no children: orphans are children here.
pub(in crate::command) fn end_the_rest(_process: Pid) {}

/// The numbers of all open files.
pub(in crate::command) fn open_files() -> io::Result<Vec<i32>> {
    let entries = std::fs::read_dir("/proc/self/fd")?.flatten();
    Ok(entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect())
}

/// A file that nobody else can find.
pub(in crate::command) fn payload_file() -> io::Result<File> {
    Ok(memfd_create(c"payload", MFdFlags::MFD_CLOEXEC)?.into())
}

/// How much memory a process has in use.
pub(in crate::command) fn resident_bytes(process: i32) -> Option<u64> {
    let statm = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    let page = sysconf(SysconfVar::PAGE_SIZE).ok()??;
    Some(pages.saturating_mul(u64::try_from(page).ok()?))
}

/// The program that runs now, also when its file was replaced meanwhile.
pub(in crate::command) fn this_program() -> PathBuf {
    PathBuf::from("/proc/self/exe")
}
