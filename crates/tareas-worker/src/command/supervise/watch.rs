//! Watching over a tree of processes until the last of them has ended.

use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::start::Started;
use super::tell;
use crate::command::lines::Lines;
use crate::command::order::Order;
use crate::command::report::{End, Report};
use crate::command::system::{self, Ends};
use crate::readiness::ready;

/// Longest side note; a longer one becomes several.
const NOTE_BYTES_MAX: usize = 4 * 1024;
/// How long a pass of SIGKILL is given before the next.
const KILL_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// What is known of the tree.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    control: &'a mut UnixStream,
    ends: &'a Ends,
    side_notes: Option<PipeReader>,
    lines: Lines,
    main: Pid,
    end: Option<End>,
    was_asked: bool,
    phase: Phase,
    stop_grace: Duration,
}

/// What is being done to the tree.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// It runs.
    Left,
    /// It was asked to end, by SIGTERM.
    Asked { kill_at: Instant },
    /// It is being ended, by SIGKILL.
    Killed,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        control: &'a mut UnixStream,
        ends: &'a Ends,
        order: &Order,
        started: &mut Started,
    ) -> Self {
        Self {
            control,
            ends,
            side_notes: started.side_notes.take(),
            lines: Lines::new(NOTE_BYTES_MAX),
            main: started.pid,
            end: None,
            was_asked: false,
            phase: Phase::Left,
            stop_grace: Duration::from_millis(order.stop_grace_ms),
        }
    }

    /// Waits for the end of every process; how the first of them ended, and whether the server
    /// asked for it.
    pub(super) fn until_all_ended(mut self) -> io::Result<(End, bool)> {
        while !self.reap()? {
            self.go_on();
            self.listen()?;
        }
        system::end_the_rest(self.main);
        self.last_notes()?;
        // Without children and without a status somebody else has reaped it: nobody can.
        let end = self.end.unwrap_or(End::Signal(Signal::SIGKILL as i32));
        Ok((end, self.was_asked))
    }

    /// Takes note of what has ended; whether nothing is left.
    fn reap(&mut self) -> io::Result<bool> {
        loop {
            let (pid, end) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, End::Exit(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, End::Signal(signal as i32)),
                Ok(WaitStatus::StillAlive) => return Ok(false),
                Ok(_) | Err(Errno::EINTR) => continue,
                Err(Errno::ECHILD) => return Ok(true),
                Err(error) => return Err(error.into()),
            };
            if pid == self.main {
                self.end = Some(end);
            }
        }
    }

    /// What its first process leaves behind ends with it; what was asked to end has its grace.
    fn go_on(&mut self) {
        match self.phase {
            Phase::Left if self.end.is_some() => self.phase = Phase::Killed,
            Phase::Asked { kill_at } if Instant::now() >= kill_at => self.phase = Phase::Killed,
            _ => {}
        }
        if self.phase == Phase::Killed {
            system::signal_all(self.main, Signal::SIGKILL);
        }
    }

    fn listen(&mut self) -> io::Result<()> {
        let wait = match self.phase {
            Phase::Left => Ends::LOOK_EVERY,
            Phase::Asked { kill_at } => {
                let left = kill_at.saturating_duration_since(Instant::now());
                Some(Ends::LOOK_EVERY.map_or(left, |every| every.min(left)))
            }
            Phase::Killed => Some(KILL_AGAIN_AFTER),
        };
        let listens = self.phase == Phase::Left;
        let found = ready(
            [
                self.ends.as_fd(),
                listens.then(|| self.control.as_fd()),
                self.side_notes.as_ref().map(AsFd::as_fd),
            ],
            wait,
        )?;
        if found[0] {
            self.ends.take()?;
        }
        if found[1] {
            self.ask_to_end();
        }
        if found[2] {
            self.pass_notes_on()?;
        }
        Ok(())
    }

    /// Whatever arrives is a request to stop, and so is the end of the server.
    fn ask_to_end(&mut self) {
        system::signal_all(self.main, Signal::SIGTERM);
        self.was_asked = true;
        let kill_at = Instant::now() + self.stop_grace;
        self.phase = Phase::Asked { kill_at };
    }

    fn pass_notes_on(&mut self) -> io::Result<()> {
        let Some(notes) = &mut self.side_notes else {
            return Ok(());
        };
        let mut bytes = [0; NOTE_BYTES_MAX];
        let count = notes.read(&mut bytes)?;
        if count == 0 {
            self.side_notes = None;
        }
        let control = &mut *self.control;
        self.lines.add(&bytes[..count], |line| {
            let _ = tell(control, &Report::Note(line.to_owned()));
        });
        Ok(())
    }

    /// Nobody of the tree is left to write: what is in the pipe is all.
    fn last_notes(&mut self) -> io::Result<()> {
        let now = Some(Duration::ZERO);
        while ready([self.side_notes.as_ref().map(AsFd::as_fd)], now)? == [true] {
            self.pass_notes_on()?;
        }
        let control = &mut *self.control;
        self.lines
            .finish(|line| drop(tell(control, &Report::Note(line.to_owned()))));
        Ok(())
    }
}
