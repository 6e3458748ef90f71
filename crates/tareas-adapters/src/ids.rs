//! Maps and sets of task ids: one multiplication for a hash, with a seed of this process so that
//! clients cannot aim at one bucket.

use std::collections::HashMap;
#[cfg(feature = "postgres")]
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use tareas_core::TaskId;
use tareas_core::ledger::IdHash;

static SEED: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));

/// The hash of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seeded(IdHash);

/// A map by task.
pub(crate) type IdMap<V> = HashMap<TaskId, V, Seeded>;
/// A set of tasks.
#[cfg(feature = "postgres")]
pub(crate) type IdSet = HashSet<TaskId, Seeded>;

impl Default for Seeded {
    fn default() -> Self {
        Self(IdHash(*SEED))
    }
}

impl BuildHasher for Seeded {
    type Hasher = <IdHash as BuildHasher>::Hasher;

    fn build_hasher(&self) -> Self::Hasher {
        self.0.build_hasher()
    }
}
