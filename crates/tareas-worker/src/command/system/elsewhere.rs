//! Any other Unix: what can be had with process groups and patience.

use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, mkstemp, unlink};

use super::held_back;
use crate::command::sandbox::{Sandbox, SandboxMode, SandboxSupport};

/// There are no orphans to be had.
pub(in crate::command) fn adopt_orphans() -> io::Result<()> {
    Ok(())
}

/// Ends of children; they are looked for.
#[derive(Debug)]
pub(in crate::command) struct Ends(());

impl Ends {
    /// How long an end may go unnoticed when nothing else wakes the supervisor.
    pub(in crate::command) const LOOK_EVERY: Option<Duration> = Some(Duration::from_millis(20));

    /// Signals are not delivered from here on.
    pub(in crate::command) fn listen() -> io::Result<Self> {
        held_back()?;
        Ok(Self(()))
    }

    /// There is nothing to wait for.
    pub(in crate::command) fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// They were noticed.
    pub(in crate::command) fn take(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends a signal to the group that the process leads.
pub(in crate::command) fn signal_all(process: Pid, signal: Signal) {
    // A group that has ended meanwhile needs no signal.
    let _ = killpg(process, signal);
}

/// Ends what the process has left behind in its group.
pub(in crate::command) fn end_the_rest(process: Pid) {
    signal_all(process, Signal::SIGKILL);
}

/// The numbers of all open files.
pub(in crate::command) fn open_files() -> io::Result<Vec<i32>> {
    let entries = std::fs::read_dir("/dev/fd")?.flatten();
    Ok(entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect())
}

/// A file that nobody else can find.
pub(in crate::command) fn payload_file() -> io::Result<File> {
    let (file, path) = mkstemp(&std::env::temp_dir().join("tareas-payload-XXXXXX"))?;
    unlink(&path)?;
    Ok(file.into())
}

/// Not to be known.
pub(in crate::command) fn resident_bytes(_process: i32) -> Option<u64> {
    None
}

/// The program that runs now; its file must stay where it is.
pub(in crate::command) fn this_program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("tareas"))
}

/// Nothing can be kept.
pub(in crate::command) fn sandbox_support() -> SandboxSupport {
    SandboxSupport::None
}

/// Keeps nothing of it.
pub(in crate::command) fn confine(
    sandbox: &Sandbox,
    _program: &Path,
    _own: [&Path; 2],
) -> io::Result<SandboxSupport> {
    Ok(match sandbox.mode {
        SandboxMode::Off => SandboxSupport::Full,
        _ => SandboxSupport::None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, Write};
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::Command;

    use super::*;

    #[test]
    fn a_group_is_ended_with_what_is_left_in_it() {
        let mut child = Command::new("sh");
        child.args(["-c", "sleep 1000 & wait"]).process_group(0);
        let mut child = child.spawn().unwrap();
        end_the_rest(Pid::from_raw(child.id().cast_signed()));
        assert_eq!(child.wait().unwrap().signal(), Some(9));
    }

    #[test]
    fn a_payload_is_read_as_it_was_written() {
        let mut file = payload_file().unwrap();
        file.write_all(b"{}").unwrap();
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "{}");
    }

    #[test]
    fn the_rest_is_what_it_says() {
        assert!(adopt_orphans().is_ok() && this_program().exists());
        assert!(open_files().unwrap().contains(&0) || open_files().unwrap().len() > 1);
        assert_eq!(resident_bytes(1), None);
        assert_eq!(sandbox_support(), SandboxSupport::None);
        let kept = confine(&Sandbox::default(), Path::new("/"), [Path::new("/"); 2]);
        assert_eq!(kept.unwrap(), SandboxSupport::None);
        assert_eq!(Ends::LOOK_EVERY, Some(Duration::from_millis(20)));
    }

    #[test]
    fn ends_are_looked_for() {
        // In a thread of its own: the signals stay blocked in it.
        let looked = std::thread::spawn(|| {
            let ends = Ends::listen().unwrap();
            ends.as_fd().is_none() && ends.take().is_ok()
        });
        assert!(looked.join().unwrap());
    }
}
