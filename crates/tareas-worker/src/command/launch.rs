//! Starting processes of commands, from the server's side.

use std::ffi::OsString;
use std::io::{self, PipeReader, Read};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::definition::CommandDefinition;
use super::lines::Lines;
use super::order::{Order, Streams};
use super::out_folder::OutFolder;
use super::report::{End, Report};
use super::supervisor::{IdleSupervisors, Supervisor};
use super::system;
use crate::HandlerError;

/// Longest line of a supervisor.
const REPORT_BYTES_MAX: usize = 16 * 1024;

/// How a supervisor is started.
#[derive(Clone, Debug)]
pub struct Launcher {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    scratch_in: PathBuf,
}

impl Launcher {
    /// The program that runs now, called with this argument, calls [`super::supervise()`].
    pub fn this_program(argument: &str) -> Self {
        Self::new(system::this_program(), [argument])
    }

    /// A program that calls [`super::supervise()`].
    pub fn new(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            scratch_in: std::env::temp_dir(),
        }
    }

    /// A folder for the files of a process of this command.
    pub(super) fn out_folder(&self, definition: &CommandDefinition) -> io::Result<OutFolder> {
        OutFolder::make(&self.scratch_in, definition.account)
    }

    /// Starts a process of a command through one of these supervisors, or through a new one.
    pub(super) fn start(
        &self,
        definition: &CommandDefinition,
        variables: Vec<(String, String)>,
        out: &OutFolder,
        purpose: Purpose<'_>,
        idle: &IdleSupervisors,
    ) -> io::Result<Launched> {
        let (stderr, their_stderr) = io::pipe()?;
        let (output, their_output) = Output::pair(purpose)?;
        let streams = Streams {
            output: their_output,
            stderr: their_stderr.into(),
        };
        let payload = purpose.payload();
        let talks = matches!(purpose, Purpose::Talk);
        let order = self.order(definition, variables, out, talks, payload.len());
        let supervisor = self.hand_out(&order, payload, &streams, idle)?;
        let (stdout, talk) = match output {
            Output::Stdout(stdout) => (Some(stdout), None),
            Output::Talk(talk) => (None, Some(talk)),
        };
        Ok(Launched {
            stdout,
            control: supervisor.control().try_clone()?,
            supervisor: Some(supervisor),
            talk,
            stderr,
            reports: Lines::new(REPORT_BYTES_MAX),
            process: None,
            end: None,
            is_stopped: false,
        })
    }

    /// Gives the order to a supervisor that takes it.
    fn hand_out(
        &self,
        order: &Order,
        payload: &[u8],
        streams: &Streams,
        idle: &IdleSupervisors,
    ) -> io::Result<Supervisor> {
        while let Some(mut supervisor) = idle.take() {
            supervisor.note_order();
            // One that was killed while it waited takes none.
            if order.send(payload, streams, supervisor.control()).is_ok() {
                return Ok(supervisor);
            }
        }
        let mut supervisor = Supervisor::start(self)?;
        supervisor.note_order();
        order.send(payload, streams, supervisor.control())?;
        Ok(supervisor)
    }

    fn order(
        &self,
        definition: &CommandDefinition,
        variables: Vec<(String, String)>,
        out: &OutFolder,
        talks: bool,
        payload_bytes: usize,
    ) -> Order {
        let environment = definition.environment.iter().cloned().chain(variables);
        Order {
            program: definition.program.clone(),
            arguments: definition.arguments.clone(),
            environment: environment.collect(),
            folder: definition.folder.clone(),
            account: definition.account,
            limits: definition.limits,
            sandbox: definition.sandbox.clone(),
            scratch_in: self.scratch_in.clone(),
            out: out.path().to_owned(),
            stop_grace_ms: u64::try_from(definition.stop_grace.as_millis()).unwrap_or(u64::MAX),
            talks,
            payload_bytes: payload_bytes as u64,
        }
    }
}

/// What a process is started for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose<'a> {
    /// This payload.
    Run(&'a [u8]),
    /// To be talked with.
    Talk,
}

impl<'a> Purpose<'a> {
    fn payload(self) -> &'a [u8] {
        match self {
            Self::Run(payload) => payload,
            Self::Talk => &[],
        }
    }
}

/// The server's end of what a process writes its results to.
#[derive(Debug)]
enum Output {
    Stdout(PipeReader),
    Talk(UnixStream),
}

impl Output {
    /// It, and the end of the process.
    fn pair(purpose: Purpose<'_>) -> io::Result<(Self, std::os::fd::OwnedFd)> {
        Ok(match purpose {
            Purpose::Run(_) => {
                let (stdout, theirs) = io::pipe()?;
                (Self::Stdout(stdout), theirs.into())
            }
            Purpose::Talk => {
                let (talk, theirs) = UnixStream::pair()?;
                (Self::Talk(talk), theirs.into())
            }
        })
    }
}

/// A process, its supervisor, and the streams of both. Dropping it ends the process and all below
/// it.
#[derive(Debug)]
pub(super) struct Launched {
    /// `None` once the process has ended.
    supervisor: Option<Supervisor>,
    pub(super) control: UnixStream,
    pub(super) stdout: Option<PipeReader>,
    pub(super) talk: Option<UnixStream>,
    pub(super) stderr: PipeReader,
    reports: Lines,
    /// The process, once it was started.
    pub(super) process: Option<i32>,
    /// How it ended, or that it could not be started.
    end: Option<Result<End, String>>,
    is_stopped: bool,
}

impl Launched {
    /// Asks for the end of the process and everything below it.
    pub(super) fn stop(&mut self) {
        self.is_stopped = true;
        if let Some(supervisor) = &self.supervisor {
            supervisor.stop();
        }
    }

    /// Reads what the supervisor has to say; side notes are handed on. Whether there may be more.
    pub(super) fn read_reports(
        &mut self,
        bytes: &mut [u8],
        mut side_note: impl FnMut(&str),
    ) -> io::Result<bool> {
        let count = match (&self.control).read(bytes) {
            Ok(count) => count,
            // It ended without having read everything that was sent.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => 0,
            Err(error) => return Err(error),
        };
        let (process, end) = (&mut self.process, &mut self.end);
        self.reports
            .add(&bytes[..count], |line| match Report::parse(line) {
                Some(Report::Started(pid)) => *process = Some(pid),
                Some(Report::Note(line)) => side_note(&line),
                Some(Report::Failed(reason)) => *end = Some(Err(reason)),
                Some(Report::Ended(ended)) => *end = Some(Ok(ended)),
                None => {}
            });
        // The end is the last that it says of an order.
        Ok(count > 0 && self.end.is_none())
    }

    /// Everything was said: tells how the process ended. Its supervisor is kept for another order
    /// if it can take one, and reaped otherwise.
    pub(super) fn finish(
        &mut self,
        last_words: &str,
        idle: Option<&IdleSupervisors>,
    ) -> Result<End, HandlerError> {
        if let Some(supervisor) = self.supervisor.take() {
            match idle.filter(|_| !self.is_stopped && self.end.is_some()) {
                Some(idle) => idle.keep(supervisor),
                None => supervisor.reap()?,
            }
        }
        match self.end.take() {
            Some(Ok(end)) => Ok(end),
            Some(Err(reason)) => Err(HandlerError::retry(format!(
                "the command cannot be started: {reason}"
            ))
            .named("cannot_start")),
            None => {
                self.end_orphans();
                let said =
                    format!("the supervisor of the command did not tell its end: {last_words}");
                Err(HandlerError::retry(said).named("supervisor_lost"))
            }
        }
    }

    /// A supervisor that was killed could end nothing: at least the group of its process is.
    fn end_orphans(&self) {
        if let Some(process) = self.process {
            // It may have ended by itself.
            let _ = killpg(Pid::from_raw(process), Signal::SIGKILL);
        }
    }
}
