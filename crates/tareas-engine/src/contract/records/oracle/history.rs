//! Random histories: what clients, pools and operators may come to ask.

use std::sync::Arc;
use std::time::Duration;

use tareas_core::{
    Actor, Batch, Command, Ending, Fence, Jitter, Ledger, NewTask, Options, Phase, Priority,
    QueueName, SessionId, Spec, Sweep, Task, TaskId, Timestamp, Token,
};

use super::super::super::random::Random;
use super::super::Store;
use super::super::given::{NOW, failed, queue, spec, success, text};

/// Tasks that a history has in hand at a time: few, so that it meets them again.
const IN_HAND: usize = 12;
const SESSIONS: [SessionId; 2] = [SessionId(1), SessionId(2)];

pub(super) fn queues() -> [QueueName; 2] {
    ["default", "slow"].map(queue)
}

/// What happens next.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Apply(Batch),
    Sweep(Sweep, Timestamp, usize),
    Pause(QueueName, bool),
    Wait,
    Compare,
}

/// A history, made as it goes.
pub(super) struct History {
    random: Random,
    now: Timestamp,
    ids: Vec<TaskId>,
    made: u128,
}

impl History {
    pub(super) fn new(seed: u64) -> Self {
        let mut history = Self {
            random: Random::new(seed),
            now: NOW,
            ids: Vec::new(),
            made: 0,
        };
        history.make_ids();
        history
    }

    /// Ids that are accepted at this time.
    fn make_ids(&mut self) {
        for _ in 0..IN_HAND {
            self.made += 1;
            self.ids.push(TaskId::v7(self.now, self.made));
        }
    }

    fn in_hand(&mut self) -> TaskId {
        let first = self.ids.len() - IN_HAND;
        self.ids[first + self.random.below(IN_HAND)]
    }

    /// The next step, which may depend on what was decided so far.
    pub(super) fn next(&mut self, oracle: &Ledger) -> Step {
        self.pass_time();
        match self.random.below(20) {
            0 => Step::Sweep(Sweep::Due, self.now, 1 + self.random.below(4)),
            1 => Step::Sweep(Sweep::Expired, self.now, 1 + self.random.below(4)),
            2 => {
                let session = self.random.pick(&SESSIONS);
                Step::Sweep(
                    Sweep::Reclaim {
                        session,
                        slots: 1,
                        worker: None,
                    },
                    self.now,
                    1_000,
                )
            }
            3 => Step::Sweep(Sweep::Prune, self.now, 50),
            4 => Step::Pause(
                queues()[self.random.below(2)].clone(),
                self.random.one_in(3),
            ),
            5 | 6 => Step::Wait,
            7 if self.random.one_in(3) => Step::Compare,
            _ => Step::Apply(self.batch(oracle)),
        }
    }

    fn pass_time(&mut self) {
        self.now = self.now + Duration::from_micros(self.random.next() % 2_000_000);
        if self.random.one_in(60) {
            self.now = self.now + Duration::from_secs(8 * 24 * 3600);
            self.make_ids();
        } else if self.random.one_in(20) {
            self.now = self.now - Duration::from_secs(1);
        } else if self.random.one_in(25) {
            self.make_ids();
        }
    }

    /// Commands about different tasks with different keys.
    fn batch(&mut self, oracle: &Ledger) -> Batch {
        let mut commands: Vec<Command> = Vec::new();
        let mut key = None;
        for _ in 0..=self.random.below(4) {
            let id = self.in_hand();
            if commands.iter().any(|command| command.task() == id) {
                continue;
            }
            let command = self.command(id, oracle.get(id));
            if let Command::Submit(new) = &command
                && let Some(new_key) = &new.spec.options().idempotency_key
                && key.replace(new_key.clone()).is_some()
            {
                continue;
            }
            commands.push(command);
        }
        Batch {
            now: self.now,
            commands,
        }
    }

    fn command(&mut self, id: TaskId, task: Option<&Task>) -> Command {
        let phase = task.map(Task::phase);
        // Most commands make sense; the others are what comes late, twice, or from nowhere.
        let sense = match phase {
            None => 0,
            Some(Phase::Scheduled) => 4,
            Some(Phase::Queued) => 1,
            Some(Phase::Running) => 2,
            Some(_) => 5,
        };
        let what = if self.random.one_in(4) {
            self.random.below(7)
        } else {
            sense
        };
        let attempt = task.map_or(0, |task| task.attempt);
        let by = Actor::System;
        match what {
            0 => Command::Submit(self.submission(id)),
            1 => self.claim(id, attempt),
            2 => self.settlement(id, task),
            3 => Command::Overdue {
                task: id,
                attempt,
                jitter: self.jitter(),
                ran_by: None,
            },
            4 => Command::Cancel {
                task: id,
                by,
                only: None,
            },
            5 => Command::Requeue {
                task: id,
                by,
                only: None,
            },
            _ => Command::Delete {
                task: id,
                by,
                only: None,
            },
        }
    }

    fn jitter(&mut self) -> Jitter {
        Jitter(self.random.next() as u32)
    }

    fn claim(&mut self, task: TaskId, attempt: u64) -> Command {
        let expected_attempt = attempt.saturating_sub(u64::from(self.random.one_in(8)));
        let token = Some(Token::new(u128::from(self.random.next())));
        Command::Claim {
            task,
            expected_attempt,
            session: self.random.pick(&SESSIONS),
            token,
        }
    }

    fn settlement(&mut self, id: TaskId, task: Option<&Task>) -> Command {
        let lease = task.and_then(Task::lease);
        let attempt = task.map_or(1, |task| task.attempt);
        let token = match lease {
            Some(lease) if !self.random.one_in(8) => lease.token,
            _ => task
                .and_then(|task| task.last_token)
                .or(Some(Token::new(1))),
        };
        let ending = match self.random.below(8) {
            0..=2 => success(),
            3 => failed("no", false),
            4 => failed("not now", true),
            5 => Ending::Cancelled,
            6 => Ending::Succeeded(text(&"7".repeat(3_000))),
            _ => Ending::Released,
        };
        let fence = Fence { attempt, token };
        Command::Settle {
            task: id,
            fence,
            ending,
            jitter: self.jitter(),
        }
    }

    fn submission(&mut self, id: TaskId) -> NewTask {
        let mut options = Options::default();
        if self.random.one_in(4) {
            options.idempotency_key = Some(format!("key-{}", self.random.below(4)).into());
        }
        if self.random.one_in(4) {
            options.expires_at = Some(self.now + Duration::from_secs(3));
        }
        if self.random.one_in(4) {
            options.retention = Some(Duration::from_secs(20));
        }
        let has_options = options != Options::default();
        let payload = if self.random.one_in(6) {
            "5".repeat(5_000)
        } else {
            "5".to_owned()
        };
        let spec = Spec {
            id,
            queue: queues()[self.random.below(2)].clone(),
            priority: Priority::new(4 + self.random.below(3) as u8).unwrap_or_default(),
            payload: text(&payload),
            submitted_at: self.now,
            options: has_options.then(|| Box::new(options)),
            ..spec(0)
        };
        let due_at = self
            .random
            .one_in(4)
            .then(|| self.now + Duration::from_secs(2));
        NewTask {
            spec: Arc::new(spec),
            due_at,
            id_is_fresh: false,
            quick: self.random.one_in(2),
        }
    }
}

/// A client that asks for anything, without looking at what others do.
pub(super) async fn meddle(store: &dyn Store, mut random: Random) {
    let mut history = History::new(7);
    history.random = Random::new(random.next());
    for _ in 0..150 {
        let id = history.in_hand();
        let (found, _) = store.load(&[id]).await.expect("the store is there");
        let command = history.command(id, found[0].as_ref());
        let batch = Batch {
            now: history.now,
            commands: vec![command],
        };
        store.apply(batch).await.expect("the store is there");
        if random.one_in(12) {
            store
                .sweep(Sweep::Due, history.now, 3)
                .await
                .expect("the store is there");
            history.now = history.now + Duration::from_secs(1);
        }
    }
}
