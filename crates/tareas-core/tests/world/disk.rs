//! A disk that takes cuts as the writer of a store does, and complains like one.

use std::collections::{BTreeMap, HashMap};

use tareas_core::ledger::{Cut, Row, Stored, Write};
use tareas_core::{Phase, QueueName, Sweep, Task, TaskId, Timestamp, lifecycle};

#[derive(Debug, Default)]
pub(crate) struct Disk {
    rows: BTreeMap<u64, Task>,
    ids: HashMap<TaskId, u64>,
    keys: HashMap<String, TaskId>,
    counts: BTreeMap<(QueueName, Phase), i64>,
    high_seq: u64,
}

impl Disk {
    pub(crate) fn write(&mut self, cut: &Cut) {
        for row in &cut.rows {
            self.write_row(row);
        }
        for (key, id) in &cut.keys {
            let before = self.keys.insert(key.to_string(), *id);
            assert_eq!(before, None, "a key is free before it is taken");
        }
        for change in &cut.counts {
            *self
                .counts
                .entry((change.queue.clone(), change.phase))
                .or_default() += change.by;
        }
        assert!(
            cut.high_seq >= self.high_seq,
            "numbers are never used twice"
        );
        self.high_seq = cut.high_seq;
    }

    fn write_row(&mut self, row: &Row) {
        let (seq, id) = (row.seq, row.task.id());
        match row.write {
            Write::Insert => {
                assert!(seq > self.rows.keys().next_back().copied().unwrap_or(0) || seq > 0);
                assert_eq!(self.ids.insert(id, seq), None, "{id} is unique");
                assert!(self.rows.insert(seq, row.task.clone()).is_none());
            }
            Write::Update { base } => {
                let stored = self.rows.get_mut(&seq).expect("an update finds its row");
                assert_eq!(
                    stored.version, base,
                    "an update finds the version it expects"
                );
                assert!(row.task.version > base, "and raises it");
                *stored = row.task.clone();
            }
            Write::Delete { base } => {
                let stored = self.rows.remove(&seq).expect("a delete finds its row");
                assert_eq!(
                    stored.version, base,
                    "a delete finds the version it expects"
                );
                self.ids.remove(&id);
                self.keys.retain(|_, owner| *owner != id);
            }
            Write::Nothing => assert!(!self.rows.contains_key(&seq)),
        }
    }

    pub(crate) fn task(&self, id: TaskId) -> Option<Task> {
        self.stored(id).map(|stored| stored.task)
    }

    pub(crate) fn stored(&self, id: TaskId) -> Option<Stored> {
        let seq = *self.ids.get(&id)?;
        Some(Stored {
            seq,
            task: self.rows[&seq].clone(),
        })
    }

    pub(crate) fn key(&self, key: &str) -> Option<TaskId> {
        self.keys.get(key).copied()
    }

    /// What a sweep finds in the rows.
    pub(crate) fn candidates(&self, sweep: Sweep, now: Timestamp) -> Vec<TaskId> {
        let is_found = |task: &&Task| match sweep {
            Sweep::Due => task.phase() == Phase::Scheduled,
            Sweep::Expired => !task.state.is_terminal(),
            Sweep::Reclaim { session, .. } => task.lease().is_some_and(|l| l.session == session),
            Sweep::Prune => lifecycle::may_prune(task, now),
        };
        self.rows.values().filter(is_found).map(Task::id).collect()
    }

    /// The disk holds these tasks, these counts, and nothing else.
    pub(crate) fn check(&self, decided: &HashMap<TaskId, Task>) {
        assert_eq!(self.rows.len(), decided.len());
        let mut counts: BTreeMap<(QueueName, Phase), i64> = BTreeMap::new();
        for task in self.rows.values() {
            assert_eq!(decided.get(&task.id()), Some(task));
            *counts
                .entry((task.spec.queue.clone(), task.phase()))
                .or_default() += 1;
        }
        let kept = self
            .counts
            .iter()
            .filter(|(_, n)| **n != 0)
            .map(|(k, n)| (k.clone(), *n));
        assert_eq!(
            kept.collect::<BTreeMap<_, _>>(),
            counts,
            "counts written equal a recount"
        );
        assert!(
            self.keys.values().all(|id| decided.contains_key(id)),
            "keys go with their task"
        );
    }
}
