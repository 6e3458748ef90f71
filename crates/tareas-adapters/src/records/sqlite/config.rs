//! What the store is opened with: every limit has a name, a unit and a default.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tareas_engine::ports::Clock;

/// Name of the database within the data folder.
pub const DATABASE_FILE: &str = "tareas.db";

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// When a commit counts as durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// When the disk has confirmed it: survives a power cut.
    #[default]
    Full,
    /// When the operating system has it: survives the death of the process.
    Os,
}

/// How a store is opened. [`SqliteConfig::new`] has the defaults.
#[derive(Clone, Debug)]
pub struct SqliteConfig {
    /// The data folder; made when it does not exist.
    pub folder: PathBuf,
    /// When a commit counts as durable.
    pub durability: Durability,
    /// Asked when a commit is told, and at the start.
    pub clock: Arc<dyn Clock>,
    /// Chance for the hash of ids.
    pub hash_seed: u64,
    /// Waiting tasks leave memory above this many live ones.
    pub live_max: usize,
    /// Submissions are refused while this many tasks wait to be written.
    pub journal_tasks_max: usize,
    /// Submissions are refused while this many bytes wait to be written.
    pub journal_bytes_max: usize,
    /// Most waiting tasks in one queue; `None` for no limit.
    pub queue_tasks_max: Option<u64>,
    /// Submissions are refused while the disk has less room than this; `None` for 2 % of the
    /// disk, at least 64 MiB and at most 1 GiB.
    pub disk_reserve_bytes: Option<u64>,
    /// Shortest and longest time that a commit waits for quick tasks to end.
    pub fold_wait: (Duration, Duration),
    /// Most tasks in one commit.
    pub commit_rows_max: usize,
    /// Most bytes of payloads and results in one commit, roughly.
    pub commit_bytes_max: usize,
    /// How long a commit may fail for want of room before the store stops.
    pub retry_for: Duration,
    /// Memory for the writer's pages, in KiB.
    pub cache_kib: u32,
}

impl SqliteConfig {
    /// The defaults, for a store in this folder.
    pub fn new(folder: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self {
            folder: folder.into(),
            durability: Durability::Full,
            clock,
            hash_seed: 0,
            live_max: 50_000,
            journal_tasks_max: 65_536,
            journal_bytes_max: 64 * MIB,
            queue_tasks_max: None,
            disk_reserve_bytes: None,
            fold_wait: (Duration::from_micros(200), Duration::from_millis(2)),
            commit_rows_max: 8_192,
            commit_bytes_max: 8 * MIB,
            retry_for: Duration::from_secs(30),
            cache_kib: 64 * 1024,
        }
    }
}
