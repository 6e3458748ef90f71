//! The connection under a client: writing, reading, and making a new one when it is lost.

use std::io::{self, BufRead, BufReader, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tareas_protocol::response::{AnswerReader, Said};

use crate::board::{Board, Stage, Wake};
use crate::end::{Reply, malformed};
use crate::stream::Stream;
use crate::{Acknowledged, Address, Error, Event, Options, Result, TaskId};

/// Pauses between two tries to connect.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// How much is read from the socket at once.
const READ_BYTES: usize = 64 * 1024;

/// What a client and its tickets share.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) address: Address,
    pub(crate) options: Options,
    board: Board,
    wire: Mutex<Wire>,
    /// For the reading thread, which must not keep the client alive.
    this: Weak<Self>,
}

/// The present connection.
#[derive(Debug)]
struct Wire {
    stream: Stream,
    generation: u64,
}

impl Link {
    /// Connects, or says after some tries that nobody answers.
    pub(crate) fn open(address: Address, options: Options) -> Result<Arc<Self>> {
        let started = Instant::now();
        let mut pause = PAUSE_MIN;
        let mut tries = 0;
        let stream = loop {
            tries += 1;
            match connect(&address, &options) {
                Ok(stream) => break stream,
                Err(source) if tries >= options.connect_tries => {
                    let elapsed = started.elapsed();
                    return Err(Error::Unreachable {
                        address,
                        tries,
                        elapsed,
                        source,
                    });
                }
                Err(_) => std::thread::sleep(pause),
            }
            pause = (pause * 2).min(PAUSE_MAX);
        };
        let board = Board::default();
        let generation = board.next_generation();
        let wire = Mutex::new(Wire { stream, generation });
        let link = Arc::new_cyclic(|this| {
            let this = Weak::clone(this);
            Self {
                address,
                options,
                board,
                wire,
                this,
            }
        });
        match link.start_reader(generation) {
            Ok(()) => Ok(link),
            Err(source) => Err(Error::Unreachable {
                address: link.address.clone(),
                tries,
                elapsed: started.elapsed(),
                source,
            }),
        }
    }

    /// Sends a request. When the connection is lost it is sent by whoever repairs that.
    pub(crate) fn send(&self, wants_end: bool, line: impl FnOnce(&str) -> Vec<u8>) -> u64 {
        let with_newline = |reference: &str| {
            let mut line = line(reference);
            line.push(b'\n');
            line
        };
        let reference = self.board.open(wants_end, with_newline);
        let mut wire = self.wire();
        let generation = wire.generation;
        if let Some(line) = self.board.line_for(reference, generation)
            && wire.stream.write_all(&line).is_err()
        {
            drop(wire);
            self.lose(generation);
        }
        reference
    }

    /// Forgets a request.
    pub(crate) fn forget(&self, reference: u64) {
        self.board.close(reference);
    }

    /// Waits for the acknowledgement of a submission.
    pub(crate) fn acknowledged(&self, reference: u64, id: TaskId) -> Result<Acknowledged> {
        let until = Some(Instant::now() + self.options.answer_timeout);
        match self.wait(reference, Stage::Acknowledged, until, Some(id))? {
            Some(Wake::Acknowledged(acknowledged)) => Ok(acknowledged),
            Some(Wake::Answered(Ok(Reply::Acknowledged(acknowledged)))) => Ok(acknowledged),
            Some(Wake::Answered(Err(error))) => Err(error),
            Some(_) => Err(malformed("an end without an acknowledgement")),
            None => Err(Error::NoAnswer {
                address: self.address.clone(),
            }),
        }
    }

    /// Waits for the answer; `None` when the time is over.
    pub(crate) fn answered(
        &self,
        reference: u64,
        until: Option<Instant>,
        id: Option<TaskId>,
    ) -> Result<Option<Reply>> {
        match self.wait(reference, Stage::Answered, until, id)? {
            Some(Wake::Answered(reply)) => reply.map(Some),
            _ => Ok(None),
        }
    }

    /// Sends a command and waits for its one answer.
    pub(crate) fn ask(
        &self,
        patience: Option<Duration>,
        line: impl FnOnce(&str) -> Vec<u8>,
    ) -> Result<Reply> {
        let reference = self.send(false, line);
        let patience = patience.unwrap_or(self.options.answer_timeout);
        let reply = self.answered(reference, Some(Instant::now() + patience), None);
        self.forget(reference);
        reply?.ok_or_else(|| Error::NoAnswer {
            address: self.address.clone(),
        })
    }

    fn wait(
        &self,
        reference: u64,
        stage: Stage,
        until: Option<Instant>,
        id: Option<TaskId>,
    ) -> Result<Option<Wake>> {
        loop {
            match self.board.wait(reference, stage, until) {
                Wake::TimedOut => return Ok(None),
                Wake::Repair { since } => {
                    let is_repaired = self.repair(since, until);
                    self.board.repaired(is_repaired);
                    let give_up = since + self.options.reconnect_for;
                    if !is_repaired && Instant::now() >= give_up {
                        return Err(self.lost(id));
                    }
                }
                wake => return Ok(Some(wake)),
            }
        }
    }

    fn lost(&self, task_id: Option<TaskId>) -> Error {
        match self.board.complaint() {
            Some(object) => Error::Refused(object),
            None => Error::ConnectionLost {
                address: self.address.clone(),
                task_id,
            },
        }
    }

    /// Connects again and sends what has no answer; `false` when the time for it is over.
    fn repair(&self, since: Instant, until: Option<Instant>) -> bool {
        let give_up = since + self.options.reconnect_for;
        let give_up = until.map_or(give_up, |until| until.min(give_up));
        let mut pause = PAUSE_MIN;
        loop {
            if let Ok(stream) = connect(&self.address, &self.options)
                && self.take_over(stream)
            {
                self.options.tell(&Event::Reconnected {
                    address: self.address.clone(),
                });
                return true;
            }
            let left = give_up.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let pause_now = pause.min(left);
            self.options.tell(&Event::Retrying { after: pause_now });
            std::thread::sleep(pause_now);
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    fn take_over(&self, stream: Stream) -> bool {
        let mut wire = self.wire();
        let generation = self.board.next_generation();
        let lines = self.board.unanswered(generation);
        *wire = Wire { stream, generation };
        let is_sent = wire.stream.write_all(&lines).is_ok();
        drop(wire);
        is_sent && self.start_reader(generation).is_ok()
    }

    fn start_reader(&self, generation: u64) -> io::Result<()> {
        let stream = self.wire().stream.clone();
        let this = Weak::clone(&self.this);
        let reader = std::thread::Builder::new().name("tareas-client".to_owned());
        reader.spawn(move || read_all(stream, generation, &this))?;
        Ok(())
    }

    fn read_line(&self, reader: &mut AnswerReader, line: &[u8]) {
        let Ok(answer) = reader.read(line) else {
            return;
        };
        match answer
            .reference
            .and_then(|reference| reference.parse().ok())
        {
            Some(reference) => self.board.answer(reference, Reply::of(&answer)),
            None => {
                if let Said::Error(object) = answer.said {
                    self.board.complain(object);
                }
            }
        }
    }

    fn lose(&self, generation: u64) {
        if let Some(pending) = self.board.lose(generation) {
            self.options.tell(&Event::Lost { pending });
            self.board.repaired(false);
        }
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Ends the reader.
        self.wire().stream.close();
    }
}

/// The connection, with the client's language and token told: not waited for, the answers have no
/// reference.
pub(crate) fn connect(address: &Address, options: &Options) -> io::Result<Stream> {
    let mut stream = address.open(options.connect_timeout, &options.credentials)?;
    let lang = options.lang.as_str();
    let mut lines = format!("{{\"cmd\":\"hello\",\"lang\":\"{lang}\"}}\n").into_bytes();
    options.credentials.append_auth(&mut lines);
    stream.write_all(&lines)?;
    Ok(stream)
}

/// Reads answers until the connection ends or nobody is left to hear them.
fn read_all(stream: Stream, generation: u64, link: &Weak<Link>) {
    let mut stream = BufReader::with_capacity(READ_BYTES, stream);
    let mut answers = AnswerReader::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = stream.read_until(b'\n', &mut line);
        let Some(link) = link.upgrade() else { return };
        match read {
            Ok(bytes) if bytes > 0 && line.ends_with(b"\n") => link.read_line(&mut answers, &line),
            _ => return link.lose(generation),
        }
    }
}
