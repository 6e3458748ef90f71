//! What a worker holds and what it has to say: behind one lock, held for microseconds.

use std::collections::{HashMap, VecDeque};

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tareas_protocol::base64;
use tareas_protocol::request::{Held, Report, Reported, append_many, append_report};
use tareas_protocol::response::Assigned;
use tareas_protocol::{LeaseBytes, TraceParent};
use tareas_worker::{Artifact, Assignment, Pool, Trace};

use super::WorkerOptions;
use crate::Address;
use crate::stream::Stream;

/// A line of reports is not longer than this, unless one report alone is.
const LINE_BYTES: usize = 256 * 1024;
/// A longer result, and every file, is sent in pieces of this many bytes.
const PIECE_BYTES: usize = 256 * 1024;
/// What was not begun this long after it came is given back: others may be free.
const HOARD_MAX: Duration = Duration::from_millis(300);

/// An attempt: the bits of the task's id, and its number.
pub(super) type Key = (u128, u64);

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) address: Address,
    pub(super) options: WorkerOptions,
    state: Mutex<State>,
    /// There is work for a thread.
    pub(super) work: Condvar,
    /// There is something to be written.
    pub(super) out: Condvar,
    /// Something was recorded, or the connection changed.
    pub(super) news: Condvar,
    pool: OnceLock<Weak<Pool>>,
}

#[derive(Debug)]
pub(super) struct State {
    /// Given, and not begun.
    pub(super) waiting: VecDeque<(Instant, Assignment)>,
    /// Everything that is not recorded, with its lease.
    held: HashMap<Key, LeaseBytes>,
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

impl Desk {
    pub(super) fn new(address: Address, options: WorkerOptions) -> Self {
        let state = State {
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
        };
        Self {
            address,
            options,
            state: Mutex::new(state),
            work: Condvar::new(),
            out: Condvar::new(),
            news: Condvar::new(),
            pool: OnceLock::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_pool(&self, pool: &Arc<Pool>) {
        // One worker has one pool.
        let _ = self.pool.set(Arc::downgrade(pool));
    }

    pub(super) fn is_connected(&self) -> bool {
        self.lock().has_session
    }

    pub(super) fn wait_connected(&self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        let unconnected = |state: &mut State| !state.has_session && !state.has_left;
        let waited = self.news.wait_timeout_while(self.lock(), left, unconnected);
        waited.unwrap_or_else(PoisonError::into_inner).0.has_session
    }

    /// An attempt is this worker's now.
    pub(super) fn given(&self, assigned: &Assigned<'_>, now: Instant) {
        let mut state = self.lock();
        let assignment = assignment(assigned);
        let key = (assignment.task_id, assignment.attempt);
        state.held.insert(key, assigned.held.lease);
        if state.is_draining {
            state.say(key, Reported::Released);
            drop(state);
            return self.out.notify_one();
        }
        state.waiting.push_back((now, assignment));
        drop(state);
        self.work.notify_one();
    }

    /// An attempt is to stop: what has not begun is given back, the other is asked to end.
    pub(super) fn stop_one(&self, key: Key) {
        let mut state = self.lock();
        if state.take_waiting(key) {
            state.say(key, Reported::Released);
            drop(state);
            return self.out.notify_one();
        }
        drop(state);
        self.cancel(key);
    }

    fn cancel(&self, (task, attempt): Key) {
        if let Some(pool) = self.pool.get().and_then(Weak::upgrade) {
            pool.cancel(task, attempt);
        }
    }

    /// The server has given these to others: they are forgotten.
    pub(super) fn forget(&self, dropped: &[Held]) {
        for held in dropped {
            let key = (u128::from_be_bytes(held.task_id), held.attempt);
            let was_waiting = {
                let mut state = self.lock();
                state.held.remove(&key);
                state.take_waiting(key)
            };
            if !was_waiting {
                self.cancel(key);
            }
        }
        self.news.notify_all();
    }

    /// A line was answered: what it said is recorded, or nobody wants to know.
    pub(super) fn answered(&self, reference: u64) {
        let mut state = self.lock();
        while let Some(line) = state.sent.front()
            && line.until <= reference
        {
            if let Some(line) = state.sent.pop_front() {
                for key in line.endings {
                    state.held.remove(&key);
                }
            }
        }
        drop(state);
        self.news.notify_all();
    }

    /// Gives back what has waited too long to begin.
    pub(super) fn stop_hoarding(&self, now: Instant) {
        let mut state = self.lock();
        let is_late = |at: Instant| now.saturating_duration_since(at) > HOARD_MAX;
        let mut late = Vec::new();
        while let Some((at, _)) = state.waiting.back()
            && is_late(*at)
        {
            late.extend(state.waiting.pop_back());
        }
        for (_, assignment) in &late {
            let key = (assignment.task_id, assignment.attempt);
            state.say(key, Reported::Released);
        }
    }

    /// Nobody was reached for so long that the server has given everything to others.
    pub(super) fn give_up_all(&self) {
        let running = {
            let mut state = self.lock();
            state.waiting.clear();
            state.held.keys().copied().collect::<Vec<_>>()
        };
        running.into_iter().for_each(|key| self.cancel(key));
    }

    pub(super) fn take_no_more(&self) {
        let mut state = self.lock();
        state.is_draining = true;
        for (_, assignment) in std::mem::take(&mut state.waiting) {
            let key = (assignment.task_id, assignment.attempt);
            state.say(key, Reported::Released);
        }
        drop(state);
        self.out.notify_all();
    }

    /// Waits until everything is recorded, and ends the link.
    pub(super) fn leave(&self, until: Instant) {
        let left = until.saturating_duration_since(Instant::now());
        let unrecorded = |state: &mut State| !state.held.is_empty() && !state.has_left;
        let waited = self.news.wait_timeout_while(self.lock(), left, unrecorded);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.has_left = true;
        drop(state);
        self.out.notify_all();
        self.work.notify_all();
        self.news.notify_all();
    }
}

impl State {
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

    fn take_waiting(&mut self, key: Key) -> bool {
        let before = self.waiting.len();
        self.waiting
            .retain(|(_, other)| (other.task_id, other.attempt) != key);
        self.waiting.len() < before
    }
}

fn trace(parent: TraceParent, assigned: &Assigned<'_>) -> Box<Trace> {
    Box::new(Trace {
        parent: parent.to_string().into(),
        state: assigned.tracestate.as_deref().map(Into::into),
    })
}

fn assignment(assigned: &Assigned<'_>) -> Assignment {
    let metadata = assigned.metadata.iter();
    let metadata: std::collections::BTreeMap<String, String> = metadata
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect();
    Assignment {
        task_id: u128::from_be_bytes(assigned.held.task_id),
        attempt: assigned.held.attempt,
        kind: (&*assigned.kind).into(),
        payload: Bytes::copy_from_slice(assigned.payload.as_bytes()),
        metadata: (!metadata.is_empty()).then(|| Arc::new(metadata)),
        trace: assigned.traceparent.map(|parent| trace(parent, assigned)),
        queue: (&*assigned.queue).into(),
        timeout: Duration::from_millis(assigned.deadline_ms),
        ticket: 0,
        cancel: None,
    }
}
