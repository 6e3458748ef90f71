//! The schema, step by step: numbered files that are run once each, in order, by one process at
//! a time.

use super::fault::{During, OpenError};
use super::link::Link;

/// Held while the schema or its partitions change: "tareas" in ASCII. A text, since statements
/// are put together from texts.
macro_rules! schema_lock {
    () => {
        "127961879896435"
    };
}
pub(super) use schema_lock;

/// Shared by all processes that serve from the records, and held alone by whoever reads or fills
/// them as a whole.
macro_rules! serving_lock {
    () => {
        "127961879896436"
    };
}
pub(super) use serving_lock;

/// The steps; the first brings an empty database to schema 1. A shipped step never changes.
const STEPS: [&str; 11] = [
    include_str!("schema/001_tasks.sql"),
    include_str!("schema/002_members.sql"),
    include_str!("schema/003_reports.sql"),
    include_str!("schema/004_offers.sql"),
    include_str!("schema/005_access.sql"),
    include_str!("schema/006_rows.sql"),
    include_str!("schema/007_webhooks.sql"),
    include_str!("schema/008_successes.sql"),
    include_str!("schema/009_claims.sql"),
    include_str!("schema/010_lines.sql"),
    include_str!("schema/011_workers.sql"),
];

const BEGIN: &str = concat!(
    "BEGIN; SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(",
    schema_lock!(),
    "); CREATE SCHEMA IF NOT EXISTS tareas; \
    CREATE TABLE IF NOT EXISTS tareas.steps (step int4 PRIMARY KEY, \
      run_at timestamptz NOT NULL DEFAULT now());"
);
const FOUND: &str = "SELECT coalesce(max(step), 0) FROM tareas.steps";
const NOTE: &str = "INSERT INTO tareas.steps (step) VALUES ($1)";
const IS_THERE: &str = "SELECT to_regclass('tareas.steps') IS NOT NULL";
/// In `public` for whoever looks there first, where the role may.
const PUBLIC_VIEW: &str = "CREATE OR REPLACE VIEW public.tareas_resultados AS \
    SELECT * FROM tareas.tareas_resultados";

/// Runs the steps that the database has not seen. A database that has seen them all is only
/// read: a role without the right to change the schema can serve.
pub(super) async fn run(link: &Link) -> Result<(), OpenError> {
    let client = link.client();
    let known = STEPS.len() as i32;
    let is_there = client.query_one(IS_THERE, &[]).await;
    if is_there.during("the look at the schema")?.get(0) {
        let found: i32 = client
            .query_one(FOUND, &[])
            .await
            .during("the look at the schema")?
            .get(0);
        if found > known {
            return Err(OpenError::Newer { found, known });
        }
        if found == known {
            return Ok(());
        }
    }
    let changed = change(link, known).await;
    if changed.is_err() {
        // What failed is told; a connection that cannot even roll back is dropped with it.
        let _ = client.batch_execute("ROLLBACK").await;
    }
    changed?;
    if let Err(error) = client.batch_execute(PUBLIC_VIEW).await {
        tracing::info!(%error, "no view public.tareas_resultados; tareas.tareas_resultados is there");
    }
    Ok(())
}

async fn change(link: &Link, known: i32) -> Result<(), OpenError> {
    let client = link.client();
    client
        .batch_execute(BEGIN)
        .await
        .during("the lock of the schema")?;
    let found: i32 = client
        .query_one(FOUND, &[])
        .await
        .during("the look at the schema")?
        .get(0);
    for (step, number) in STEPS.iter().zip(1..=known).skip(found.max(0) as usize) {
        client
            .batch_execute(step)
            .await
            .during("a step of the schema")?;
        let noted = client.execute(NOTE, &[&number]).await;
        noted.during("a step of the schema")?;
    }
    client
        .batch_execute("COMMIT")
        .await
        .during("the steps of the schema")
}
