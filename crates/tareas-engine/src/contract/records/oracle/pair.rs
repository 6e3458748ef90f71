//! A store beside the oracle: each step is taken by both, and compared.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tareas_core::ledger::{Config, Stored, Write, priorities};
use tareas_core::{
    Attempt, Batch, Command, Lane, Ledger, Outcome, Phase, Place, Rejected, Sweep, Task, TaskId,
    Timestamp,
};

use super::super::Store;
use super::super::given::{all_durable, attempts, pages, until_durable, without_place};
use super::history::{Step, queues};
use crate::ports::TaskQuery;

/// See the module's documentation.
pub(super) struct Pair {
    /// Absent while it is being opened again.
    store: Option<Arc<dyn Store>>,
    oracle: Ledger,
    attempts: HashMap<TaskId, Vec<Attempt>>,
    /// The order of acceptance of what there is.
    seqs: HashMap<TaskId, u64>,
    /// What the next life of the oracle goes on from.
    config: Config,
    /// Everything that was ever submitted.
    ids: Vec<TaskId>,
}

impl Pair {
    pub(super) async fn new(store: Arc<dyn Store>) -> Self {
        let before = pages(
            &*store,
            TaskQuery {
                limit: 100,
                ..TaskQuery::default()
            },
        )
        .await;
        assert!(before.is_empty(), "a history begins with an empty store");
        Self {
            store: Some(store),
            oracle: Ledger::new(Config::default()),
            attempts: HashMap::new(),
            seqs: HashMap::new(),
            config: Config::default(),
            ids: Vec::new(),
        }
    }

    pub(super) fn oracle(&self) -> &Ledger {
        &self.oracle
    }

    /// Lets go of the store, so that it can end.
    pub(super) fn release_store(&mut self) {
        self.store = None;
    }

    /// Goes on with the next life of the store.
    pub(super) fn hold(&mut self, store: Arc<dyn Store>, was_sudden: bool) {
        self.store = Some(store);
        if was_sudden {
            self.suspect_all();
        }
    }

    /// Begins a life of the oracle in which everything accepted so far may have been started.
    fn suspect_all(&mut self) {
        let suspect_seq = self.config.high_seq;
        let mut next = Ledger::new(Config {
            suspect_seq,
            ..self.config.clone()
        });
        let stored = self.seqs.iter().filter_map(|(id, seq)| {
            let task = self.oracle.get(*id)?.clone();
            Some(Stored { seq: *seq, task })
        });
        next.install(stored.collect());
        for (queue, counts) in self.oracle.counts() {
            next.install_counts(queue, *counts);
        }
        for (queue, paused) in self.oracle.queues() {
            next.install_paused(queue, paused);
        }
        self.oracle = next;
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.store.as_ref().expect("a store between restarts"))
    }

    /// Takes one step with both and compares.
    pub(super) async fn take(&mut self, step: Step) {
        match step {
            Step::Apply(batch) => {
                self.apply(batch.clone()).await;
                self.repeat(batch).await;
            }
            Step::Sweep(sweep, now, limit) => self.sweep(sweep, now, limit).await,
            Step::Pause(queue, paused) => {
                self.store()
                    .pause(&queue, paused)
                    .await
                    .expect("the store is there");
                self.oracle.pause(&queue, paused);
                self.settle(Timestamp::EPOCH);
            }
            Step::Wait => all_durable(&*self.store()).await,
            Step::Compare => self.compare_all().await,
        }
        self.compare_lines().await;
    }

    async fn apply(&mut self, batch: Batch) {
        let submitted = batch.commands.iter().filter_map(|command| match command {
            Command::Submit(new) => Some(new.spec.id),
            _ => None,
        });
        self.ids.extend(submitted);
        let found = apply_with_patience(&*self.store(), &batch).await;
        let expected = self.oracle.decide(&batch).outcomes;
        self.settle(batch.now);
        for ((command, found), expected) in batch.commands.iter().zip(found).zip(expected) {
            assert_eq!(told(&found), told(&expected), "of {command:?}");
        }
    }

    /// Applies a batch for the second time.
    async fn repeat(&mut self, batch: Batch) {
        let before = self.store().load(&[]).await.expect("the store is there").1;
        let found = apply_with_patience(&*self.store(), &batch).await;
        let expected = self.oracle.decide(&batch).outcomes;
        self.settle(batch.now);
        for ((command, found), expected) in batch.commands.iter().zip(found).zip(expected) {
            assert_eq!(
                told(&found),
                told(&expected),
                "of {command:?}, the second time"
            );
            assert!(
                !matches!(found, Outcome::Done(_)),
                "{command:?} was done twice"
            );
        }
        let after = self.store().load(&[]).await.expect("the store is there").1;
        assert_eq!(before, after, "nothing new was decided");
    }

    async fn sweep(&mut self, sweep: Sweep, now: Timestamp, limit: usize) {
        if sweep == Sweep::Prune {
            return self.prune(now).await;
        }
        let found = self
            .store()
            .sweep(sweep.clone(), now, limit)
            .await
            .expect("the store is there");
        let candidates = self.oracle.candidates(&sweep, now, limit);
        let expected = self.oracle.decide_sweep(&sweep, &candidates, now);
        self.settle(now);
        let told_all = |outcomes: &[Outcome]| outcomes.iter().map(told).collect::<Vec<_>>();
        let (found, expected) = (told_all(&found.outcomes), told_all(&expected.outcomes));
        assert_eq!(found, expected, "{sweep:?} of {limit} at {now:?}");
    }

    /// Pruners go in their own order and steps: what counts is what is gone in the end.
    async fn prune(&mut self, now: Timestamp) {
        let candidates = self.oracle.candidates(&Sweep::Prune, now, usize::MAX);
        self.oracle.decide_sweep(&Sweep::Prune, &candidates, now);
        self.settle(now);
        let mut left = candidates.len();
        for _ in 0..20 {
            all_durable(&*self.store()).await;
            let swept = self.store().sweep(Sweep::Prune, now, 50).await;
            let outcomes = swept.expect("the store is there").outcomes;
            left -= outcomes
                .iter()
                .filter(|o| matches!(o, Outcome::Done(_)))
                .count();
            if left == 0 {
                return;
            }
        }
        panic!("{left} of {} tasks were not pruned", candidates.len());
    }

    /// Makes the oracle's decisions durable, and keeps what a store keeps of attempts.
    fn settle(&mut self, now: Timestamp) {
        let cut = self.oracle.settle_in_memory(now);
        self.config.high_seq = cut.high_seq;
        self.config.high_place = cut.high_place;
        for row in cut.rows {
            let id = row.task.id();
            match row.write {
                Write::Delete { .. } | Write::Nothing => {
                    self.attempts.remove(&id);
                    self.seqs.remove(&id);
                }
                Write::Insert | Write::Update { .. } => {
                    self.attempts.entry(id).or_default().extend(row.endings);
                    self.seqs.insert(id, row.seq);
                }
            }
        }
    }

    async fn compare_lines(&self) {
        for queue in queues() {
            for priority in priorities() {
                let lane = Lane {
                    queue: queue.clone(),
                    priority,
                };
                let found = self.store().ready(&lane, Place::START, 1_000).await;
                let expected = self.oracle.ready(&lane, Place::START, 1_000);
                let told = |hints: &[tareas_core::Hint]| -> Vec<_> {
                    hints
                        .iter()
                        .map(|h| (h.task, h.attempt, h.suspect))
                        .collect()
                };
                let found = found.expect("the store is there");
                assert_eq!(told(&found), told(&expected), "the line of {lane:?}");
            }
        }
    }

    /// Compares every view.
    pub(super) async fn compare_all(&self) {
        let store = self.store();
        let (found, _) = store.load(&self.ids).await.expect("the store is there");
        for (id, found) in self.ids.iter().zip(found) {
            let found = found.as_ref().map(without_place);
            let expected = self.oracle.get(*id).map(without_place);
            assert_eq!(found, expected, "task {id}");
        }
        self.compare_counts(&*store);
        all_durable(&*store).await;
        self.compare_counts(&*store);
        let shown = pages(
            &*store,
            TaskQuery {
                limit: 9,
                ..TaskQuery::default()
            },
        )
        .await;
        assert_eq!(shown.len(), self.oracle.live(), "pages show all there is");
        for task in shown {
            let expected = self.oracle.get(task.id()).map(without_place);
            assert_eq!(Some(without_place(&task)), expected, "as shown");
            let expected = self.attempts.get(&task.id()).cloned().unwrap_or_default();
            assert_eq!(
                attempts(&*store, task.id()).await,
                expected,
                "attempts of {}",
                task.id()
            );
        }
    }

    fn compare_counts(&self, store: &dyn Store) {
        let mut found = store.counts();
        for (queue, expected) in self.oracle.counts() {
            let found = found.remove(queue).unwrap_or_default();
            let expected = expected.map(|n| u64::try_from(n).expect("counts are not negative"));
            assert_eq!(found, expected, "counts of {queue}");
        }
        assert!(
            found.values().all(|phases| phases.iter().all(|n| *n == 0)),
            "{found:?}"
        );
    }
}

/// Applies a batch; claims that come too early are made again once they may be.
async fn apply_with_patience(store: &dyn Store, batch: &Batch) -> Vec<Outcome> {
    let applied = store
        .apply(batch.clone())
        .await
        .expect("the store is there");
    let mut outcomes = applied.outcomes;
    assert_eq!(outcomes.len(), batch.commands.len());
    for (command, outcome) in batch.commands.iter().zip(&mut outcomes) {
        while let Outcome::Refused(Rejected::Undurable { until }) = outcome {
            until_durable(store, *until).await;
            let again = Batch {
                now: batch.now,
                commands: vec![command.clone()],
            };
            let mut applied = store.apply(again).await.expect("the store is there");
            *outcome = applied.outcomes.remove(0);
        }
    }
    outcomes
}

/// An outcome in words that a store and the oracle must agree on.
fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(task) => format!("done: {:?}", without_place(task)),
        Outcome::Already(task) => format!("already: {:?}", without_place(task)),
        Outcome::Refused(rejected) => format!("refused: {rejected}"),
    }
}

/// Maintained counts equal a recount of all tasks.
pub(super) async fn compare_counts_with_tasks(store: &dyn Store) {
    all_durable(store).await;
    let tasks: Vec<Task> = pages(
        store,
        TaskQuery {
            limit: 50,
            ..TaskQuery::default()
        },
    )
    .await;
    let mut recount: BTreeMap<_, [u64; Phase::ALL.len()]> = BTreeMap::new();
    for task in &tasks {
        recount.entry(task.spec.queue.clone()).or_default()[task.phase() as usize] += 1;
    }
    let mut counts = store.counts();
    counts.retain(|_, phases| phases.iter().any(|n| *n > 0));
    assert_eq!(counts, recount);
}
