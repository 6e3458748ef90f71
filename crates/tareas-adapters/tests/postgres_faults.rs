//! What happens when statements meet, and when PostgreSQL dies.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod postgres_support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postgres_support::{
    NOW, SESSION, claim, done, open, runtime, settle, submission, submit, submit_with,
};
use tareas_adapters::PostgresRecords;
use tareas_adapters::records::postgres::PostgresOptions;
use tareas_core::{
    Actor, Applied, Batch, Command, Outcome, Phase, QueueName, Rejected, Sweep, Task, TaskId,
    Token, Want,
};
use tareas_engine::ports::{ApplyError, Clock, Records, SystemClock, TaskQuery};
use tareas_services::{FaultProxy, Postgres, Service, Side, is_missing};

/// SplitMix64: chance that can be replayed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (bits ^ (bits >> 27)) % end
    }
}

fn random_command(chance: &mut Chance, id: TaskId, found: Option<&Task>) -> Command {
    match (chance.below(6), found) {
        (0, _) | (_, None) => submit_with(submission(id), chance.below(2) == 0),
        (1, Some(_)) => Command::Cancel {
            task: id,
            by: Actor::System,
            only: None,
        },
        (2, Some(_)) => Command::Requeue {
            task: id,
            by: Actor::System,
            only: None,
        },
        (3, Some(task)) if task.state.is_terminal() => Command::Delete {
            task: id,
            by: Actor::System,
            only: None,
        },
        (_, Some(task)) if task.lease().is_some() => settle(task),
        (_, Some(task)) => claim(id, task.attempt),
    }
}

/// One client: all kinds of statements over the same ids, each time in another order.
async fn meddle(records: Arc<PostgresRecords>, ids: Vec<TaskId>, seed: u64) {
    let mut chance = Chance(seed);
    for round in 0..40 {
        let now = *NOW + Duration::from_secs(round);
        let mut some = ids.clone();
        for place in (1..some.len()).rev() {
            some.swap(place, chance.below(place as u64 + 1) as usize);
        }
        some.truncate(1 + chance.below(ids.len() as u64) as usize);
        let (found, _) = records.load(&some).await.unwrap();
        let commands = some
            .iter()
            .zip(&found)
            .map(|(id, found)| random_command(&mut chance, *id, found.as_ref()))
            .collect();
        records.apply(Batch { now, commands }).await.unwrap();
        let sweep = match chance.below(4) {
            0 => Sweep::Due,
            1 => Sweep::Expired,
            2 => Sweep::Reclaim {
                session: SESSION,
                slots: 4,
                worker: None,
            },
            _ => Sweep::Prune,
        };
        records.sweep(sweep, now, 50).await.unwrap();
        let want = Want {
            queues: vec![QueueName::default()],
            kinds: None,
            labels: None,
            session: SESSION,
            tokens: (0..5).map(|n| Some(Token::new(n + 1_000))).collect(),
            now,
        };
        records.claim_next(want).await.unwrap();
    }
}

async fn recount(records: &PostgresRecords) -> BTreeMap<Phase, u64> {
    let mut counted = BTreeMap::new();
    let mut query = TaskQuery {
        limit: 1_000,
        ..TaskQuery::default()
    };
    loop {
        let page = records.page(&query).await.unwrap();
        for task in page.tasks {
            *counted.entry(task.phase()).or_default() += 1;
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return counted,
        }
    }
}

fn counts(records: &PostgresRecords) -> BTreeMap<Phase, u64> {
    let counts = records.counts();
    let phases = counts.get(&QueueName::default()).copied();
    let phases = Phase::ALL.into_iter().zip(phases.unwrap_or_default());
    phases.filter(|(_, n)| *n > 0).collect()
}

/// Nothing depends on the promise that an id was made just now.
#[test]
fn an_id_that_is_not_fresh_is_found_out() {
    if is_missing(Service::Postgres) {
        return;
    }
    let url = Postgres::shared().database();
    runtime().block_on(async {
        let records = open(&url, 1).await;
        let ids: Vec<TaskId> = (0..10).map(|n| TaskId::v7(*NOW, n)).collect();
        let submit_all = |ids: &[TaskId]| Batch {
            now: *NOW,
            commands: ids
                .iter()
                .map(|id| submit_with(submission(*id), true))
                .collect(),
        };
        let first = records.apply(submit_all(&ids[..4])).await.unwrap();
        assert!(first.outcomes.iter().all(|o| matches!(o, Outcome::Done(_))));
        let both = records.apply(submit_all(&ids)).await.unwrap();
        let is_known: Vec<bool> = both
            .outcomes
            .iter()
            .map(|outcome| matches!(outcome, Outcome::Already(_)))
            .collect();
        assert_eq!(is_known, (0..10).map(|n| n < 4).collect::<Vec<_>>());
        assert_eq!(recount(&records).await, counts(&records));
    });
}

/// Two servers, eight clients, fifty ids: whatever meets, nobody is told of a deadlock, and each
/// server's counts are those of the table in the end.
#[test]
fn all_statements_meet_over_the_same_ids() {
    if is_missing(Service::Postgres) {
        return;
    }
    let postgres = Postgres::shared();
    let url = postgres.database();
    runtime().block_on(async {
        let servers = [Arc::new(open(&url, 1).await), Arc::new(open(&url, 2).await)];
        let ids: Vec<TaskId> = (1..=50).map(|n| TaskId::v7(*NOW, n)).collect();
        let clients = (0..8).map(|seed| {
            let records = Arc::clone(&servers[seed as usize % 2]);
            tokio::spawn(meddle(records, ids.clone(), seed))
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.unwrap();
        }
        let expected = recount(&servers[0]).await;
        for server in &servers {
            // What the other server counts is read once a second, later on a busy machine.
            for _ in 0..40 {
                if counts(server) == expected {
                    break;
                }
                SystemClock.sleep(Duration::from_millis(500)).await;
            }
            assert_eq!(counts(server), expected);
        }
    });
}

/// What a client was told of its tasks.
#[derive(Default)]
struct Told {
    accepted: Mutex<Vec<TaskId>>,
    ended: Mutex<Vec<TaskId>>,
    failures: AtomicU64,
}

/// Applies until it is decided, as a client does that keeps the id of what it sends.
async fn insist(records: &PostgresRecords, command: Command, told: &Told) -> Outcome {
    loop {
        let batch = Batch {
            now: SystemClock.now(),
            commands: vec![command.clone()],
        };
        match records.apply(batch).await {
            // Refused for now, and for sure: too much waits for PostgreSQL to come back.
            Ok(applied) if is_overloaded(&applied.outcomes[0]) => {
                told.failures.fetch_add(1, Ordering::Relaxed);
                SystemClock.sleep(Duration::from_millis(20)).await;
            }
            Ok(mut applied) => return applied.outcomes.remove(0),
            Err(ApplyError::NotApplied(_) | ApplyError::Unknown(_)) => {
                told.failures.fetch_add(1, Ordering::Relaxed);
                SystemClock.sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

fn is_overloaded(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(Rejected::Overloaded))
}

/// Tasks from submission to end, one after the other, without tokens, as the pool of the same
/// process runs them.
async fn live(records: Arc<PostgresRecords>, told: Arc<Told>, seed: u64, end: Arc<AtomicBool>) {
    let mut number = 0;
    while !end.load(Ordering::Relaxed) {
        number += 1;
        let id = TaskId::v7(SystemClock.now(), u128::from(seed) << 32 | number);
        let submitted = insist(&records, submit(submission(id)), &told).await;
        assert!(submitted.task().is_some(), "{submitted:?}");
        told.accepted.lock().unwrap().push(id);
        let claim = Command::Claim {
            task: id,
            expected_attempt: 0,
            session: SESSION,
            token: None,
        };
        let claimed = insist(&records, claim, &told).await;
        let Outcome::Done(task) = claimed else {
            panic!("nobody else claims it: {claimed:?}")
        };
        let settled = insist(&records, settle(&task), &told).await;
        assert!(
            matches!(settled, Outcome::Done(_)),
            "nobody else settles it: {settled:?}"
        );
        told.ended.lock().unwrap().push(id);
    }
}

/// PostgreSQL is killed under load, again and again: the server that uses it connects again by
/// itself, what was sent and not answered is found out, and nothing acknowledged is lost.
#[test]
fn a_killed_postgres_loses_nothing() {
    if is_missing(Service::Postgres) {
        return;
    }
    let mut postgres = Postgres::start();
    let url = postgres.database();
    let runtime = runtime();
    let records = Arc::new(runtime.block_on(open(&url, 1)));
    let (told, end) = (Arc::new(Told::default()), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (1..=20)
        .map(|seed| {
            let (records, told) = (Arc::clone(&records), Arc::clone(&told));
            runtime.spawn(live(records, told, seed, Arc::clone(&end)))
        })
        .collect();
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(700));
        postgres.kill9();
        std::thread::sleep(Duration::from_millis(100));
        postgres.restart();
    }
    std::thread::sleep(Duration::from_millis(1_500));
    end.store(true, Ordering::Relaxed);
    runtime.block_on(async {
        for client in clients {
            client.await.unwrap();
        }
        let accepted = told.accepted.lock().unwrap().clone();
        let ended = told.ended.lock().unwrap().len();
        eprintln!(
            "{} accepted, {ended} ended, {} failures, {} connections",
            accepted.len(),
            told.failures.load(Ordering::Relaxed),
            records.stats().connects()
        );
        assert_eq!(accepted.len(), ended);
        let (found, _) = records.load(&accepted).await.unwrap();
        for (id, task) in accepted.iter().zip(found) {
            assert_eq!(
                task.map(|task| task.phase()),
                Some(Phase::Succeeded),
                "{id}"
            );
        }
        SystemClock.sleep(Duration::from_millis(1_500)).await;
        assert_eq!(counts(&records), recount(&records).await);
        assert!(records.stats().connects() > 4, "it connected again");
    });
}

/// A wire to PostgreSQL that is cut while a statement waits for a lock, and what becomes of it.
struct CutWire {
    records: Arc<PostgresRecords>,
    wire: FaultProxy,
    /// Past the wire.
    direct: tokio_postgres::Client,
    _postgres: Arc<Postgres>,
}

impl CutWire {
    async fn new() -> Self {
        let postgres = Postgres::shared();
        let url = postgres.database();
        let (_, after) = url.rsplit_once(':').unwrap();
        let (port, database) = after.split_once('/').unwrap();
        let wire = FaultProxy::start(([127, 0, 0, 1], port.parse().unwrap()).into());
        let through_it = format!("postgres://postgres@{}/{database}", wire.address());
        let records = Arc::new(open(&through_it, 1).await);
        let (direct, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        Self {
            records,
            wire,
            direct,
            _postgres: postgres,
        }
    }

    /// The statement under way can neither be told of nor end, until `release`.
    async fn cut_while_it_waits(&self) {
        const WAITING: &str = "SELECT count(*) FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let waiting = async || {
            let found = self.direct.query_one(WAITING, &[]).await.unwrap();
            found.get::<_, i64>(0)
        };
        while waiting().await == 0 {
            SystemClock.sleep(Duration::from_millis(10)).await;
        }
        self.wire.cut();
        // Long enough to connect again, and to look at what is not so any more in a moment.
        SystemClock.sleep(Duration::from_millis(500)).await;
    }

    /// Every statement that changes a count waits from now on, when it has done all the rest.
    async fn hold(&self) {
        let hold = "BEGIN; SELECT FROM tareas.counts FOR UPDATE";
        self.direct.batch_execute(hold).await.unwrap();
    }

    async fn release(&self) {
        self.direct.batch_execute("COMMIT").await.unwrap();
    }
}

/// The wire is cut while PostgreSQL is still at work on a claim: whatever becomes of that
/// statement, who claimed knows of every task that runs.
#[test]
fn a_claim_whose_wire_is_cut_meanwhile_is_known() {
    if is_missing(Service::Postgres) {
        return;
    }
    runtime().block_on(async {
        let cut = CutWire::new().await;
        let now = *NOW;
        let apply = |command| {
            let records = Arc::clone(&cut.records);
            let commands = vec![command];
            tokio::spawn(async move { records.apply(Batch { now, commands }).await })
        };
        let first = async |command| {
            let applied = apply(command).await.unwrap().unwrap();
            done(&applied.outcomes[0]).clone()
        };
        let [before, id] = [1, 2].map(|n| TaskId::v7(now, n));
        first(submit(submission(before))).await;
        first(submit(submission(id))).await;
        first(claim(before, 0)).await;
        cut.hold().await;
        let claimed = apply(claim(id, 0));
        cut.cut_while_it_waits().await;
        cut.release().await;
        let claimed = claimed.await.unwrap().unwrap();
        assert_eq!(done(&claimed.outcomes[0]).phase(), Phase::Running);
        let settled = first(settle(done(&claimed.outcomes[0]))).await;
        assert_eq!(settled.phase(), Phase::Succeeded);
    });
}

/// One claim of two is decided when the wire is cut: it is told of all the same, since nobody else
/// would run the task.
#[test]
fn claims_that_are_decided_are_not_in_doubt_with_others() {
    if is_missing(Service::Postgres) {
        return;
    }
    runtime().block_on(async {
        let cut = CutWire::new().await;
        let [id, never] = [1, 2].map(|n| TaskId::v7(*NOW, n));
        let now = *NOW;
        let commands = vec![submit(submission(id))];
        cut.records.apply(Batch { now, commands }).await.unwrap();
        // What is not claimed at once is looked at: pauses first.
        let pauses = b"SELECT name FROM tareas.queues WHERE paused";
        cut.wire.cut_instead_of(Side::Client, pauses);
        let commands = vec![claim(id, 0), claim(never, 0)];
        let applied = cut.records.apply(Batch { now, commands }).await.unwrap();
        assert!(cut.wire.has_sprung());
        assert_eq!(done(&applied.outcomes[0]).phase(), Phase::Running);
        let rest = &applied.outcomes[1];
        let is_to_try_again = matches!(rest, Outcome::Refused(Rejected::Undurable { .. }));
        assert!(is_to_try_again, "{rest:?}");
    });
}

/// A hint that comes twice: its second claim, whose answer is lost, is not taken for the first.
#[test]
fn a_repeated_claim_whose_answer_is_lost_starts_nothing() {
    if is_missing(Service::Postgres) {
        return;
    }
    runtime().block_on(async {
        let cut = CutWire::new().await;
        let (id, now) = (TaskId::v7(*NOW, 1), *NOW);
        let commands = vec![submit(submission(id))];
        cut.records.apply(Batch { now, commands }).await.unwrap();
        let command = Command::Claim {
            task: id,
            expected_attempt: 0,
            session: SESSION,
            token: None,
        };
        let claim_at = async |now| {
            let commands = vec![command.clone()];
            let applied = cut.records.apply(Batch { now, commands }).await.unwrap();
            applied.outcomes[0].clone()
        };
        assert_eq!(done(&claim_at(now).await).phase(), Phase::Running);
        cut.wire.cut_instead_of(Side::Server, b"SELECT 0");
        let again = claim_at(now + Duration::from_millis(1)).await;
        assert!(cut.wire.has_sprung());
        assert!(!matches!(again, Outcome::Done(_)), "{again:?}");
    });
}

/// Claims of what is next are known, too.
#[test]
fn a_claim_of_the_next_whose_wire_is_cut_meanwhile_is_known() {
    if is_missing(Service::Postgres) {
        return;
    }
    runtime().block_on(async {
        let cut = CutWire::new().await;
        let ids: Vec<_> = (1..=4).map(|n| TaskId::v7(*NOW, n)).collect();
        let (now, commands) = (*NOW, ids.iter().map(|id| submit(submission(*id))).collect());
        cut.records.apply(Batch { now, commands }).await.unwrap();
        let next = |many| {
            let records = Arc::clone(&cut.records);
            let want = Want {
                queues: vec![QueueName::default()],
                kinds: None,
                labels: None,
                session: SESSION,
                tokens: vec![None; many],
                now,
            };
            tokio::spawn(async move { records.claim_next(want).await })
        };
        let mut told = told_of(&next(1).await.unwrap());
        cut.hold().await;
        let claimed = next(3);
        cut.cut_while_it_waits().await;
        cut.release().await;
        told.extend(told_of(&claimed.await.unwrap()));
        let (found, _) = cut.records.load(&ids).await.unwrap();
        for task in found.into_iter().flatten() {
            let is_running = task.phase() == Phase::Running;
            assert_eq!(is_running, told.contains(&task.id()), "{task:?}");
        }
    });
}

fn told_of(claimed: &Result<Applied, ApplyError>) -> Vec<TaskId> {
    let applied = claimed.iter().flat_map(|applied| &applied.outcomes);
    applied.map(done).map(Task::id).collect()
}

/// Two processes cannot be one server.
#[test]
fn an_identity_is_one_process() {
    if is_missing(Service::Postgres) {
        return;
    }
    let postgres = Postgres::shared();
    let url = postgres.database();
    runtime().block_on(async {
        let first = open(&url, 7).await;
        let options = PostgresOptions::new(&url, 7).unwrap();
        let second = PostgresRecords::open(options).await;
        assert!(second.unwrap_err().to_string().contains("another process"));
        first.close().await;
        open(&url, 7).await;
    });
}
