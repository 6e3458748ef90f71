//! The pipelined load: each connection has two threads, one that writes large pieces and one
//! that reads and adds up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::Thread;
use std::time::{Duration, Instant};

use tareas_client::{Address, Error, Pipeline, PipelineReader, PipelineWriter, Result};

use super::check::Sums;
use super::lines::Lines;
use super::stop::Stop;
use super::{Plan, Run};

/// A server that is silent for so long will not answer any more.
const SILENCE_MAX: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What writer and reader of a connection know of each other.
#[derive(Debug)]
struct Window {
    answered: AtomicU64,
    /// The writer sleeps until more is answered.
    is_full: AtomicBool,
    has_ended: AtomicBool,
}

pub(super) fn run(plan: &Plan, window: u32, is_text: bool, address: &Address) -> Result<Run> {
    let lines = Arc::new(Lines::new(is_text, plan.payload_bytes));
    let start = Arc::new(Barrier::new(plan.connections));
    let mut threads = Vec::new();
    for index in 0..plan.connections {
        let pipeline = Pipeline::connect(address, CONNECT_TIMEOUT)?;
        let halves = pipeline.split().map_err(|_| lost(address))?;
        let (lines, start) = (Arc::clone(&lines), Arc::clone(&start));
        let (tasks, duration, connections) = (plan.tasks, plan.duration, plan.connections);
        threads.push(std::thread::spawn(move || {
            start.wait();
            let stop = Stop::of(tasks, duration, index, connections);
            connection(halves, &lines, stop, u64::from(window))
        }));
    }
    let mut run = Run::default();
    for thread in threads {
        run.add(thread.join().map_err(|_| lost(address))?);
    }
    Ok(run)
}

fn lost(address: &Address) -> Error {
    Error::ConnectionLost {
        address: address.clone(),
        task_id: None,
    }
}

fn connection(
    (mut writer, reader): (PipelineWriter, PipelineReader),
    lines: &Lines,
    stop: Stop,
    size: u64,
) -> Run {
    let window = Window {
        answered: AtomicU64::new(0),
        is_full: AtomicBool::new(false),
        has_ended: AtomicBool::new(false),
    };
    let began = Instant::now();
    let (sent, (sums, last)) = std::thread::scope(|scope| {
        let (window, wake) = (&window, std::thread::current());
        let reading = scope.spawn(move || read(reader, window, &wake));
        let sent = write(&mut writer, lines, stop, size, window);
        // The reader ends with the stream; without this end the server would wait.
        let _ = writer.finish();
        (sent, reading.join().unwrap_or_default())
    });
    judge(
        sent,
        sums,
        last.map_or_else(|| began.elapsed(), |last| last - began),
    )
}

fn judge(sent: u64, sums: Sums, elapsed: Duration) -> Run {
    let is_right = sums.wrong == 0 && sums.are_squares_of(sent);
    let missing = sent.abs_diff(sums.results).max(1);
    Run {
        tasks: sums.results,
        elapsed,
        wrong: if is_right { 0 } else { sums.wrong.max(missing) },
        first_wrong: sums.first_wrong,
        latency: None,
    }
}

fn write(
    writer: &mut PipelineWriter,
    lines: &Lines,
    stop: Stop,
    size: u64,
    window: &Window,
) -> u64 {
    let mut sent = 0;
    loop {
        let left = stop.left(sent);
        let room = room(sent, size, window).min(left);
        if left == 0 || room == 0 {
            return sent;
        }
        let (bytes, count) = lines.some(sent, room);
        if writer.write(bytes).is_err() {
            return sent;
        }
        sent += count;
    }
}

/// How many more may be sent; waits until a quarter of the window is free. Zero when the
/// connection has ended.
fn room(sent: u64, size: u64, window: &Window) -> u64 {
    loop {
        let room = size - (sent - window.answered.load(Ordering::SeqCst)).min(size);
        if room >= (size / 4).max(1) {
            return room;
        }
        if window.has_ended.load(Ordering::SeqCst) {
            return 0;
        }
        window.is_full.store(true, Ordering::SeqCst);
        let room = size - (sent - window.answered.load(Ordering::SeqCst)).min(size);
        if room < (size / 4).max(1) && !window.has_ended.load(Ordering::SeqCst) {
            std::thread::park_timeout(Duration::from_millis(100));
        }
        window.is_full.store(false, Ordering::SeqCst);
    }
}

/// Reads to the end of the stream; what was read, and when the last of it came.
fn read(mut reader: PipelineReader, window: &Window, writer: &Thread) -> (Sums, Option<Instant>) {
    let (mut sums, mut last) = (Sums::default(), None);
    // Without the time-out a server that hangs would hang this.
    let _ = reader.set_timeout(Some(SILENCE_MAX));
    while let Ok(lines) = reader.read() {
        if lines.is_empty() {
            break;
        }
        sums.add(lines);
        last = Some(Instant::now());
        window
            .answered
            .store(sums.results + sums.wrong, Ordering::SeqCst);
        if window.is_full.load(Ordering::SeqCst) {
            writer.unpark();
        }
    }
    window.has_ended.store(true, Ordering::SeqCst);
    writer.unpark();
    (sums, last)
}
