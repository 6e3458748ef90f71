//! The closed loop: many connections on one thread, each sends its next task when the last one
//! is answered. Every round trip is timed, every result compared.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tareas_client::{Address, Error, Pipeline, Result};

use super::lines::{Lines, NUMBERS};
use super::stop::Stop;
use super::{Histogram, Plan, Run, check};

const SILENCE_MAX: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes of an answer: acknowledgement and end.
const ANSWER_BYTES_MAX: usize = 4_096;

/// One client that waits for its answer.
struct Loop {
    stream: TcpStream,
    stop: Stop,
    /// Tasks sent so far.
    sent: u64,
    /// The number that is being squared.
    number: u64,
    since: Instant,
    answer: Vec<u8>,
}

/// What came of looking at a connection.
enum Step {
    /// Its answer has not come yet.
    Waits,
    /// It has sent its next task.
    GoesOn,
    /// It has no more to send.
    Ends,
}

pub(super) fn run(plan: &Plan, is_text: bool, address: &Address) -> Result<Run> {
    allow_files();
    let lost = |_| Error::ConnectionLost {
        address: address.clone(),
        task_id: None,
    };
    let lines = Lines::new(is_text, plan.payload_bytes);
    let mut poll = Poll::new().map_err(lost)?;
    let mut loops = Vec::with_capacity(plan.connections);
    for index in 0..plan.connections {
        let stream = Pipeline::connect(address, CONNECT_TIMEOUT)?.into_stream();
        stream.set_nonblocking(true).map_err(lost)?;
        let mut stream = TcpStream::from_std(stream);
        let registered = poll
            .registry()
            .register(&mut stream, Token(index), Interest::READABLE);
        registered.map_err(lost)?;
        loops.push(stream);
    }
    let loops = loops.into_iter().enumerate().map(|(index, stream)| Loop {
        stream,
        stop: Stop::of(plan.tasks, plan.duration, index, plan.connections),
        sent: 0,
        number: index as u64 % NUMBERS,
        since: Instant::now(),
        answer: Vec::new(),
    });
    Ok(drive(&mut poll, loops.collect(), &lines))
}

fn drive(poll: &mut Poll, mut loops: Vec<Loop>, lines: &Lines) -> Run {
    let mut run = Run {
        latency: Some(Histogram::default()),
        ..Run::default()
    };
    let began = Instant::now();
    let mut open = 0;
    for client in &mut loops {
        match client.send(lines) {
            Ok(true) => open += 1,
            Ok(false) => {}
            Err(_) => refuse(&mut run, "a task could not be sent"),
        }
    }
    let mut events = Events::with_capacity(1_024);
    while open > 0 {
        if poll.poll(&mut events, Some(SILENCE_MAX)).is_err() || events.is_empty() {
            refuse(&mut run, "the server is silent");
            break;
        }
        for event in &events {
            let Some(client) = loops.get_mut(event.token().0) else {
                continue;
            };
            match client.step(lines, &mut run) {
                Ok(Step::Waits | Step::GoesOn) => {}
                Ok(Step::Ends) => open -= 1,
                Err(_) => {
                    refuse(&mut run, "a connection was lost");
                    open -= 1;
                }
            }
        }
    }
    run.elapsed = began.elapsed();
    run
}

fn refuse(run: &mut Run, what: &str) {
    run.wrong += 1;
    run.first_wrong.get_or_insert_with(|| what.to_owned());
}

impl Loop {
    /// Sends the next task; `false` when there is none.
    fn send(&mut self, lines: &Lines) -> std::io::Result<bool> {
        if self.stop.left(self.sent) == 0 {
            return Ok(false);
        }
        self.number = (self.number + 1) % NUMBERS;
        self.since = Instant::now();
        // A line of a few bytes on a connection that owes nothing fits its buffer.
        self.stream.write_all(lines.line(self.number))?;
        self.sent += 1;
        Ok(true)
    }

    fn step(&mut self, lines: &Lines, run: &mut Run) -> std::io::Result<Step> {
        let mut step = Step::Waits;
        while self.read()? {
            while let Some(newline) = memchr::memchr(b'\n', &self.answer) {
                let line: Vec<u8> = self.answer.drain(..=newline).collect();
                if check::is_acknowledgement(&line[..newline]) {
                    continue;
                }
                self.judge(&line[..newline], run);
                step = if self.send(lines)? {
                    Step::GoesOn
                } else {
                    Step::Ends
                };
            }
        }
        Ok(step)
    }

    /// Reads what is there; `false` when there is nothing.
    fn read(&mut self) -> std::io::Result<bool> {
        let mut buffer = [0; ANSWER_BYTES_MAX];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(bytes) => {
                self.answer.extend_from_slice(&buffer[..bytes]);
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn judge(&self, line: &[u8], run: &mut Run) {
        run.tasks += 1;
        if let Some(latency) = &mut run.latency {
            latency.add(self.since.elapsed());
        }
        if check::result(line) != Some(self.number * self.number) {
            refuse(run, &String::from_utf8_lossy(line));
        }
    }
}

/// As many open files as the system allows: each connection is one.
fn allow_files() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // With fewer, connecting says so.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}
