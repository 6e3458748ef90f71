//! Starting supervisors, from the server's side.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::thread;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::definition::CommandDefinition;
use super::lines::Lines;
use super::order::Order;
use super::out_folder::OutFolder;
use super::report::{End, Report};
use super::system;
use crate::HandlerError;

/// Longest line of a supervisor.
const REPORT_BYTES_MAX: usize = 16 * 1024;

/// How a supervisor is started.
#[derive(Clone, Debug)]
pub struct Launcher {
    program: PathBuf,
    arguments: Vec<OsString>,
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

    /// Starts a supervisor and, through it, a process of a command.
    pub(super) fn start(
        &self,
        definition: &CommandDefinition,
        variables: Vec<(String, String)>,
        out: &OutFolder,
        purpose: Purpose<'_>,
    ) -> io::Result<Launched> {
        let (control, theirs) = UnixStream::pair()?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear();
        command
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stderr(Stdio::piped());
        let (payload, talk) = match purpose {
            Purpose::Run(payload) => {
                command.stdout(Stdio::piped());
                (payload, None)
            }
            Purpose::Talk => {
                let (talk, theirs) = UnixStream::pair()?;
                command.stdout(Stdio::from(OwnedFd::from(theirs)));
                (&[] as &[u8], Some(talk))
            }
        };
        let mut supervisor = command.spawn()?;
        let stderr = supervisor.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let launched = Launched {
            stdout: supervisor.stdout.take(),
            supervisor: Some(supervisor),
            control,
            talk,
            stderr,
            reports: Lines::new(REPORT_BYTES_MAX),
            process: None,
            end: None,
        };
        let talks = launched.talk.is_some();
        let order = self.order(definition, variables, out, talks, payload.len());
        order.send(payload, &launched.control)?;
        Ok(launched)
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

/// A supervisor and the streams of its process. Dropping it ends the process and all below it.
#[derive(Debug)]
pub(super) struct Launched {
    /// `None` once it was reaped.
    supervisor: Option<Child>,
    pub(super) control: UnixStream,
    pub(super) stdout: Option<ChildStdout>,
    pub(super) talk: Option<UnixStream>,
    pub(super) stderr: ChildStderr,
    reports: Lines,
    /// The process, once it was started.
    pub(super) process: Option<i32>,
    /// How it ended, or that it could not be started.
    pub(super) end: Option<Result<End, String>>,
}

impl Launched {
    /// Asks for the end of the process and everything below it.
    pub(super) fn stop(&mut self) {
        // A supervisor that is gone has left nothing to stop.
        let _ = self.control.write_all(b"x");
    }

    /// Takes what the supervisor has said; side notes are handed on.
    pub(super) fn hear(&mut self, bytes: &[u8], mut side_note: impl FnMut(&str)) {
        let (process, end) = (&mut self.process, &mut self.end);
        self.reports.add(bytes, |line| match Report::parse(line) {
            Some(Report::Started(pid)) => *process = Some(pid),
            Some(Report::Note(line)) => side_note(&line),
            Some(Report::Failed(reason)) => *end = Some(Err(reason)),
            Some(Report::Ended(ended)) => *end = Some(Ok(ended)),
            None => {}
        });
    }

    /// The supervisor has closed its streams: reaps it, and tells how the process ended.
    pub(super) fn finish(&mut self, last_words: &str) -> Result<End, HandlerError> {
        if let Some(mut supervisor) = self.supervisor.take() {
            supervisor.wait()?;
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

impl Drop for Launched {
    fn drop(&mut self) {
        let Some(mut supervisor) = self.supervisor.take() else {
            return;
        };
        // It ends its tree when the stream ends. Somebody must wait for it, and whoever drops
        // this should not have to; without a thread it stays a zombie until the server ends.
        let _ = self.control.shutdown(Shutdown::Both);
        let _ = thread::Builder::new()
            .name("tareas-reaper".to_owned())
            .spawn(move || supervisor.wait());
    }
}
