//! Following a task: what its attempts say, as they say it.

use std::io::{self, BufRead, BufReader, Write};
use std::time::{Duration, Instant};

use tareas_protocol::request::{Logs, append_logs_command};
use tareas_protocol::response::{AnswerReader, Logged, Said};

use crate::link::connect;
use crate::stream::Stream;
use crate::{Address, Error, Options, Result, TaskId};

/// Pause between two tries to come back.
const PAUSE: Duration = Duration::from_millis(200);

/// Something that an attempt of a followed task has said, or the end of the task.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Followed {
    /// A line of its log.
    Line {
        /// The attempt.
        attempt: u64,
        /// The line.
        text: String,
    },
    /// A piece of what there is of the result so far.
    Output {
        /// The attempt.
        attempt: u64,
        /// The piece.
        text: String,
    },
    /// How far it is.
    Progress {
        /// The attempt.
        attempt: u64,
        /// 0 to 100.
        percent: f64,
        /// What it is doing; may be empty.
        message: String,
    },
    /// Further lines or pieces of the attempt are dropped.
    Truncated {
        /// The attempt.
        attempt: u64,
    },
    /// The task has ended: `succeeded`, `failed` or `cancelled`. Nothing follows.
    Ended {
        /// How.
        status: String,
    },
}

/// What the attempts of a task say, on a connection of its own: an iterator that ends with the
/// task. A lost connection is made again, and nothing is told twice.
#[derive(Debug)]
pub struct Follow {
    address: Address,
    options: Options,
    id: TaskId,
    lines: Option<BufReader<Stream>>,
    /// The `at` of the last event that was told.
    after: Option<String>,
    is_over: bool,
}

impl Follow {
    pub(crate) fn begin(address: Address, options: Options, id: TaskId) -> Self {
        Self {
            address,
            options,
            id,
            lines: None,
            after: None,
            is_over: false,
        }
    }

    fn read(&mut self) -> Result<Followed> {
        let mut lost_at = None;
        loop {
            match self.try_read() {
                Ok(told) => return told,
                Err(source) => {
                    self.lines = None;
                    let since: &mut Instant = lost_at.get_or_insert_with(Instant::now);
                    if since.elapsed() > self.options.reconnect_for {
                        return Err(self.unreachable(*since, source));
                    }
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }

    fn unreachable(&self, since: Instant, source: io::Error) -> Error {
        Error::Unreachable {
            address: self.address.clone(),
            tries: 1,
            elapsed: since.elapsed(),
            source,
        }
    }

    /// The next event; what is no event, such as the answer to `hello`, is passed over.
    fn try_read(&mut self) -> io::Result<Result<Followed>> {
        let lines = match &mut self.lines {
            Some(lines) => lines,
            None => {
                let stream = self.ask()?;
                self.lines.insert(BufReader::new(stream))
            }
        };
        let mut line = String::new();
        loop {
            line.clear();
            if lines.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(logged) = Logged::read(&line) {
                if let Logged::Line { at, .. } | Logged::Output { at, .. } = &logged {
                    self.after = Some(at.clone().into_owned());
                }
                return Ok(Ok(followed(logged)));
            }
            let mut answers = AnswerReader::new();
            if let Ok(read) = answers.read(line.as_bytes())
                && let Said::Error(object) = read.said
            {
                return Ok(Err(Error::Refused(object)));
            }
        }
    }

    fn ask(&self) -> io::Result<Stream> {
        let mut stream = connect(&self.address, &self.options)?;
        let logs = Logs {
            task_id: *self.id.as_bytes(),
            follow: true,
            after: self.after.as_deref().map(Into::into),
        };
        let mut line = Vec::new();
        append_logs_command(&mut line, &logs, None);
        line.push(b'\n');
        stream.write_all(&line)?;
        Ok(stream)
    }
}

impl Iterator for Follow {
    type Item = Result<Followed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let told = self.read();
        self.is_over = matches!(told, Err(_) | Ok(Followed::Ended { .. }));
        Some(told)
    }
}

fn followed(logged: Logged<'_>) -> Followed {
    match logged {
        Logged::Line { attempt, text, .. } => Followed::Line {
            attempt,
            text: text.into_owned(),
        },
        Logged::Output { attempt, text, .. } => Followed::Output {
            attempt,
            text: text.into_owned(),
        },
        Logged::Progress {
            attempt,
            percent,
            message,
        } => Followed::Progress {
            attempt,
            percent,
            message: message.into_owned(),
        },
        Logged::Truncated { attempt } => Followed::Truncated { attempt },
        Logged::End { status } => Followed::Ended {
            status: status.into_owned(),
        },
    }
}
