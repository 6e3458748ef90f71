//! Where in the order of acceptance a moment lies.
//!
//! Tasks are numbered in the order in which they were accepted, so the moments of acceptance grow
//! with the numbers and can be searched by halves: a page of last week does not look at this one.
//! A clock may be set back; what was accepted within an hour around the moment is looked at too.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Result};
use tareas_core::Timestamp;
use tareas_engine::filter::Span;

/// How far a clock may be set back without a page missing anything.
const CLOCK_STEP_MAX: Duration = Duration::from_secs(3_600);

const ENDS: &str = "SELECT (SELECT seq FROM tasks ORDER BY seq LIMIT 1), \
    (SELECT seq FROM tasks ORDER BY seq DESC LIMIT 1)";
const FROM: &str = "SELECT seq, submitted_at FROM tasks WHERE seq >= ?1 ORDER BY seq LIMIT 1";

/// The numbers between which tasks accepted within a span are found: the first included, the
/// second not.
pub(super) fn between(connection: &Connection, span: Span<Timestamp>) -> Result<(i64, i64)> {
    let first = match span.from {
        Some(from) => first_since(connection, from - CLOCK_STEP_MAX)?,
        None => i64::MIN,
    };
    let end = match span.to {
        Some(to) => first_since(connection, to + CLOCK_STEP_MAX)?,
        None => i64::MAX,
    };
    Ok((first, end))
}

/// The lowest number of a task accepted at a moment or later.
fn first_since(connection: &Connection, at: Timestamp) -> Result<i64> {
    let mut ends = connection.prepare_cached(ENDS)?;
    let ends = ends.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (Some(lowest), Some(highest)): (Option<i64>, Option<i64>) = ends else {
        return Ok(i64::MAX);
    };
    let mut next = connection.prepare_cached(FROM)?;
    let (mut low, mut high) = (lowest, highest.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let found: Option<(i64, i64)> = next
            .query_row([middle], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match found {
            Some((seq, submitted)) if submitted < at.as_micros() => low = seq + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_found_among_numbers_with_gaps() {
        let connection = Connection::open_in_memory().unwrap();
        let table = "CREATE TABLE tasks(seq INTEGER PRIMARY KEY, submitted_at INTEGER)";
        connection.execute(table, []).unwrap();
        let at = |micros| first_since(&connection, Timestamp::from_micros(micros)).unwrap();
        assert_eq!(at(0), i64::MAX, "nothing is there");
        for (seq, submitted) in [(10, 100), (11, 100), (40, 200), (41, 300), (90, 300)] {
            let insert = "INSERT INTO tasks VALUES (?1, ?2)";
            connection.execute(insert, [seq, submitted]).unwrap();
        }
        for (micros, first) in [
            (0, 10),
            (100, 10),
            (101, 12),
            (200, 12),
            (250, 41),
            (301, 91),
        ] {
            let found = at(micros);
            let same = |seq: i64| [10, 11, 40, 41, 90].iter().filter(|n| **n >= seq).count();
            assert_eq!(same(found), same(first), "{micros}: {found}");
        }
    }
}
