//! Processes that run many tasks each, one at a time, as JSON lines.
//!
//! An idle process is taken from the top of a pile, so few are busy and the others may age; a
//! new one is started when none is idle and there is a place for it. One that ends by itself
//! costs its attempt; starting again is then put off, longer each time, until a task has
//! succeeded.

mod backoff;
mod process;
mod said;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::definition::{CommandDefinition, Recycle};
use super::gate::Gate;
use super::launch::Launcher;
use crate::{Context, HandlerError};
use backoff::Backoff;
use process::{Answer, Process};

/// A command that stays and runs one task after the other.
#[derive(Debug)]
pub struct Persistent {
    definition: CommandDefinition,
    recycle: Recycle,
    launcher: Launcher,
    gate: Option<Gate>,
    idle: Mutex<Vec<Process>>,
    is_retired: AtomicBool,
    backoff: Mutex<Backoff>,
}

impl Persistent {
    pub(super) fn new(definition: CommandDefinition, recycle: Recycle, launcher: Launcher) -> Self {
        let gate = definition.concurrency.map(Gate::new);
        Self {
            definition,
            recycle,
            launcher,
            gate,
            idle: Mutex::default(),
            is_retired: AtomicBool::new(false),
            backoff: Mutex::default(),
        }
    }

    pub(super) fn definition(&self) -> &CommandDefinition {
        &self.definition
    }

    pub(super) fn run(&self, context: &Context, payload: &Bytes) -> Result<Bytes, HandlerError> {
        let cancel = context.cancel_handle();
        let place = self.gate.as_ref().map(|gate| gate.enter(&cancel));
        let _place = place.transpose()?;
        context.check()?;
        let mut process = match self.take_idle() {
            Some(process) => process,
            None => self.start(context)?,
        };
        match process.run(context, payload, self.definition.output_bytes_max) {
            Answer::Said(answer) => {
                self.backoff().reset();
                if !process.is_due(self.recycle) {
                    self.keep(process);
                }
                answer
            }
            // Dropping the process ends whatever is left of it.
            Answer::Interrupted(error) => Err(error),
            Answer::Died(error) => {
                self.backoff().failed();
                Err(error)
            }
        }
    }

    /// Ends the idle processes now, and each busy one after its task.
    pub(super) fn retire(&self) {
        self.is_retired.store(true, Ordering::SeqCst);
        let ended = std::mem::take(&mut *self.idle());
        drop(ended);
    }

    fn keep(&self, process: Process) {
        self.idle().push(process);
        // Whichever of the two comes last finds the other's: nobody stays behind.
        if self.is_retired.load(Ordering::SeqCst) {
            self.retire();
        }
    }

    /// An idle process that is still alive.
    fn take_idle(&self) -> Option<Process> {
        loop {
            // One at a time, so that a look at a process happens without the lock.
            let mut process = self.idle().pop()?;
            if process.is_alive() {
                return Some(process);
            }
        }
    }

    fn start(&self, context: &Context) -> Result<Process, HandlerError> {
        let wait = self.backoff().wait();
        if !wait.is_zero() {
            context.sleep(wait)?;
        }
        Process::start(&self.launcher, &self.definition).map_err(|error| {
            self.backoff().failed();
            HandlerError::retry(format!("no process could be started: {error}"))
                .named("cannot_start")
        })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn backoff(&self) -> MutexGuard<'_, Backoff> {
        self.backoff.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
