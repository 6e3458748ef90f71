//! One persistent process: a line to it, lines from it, until one is the answer.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::said;
use crate::bell::Bell;
use crate::command::definition::{CommandDefinition, Recycle};
use crate::command::launch::{Launched, Launcher, Purpose};
use crate::command::oneshot::too_large;
use crate::command::out_folder::OutFolder;
use crate::command::outcome::sentence;
use crate::command::stderr::Complaints;
use crate::command::supervisor::IdleSupervisors;
use crate::command::system;
use crate::readiness::ready;
use crate::{Context, HandlerError};

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;
/// A line may be longer than a result by this: the words around it.
const LINE_FRAME_BYTES: usize = 4 * 1024;
/// While a large payload cannot be written, a request to end is looked for this often.
const LOOK_UP_EVERY: Duration = Duration::from_millis(50);
/// The memory of a process is looked at no more often than this.
const LOOK_AT_MEMORY_EVERY: Duration = Duration::from_millis(100);

/// A process and the streams to it.
#[derive(Debug)]
pub(super) struct Process {
    launched: Launched,
    talk: UnixStream,
    /// Where it leaves files, one task after the other.
    out: OutFolder,
    complaints: Complaints,
    /// What has arrived and is no whole line yet.
    held: Vec<u8>,
    bytes: Vec<u8>,
    line: Vec<u8>,
    tasks: u64,
    memory_seen: Instant,
    bell: Arc<Bell>,
    /// Its stderr has not ended.
    complains: bool,
}

/// What came of waiting for an answer.
#[derive(Debug)]
enum Turn {
    Answered(Result<Bytes, HandlerError>),
    /// The line is longer than any answer may be.
    TooLarge,
    /// The process has ended, or the attempt is to end.
    Over,
}

/// What became of one task.
#[derive(Debug)]
pub(super) enum Answer {
    /// It was answered; the process is ready for another.
    Said(Result<Bytes, HandlerError>),
    /// The attempt was asked to end, and with it the process.
    Interrupted(HandlerError),
    /// The process ended, or broke the rules.
    Died(HandlerError),
}

impl Process {
    pub(super) fn start(launcher: &Launcher, definition: &CommandDefinition) -> io::Result<Self> {
        let out = launcher.out_folder(definition)?;
        let variables = vec![out.variable()];
        let mut launched = launcher.start(
            definition,
            variables,
            &out,
            Purpose::Talk,
            // Its supervisor lives as long as it does, which is long.
            &IdleSupervisors::default(),
        )?;
        let talk = launched.talk.take().ok_or(io::ErrorKind::BrokenPipe)?;
        talk.set_write_timeout(Some(LOOK_UP_EVERY))?;
        Ok(Self {
            launched,
            talk,
            out,
            complaints: Complaints::new(),
            held: Vec::new(),
            bytes: vec![0; READ_BYTES],
            line: Vec::new(),
            tasks: 0,
            memory_seen: Instant::now(),
            bell: Arc::new(Bell::new()?),
            complains: true,
        })
    }

    /// Whether it still waits for tasks, as far as anybody can tell.
    pub(super) fn is_alive(&mut self) -> bool {
        let streams = [Some(self.talk.as_fd()), Some(self.launched.control.as_fd())];
        match ready(streams, Some(Duration::ZERO)) {
            // Between tasks it has nothing to say; the supervisor says one line at the start.
            Ok([talks, reports]) => !talks && (!reports || self.read_reports().unwrap_or(false)),
            Err(_) => false,
        }
    }

    /// Whether it is to be replaced by a fresh one.
    pub(super) fn is_due(&mut self, recycle: Recycle) -> bool {
        self.tasks += 1;
        // It spoke after its answer: what follows could be taken for the next one.
        if !self.held.is_empty() {
            return true;
        }
        if recycle.tasks.is_some_and(|most| self.tasks >= most) {
            return true;
        }
        let Some(most) = recycle.memory_bytes else {
            return false;
        };
        if self.memory_seen.elapsed() < LOOK_AT_MEMORY_EVERY {
            return false;
        }
        self.memory_seen = Instant::now();
        self.memory_bytes().is_some_and(|bytes| bytes > most)
    }

    fn memory_bytes(&self) -> Option<u64> {
        system::resident_bytes(self.launched.process?)
    }

    /// Runs one task.
    pub(super) fn run(&mut self, context: &Context, payload: &[u8], bytes_max: usize) -> Answer {
        self.complaints.forget();
        said::ask(&mut self.line, context, payload);
        let cancel = context.cancel_handle();
        let attached = cancel.attach(&self.bell);
        let turn = self.until_answered(context, bytes_max);
        drop(attached);
        if cancel.cause().is_some() && self.fresh_bell().is_err() {
            return self.ended(context);
        }
        match turn {
            Ok(Turn::Answered(answer)) => Answer::Said(self.with_files(answer, context)),
            Ok(Turn::TooLarge) => {
                self.launched.stop();
                Answer::Said(Err(too_large(bytes_max)))
            }
            Ok(Turn::Over) | Err(_) => self.ended(context),
        }
    }

    /// What it has left goes with the answer, and makes room for what the next task leaves.
    fn with_files(
        &self,
        answer: Result<Bytes, HandlerError>,
        context: &Context,
    ) -> Result<Bytes, HandlerError> {
        if self.out.is_empty() {
            return answer;
        }
        let kept = match &answer {
            Ok(_) => self.out.collect(context),
            Err(_) => Ok(()),
        };
        self.out.clear();
        kept.and(answer)
    }

    /// A bell that was rung stays so, and may yet be: the next task needs another.
    fn fresh_bell(&mut self) -> io::Result<()> {
        self.bell = Arc::new(Bell::new()?);
        Ok(())
    }

    fn until_answered(&mut self, context: &Context, bytes_max: usize) -> io::Result<Turn> {
        if !self.write_line(context)? {
            return Ok(Turn::Over);
        }
        loop {
            let streams = [
                Some(self.talk.as_fd()),
                Some(self.bell.as_fd()),
                self.complains.then(|| self.launched.stderr.as_fd()),
                Some(self.launched.control.as_fd()),
            ];
            let found = ready(streams, context.progress_due())?;
            if found == [false; 4] {
                context.pass_on_progress();
            }
            let [talks, rings, complains, reports] = found;
            if complains {
                self.read_stderr(context)?;
            }
            if rings || (reports && !self.read_reports()?) {
                return Ok(Turn::Over);
            }
            if !talks {
                continue;
            }
            let count = self.talk.read(&mut self.bytes)?;
            if count == 0 {
                return Ok(Turn::Over);
            }
            if let Some(answer) = self.take_lines(count, context) {
                return Ok(self.checked(answer, bytes_max));
            }
            if self.held.len() > bytes_max.saturating_add(LINE_FRAME_BYTES) {
                return Ok(Turn::TooLarge);
            }
        }
    }

    /// Whether the whole line was written; it is not when the attempt is asked to end.
    fn write_line(&mut self, context: &Context) -> io::Result<bool> {
        let mut rest = self.line.as_slice();
        while !rest.is_empty() {
            match self.talk.write(rest) {
                Ok(count) => rest = &rest[count..],
                Err(error) if is_for_now(&error) && context.check().is_ok() => {}
                Err(error) if is_for_now(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Takes what was read; the answer, if it is there.
    fn take_lines(
        &mut self,
        count: usize,
        context: &Context,
    ) -> Option<Result<Bytes, HandlerError>> {
        let mut searched = self.held.len();
        self.held.extend_from_slice(&self.bytes[..count]);
        let mut begin = 0;
        let mut answer = None;
        while answer.is_none() {
            let rest = &self.held[searched..];
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                break;
            };
            answer = said::take(&self.held[begin..searched + end], context);
            searched += end + 1;
            begin = searched;
        }
        self.held.drain(..begin);
        answer
    }

    fn checked(&self, answer: Result<Bytes, HandlerError>, bytes_max: usize) -> Turn {
        Turn::Answered(answer.and_then(|result| match result.len() > bytes_max {
            true => Err(too_large(bytes_max)),
            false => Ok(result),
        }))
    }

    fn read_stderr(&mut self, context: &Context) -> io::Result<()> {
        let count = self.launched.stderr.read(&mut self.bytes)?;
        self.complains = count > 0;
        self.complaints.add(&self.bytes[..count], context);
        Ok(())
    }

    /// Whether the supervisor may have more to say.
    fn read_reports(&mut self) -> io::Result<bool> {
        self.launched.read_reports(&mut self.bytes, |_| {})
    }

    /// Ends what is left of it, and tells how it ended.
    fn ended(&mut self, context: &Context) -> Answer {
        self.launched.stop();
        let mut reports = true;
        while self.complains || reports {
            let streams = [
                self.complains.then(|| self.launched.stderr.as_fd()),
                reports.then(|| self.launched.control.as_fd()),
            ];
            let Ok([complains, reported]) = ready(streams, None) else {
                break;
            };
            if complains && self.read_stderr(context).is_err() {
                self.complains = false;
            }
            if reported {
                reports = self.read_reports().unwrap_or(false);
            }
        }
        self.complaints.finish(context);
        let last_words = self.complaints.last_words();
        let end = self.launched.finish(&last_words, None);
        if let Err(interrupted) = context.check() {
            return Answer::Interrupted(interrupted.into());
        }
        Answer::Died(match end {
            Ok(end) => HandlerError::retry(sentence(end, &last_words))
                .named("process_ended")
                .of_process(end),
            Err(error) => error,
        })
    }
}

fn is_for_now(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}
