//! A pool: N named threads that run handlers, and one that watches over them.
//!
//! Each slot has a thread ([`thread`]), a place for what it runs, what it will run next and what
//! has ended ([`slot`]). The watcher ([`watcher`]) enforces time limits, hands back assignments
//! that are stuck behind a slow one, and replaces a thread whose handler does not return; it
//! sleeps until something of that can be due ([`alarm`]), and for ever while nothing runs.
//!
//! Only one lock is ever held at a time, a slot's, and no foreign code runs under it.

mod alarm;
mod exchange;
mod roster;
mod shared;
mod slot;
mod thread;
mod watcher;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use smol_str::SmolStr;
use tokio::runtime::{Builder, Runtime};

use crate::{Cause, Registry, Source};
use shared::Shared;
use slot::Found;

/// How long a stop waits for the watcher, which may be in a call to the source.
const HAND_OVER_MAX: Duration = Duration::from_secs(30);

/// How a pool is set up.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Number of threads; by default one a core.
    pub threads: usize,
    /// Threads are called `NAME-0`, `NAME-1`…
    pub name: String,
    /// How long a handler that was asked to end is waited for before its slot is retired.
    pub retire_grace: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            name: "tareas-pool".to_owned(),
            retire_grace: Duration::from_secs(5),
        }
    }
}

/// What a slot runs at the moment.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotView {
    /// Number of the slot, from 0.
    pub slot: usize,
    /// The bits of the task's UUID.
    pub task_id: u128,
    /// Number of the attempt.
    pub attempt: u64,
    /// Name of the kind.
    pub kind: SmolStr,
    /// How long the handler has been running.
    pub running_for: Duration,
}

/// Threads that run handlers until stopped or dropped.
///
/// Dropping it is [`stop`](Pool::stop) without grace.
pub struct Pool {
    shared: Arc<Shared>,
}

impl Pool {
    /// Starts the threads, which begin to take work at once.
    ///
    /// Fails when the system gives no more threads; those already started are stopped.
    pub fn start(
        registry: Arc<Registry>,
        source: Arc<dyn Source>,
        options: PoolOptions,
    ) -> io::Result<Self> {
        let runtime = registry
            .has_async()
            .then(|| runtime(&options.name))
            .transpose()?;
        let shared = Arc::new(Shared::new(registry, source, options, runtime));
        let pool = Self { shared };
        watcher::spawn(&pool.shared)?;
        for slot in 0..pool.shared.slots.len() {
            thread::spawn(&pool.shared, slot)?;
        }
        Ok(pool)
    }

    /// What runs now: one view a busy slot, in the order of slots.
    pub fn slots(&self) -> Vec<SlotView> {
        let now = Instant::now();
        let slots = self.shared.slots.iter().enumerate();
        slots
            .filter_map(|(number, slot)| slot.lock().view(number, now))
            .collect()
    }

    /// Runs tasks that begin from now on with these handlers. What runs goes on with the old.
    pub fn replace_registry(&self, registry: Arc<Registry>) {
        self.shared.registry.replace(registry);
    }

    /// Number of slots.
    pub fn threads(&self) -> usize {
        self.shared.slots.len()
    }

    /// How many threads were given up on because their handler did not return in time. Each
    /// still occupies memory and perhaps a core until its handler does return.
    pub fn retired(&self) -> usize {
        self.shared.retired()
    }

    /// Asks the attempt to end if this pool runs it; one that has not begun ends as cancelled.
    ///
    /// `false` when neither is the case. An attempt on its way from the source into the pool is
    /// only reached by a handle in [`Assignment::cancel`](crate::Assignment::cancel).
    pub fn cancel(&self, task_id: u128, attempt: u64) -> bool {
        self.shared.slots.iter().any(|slot| {
            let found = slot.lock().cancel(task_id, attempt);
            // Raised without the lock: it may wake an async handler.
            if let Found::Running(handle) = &found {
                handle.cancel();
            }
            !matches!(found, Found::Nothing)
        })
    }

    /// Stops: takes nothing more, gives back what has not begun, and lets what runs finish
    /// within `grace`. What then still runs is asked to end, and after the retire grace is
    /// reported as released. Returns how many attempts had to be given up on like that.
    ///
    /// May be called again, also while another call waits; the shorter grace counts.
    pub fn stop(&self, grace: Duration) -> usize {
        let shared = &self.shared;
        shared.close();
        if !shared.roster.wait_until_empty(grace) {
            shared.raise_all(Cause::Stopping);
            shared.roster.wait_until_empty(shared.options.retire_grace);
        }
        let released = shared.abandon_all();
        shared.alarm.end();
        if !shared.alarm.is_attended_by_caller() {
            shared.watchers.wait_until_empty(HAND_OVER_MAX);
        }
        shared.end_runtime();
        released
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.stop(Duration::ZERO);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("name", &self.shared.options.name)
            .field("running", &self.slots())
            .finish_non_exhaustive()
    }
}

/// Drives timers and sockets of async handlers; the handlers themselves run on pool threads.
fn runtime(name: &str) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(format!("{name}-io"))
        .enable_all()
        .build()
}
