//! What commands need of the operating system and POSIX does not have: the one place that knows
//! which system this is.
//!
//! | | Linux | elsewhere |
//! |---|---|---|
//! | a process that detaches | is found and ended | is ended if it stayed in its process group |
//! | after a kill of the supervisor | the group is ended by the server | the same |
//! | privileges by `setuid` programs | cannot be gained | can be |
//! | the end of a process | is told | is looked for, every [`Ends::LOOK_EVERY`] |
//! | a payload | is a file in memory | is a file without a name in the temporary folder |
//! | a sandbox | is kept as far as the kernel can | is not |
//! | `recycle.memory` | is kept to | is not known, so nothing is recycled for it |
//!
//! The weaker variant is compiled for tests on Linux, too, so that it stays in shape.

#[cfg(any(test, not(target_os = "linux")))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod tree;

#[cfg(not(target_os = "linux"))]
pub(super) use elsewhere::{
    Ends, adopt_orphans, confine, end_the_rest, open_files, payload_file, resident_bytes,
    sandbox_support, signal_all, this_program,
};
#[cfg(target_os = "linux")]
pub(super) use landlock::{confine, sandbox_support};
#[cfg(target_os = "linux")]
pub(super) use linux::{
    Ends, adopt_orphans, end_the_rest, open_files, payload_file, resident_bytes, signal_all,
    this_program,
};

use nix::sys::signal::{SigSet, Signal};

/// Has signals wait that are not for the supervisor to obey.
pub(super) fn hold_back() -> nix::Result<()> {
    held_back().map(drop)
}

/// Signals that are not for the supervisor to obey: an end of its child, and the requests to end
/// that somebody sends to everything.
fn held_back() -> nix::Result<SigSet> {
    let mut signals = SigSet::empty();
    for signal in [
        Signal::SIGCHLD,
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGHUP,
    ] {
        signals.add(signal);
    }
    signals.thread_block()?;
    Ok(signals)
}
