//! The start: what the last life of the store left, and what follows from it.
//!
//! After an end without [`close`](super::SqliteRecords::close) every task that was known then
//! may have one start that is not recorded. So the highest number ever given is kept as
//! `suspect_seq`, the next claim of such a task leaves an attempt number out, and for a while
//! the engine is told to be careful. Only counts and settings are read, never tasks: a start
//! takes as long with a million waiting tasks as with none.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, ToSql};
use tareas_core::ledger::{self, Ledger};
use tareas_core::{Kind, Phase, Place, QueueName, SessionId, Timestamp};
use tareas_engine::ports::StoredSession;

use super::{OpenError, SqliteConfig};

/// How long to be careful after one unclean start; doubled for each further one.
const CAREFUL: Duration = Duration::from_secs(60);
/// Unclean starts are remembered this long.
const REMEMBER: Duration = Duration::from_secs(3_600);
/// Beyond this many doublings nothing is gained.
const DOUBLINGS_MAX: u32 = 6;

/// Keys of the table `meta`.
pub(super) mod key {
    pub(crate) const HIGH_SEQ: &str = "high_seq";
    pub(crate) const HIGH_PLACE: &str = "high_place";
    pub(crate) const SUSPECT_SEQ: &str = "suspect_seq";
    pub(super) const UNCLEAN_STARTS: &str = "unclean_starts";
    pub(crate) const CLEAN: &str = "clean";
    /// How far an import is that has not ended.
    pub(crate) const IMPORT: &str = "import";
}

/// What was found at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootReport {
    /// The last life ended without closing the store.
    pub unclean: bool,
    /// How long no handler may start before its claim is durable; zero after a clean end.
    pub careful_for: Duration,
    /// Unclean starts within the last hour, this one included.
    pub unclean_starts: u32,
    /// Tasks that wait for their time.
    pub scheduled: u64,
    /// Tasks that wait in line.
    pub queued: u64,
    /// Tasks that were running, by the records.
    pub running: u64,
}

/// A store that is ready to go on.
#[derive(Debug)]
pub(super) struct Boot {
    pub(super) report: BootReport,
    pub(super) ledger: Ledger,
    pub(super) lost_sessions: Vec<StoredSession>,
    pub(super) kinds: Vec<Kind>,
}

/// Reads what is needed to go on, and records durably that the store is open.
pub(super) fn boot(connection: &Connection, config: &SqliteConfig) -> Result<Boot, OpenError> {
    refuse_unfinished(connection)?;
    let now = config.clock.now();
    let high_seq = meta_number(connection, key::HIGH_SEQ)?;
    let is_first = high_seq.is_none();
    let unclean = !is_first && meta_number(connection, key::CLEAN)? != Some(1);
    let high_seq = high_seq.unwrap_or(0);
    let suspect_seq = match unclean {
        true => high_seq,
        false => meta_number(connection, key::SUSPECT_SEQ)?.unwrap_or(0),
    };
    let starts = unclean_starts(connection, unclean, now)?;
    record_start(connection, high_seq, suspect_seq, &starts)?;

    let high_place = meta_number(connection, key::HIGH_PLACE)?.map_or(Place::START, Place);
    let mut ledger = Ledger::new(ledger::Config {
        live_max: config.live_max,
        journal_tasks_max: config.journal_tasks_max,
        journal_bytes_max: config.journal_bytes_max,
        queue_tasks_max: config.queue_tasks_max,
        hash_seed: config.hash_seed,
        high_seq: high_seq.unsigned_abs(),
        high_place,
        suspect_seq: suspect_seq.unsigned_abs(),
    });
    let waiting = install_counts(connection, &mut ledger)?;
    install_paused(connection, &mut ledger)?;
    let report = report(unclean, starts.len(), waiting);
    Ok(Boot {
        report,
        ledger,
        lost_sessions: sessions(connection)?,
        kinds: kinds(connection)?,
    })
}

/// A store into which a migration was not ended holds a part of the tasks only.
pub(super) fn refuse_unfinished(connection: &Connection) -> Result<(), OpenError> {
    match meta::<String>(connection, key::IMPORT)? {
        Some(_) => Err(OpenError::Unfinished),
        None => Ok(()),
    }
}

fn report(unclean: bool, starts: usize, sums: [u64; Phase::ALL.len()]) -> BootReport {
    let unclean_starts = u32::try_from(starts).unwrap_or(u32::MAX);
    let doublings = unclean_starts.saturating_sub(1).min(DOUBLINGS_MAX);
    BootReport {
        unclean,
        careful_for: if unclean {
            CAREFUL * (1 << doublings)
        } else {
            Duration::ZERO
        },
        unclean_starts,
        scheduled: sums[Phase::Scheduled as usize],
        queued: sums[Phase::Queued as usize],
        running: sums[Phase::Running as usize],
    }
}

/// Instants of the unclean starts of the last hour, as microseconds.
fn unclean_starts(
    connection: &Connection,
    unclean: bool,
    now: Timestamp,
) -> Result<Vec<i64>, OpenError> {
    let text: Option<String> = meta(connection, key::UNCLEAN_STARTS)?;
    let since = (now - REMEMBER).as_micros();
    let known = text.unwrap_or_default();
    let mut starts: Vec<i64> = known.split(',').filter_map(|at| at.parse().ok()).collect();
    starts.retain(|at| *at >= since && *at <= now.as_micros());
    if unclean {
        starts.push(now.as_micros());
    }
    Ok(starts)
}

fn record_start(
    connection: &Connection,
    high_seq: i64,
    suspect_seq: i64,
    starts: &[i64],
) -> rusqlite::Result<()> {
    let starts: Vec<String> = starts.iter().map(i64::to_string).collect();
    connection.execute_batch("BEGIN IMMEDIATE")?;
    set_meta(connection, key::HIGH_SEQ, high_seq)?;
    set_meta(connection, key::SUSPECT_SEQ, suspect_seq)?;
    set_meta(connection, key::UNCLEAN_STARTS, starts.join(","))?;
    set_meta(connection, key::CLEAN, 0)?;
    connection.execute_batch("COMMIT")
}

/// Records durably that the store is closed and nothing is under way.
pub(super) fn record_clean_end(connection: &Connection) -> rusqlite::Result<()> {
    set_meta(connection, key::CLEAN, 1)
}

fn install_counts(
    connection: &Connection,
    ledger: &mut Ledger,
) -> Result<[u64; Phase::ALL.len()], OpenError> {
    let mut counts = std::collections::BTreeMap::new();
    let mut sums = [0; Phase::ALL.len()];
    let mut statement = connection.prepare("SELECT queue, state, n FROM counts")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let queue = queue_name(&row.get::<_, String>(0)?)?;
        let phase = usize::from(row.get::<_, u8>(1)?);
        let n: i64 = row.get(2)?;
        let of_queue = counts.entry(queue).or_insert([0_i64; Phase::ALL.len()]);
        let Some(count) = of_queue.get_mut(phase) else {
            return Err(OpenError::Corrupt {
                what: format!("a count of state {phase}"),
            });
        };
        *count = n;
        sums[phase] += n.max(0).unsigned_abs();
    }
    for (queue, counts) in &counts {
        ledger.install_counts(queue, *counts);
    }
    Ok(sums)
}

fn install_paused(connection: &Connection, ledger: &mut Ledger) -> Result<(), OpenError> {
    let mut statement = connection.prepare("SELECT name, paused FROM queues")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        ledger.install_paused(&queue_name(&row.get::<_, String>(0)?)?, row.get(1)?);
    }
    Ok(())
}

fn sessions(connection: &Connection) -> rusqlite::Result<Vec<StoredSession>> {
    let mut statement =
        connection.prepare("SELECT session, slots, resume, name FROM sessions ORDER BY session")?;
    let found = statement.query_map([], session)?;
    found.collect()
}

/// From the columns session, slots, resume, name.
pub(super) fn session(row: &rusqlite::Row<'_>) -> rusqlite::Result<StoredSession> {
    let name = row.get_ref(3)?.as_str()?;
    Ok(StoredSession {
        id: SessionId(row.get::<_, i64>(0)?.cast_unsigned()),
        slots: row.get(1)?,
        resume: row.get(2)?,
        worker: (!name.is_empty()).then(|| name.into()),
    })
}

pub(super) fn kinds(connection: &Connection) -> Result<Vec<Kind>, OpenError> {
    let mut statement = connection.prepare("SELECT name FROM kinds ORDER BY name")?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    let names: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
    let kind = |name: &String| {
        Kind::new(name).map_err(|error| OpenError::Corrupt {
            what: format!("a kind: {error}"),
        })
    };
    names.iter().map(kind).collect()
}

pub(super) fn queue_name(text: &str) -> Result<QueueName, OpenError> {
    QueueName::new(text).map_err(|error| OpenError::Corrupt {
        what: format!("a queue: {error}"),
    })
}

pub(super) fn meta_number(connection: &Connection, key: &str) -> rusqlite::Result<Option<i64>> {
    meta(connection, key)
}

pub(super) fn meta<T: rusqlite::types::FromSql>(
    connection: &Connection,
    key: &str,
) -> rusqlite::Result<Option<T>> {
    let sql = "SELECT value FROM meta WHERE key = ?1";
    connection
        .query_row(sql, [key], |row| row.get(0))
        .optional()
}

pub(super) fn set_meta(
    connection: &Connection,
    key: &str,
    value: impl ToSql,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta(key, value) VALUES(?1, ?2) \
               ON CONFLICT(key) DO UPDATE SET value = excluded.value";
    connection.execute(sql, (key, value)).map(|_| ())
}
