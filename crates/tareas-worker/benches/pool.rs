//! What the pool adds to a task: `square` through one thread, by size of batch.
//!
//! Run with `cargo bench -p tareas-worker`.

#![expect(clippy::print_stdout, reason = "a benchmark prints its numbers")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use smol_str::SmolStr;
use tareas_worker::{Assignment, Completion, Context, Note, Pool, PoolOptions, Registry, Source};

const TASKS: usize = 2_000_000;
const PAYLOAD: Bytes = Bytes::from_static(br#"{"n":12345}"#);
const SQUARE: SmolStr = SmolStr::new_static("square");
const DEFAULT: SmolStr = SmolStr::new_static("default");

/// Gives `TASKS` squares in batches; tells when all have ended.
struct Squares {
    batch: usize,
    given: AtomicUsize,
    /// What was put back, because the system did not run the thread for a while.
    again: Mutex<Vec<Assignment>>,
    ended: AtomicUsize,
    finished: Mutex<Sender<Instant>>,
}

impl Source for Squares {
    fn take(&self, _: usize, into: &mut Vec<Assignment>) -> bool {
        let first = self.given.fetch_add(self.batch, Ordering::Relaxed);
        into.extend((first..TASKS.min(first + self.batch)).map(square));
        if into.is_empty() {
            into.append(&mut self.again.lock().expect("nobody panics"));
            std::thread::yield_now();
        }
        self.ended.load(Ordering::Relaxed) < TASKS
    }

    fn settle(&self, _: usize, done: &mut Vec<Completion>) {
        let ended = self.ended.fetch_add(done.len(), Ordering::Relaxed) + done.len();
        if ended == TASKS {
            let sender = self.finished.lock().expect("one thread reports the end");
            sender.send(Instant::now()).expect("the main thread waits");
        }
    }

    fn put_back(&self, rest: Vec<Assignment>) {
        self.again.lock().expect("nobody panics").extend(rest);
    }

    fn note(&self, _: usize, _: u128, _: u64, _: Note) {}
    fn close(&self) {}
}

fn square(n: usize) -> Assignment {
    Assignment {
        task_id: n as u128,
        attempt: 1,
        kind: SQUARE,
        payload: PAYLOAD,
        metadata: None,
        trace: None,
        queue: DEFAULT,
        timeout: Duration::from_secs(300),
        ticket: n as u64,
        cancel: None,
    }
}

fn handler_alone(registry: &Registry) -> f64 {
    let context = Context::detached(SQUARE);
    let started = Instant::now();
    for _ in 0..TASKS {
        std::hint::black_box(registry.run(&context, PAYLOAD)).expect("a valid payload");
    }
    nanoseconds_each(started.elapsed())
}

fn through_pool(registry: Arc<Registry>, batch: usize) -> f64 {
    let (sender, finished) = channel();
    let source = Squares {
        batch,
        given: AtomicUsize::new(0),
        again: Mutex::default(),
        ended: AtomicUsize::new(0),
        finished: Mutex::new(sender),
    };
    let options = PoolOptions {
        threads: 1,
        ..PoolOptions::default()
    };
    let started = Instant::now();
    let pool = Pool::start(registry, Arc::new(source), options).expect("a thread");
    let ended = finished.recv().expect("the pool runs everything");
    drop(pool);
    nanoseconds_each(ended - started)
}

fn nanoseconds_each(total: Duration) -> f64 {
    total.as_nanos() as f64 / TASKS as f64
}

fn main() {
    let registry = Arc::new(Registry::with_builtins());
    println!("handler alone      {:6.0} ns", handler_alone(&registry));
    for batch in [1, 8, 64, 256] {
        println!(
            "pool, batches of {batch:<4}{:6.0} ns",
            through_pool(registry.clone(), batch)
        );
    }
}
