//! What pages of tasks cost in PostgreSQL: rows that it has visited for them, as it counts them
//! itself while it runs the statements. They do not depend on the machine.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod postgres_support;

use postgres_support::{open, runtime, sql};
use serde_json::Value;
use tareas_adapters::PostgresRecords;
use tareas_core::{Kind, Phase, Priority, Reason, Timestamp};
use tareas_engine::filter::{Filter, Names, Span};
use tareas_engine::ports::{Records, TaskQuery};
use tareas_services::{Postgres, Service, is_missing};

/// Rows of the large table: every other has failed, one in a thousand waits, one in ten thousand runs.
const BULK: u64 = 200_000;
/// Tasks of a page.
const LIMIT: usize = 50;
/// Rows that a page visits at most: those among which it looks, to find their end and to read them.
const VISITED_MAX: u64 = 2 * 10_000 + 100;
/// The same for what is common, or has an index of its own.
const VISITED_FEW: u64 = 2 * 1_000 + 100;
/// Every statement writes its plan, with the rows that it visited, to the log.
const EXPLAINED: [&str; 5] = [
    "session_preload_libraries=auto_explain",
    "auto_explain.log_min_duration=0",
    "auto_explain.log_analyze=on",
    "auto_explain.log_timing=off",
    "auto_explain.log_format=json",
];

/// Every question that pages and lists ask, and whether few rows must be enough.
fn questions() -> Vec<(&'static str, Filter, bool)> {
    let of = |phase| Filter {
        phases: vec![phase],
        ..Filter::default()
    };
    let kind = |name: &str| Filter {
        kinds: Names {
            any: vec![Kind::new(name).unwrap()],
            none: Vec::new(),
        },
        ..Filter::default()
    };
    let reason = |reason| Filter {
        reasons: vec![reason],
        ..Filter::default()
    };
    let urgent = Filter {
        priority: Span {
            from: Some(Priority::HIGHEST.level()),
            to: None,
        },
        ..Filter::default()
    };
    let long_ago = Filter {
        submitted: Span {
            from: Some(Timestamp::from_millis(10)),
            to: Some(Timestamp::from_millis(20)),
        },
        ..Filter::default()
    };
    vec![
        ("all", Filter::default(), true),
        ("succeeded", of(Phase::Succeeded), true),
        ("failed", of(Phase::Failed), true),
        ("running", of(Phase::Running), true),
        ("of a common kind", kind("square"), true),
        ("of a moment without tasks", long_ago, true),
        ("cancelled", of(Phase::Cancelled), false),
        ("queued", of(Phase::Queued), false),
        ("scheduled", of(Phase::Scheduled), false),
        ("of a kind that nobody has", kind("resize"), false),
        ("of a reason", reason(Reason::Poison), false),
        ("urgent", urgent, false),
    ]
}

#[test]
fn a_page_visits_a_bounded_number_of_rows() {
    if is_missing(Service::Postgres) {
        return;
    }
    let postgres = Postgres::start_with(&EXPLAINED);
    let url = postgres.database();
    runtime().block_on(async {
        let records = open(&url, 1).await;
        assert_bounded(&postgres, &records, "empty").await;
        sql(&url, &fill()).await;
        assert_bounded(&postgres, &records, "bulk loaded").await;
        sql(&url, "ANALYZE").await;
        assert_bounded(&postgres, &records, "analysed").await;
        sql(&url, "VACUUM").await;
        assert_bounded(&postgres, &records, "vacuumed").await;
    });
}

/// Rows as a server leaves them, of today.
fn fill() -> String {
    format!(
        "INSERT INTO tareas.tasks (id, version, state, reason, queue, kind, priority, place, \
         session_id, held_place, token, deadline_at, attempt, submitted_at, started_at, \
         finished_at, payload) \
         SELECT (substr(tareas.day_start((current_date - '1970-01-01'::date))::text, 1, 13) \
           || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 1, s, \
           CASE WHEN s = 4 THEN 1 END, 'default', 'square', 5, \
           CASE WHEN s = 1 THEN n END, \
           CASE WHEN s = 2 THEN '00000000-0000-0000-0000-000000000007'::uuid END, \
           CASE WHEN s = 2 THEN n END, \
           CASE WHEN s = 2 THEN '00000000-0000-0000-0000-000000000008'::uuid END, \
           CASE WHEN s = 2 THEN now() END, 1, now(), now(), CASE WHEN s > 2 THEN now() END, '5' \
         FROM (SELECT n, CASE WHEN n % 10000 = 2 THEN 2 WHEN n % 1000 = 0 THEN 1 \
           WHEN n % 2 = 1 THEN 4 ELSE 3 END s FROM generate_series(1, {BULK}) n) rows; \
         INSERT INTO tareas.claims (claim, session_id, ids) \
         SELECT gen_random_uuid(), session_id, array_agg(id) FROM tareas.tasks \
         WHERE session_id IS NOT NULL GROUP BY session_id"
    )
}

async fn assert_bounded(postgres: &Postgres, records: &PostgresRecords, when: &str) {
    for (name, filter, is_few) in questions() {
        let mut query = TaskQuery {
            filter,
            cursor: None,
            limit: LIMIT,
        };
        // The next page costs no more than the first.
        for page in 1..=2 {
            let before = postgres.log().len();
            let found = records.page(&query).await.unwrap();
            let plans = plans(&postgres.log()[before..]);
            let visited: u64 = plans.iter().map(visited).sum();
            let most = if is_few { VISITED_FEW } else { VISITED_MAX };
            let what = format!("{name}, page {page}, {when}: {visited} rows visited");
            eprintln!("{what}, {} found", found.tasks.len());
            assert!(visited <= most, "{what}\n{plans:#?}");
            assert_eq!(sorts_or_scans(&plans), None, "{what}\n{plans:#?}");
            query.cursor = found.next;
            if query.cursor.is_none() {
                break;
            }
        }
    }
}

/// The plans of pages in a part of the log.
fn plans(log: &str) -> Vec<Value> {
    let mut plans = Vec::new();
    for part in log.split(" plan:\n").skip(1) {
        let lines = part.lines().take_while(|line| line.starts_with('\t'));
        let text: String = lines.collect();
        let told: Value = serde_json::from_str(&text).unwrap();
        if told["Query Text"]
            .as_str()
            .unwrap()
            .contains("ORDER BY t.id DESC")
        {
            plans.push(told["Plan"].clone());
        }
    }
    assert!(!plans.is_empty(), "no plan in {log}");
    plans
}

fn nodes<'a>(plan: &'a Value, visit: &mut impl FnMut(&'a Value)) {
    visit(plan);
    for below in plan["Plans"].as_array().into_iter().flatten() {
        nodes(below, visit);
    }
}

/// Rows that the scans of a plan have looked at.
fn visited(plan: &Value) -> u64 {
    let mut sum = 0;
    nodes(plan, &mut |node| {
        let is_scan = node["Relation Name"].is_string();
        let of = |name: &str| node[name].as_f64().unwrap_or_default();
        if is_scan {
            let rows = of("Actual Rows") + of("Rows Removed by Filter");
            sum += (rows * of("Actual Loops")) as u64;
        }
    });
    sum
}

/// A node that reads all tasks, or all that it finds before it shows the first.
fn sorts_or_scans(plans: &[Value]) -> Option<String> {
    let mut found = None;
    for plan in plans {
        nodes(plan, &mut |node| {
            let kind = node["Node Type"].as_str().unwrap();
            let is_of_claims = node["Relation Name"] == "claims";
            if ["Seq Scan", "Bitmap Heap Scan"].contains(&kind) && !is_of_claims {
                found = Some(kind.to_owned());
            }
        });
    }
    found
}
