//! A process for each task: payload on stdin, result on stdout, exit code → outcome.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::Arc;

use bytes::Bytes;

use super::definition::CommandDefinition;
use super::environment;
use super::gate::Gate;
use super::launch::{Launched, Launcher, Purpose};
use super::outcome;
use super::shown::Shown;
use super::side_notes::SideNotes;
use super::stderr::Complaints;
use super::supervisor::IdleSupervisors;
use crate::bell::Bell;
use crate::readiness::ready;
use crate::{Context, HandlerError};

/// How much is read at once.
const READ_BYTES: usize = 16 * 1024;

/// A command that is started for each task.
#[derive(Debug)]
pub struct OneShot {
    definition: CommandDefinition,
    launcher: Launcher,
    gate: Option<Gate>,
    idle: IdleSupervisors,
}

impl OneShot {
    pub(super) fn new(definition: CommandDefinition, launcher: Launcher) -> Self {
        let gate = definition.concurrency.map(Gate::new);
        Self {
            definition,
            launcher,
            gate,
            idle: IdleSupervisors::default(),
        }
    }

    pub(super) fn definition(&self) -> &CommandDefinition {
        &self.definition
    }

    /// Ends the supervisors that wait, and each busy one after its process.
    pub(super) fn retire(&self) {
        self.idle.retire();
    }

    pub(super) fn run(&self, context: &Context, payload: &Bytes) -> Result<Bytes, HandlerError> {
        let cancel = context.cancel_handle();
        let _place = self.gate.as_ref().map(|gate| gate.enter(&cancel));
        let _place = _place.transpose()?;
        context.check()?;
        let out = self.launcher.out_folder(&self.definition)?;
        let mut variables = environment::of_attempt(context);
        variables.push(out.variable());
        let purpose = Purpose::Run(payload);
        let (definition, idle) = (&self.definition, &self.idle);
        let started = self
            .launcher
            .start(definition, variables, &out, purpose, idle);
        let launched = started.map_err(|error| {
            HandlerError::retry(format!("no process could be started: {error}"))
                .named("cannot_start")
        })?;
        let run = Run {
            context,
            launched,
            idle,
            output: Vec::new(),
            shown: Shown::new(),
            output_bytes_max: self.definition.output_bytes_max,
            is_too_large: false,
            notes: SideNotes::default(),
            complaints: Complaints::new(),
        };
        let bell = Arc::new(Bell::new()?);
        let _attached = cancel.attach(&bell);
        let result = run.until_ended(&bell)?;
        out.collect(context)?;
        Ok(result)
    }
}

/// One process, from its start to its end.
struct Run<'a> {
    context: &'a Context,
    launched: Launched,
    /// Where its supervisor goes afterwards.
    idle: &'a IdleSupervisors,
    output: Vec<u8>,
    shown: Shown,
    output_bytes_max: usize,
    is_too_large: bool,
    notes: SideNotes,
    complaints: Complaints,
}

/// Which streams have not ended.
#[derive(Clone, Copy, PartialEq)]
struct Open {
    stdout: bool,
    stderr: bool,
    control: bool,
    bell: bool,
}

impl Run<'_> {
    fn until_ended(mut self, bell: &Bell) -> Result<Bytes, HandlerError> {
        let mut open = Open {
            stdout: true,
            stderr: true,
            control: true,
            bell: true,
        };
        let mut bytes = vec![0; READ_BYTES];
        while open.stdout || open.stderr || open.control {
            self.listen(bell, &mut open, &mut bytes)?;
        }
        self.complaints.finish(self.context);
        let last_words = self.complaints.last_words();
        let end = self.launched.finish(&last_words, Some(self.idle));
        self.context.check()?;
        if self.is_too_large {
            return Err(too_large(self.output_bytes_max));
        }
        outcome::of_end(end?, &self.output, &self.notes, &last_words)
    }

    fn listen(&mut self, bell: &Bell, open: &mut Open, bytes: &mut [u8]) -> io::Result<()> {
        let stdout = self.launched.stdout.as_ref().filter(|_| open.stdout);
        open.stdout = stdout.is_some();
        let found = ready(
            [
                stdout.map(AsFd::as_fd),
                open.stderr.then(|| self.launched.stderr.as_fd()),
                open.control.then(|| self.launched.control.as_fd()),
                open.bell.then(|| bell.as_fd()),
            ],
            self.context
                .progress_due()
                .or_else(|| self.shown.due(&self.output)),
        )?;
        if found == [false; 4] {
            self.context.pass_on_progress();
            self.shown.show(&self.output, self.context);
        }
        if found[3] {
            open.bell = false;
            self.launched.stop();
        }
        if found[0] {
            open.stdout = self.read_output(bytes)?;
        }
        if found[1] {
            let count = self.launched.stderr.read(bytes)?;
            open.stderr = count > 0;
            self.complaints.add(&bytes[..count], self.context);
        }
        if found[2] {
            open.control = self.read_reports(bytes)?;
        }
        Ok(())
    }

    /// Whether there may be more.
    fn read_output(&mut self, bytes: &mut [u8]) -> io::Result<bool> {
        let Some(stdout) = &mut self.launched.stdout else {
            return Ok(false);
        };
        let count = stdout.read(bytes)?;
        let room = self.output_bytes_max - self.output.len();
        if count > room && !self.is_too_large {
            self.is_too_large = true;
            self.launched.stop();
        }
        if count > 0 {
            // Not what just came: it may be the last, and then the result is there at once.
            self.shown.show_in_time(&self.output, self.context);
        }
        self.output.extend_from_slice(&bytes[..count.min(room)]);
        Ok(count > 0)
    }

    /// Whether there may be more.
    fn read_reports(&mut self, bytes: &mut [u8]) -> io::Result<bool> {
        let (notes, context) = (&mut self.notes, self.context);
        self.launched
            .read_reports(bytes, |line| notes.take(line, context))
    }
}

pub(super) fn too_large(bytes_max: usize) -> HandlerError {
    HandlerError::rejected(format!(
        "the command wrote more than {bytes_max} bytes (max_output)"
    ))
    .named("output_too_large")
}
