//! The supervisor: this binary again, started for one process of a command.
//!
//! Its stdin is a socket to the server: an order comes in, reports go out, one more byte or the
//! end of the stream means "stop". It is the process that orphans of the tree fall to, so it is
//! done when it has no children left, and not before. It is single-threaded and never waits for
//! the process while the server might want something.

mod start;
mod watch;

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::SigSet;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{dup2_stdin, setsid};

use super::order::Order;
use super::report::Report;
use super::system::{self, Ends};
use start::Start;
use watch::Watch;

/// Runs as a supervisor until its process and everything below it has ended. The whole life of
/// a process that was started for this.
pub fn supervise() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        // Stderr belongs to the command's log; there it is said why there is nothing else.
        Err(error) => {
            let _ = writeln!(
                io::stderr(),
                "the supervisor of the command failed: {error}"
            );
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let start = Start::reserve()?;
    let mut control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    dup2_stdin(start.nothing())?;
    let order = Order::receive(&control)?;
    isolate()?;
    match start.process(&order, &control) {
        Ok(mut started) => {
            // Not before: the process must not inherit it. An end that came meanwhile is found
            // without a signal.
            let ends = Ends::listen()?;
            // A server that is gone is noticed where it is listened to.
            let _ = tell(&mut control, &Report::Started(started.pid.as_raw()));
            let watch = Watch::new(&mut control, ends, &order, &mut started);
            let end = watch.until_all_ended()?;
            drop(started);
            if tell(&mut control, &Report::Ended(end)).is_err() {
                // Nobody is there to take what it left, or to clean up.
                let _ = std::fs::remove_dir_all(&order.out);
            }
        }
        Err(error) => tell(&mut control, &Report::Failed(error.to_string()))?,
    }
    Ok(())
}

/// Takes this process out of the server's session, makes it the parent of orphans, and narrows
/// what it and all that it starts may do.
fn isolate() -> io::Result<()> {
    // Fails only for the leader of a process group, which a fresh process is not.
    setsid()?;
    system::adopt_orphans()?;
    umask(Mode::from_bits_truncate(0o077));
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    // What is blocked here would be blocked in the process, too.
    SigSet::empty().thread_set_mask()?;
    Ok(())
}

/// Says something to the server; fails when there is none any more.
fn tell(control: &mut UnixStream, report: &Report) -> io::Result<()> {
    control.write_all(format!("{report}\n").as_bytes())
}
