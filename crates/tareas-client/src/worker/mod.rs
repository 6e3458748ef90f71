//! A remote worker: a pool of threads in this process, given work by a server elsewhere.
//!
//! [`RemoteWorker`] connects, says which kinds it has handlers for, and runs what it is given.
//! When the connection is lost it comes back, with jitter, and goes on with what it holds; a
//! result is kept until the server says that it is recorded. It asks for no more than it can
//! begin soon, and gives back what it could not begin in time.
//!
//! | file | what it does |
//! |---|---|
//! | `desk` | where threads and connection meet: one lock, and what wakes whom |
//! | `state` | what the worker holds and what it has to say |
//! | `given` | an attempt, out of the line that gave it |
//! | `source` | the desk as the pool sees it |
//! | `link` | the connection: reading, writing, coming back |

mod desk;
mod given;
mod link;
mod source;
mod state;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tareas_worker::{Pool, PoolOptions, Registry, SlotView, Source};

use self::desk::Desk;
use crate::{Address, Credentials};

/// How long the last results may take to be recorded when the worker stops.
const RECORD_GRACE: Duration = Duration::from_secs(5);

/// How a worker is set up.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// What people call it.
    pub name: String,
    /// The queues it takes tasks from; all when empty.
    pub queues: Vec<String>,
    /// The kinds it is given; all that the registry has when empty.
    pub kinds: Vec<String>,
    /// Its labels, for tasks that require some.
    pub labels: Vec<String>,
    /// How many tasks it runs at once.
    pub threads: u16,
    /// How many more it holds while they are short.
    pub prefetch: u16,
    /// What it shows of itself, and whom it believes.
    pub credentials: Credentials,
    /// How long it takes to connect at most.
    pub connect_timeout: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            name: String::new(),
            queues: Vec::new(),
            kinds: Vec::new(),
            labels: Vec::new(),
            threads: 1,
            prefetch: 4_096,
            credentials: Credentials::default(),
            connect_timeout: Duration::from_secs(5),
        }
    }
}

/// A pool of threads that runs the tasks of a server elsewhere.
#[derive(Debug)]
pub struct RemoteWorker {
    desk: Arc<Desk>,
    pool: Arc<Pool>,
}

impl RemoteWorker {
    /// Starts the threads; they connect by themselves, and again whenever it is needed.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn start(
        address: Address,
        registry: Arc<Registry>,
        options: WorkerOptions,
    ) -> io::Result<Self> {
        Self::start_around(address, registry, options, |source| source)
    }

    /// The same, with something between the pool and what it is given: for whoever wants to see
    /// what is run.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn start_around(
        address: Address,
        registry: Arc<Registry>,
        mut options: WorkerOptions,
        around: impl FnOnce(Arc<dyn Source>) -> Arc<dyn Source>,
    ) -> io::Result<Self> {
        if options.kinds.is_empty() {
            let kinds = registry.kinds();
            options.kinds = kinds.iter().map(|kind| kind.name.to_string()).collect();
        }
        let pool_options = PoolOptions {
            threads: options.threads.into(),
            ..PoolOptions::default()
        };
        let desk = Arc::new(Desk::new(address, options));
        let source = around(Arc::clone(&desk) as Arc<dyn Source>);
        let pool = Pool::start(registry, source, pool_options)?;
        let pool = Arc::new(pool);
        desk.set_pool(&pool);
        link::spawn(&desk)?;
        Ok(Self { desk, pool })
    }

    /// What runs now: one view a busy slot.
    pub fn slots(&self) -> Vec<SlotView> {
        self.pool.slots()
    }

    /// Whether it has a session now.
    pub fn is_connected(&self) -> bool {
        self.desk.is_connected()
    }

    /// Waits until it has a session; `false` when it has none in time.
    pub fn wait_connected(&self, patience: Duration) -> bool {
        self.desk.wait_connected(Instant::now() + patience)
    }

    /// Takes nothing more, lets what runs end within `grace`, gives back the rest, waits until
    /// all of it is recorded, and leaves. May be called again with a shorter grace meanwhile.
    pub fn stop(&self, grace: Duration) {
        self.desk.take_no_more();
        self.pool.stop(grace);
        self.desk.leave(Instant::now() + RECORD_GRACE);
    }
}
