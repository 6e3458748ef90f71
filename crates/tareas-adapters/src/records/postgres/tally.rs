//! Counts without asking: what this server has counted itself, and what it last read of others.
//!
//! The shards of this server are changed by its own connections only, each by one, so their sums
//! are known exactly; a connection that is made again reads its shard, since the last statement
//! of the one before may or may not have been done.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tareas_core::{Phase, QueueName};
use tareas_engine::ports::Counts;
use tokio_postgres::Row;

use super::fault::Fault;
use super::link::Link;
use super::row;

const OWN: &str = "SELECT queue, state, n FROM tareas.counts WHERE shard = $1";
const OTHERS: &str = "SELECT queue, state, sum(n)::int8 FROM tareas.counts \
    WHERE shard < $1 OR shard >= $1 + $2 GROUP BY queue, state";
/// Shards of one server: more than it has connections that write.
pub(super) const SHARDS: i32 = 8;

/// Tasks by phase.
pub(super) type Phases = [i64; Phase::ALL.len()];
type Sums = HashMap<QueueName, Phases>;

/// One task's change of phase: from nothing when it is new, to nothing when it is removed.
pub(super) type Move<'a> = (&'a QueueName, Option<Phase>, Option<Phase>);

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Tally {
    first_shard: i32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    own: BTreeMap<i32, Sums>,
    others: Sums,
}

impl Tally {
    /// Nothing counted yet, for the shards from `first_shard` on.
    pub(super) fn new(first_shard: i32) -> Self {
        Self {
            first_shard,
            state: Mutex::default(),
        }
    }

    /// The shard of the server's connection with this number.
    pub(super) fn shard(&self, connection: i32) -> i32 {
        self.first_shard + connection
    }

    /// Takes over what is stored of one shard, which nobody writes meanwhile.
    pub(super) async fn read_own(&self, link: &Link, shard: i32) -> Result<(), Fault> {
        let sums = sums(&link.rows(OWN, &[&shard]).await?)?;
        self.lock().own.insert(shard, sums);
        Ok(())
    }

    /// Takes over what the other servers have stored.
    pub(super) async fn read_others(&self, link: &Link) -> Result<(), Fault> {
        let rows = link.rows(OTHERS, &[&self.first_shard, &SHARDS]).await?;
        self.lock().others = sums(&rows)?;
        Ok(())
    }

    /// Counts what a statement has done. Equal moves that come together are counted at once.
    pub(super) fn moved<'a>(&self, shard: i32, moves: impl Iterator<Item = Move<'a>>) {
        let mut state = self.lock();
        let sums = state.own.entry(shard).or_default();
        let mut equal: Option<(Move<'a>, i64)> = None;
        for next in moves {
            match &mut equal {
                Some((one, n)) if *one == next => *n += 1,
                _ => count(sums, equal.replace((next, 1))),
            }
        }
        count(sums, equal);
    }

    /// The sums over all shards.
    pub(super) fn sums(&self) -> BTreeMap<QueueName, Phases> {
        let state = self.lock();
        let mut all: BTreeMap<QueueName, Phases> = BTreeMap::new();
        for (queue, phases) in state.own.values().flatten().chain(&state.others) {
            let sum = all.entry(queue.clone()).or_default();
            for (sum, n) in sum.iter_mut().zip(phases) {
                *sum += n;
            }
        }
        all
    }

    /// The sums as the port tells them.
    pub(super) fn counts(&self) -> Counts {
        let sums = self.sums().into_iter();
        sums.map(|(queue, phases)| (queue, phases.map(|n| u64::try_from(n).unwrap_or(0))))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(sums: &mut Sums, moves: Option<(Move<'_>, i64)>) {
    let Some(((queue, was, is), n)) = moves else {
        return;
    };
    if !sums.contains_key(queue) {
        sums.insert(queue.clone(), Phases::default());
    }
    if let Some(phases) = sums.get_mut(queue) {
        if let Some(was) = was {
            phases[was as usize] -= n;
        }
        if let Some(is) = is {
            phases[is as usize] += n;
        }
    }
}

fn sums(rows: &[Row]) -> Result<Sums, Fault> {
    let mut sums = Sums::new();
    for row in rows {
        let phases = sums.entry(row::queue(row, 0)?).or_default();
        phases[row::phase(row, 1)? as usize] += row::get::<i64>(row, 2)?;
    }
    Ok(sums)
}
