//! A supervisor as its server sees it: a process that was started once and runs one order after
//! the other, each until nothing of it is left.
//!
//! Starting this binary costs more than starting most programs, so a supervisor whose process has
//! ended in order is kept for the next one of the same command. One that was asked to stop is not:
//! the end of its stream is what asked it.

use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::launch::Launcher;

/// Supervisors that wait for an order, of one command.
const IDLE_MAX: usize = 64;
/// After so many orders a supervisor is replaced: what it may use of the processor is limited
/// together with its processes.
const ORDERS_MAX: u32 = 1_000;

/// A supervisor. Dropping it ends its process and all below it.
#[derive(Debug)]
pub(super) struct Supervisor {
    /// `None` once it was reaped.
    child: Option<Child>,
    control: UnixStream,
    orders: u32,
}

impl Supervisor {
    /// Starts one, which then waits for an order.
    pub(super) fn start(launcher: &Launcher) -> io::Result<Self> {
        let (control, theirs) = UnixStream::pair()?;
        let mut command = Command::new(&launcher.program);
        command.args(&launcher.arguments).env_clear();
        command.stdin(Stdio::from(OwnedFd::from(theirs)));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self {
            child: Some(command.spawn()?),
            control,
            orders: 0,
        })
    }

    /// Both ways: orders to it, reports from it.
    pub(super) fn control(&self) -> &UnixStream {
        &self.control
    }

    /// It was given an order.
    pub(super) fn note_order(&mut self) {
        self.orders += 1;
    }

    /// Asks for the end of the process, of everything below it, and then of the supervisor.
    pub(super) fn stop(&self) {
        // A supervisor that is gone has left nothing to stop.
        let _ = self.control.shutdown(Shutdown::Write);
    }

    /// Ends it and waits for that.
    pub(super) fn reap(mut self) -> io::Result<()> {
        self.stop();
        match self.child.take() {
            Some(mut child) => child.wait().map(drop),
            None => Ok(()),
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        // It ends its tree when the stream ends. Somebody must wait for it, and whoever drops
        // this should not have to; without a thread it stays a zombie until the server ends.
        let _ = self.control.shutdown(Shutdown::Both);
        let _ = thread::Builder::new()
            .name("tareas-reaper".to_owned())
            .spawn(move || child.wait());
    }
}

/// Supervisors of one command that wait for an order.
#[derive(Debug, Default)]
pub(super) struct IdleSupervisors {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    supervisors: Vec<Supervisor>,
    is_retired: bool,
}

impl IdleSupervisors {
    /// The one that ran last.
    pub(super) fn take(&self) -> Option<Supervisor> {
        self.with(|waiting| waiting.supervisors.pop())
    }

    /// Keeps one for the next order, unless there are enough.
    pub(super) fn keep(&self, supervisor: Supervisor) {
        let is_worn = supervisor.orders >= ORDERS_MAX;
        let too_many = self.with(|waiting| {
            let is_full = waiting.supervisors.len() >= IDLE_MAX;
            if is_worn || is_full || waiting.is_retired {
                return Some(supervisor);
            }
            waiting.supervisors.push(supervisor);
            None
        });
        drop(too_many);
    }

    /// Ends those that wait, and each of the others after its order.
    pub(super) fn retire(&self) {
        let ended = self.with(|waiting| {
            waiting.is_retired = true;
            std::mem::take(&mut waiting.supervisors)
        });
        drop(ended);
    }

    fn with<T>(&self, change: impl FnOnce(&mut Waiting) -> T) -> T {
        change(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
