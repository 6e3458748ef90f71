//! What a worker has not begun, holds, and has to say.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use tareas_protocol::LeaseBytes;
use tareas_protocol::base64;
use tareas_protocol::request::{Held, Report, Reported, append_many, append_report};
use tareas_worker::{Artifact, Assignment};

use crate::stream::Stream;

/// A line of reports is not longer than this, unless one report alone is.
const LINE_BYTES: usize = 256 * 1024;
/// A longer result, and every file, is sent in pieces of this many bytes.
const PIECE_BYTES: usize = 256 * 1024;

/// An attempt: the bits of the task's id, and its number.
pub(super) type Key = (u128, u64);

/// See the module's documentation. Behind the lock of the desk.
#[derive(Debug)]
pub(super) struct State {
    /// Given, and not begun.
    pub(super) waiting: VecDeque<(Instant, Assignment)>,
    /// Everything that is not recorded, with its lease.
    pub(super) held: HashMap<Key, LeaseBytes>,
    /// Reports to be sent, joined by commas; and the endings among them.
    items: Vec<u8>,
    endings: Vec<Key>,
    /// Full lines that are to be sent.
    pub(super) sealed: VecDeque<Line>,
    /// Lines that were sent and not answered.
    pub(super) sent: VecDeque<Line>,
    next_line: u64,
    pub(super) stream: Option<Stream>,
    pub(super) has_session: bool,
    pub(super) resume: Option<String>,
    pub(super) beat: Duration,
    pub(super) heard_at: Instant,
    /// It takes nothing more.
    pub(super) is_draining: bool,
    pub(super) is_closing: bool,
    /// It has left: its threads end.
    pub(super) has_left: bool,
    /// Smoothed run time, in nanoseconds.
    pub(super) smoothed_ns: u64,
}

/// A line of reports.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) reference: u64,
    /// It is remembered until this line is answered: itself, or a later one that needs it.
    until: u64,
    pub(super) bytes: Vec<u8>,
    endings: Vec<Key>,
}

impl State {
    /// Of a worker that has not connected yet.
    pub(super) fn new() -> Self {
        Self {
            waiting: VecDeque::new(),
            held: HashMap::new(),
            items: Vec::new(),
            endings: Vec::new(),
            sealed: VecDeque::new(),
            sent: VecDeque::new(),
            next_line: 1,
            stream: None,
            has_session: false,
            resume: None,
            beat: Duration::from_secs(5),
            heard_at: Instant::now(),
            is_draining: false,
            is_closing: false,
            has_left: false,
            smoothed_ns: 0,
        }
    }

    /// Something to be said about an attempt; nothing when it is not held any more.
    pub(super) fn say(&mut self, key: Key, said: Reported<'_>) {
        let Some(lease) = self.held.get(&key) else {
            return;
        };
        let held = Held {
            task_id: key.0.to_be_bytes(),
            attempt: key.1,
            lease: *lease,
        };
        let is_ending = matches!(
            said,
            Reported::Done { .. } | Reported::Failed(_) | Reported::Released
        );
        self.append(&Report { held, said });
        if is_ending {
            self.endings.push(key);
        }
        if self.items.len() > LINE_BYTES {
            self.seal();
        }
    }

    /// A result and the files that go with it: in pieces as far as they are long.
    pub(super) fn say_done(
        &mut self,
        key: Key,
        result: &str,
        files: &[Artifact],
        run_us: Option<u64>,
    ) {
        let is_short = result.len() <= PIECE_BYTES;
        if is_short && files.is_empty() {
            let result = Some(result);
            return self.say(key, Reported::Done { result, run_us });
        }
        self.seal();
        let first = self.next_line;
        for file in files {
            self.say_file(key, file);
        }
        if !is_short {
            self.say_pieces(key, result);
        }
        let result = is_short.then_some(result);
        self.say(key, Reported::Done { result, run_us });
        self.seal();
        self.keep_together(first);
    }

    fn say_pieces(&mut self, key: Key, result: &str) {
        let mut rest = result;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE_BYTES));
            rest = after;
            let chunk = piece.into();
            self.say(key, Reported::Output { chunk });
            self.seal();
        }
    }

    fn say_file(&mut self, key: Key, file: &Artifact) {
        let mut rest = &*file.bytes;
        loop {
            let (piece, after) = rest.split_at(rest.len().min(PIECE_BYTES));
            rest = after;
            let said = Reported::Artifact {
                name: file.name.as_str().into(),
                media_type: Some(file.media_type.as_str().into()),
                chunk: base64::encode(piece).into(),
            };
            self.say(key, said);
            self.seal();
            if rest.is_empty() {
                return;
            }
        }
    }

    /// Has the lines from this one on remembered until the last of them is answered: a server
    /// keeps pieces for a connection only, so after a loss all of them are said again.
    fn keep_together(&mut self, first: u64) {
        let last = self.next_line - 1;
        for line in &mut self.sealed {
            if line.reference >= first {
                line.until = last;
            }
        }
    }

    fn append(&mut self, report: &Report<'_>) {
        if !self.items.is_empty() {
            self.items.push(b',');
        }
        append_report(&mut self.items, report);
    }

    /// Closes the line that is being filled.
    pub(super) fn seal(&mut self) {
        if self.items.is_empty() {
            return;
        }
        let reference = self.next_line;
        self.next_line += 1;
        let mut bytes = Vec::with_capacity(self.items.len() + 64);
        append_many(&mut bytes, &self.items, reference);
        bytes.push(b'\n');
        self.items.clear();
        let endings = std::mem::take(&mut self.endings);
        self.sealed.push_back(Line {
            reference,
            until: reference,
            bytes,
            endings,
        });
    }

    /// A line was answered, and so were all before it: what they said is not held any more.
    pub(super) fn answered(&mut self, reference: u64) {
        while let Some(line) = self.sent.front()
            && line.until <= reference
        {
            if let Some(line) = self.sent.pop_front() {
                for key in line.endings {
                    self.held.remove(&key);
                }
            }
        }
    }

    pub(super) fn has_to_say(&self) -> bool {
        !self.items.is_empty() || !self.sealed.is_empty()
    }

    /// What a server is told that comes to know of this worker.
    pub(super) fn holding(&self) -> Vec<Held> {
        let held = self.held.iter().map(|(key, lease)| Held {
            task_id: key.0.to_be_bytes(),
            attempt: key.1,
            lease: *lease,
        });
        held.collect()
    }

    pub(super) fn disconnect(&mut self) {
        self.has_session = false;
        if let Some(stream) = self.stream.take() {
            stream.close();
        }
    }

    pub(super) fn take_waiting(&mut self, key: Key) -> bool {
        let before = self.waiting.len();
        self.waiting
            .retain(|(_, other)| (other.task_id, other.attempt) != key);
        self.waiting.len() < before
    }
}
