//! The schema, step by step: numbered files that are run once each, in order.

use std::path::Path;

use rusqlite::Connection;

use super::OpenError;

/// Marks a file as ours: "tars" in ASCII.
const APPLICATION_ID: i32 = 0x7461_7273;

/// The steps; the first brings an empty file to schema 1. A shipped step never changes.
const STEPS: [&str; 2] = [
    include_str!("schema/001_tasks.sql"),
    include_str!("schema/002_workers.sql"),
];

/// Refuses a database that another program has written, before anything is changed in it.
pub(super) fn refuse_foreign(connection: &Connection, file: &Path) -> Result<(), OpenError> {
    let found: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if found != APPLICATION_ID && tables > 0 {
        return Err(OpenError::Foreign {
            file: file.to_owned(),
        });
    }
    Ok(())
}

/// Runs the steps that the file has not seen, each in a transaction of its own.
pub(super) fn run(connection: &Connection) -> Result<(), OpenError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = STEPS.len() as i64;
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    for (step, number) in STEPS
        .iter()
        .zip(1..)
        .skip(usize::try_from(found).unwrap_or(0))
    {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE;\n{step}\nPRAGMA application_id = {APPLICATION_ID};\n\
             PRAGMA user_version = {number};\nCOMMIT;"
        ))?;
    }
    Ok(())
}
