//! What every adapter of a port must keep, as tests.
//!
//! A clause is a plain async function that takes a fresh adapter and reads as a specification.
//! The clauses of a port are listed once, in its macro; one line in an adapter's tests makes a
//! named test of each:
//!
//! ```ignore
//! mod memory {
//!     tareas_engine::queue_contract!(super::memory());
//! }
//! ```
//!
//! The argument is anything that is [`Fresh`]: a closure that makes an adapter, or a type that
//! also knows how to open one again over what it kept. Adapters that survive a restart run
//! `records_restart_contract!` or `blobs_restart_contract!` besides.
//!
//! Random clauses print their `SEED`; setting that variable replays one of them.

#![expect(clippy::unwrap_used, reason = "a clause that panics does not hold")]

pub mod access;
pub mod blobs;
pub mod queue;
mod random;
pub mod records;
pub mod transfer;
pub mod webhooks;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use self::random::Random;

/// A clause that takes longer than this hangs.
const CLAUSE_TIMEOUT: Duration = Duration::from_secs(300);
/// Seeds that random clauses try when none is given.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=6;

/// Where one clause gets its adapters from.
#[async_trait]
pub trait Fresh<P: ?Sized + Send + Sync + 'static>: Send + Sync {
    /// Opens a new adapter, with nothing in it.
    async fn open(&self) -> Arc<P>;

    /// Ends the life of the adapter that was opened last, and opens it again with what it kept.
    /// Nobody else holds it.
    async fn reopen(&self, old: Arc<P>) -> Arc<P> {
        drop(old);
        panic!("this adapter keeps nothing: its restart clauses make no sense")
    }

    /// Whether the service that it needs is not installed: then a clause is skipped, after
    /// saying so.
    fn is_absent(&self) -> bool {
        false
    }

    /// Whether `reopen` gives the life before no last word. Starts may then be unrecorded, and
    /// attempt numbers leave gaps.
    fn is_sudden(&self) -> bool {
        false
    }
}

#[async_trait]
impl<P, F> Fresh<P> for F
where
    P: ?Sized + Send + Sync + 'static,
    F: Fn() -> Arc<P> + Send + Sync,
{
    async fn open(&self) -> Arc<P> {
        self()
    }
}

/// Runs one clause on a runtime of its own.
///
/// # Panics
/// When the clause does not hold, or hangs.
pub fn run(clause: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime for one clause");
    let in_time = runtime.block_on(async { tokio::time::timeout(CLAUSE_TIMEOUT, clause).await });
    assert!(in_time.is_ok(), "the clause hangs");
}

/// Chance for random clauses: one for each seed, or the one that was asked for.
fn seeded() -> impl Iterator<Item = Random> {
    let asked = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seeds = asked.map_or(SEEDS, |seed: u64| seed..=seed);
    seeds.map(|seed| {
        eprintln!("SEED={seed}");
        Random::new(seed)
    })
}

/// Makes a test of each clause.
#[doc(hidden)]
#[macro_export]
macro_rules! clauses {
    ($port:ident, $fresh:expr; $($clause:ident,)+) => {
        $(
            #[test]
            fn $clause() {
                let fresh = $fresh;
                if !$crate::contract::$port::is_absent(&fresh) {
                    $crate::contract::run($crate::contract::$port::$clause(&fresh));
                }
            }
        )+
    };
}

#[cfg(test)]
mod tests {
    /// Every public async function of these files is a clause, and every clause is listed.
    fn assert_listed(list: &str, files: &[&str]) {
        for line in files.iter().flat_map(|file| file.lines()) {
            let Some(rest) = line.strip_prefix("pub async fn ") else {
                continue;
            };
            let clause = rest.split('(').next().unwrap();
            assert!(
                list.contains(&format!("        {clause},\n")),
                "{clause} is not listed"
            );
        }
    }

    #[test]
    fn every_clause_is_listed() {
        let queue = include_str!("queue/mod.rs");
        let files = [
            include_str!("queue/delivery.rs"),
            include_str!("queue/spilling.rs"),
        ];
        assert_listed(queue, &files);
        assert_listed(include_str!("blobs.rs"), &[include_str!("blobs.rs")]);
        assert_listed(include_str!("access.rs"), &[include_str!("access.rs")]);
        let files = [
            include_str!("records/identity.rs"),
            include_str!("records/attempts.rs"),
            include_str!("records/order.rs"),
            include_str!("records/sweeps.rs"),
            include_str!("records/views.rs"),
            include_str!("records/durability.rs"),
            include_str!("records/oracle.rs"),
            include_str!("records/restart.rs"),
        ];
        assert_listed(include_str!("records/mod.rs"), &files);
        let files = [
            include_str!("transfer/whole.rs"),
            include_str!("transfer/runs.rs"),
        ];
        assert_listed(include_str!("transfer/mod.rs"), &files);
    }
}
