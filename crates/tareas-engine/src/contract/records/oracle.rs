//! The core as the oracle: whatever is asked of a store, in whatever order, it decides as a
//! ledger that keeps everything in memory.

use std::sync::Arc;

use super::super::random::Random;
use super::super::seeded;
use super::FreshRecords;
use super::given::all_durable;

mod history;
mod pair;

use self::history::History;
use self::pair::Pair;

/// Steps of one history.
const STEPS: usize = 250;

/// Outcomes command by command, then every view: random batches, sweeps, pauses and waits.
pub async fn random_batches_are_decided_as_the_oracle_decides_them(fresh: &FreshRecords) {
    for mut random in seeded() {
        let mut pair = Pair::new(fresh.open().await).await;
        let mut history = History::new(random.next());
        for _ in 0..STEPS {
            pair.take(history.next(pair.oracle())).await;
        }
        pair.compare_all().await;
    }
}

/// The same, with restarts in between.
pub async fn random_histories_with_restarts_equal_the_oracle(fresh: &FreshRecords) {
    for mut random in seeded().take(2) {
        let mut store = fresh.open().await;
        let mut pair = Pair::new(Arc::clone(&store)).await;
        let mut history = History::new(random.next());
        for step in 0..STEPS {
            pair.take(history.next(pair.oracle())).await;
            if step % 50 == 49 {
                all_durable(&*store).await;
                pair.release_store();
                store = fresh.reopen(store).await;
                pair.hold(Arc::clone(&store), fresh.is_sudden());
                pair.compare_all().await;
            }
        }
    }
}

/// Eight clients at once: whatever the order was, counts are what the tasks say.
pub async fn random_batches_at_once_leave_what_the_counts_say(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let clients = (0..8).map(|seed| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { history::meddle(&*store, Random::new(seed)).await })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("no client fails");
    }
    pair::compare_counts_with_tasks(&*store).await;
    all_durable(&*store).await;
    pair::compare_counts_with_tasks(&*store).await;
}
