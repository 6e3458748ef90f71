//! The supervisor: this binary again, started for processes of one command.
//!
//! Its stdin is a socket to the server: an order comes in, reports go out, the end of the stream
//! means "stop". It is the process that orphans of the tree fall to, so it is done with an order
//! when it has no children left, and not before: the next order finds nothing of the last one. It
//! has one thread, and a second one only while it starts a process. It never waits for the process
//! while the server might want something.

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

use super::order::{Order, Streams};
use super::report::Report;
use super::system::{self, Ends};
use start::Start;
use watch::Watch;

/// Runs as a supervisor until there are no more orders, or it is asked to stop: then its process
/// and everything below it has ended. The whole life of a process that was started for this.
pub fn supervise() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        // The server finds that its stream has ended. There is nobody else to tell.
        Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> io::Result<()> {
    let mut start = Start::reserve()?;
    let mut control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    dup2_stdin(start.nothing())?;
    isolate()?;
    let ends = Ends::listen()?;
    while let Some((order, streams)) = Order::receive(&control)? {
        match carry_out(start, &order, streams, &mut control, &ends) {
            Ok(true) => start = Start::again()?,
            Ok(false) => break,
            Err(error) => {
                let failed = Report::Failed(format!("the supervisor failed: {error}"));
                tell(&mut control, &failed)?;
                return Err(error);
            }
        }
    }
    Ok(())
}

/// One order, from the start of its process to the end of the last that came of it; whether
/// another may follow.
fn carry_out(
    start: Start,
    order: &Order,
    streams: Streams,
    control: &mut UnixStream,
    ends: &Ends,
) -> io::Result<bool> {
    // What came meanwhile was not meant for the process, and what is blocked here would be blocked
    // in it, too.
    ends.take()?;
    SigSet::empty().thread_set_mask()?;
    let started = start.process(order, streams, control);
    system::hold_back()?;
    let mut started = match started {
        Ok(started) => started,
        Err(error) => {
            tell(control, &Report::Failed(error.to_string()))?;
            return Ok(!order.talks);
        }
    };
    // A server that is gone is noticed where it is listened to.
    let _ = tell(control, &Report::Started(started.pid.as_raw()));
    let (end, was_asked) = Watch::new(control, ends, order, &mut started).until_all_ended()?;
    drop(started);
    let is_told = tell(control, &Report::Ended(end)).is_ok();
    if !is_told {
        // Nobody is there to take what it left, or to clean up.
        let _ = std::fs::remove_dir_all(&order.out);
    }
    Ok(is_told && !was_asked && !order.talks)
}

/// Takes this process out of the server's session, makes it the parent of orphans, and narrows
/// what it and all that it starts may do.
fn isolate() -> io::Result<()> {
    // Fails only for the leader of a process group, which a fresh process is not.
    setsid()?;
    system::adopt_orphans()?;
    umask(Mode::from_bits_truncate(0o077));
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    Ok(())
}

/// Says something to the server; fails when there is none any more.
fn tell(control: &mut UnixStream, report: &Report) -> io::Result<()> {
    control.write_all(format!("{report}\n").as_bytes())
}
