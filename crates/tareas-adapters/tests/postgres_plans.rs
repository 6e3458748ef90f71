//! What the statements cost: plans, write-ahead log, and how many there are.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod postgres_support;

use std::sync::Arc;
use std::time::Duration;

use postgres_support::{NOW, claim, done, number, open, runtime, settle, submission, submit};
use tareas_adapters::PostgresRecords;
use tareas_core::{Batch, TaskId};
use tareas_engine::ports::{Clock, Records, SystemClock};
use tareas_services::{Postgres, Service, is_missing};

/// Rows of the large table.
const BULK: u32 = 200_000;

async fn assert_plans(records: &PostgresRecords, when: &str) {
    for (name, plan) in records.plans().await.unwrap() {
        for wrong in ["Seq Scan on tasks", "Bitmap", "Hash Join", "Merge Join"] {
            assert!(!plan.contains(wrong), "{name}, {when}: {wrong}\n{plan}");
        }
        let on_tasks = plan.lines().filter(|line| line.contains(" on tasks_"));
        for line in on_tasks.filter(|line| line.contains("Scan")) {
            assert!(line.contains("_pkey"), "{name}, {when}: {line}\n{plan}");
        }
        let probes = probes(&plan, &format!("{name}, {when}"));
        let finds_tasks = !name.starts_with("insert");
        assert_eq!(probes > 0, finds_tasks, "{name}, {when}\n{plan}");
    }
}

/// How many times the plan looks up tasks, each of them by id.
fn probes(plan: &str, what: &str) -> usize {
    let lines: Vec<&str> = plan.lines().map(str::trim).collect();
    let looks = lines
        .windows(2)
        .filter(|pair| pair[0].contains("Index Scan using tasks_"));
    for pair in looks.clone() {
        let by_id = ["Index Cond: (id = ", "Index Cond: ((id >= "];
        let is_probe = by_id.iter().any(|by_id| pair[1].starts_with(by_id));
        assert!(is_probe, "{what}: {pair:?}\n{plan}");
    }
    looks.count()
}

/// However many rows there are and whatever the statistics say: one probe of the key each.
#[test]
fn hot_statements_go_by_the_primary_key() {
    if is_missing(Service::Postgres) {
        return;
    }
    let postgres = Postgres::shared();
    let url = postgres.database();
    runtime().block_on(async {
        let records = open(&url, 1).await;
        assert_plans(&records, "empty").await;
        let bulk = format!(
            "INSERT INTO tareas.tasks (id, version, state, queue, kind, priority, place, \
             session_id, held_place, attempt, submitted_at, payload) \
             SELECT (substr(tareas.day_start((current_date - '1970-01-01'::date))::text, 1, 13) \
               || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 1, \
               CASE WHEN n % 2 = 0 THEN 1 ELSE 2 END, 'default', 'k', 5, \
               CASE WHEN n % 2 = 0 THEN n END, \
               CASE WHEN n % 2 = 1 THEN '00000000-0000-0000-0000-000000000007'::uuid END, \
               CASE WHEN n % 2 = 1 THEN n END, 0, now(), '5' FROM generate_series(1, {BULK}) n"
        );
        postgres_support::sql(&url, &bulk).await;
        assert_plans(&records, "bulk loaded").await;
        postgres_support::sql(&url, "ANALYZE").await;
        assert_plans(&records, "analysed").await;
        // Where few wait and run, it looks cheap to walk all tasks for them.
        let few = "UPDATE tareas.tasks SET state = 3, place = NULL, session_id = NULL \
            WHERE coalesce(place, held_place) > 10";
        postgres_support::sql(&url, few).await;
        postgres_support::sql(&url, "ANALYZE").await;
        assert_plans(&records, "with few that wait").await;
    });
}

/// The whole life of small tasks, in batches as they come under load.
#[test]
fn a_small_task_costs_little() {
    const TASKS: u128 = 20_000;
    const BATCH: usize = 1_000;

    if is_missing(Service::Postgres) {
        return;
    }
    let postgres = Postgres::start();
    let url = postgres.database();
    runtime().block_on(async {
        let records = Arc::new(open(&url, 1).await);
        let ids: Vec<TaskId> = (0..TASKS).map(|n| TaskId::v7(*NOW, n)).collect();
        let before = postgres.sql("SELECT pg_current_wal_insert_lsn() - '0/0'");
        let statements = records.stats().statements();
        for part in ids.chunks(BATCH) {
            let batch = |commands| Batch {
                now: *NOW,
                commands,
            };
            let submitted = part.iter().map(|id| submit(submission(*id))).collect();
            records.apply(batch(submitted)).await.unwrap();
            let claims = part.iter().map(|id| claim(*id, 0)).collect();
            let claimed = records.apply(batch(claims)).await.unwrap();
            let settled = claimed.outcomes.iter().map(|outcome| settle(done(outcome)));
            records.apply(batch(settled.collect())).await.unwrap();
        }
        let after = postgres.sql("SELECT pg_current_wal_insert_lsn() - '0/0'");
        let bytes = after.parse::<f64>().unwrap() - before.parse::<f64>().unwrap();
        let per_task = bytes / TASKS as f64;
        let statements = records.stats().statements() - statements;
        eprintln!("{per_task:.0} bytes of log and {statements} statements for {TASKS} tasks");
        assert!(per_task <= 1.3 * 1024.0, "{per_task} bytes of log per task");
        assert!(
            statements as f64 * 1_000.0 / TASKS as f64 <= 4.0,
            "{statements}"
        );
        // Claims are forgotten with the next one, so only the last may be there.
        assert_eq!(number(&url, "SELECT count(*) FROM tareas.claims").await, 1);
        // Neither the claim nor the end of a task changes an index, as long as its page has room.
        drop(records);
        let in_place = "SELECT (100 * sum(n_tup_hot_upd) / sum(n_tup_upd))::int8 \
            FROM pg_stat_user_tables WHERE relname LIKE 'tasks%'";
        let mut share = 0;
        for _ in 0..300 {
            share = number(&url, in_place).await;
            if share >= 80 {
                return;
            }
            SystemClock.sleep(Duration::from_millis(100)).await;
        }
        panic!("{share} % of the updates leave the indexes alone");
    });
}
