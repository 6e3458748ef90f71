//! Reading all of a store, in order of acceptance. A mark is the number of a task.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, params};
use tareas_core::ledger::Stored;
use tareas_core::{Attempt, Phase};
use tareas_engine::ports::{
    Beside, Counts, Export, LEAF_BYTES_MAX, LEAF_TASKS_MAX, Leaf, Mark, PortError, StoredSession,
    SystemClock, WholeTask,
};

use super::{Held, Lent, damaged, read};
use crate::records::sqlite::boot::{key, kinds, meta_number, queue_name, session};
use crate::records::sqlite::folder::Folder;
use crate::records::sqlite::row::{self, COLUMNS};
use crate::records::sqlite::{OpenError, SqliteConfig, boot, config, open};

const ATTEMPTS: &str = "SELECT attempt, started_at, ended_at, outcome, error, seq FROM attempts \
    WHERE seq > ?1 AND seq <= ?2 ORDER BY seq, attempt";
const COUNTS: &str = "SELECT queue, state, n FROM counts";
const QUEUES: &str = "SELECT name, paused FROM queues";
/// Those that hold tasks; one that is not known can have started none of its claims.
const SESSIONS: &str = "SELECT s.session, s.slots, s.resume, s.name FROM sessions s \
    WHERE EXISTS (SELECT 1 FROM tasks t WHERE t.session = s.session) \
    UNION ALL SELECT DISTINCT t.session, 0, NULL, '' FROM tasks t WHERE t.session IS NOT NULL \
      AND t.session NOT IN (SELECT session FROM sessions) ORDER BY 1";

/// A store that is read as a whole. Its folder is held for this process alone.
#[derive(Debug)]
pub struct SqliteExport(pub(super) Lent);

impl SqliteExport {
    /// Opens the store of a data folder. What it holds is not changed, nor that its last life
    /// may have ended in disorder.
    ///
    /// # Errors
    /// [`OpenError::Missing`] when there is none, [`OpenError::InUse`] when a server has it,
    /// [`OpenError::Unfinished`] when a migration into it has not ended.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        if !path.join(config::DATABASE_FILE).exists() {
            let folder = path.to_owned();
            return Err(OpenError::Missing { folder });
        }
        let folder = Folder::open(path)?;
        let config = SqliteConfig::new(path, Arc::new(SystemClock));
        let connection = open::writer(&folder, &config)?;
        boot::refuse_unfinished(&connection)?;
        connection.pragma_update(None, "query_only", true)?;
        let suspect_seq = suspect_seq(&connection)?;
        Ok(Self(Lent::new(Held {
            connection,
            suspect_seq,
            _folder: folder,
        })))
    }
}

/// As the next start would find it: after an end in disorder every task is suspected.
fn suspect_seq(connection: &Connection) -> Result<i64, OpenError> {
    let is_clean = meta_number(connection, key::CLEAN)? == Some(1);
    let number = match is_clean {
        true => key::SUSPECT_SEQ,
        false => key::HIGH_SEQ,
    };
    Ok(meta_number(connection, number)?.unwrap_or(0))
}

#[async_trait]
impl Export for SqliteExport {
    async fn leaf(&mut self, after: Option<&Mark>) -> Result<Option<Leaf>, PortError> {
        let after = match after {
            Some(mark) => mark.0.parse().map_err(damaged)?,
            None => 0,
        };
        self.0.with(move |held| leaf(held, after)).await
    }

    async fn beside(&mut self) -> Result<Beside, PortError> {
        self.0.with(|held| beside(&held.connection)).await
    }

    async fn counts(&mut self) -> Result<Counts, PortError> {
        self.0.with(|held| counts(&held.connection)).await
    }
}

fn leaf(held: &mut Held, after: i64) -> Result<Option<Leaf>, PortError> {
    let stored = tasks(held, after).map_err(read)?;
    let Some(last) = stored.last().map(|stored| stored.seq.cast_signed()) else {
        return Ok(None);
    };
    let mut attempts = attempts(&held.connection, after, last).map_err(read)?;
    let tasks = stored.into_iter().map(|Stored { seq, mut task }| {
        let is_suspect = seq.cast_signed() <= held.suspect_seq;
        if is_suspect && task.phase() != Phase::Succeeded {
            task.attempt += 1;
            task.version += 1;
        }
        let attempts = attempts.remove(&seq).unwrap_or_default();
        WholeTask { task, attempts }
    });
    Ok(Some(Leaf {
        tasks: tasks.collect(),
        mark: Mark(last.to_string()),
    }))
}

/// The next tasks, until there are enough of them or enough bytes.
fn tasks(held: &Held, after: i64) -> rusqlite::Result<Vec<Stored>> {
    let sql = format!("SELECT {COLUMNS} FROM tasks t WHERE t.seq > ?1 ORDER BY t.seq LIMIT ?2");
    let mut statement = held.connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![after, LEAF_TASKS_MAX as i64])?;
    let (mut tasks, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let stored = row::stored(row)?;
        bytes += stored.task.spec.payload.inline_len();
        bytes += stored
            .task
            .result
            .as_ref()
            .map_or(0, |result| result.inline_len());
        tasks.push(stored);
        if bytes >= LEAF_BYTES_MAX {
            break;
        }
    }
    Ok(tasks)
}

fn attempts(
    connection: &Connection,
    after: i64,
    last: i64,
) -> rusqlite::Result<HashMap<u64, Vec<Attempt>>> {
    let mut attempts: HashMap<u64, Vec<Attempt>> = HashMap::new();
    let mut statement = connection.prepare_cached(ATTEMPTS)?;
    let mut rows = statement.query([after, last])?;
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(5)?.cast_unsigned();
        attempts.entry(seq).or_default().push(row::attempt(row)?);
    }
    Ok(attempts)
}

fn beside(connection: &Connection) -> Result<Beside, PortError> {
    let mut beside = Beside {
        kinds: kinds(connection)
            .map_err(damaged)?
            .into_iter()
            .collect::<BTreeSet<_>>(),
        sessions: sessions(connection).map_err(read)?,
        ..Beside::default()
    };
    let mut statement = connection.prepare(QUEUES).map_err(read)?;
    let mut rows = statement.query([]).map_err(read)?;
    while let Some(row) = rows.next().map_err(read)? {
        let name = queue_name(&row.get::<_, String>(0).map_err(read)?).map_err(damaged)?;
        beside.queues.insert(name, row.get(1).map_err(read)?);
    }
    Ok(beside)
}

fn sessions(connection: &Connection) -> rusqlite::Result<Vec<StoredSession>> {
    let mut statement = connection.prepare(SESSIONS)?;
    let found = statement.query_map([], session)?;
    found.collect()
}

fn counts(connection: &Connection) -> Result<Counts, PortError> {
    let mut counts = Counts::new();
    let mut statement = connection.prepare(COUNTS).map_err(read)?;
    let mut rows = statement.query([]).map_err(read)?;
    while let Some(row) = rows.next().map_err(read)? {
        let queue = queue_name(&row.get::<_, String>(0).map_err(read)?).map_err(damaged)?;
        let phase = usize::from(row.get::<_, u8>(1).map_err(read)?);
        let n: i64 = row.get(2).map_err(read)?;
        let of_queue = counts.entry(queue).or_default();
        let count = of_queue.get_mut(phase);
        *count.ok_or_else(|| damaged("a count of a state that is none"))? = n.max(0).unsigned_abs();
    }
    Ok(counts)
}
