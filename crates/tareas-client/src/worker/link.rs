//! The connection of a worker: one thread reads, one writes; both go on for as long as the
//! worker lives, over as many connections as it takes.

use std::io::{self, BufRead, BufReader, Write};
use std::sync::{Arc, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use tareas_protocol::Code;
use tareas_protocol::request::{Token, Work, append_beat, append_work};
use tareas_protocol::response::{Session, Told, ToldReader};

use super::desk::Desk;
use super::given::Given;
use super::state::State;
use crate::stream::Stream;

/// Pauses between two tries to connect: up to so long, drawn anew each time.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often the writer looks at the time.
const TICK: Duration = Duration::from_millis(100);
/// A server that says nothing for so many beats is gone.
const SILENT_BEATS: u32 = 3;
/// Attempts that are put on the desk at once, of those that have come together.
const GIVEN_MAX: usize = 256;
/// How much is read from the socket at once.
const READ_BYTES: usize = 256 * 1024;

/// Starts both threads.
pub(super) fn spawn(desk: &Arc<Desk>) -> io::Result<()> {
    let (reader, writer) = (Arc::clone(desk), Arc::clone(desk));
    let named = |name: &str| Builder::new().name(name.to_owned());
    named("tareas-link").spawn(move || stay_connected(&reader))?;
    named("tareas-link-w").spawn(move || write_all(&writer))?;
    Ok(())
}

fn stay_connected(desk: &Desk) {
    let mut pause = PAUSE_MIN;
    let mut lost_at = Instant::now();
    while !desk.lock().has_left {
        let connected = desk
            .address
            .open(desk.options.connect_timeout, &desk.options.credentials);
        if let Ok(stream) = connected
            && converse(desk, stream).is_ok()
        {
            pause = PAUSE_MIN;
            lost_at = Instant::now();
        }
        let lease = {
            let mut state = desk.lock();
            state.disconnect();
            state.beat * SILENT_BEATS
        };
        if lost_at.elapsed() > lease {
            desk.give_up_all();
        }
        sleep_unless_left(desk, pause.mul_f64(draw()));
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Speaks over one connection until it ends; `Err` when there was no session on it.
fn converse(desk: &Desk, mut stream: Stream) -> io::Result<()> {
    stream.write_all(&hello(desk))?;
    let mut reader = BufReader::with_capacity(READ_BYTES, stream.clone());
    {
        let mut state = desk.lock();
        state.heard_at = Instant::now();
        state.stream = Some(stream);
    }
    let (mut told, mut line, mut given) = (ToldReader::new(), Vec::new(), Vec::new());
    let mut had_session = false;
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line);
        if !matches!(read, Ok(count) if count > 0) {
            return match had_session {
                true => Ok(()),
                false => Err(io::ErrorKind::ConnectionAborted.into()),
            };
        }
        let told = told.read(&line);
        if let Ok(Told::Assign(assigned)) = &told {
            given.push(Given::of(assigned));
            // The lock is taken, and threads are woken, once for all that came together.
            if given.len() < GIVEN_MAX && reader.buffer().contains(&b'\n') {
                continue;
            }
        }
        desk.given(&mut given);
        // Newer servers say more than this worker knows.
        if let Ok(told) = told {
            had_session |= hear(desk, told, had_session)?;
        }
    }
}

/// Does what the server says; whether that began a session.
fn hear(desk: &Desk, told: Told<'_>, had_session: bool) -> io::Result<bool> {
    match told {
        Told::Session(session) => {
            begin(desk, &session)?;
            return Ok(true);
        }
        Told::Cancel { task_id, attempt } => {
            desk.stop_one((u128::from_be_bytes(task_id), attempt));
        }
        Told::Many { reference, .. } => desk.answered(reference),
        Told::Error(error) if !had_session || error.code() == Some(Code::SessionLost) => {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Told::Assign(_) | Told::Drain | Told::Error(_) | Told::Other => {}
    }
    Ok(false)
}

fn hello(desk: &Desk) -> Vec<u8> {
    let options = &desk.options;
    let state = desk.lock();
    let texts = |list: &'_ [String]| list.iter().map(|text| text.clone().into()).collect();
    let work = Work {
        name: Some((&*options.name).into())
            .filter(|name: &std::borrow::Cow<'_, str>| !name.is_empty()),
        queues: texts(&options.queues),
        kinds: texts(&options.kinds),
        labels: texts(&options.labels),
        slots: if state.is_draining {
            0
        } else {
            options.threads
        },
        prefetch: options.prefetch,
        resume: state
            .resume
            .as_deref()
            .map(|resume| Token::of(resume.into())),
        holding: state.holding(),
    };
    let mut line = Vec::new();
    options.credentials.append_auth(&mut line);
    append_work(&mut line, &work);
    line.push(b'\n');
    line
}

/// There is a session: what was not answered is said again.
fn begin(desk: &Desk, session: &Session<'_>) -> io::Result<()> {
    desk.forget(&session.dropped);
    let mut state = desk.lock();
    state.resume = Some(session.resume.clone().into_owned());
    state.beat = Duration::from_millis(session.beat_ms.max(100));
    let mut again = Vec::new();
    for line in &state.sent {
        again.extend_from_slice(&line.bytes);
    }
    let stream = state.stream.clone();
    drop(state);
    if let Some(mut stream) = stream {
        stream.write_all(&again)?;
    }
    desk.lock().has_session = true;
    desk.news.notify_all();
    desk.out.notify_all();
    Ok(())
}

/// Writes what there is to say, and a sign of life when there is nothing.
fn write_all(desk: &Desk) {
    let mut spoke_at = Instant::now();
    let mut told_drain = false;
    loop {
        let nothing =
            |state: &mut State| !(state.has_left || state.has_session && state.has_to_say());
        let waited = desk.out.wait_timeout_while(desk.lock(), TICK, nothing);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let has_left = state.has_left;
        if state.has_session && state.heard_at.elapsed() > state.beat * SILENT_BEATS {
            state.disconnect();
        }
        let mut bytes = take_lines(&mut state);
        let is_quiet = bytes.is_empty() && spoke_at.elapsed() > state.beat / 2;
        let tells_drain = state.is_draining && !told_drain;
        if state.has_session && (is_quiet || tells_drain) {
            append_beat(&mut bytes, tells_drain.then_some(0));
            bytes.push(b'\n');
            told_drain |= tells_drain;
        }
        if has_left {
            bytes.extend_from_slice(b"exit\n");
        }
        let stream = state.stream.clone();
        drop(state);
        if let (false, Some(mut stream)) = (bytes.is_empty(), stream) {
            spoke_at = Instant::now();
            if stream.write_all(&bytes).is_err() {
                desk.lock().disconnect();
            }
        }
        if has_left {
            return;
        }
        desk.stop_hoarding(Instant::now());
    }
}

/// The lines to be written now; they are remembered until they are answered.
fn take_lines(state: &mut State) -> Vec<u8> {
    let mut bytes = Vec::new();
    if !state.has_session {
        return bytes;
    }
    state.seal();
    while let Some(line) = state.sealed.pop_front() {
        bytes.extend_from_slice(&line.bytes);
        state.sent.push_back(line);
    }
    bytes
}

fn sleep_unless_left(desk: &Desk, pause: Duration) {
    let staying = |state: &mut State| !state.has_left;
    drop(desk.news.wait_timeout_while(desk.lock(), pause, staying));
}

/// Between 0.2 and 1: so that workers that lost one server do not come back as one.
fn draw() -> f64 {
    // The end of a fresh id is chance.
    let bits = u128::from_be_bytes(*crate::TaskId::new().as_bytes()) as u64;
    0.2 + 0.8 * ((bits & 0xffff_ffff) as f64 / f64::from(u32::MAX))
}
