//! Reading all records, in order of acceptance: by the instant of it, then by id.
//!
//! The order is found once, by a cursor over ids; tasks are read by their ids, leaf by leaf. A
//! mark is the instant and the id of a task, so another cursor can begin behind it.

use std::collections::{HashMap, VecDeque};

use async_trait::async_trait;
use tareas_core::{Attempt, Task, TaskId, Timestamp};
use tareas_engine::ports::{
    Beside, Counts, Export, LEAF_BYTES_MAX, LEAF_TASKS_MAX, Leaf, Mark, PortError, WholeTask,
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{be_alone, connect, refuse_unfinished};
use crate::records::postgres::batch::uuids;
use crate::records::postgres::fault::{During, Fault, OpenError};
use crate::records::postgres::instant::Instant;
use crate::records::postgres::link::Link;
use crate::records::postgres::statements::LOAD;
use crate::records::postgres::{PostgresOptions, migrate, row};

const IS_THERE: &str = "SELECT to_regclass('tareas.steps') IS NOT NULL";
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const END: &str = "ROLLBACK";
/// The order of acceptance, with the bytes that each task will take in memory.
const ORDER: &str = "SELECT t.id, t.submitted_at, (coalesce(octet_length(t.payload), 0) \
    + coalesce(octet_length(t.result), 0))::int8 FROM tareas.tasks t";
const ATTEMPTS: &str = "SELECT a.attempt, a.started_at, a.ended_at, a.outcome, a.error, a.task_id \
    FROM unnest($1::uuid[]) AS d(id) JOIN tareas.attempts a ON a.task_id = d.id \
    ORDER BY a.task_id, a.attempt";
const COUNTS: &str = "SELECT c.queue, c.state, sum(c.n)::int8 FROM tareas.counts c \
    GROUP BY c.queue, c.state";
const QUEUES: &str = "SELECT q.name, q.paused FROM tareas.queues q";
const KINDS: &str = "SELECT k.name FROM tareas.kinds k";
/// Those that hold tasks. What a session holds that was closed came late: none of it was started.
const SESSIONS: &str = "SELECT h.session_id, coalesce(s.slots, 0), s.resume_hash, s.worker \
    FROM (SELECT DISTINCT t.session_id FROM tareas.tasks t WHERE t.session_id IS NOT NULL) h \
    LEFT JOIN tareas.sessions s ON s.session_id = h.session_id AND s.state = 0 ORDER BY 1";

/// Records that are read as a whole. As long as it is open nobody can serve from them.
#[derive(Debug)]
pub struct PostgresExport {
    link: Link,
    /// Where the cursor stands; nothing when none is open.
    cursor: Option<Cursor>,
}

#[derive(Debug)]
struct Cursor {
    /// The mark of the last leaf.
    after: Option<Mark>,
    /// What was fetched and not read yet.
    next: VecDeque<Next>,
}

/// A task in the order of acceptance.
#[derive(Clone, Copy, Debug)]
struct Next {
    id: TaskId,
    submitted_at: Timestamp,
    bytes: usize,
}

impl PostgresExport {
    /// Opens the records. Must be called inside the runtime that is to read.
    ///
    /// # Errors
    /// [`OpenError::Missing`] when there are none, [`OpenError::Served`] when somebody serves
    /// from them or did a moment ago, [`OpenError::Unfinished`] when they were not filled to the
    /// end.
    pub async fn open(options: PostgresOptions) -> Result<Self, OpenError> {
        let link = connect(&options).await?;
        let is_there = link.client().query_one(IS_THERE, &[]).await;
        if !is_there.during("the look at the schema")?.get::<_, bool>(0) {
            return Err(OpenError::Missing { at: options.at() });
        }
        migrate::run(&link).await?;
        be_alone(&link).await?;
        refuse_unfinished(&link).await?;
        Ok(Self::over(link))
    }

    /// Over a connection of which somebody else keeps others away.
    pub(super) fn over(link: Link) -> Self {
        Self { link, cursor: None }
    }

    async fn leaf_after(&mut self, after: Option<&Mark>) -> Result<Option<Leaf>, Fault> {
        let stands_there = |cursor: &Cursor| cursor.after.as_ref() == after;
        if !self.cursor.as_ref().is_some_and(stands_there) {
            self.rewind(after).await?;
        }
        let some = self.some().await?;
        let Some(last) = some.last() else {
            self.end().await?;
            return Ok(None);
        };
        let mark = Mark(format!("{} {}", last.submitted_at.as_micros(), last.id));
        let leaf = self.read(&some, mark.clone()).await?;
        if let Some(cursor) = &mut self.cursor {
            cursor.after = Some(mark);
        }
        Ok(Some(leaf))
    }

    /// Opens a cursor behind a mark.
    async fn rewind(&mut self, after: Option<&Mark>) -> Result<(), Fault> {
        self.end().await?;
        let above = match after {
            Some(mark) => above(mark)?,
            None => String::new(),
        };
        let open = format!(
            "{BEGIN}; DECLARE leaf NO SCROLL CURSOR FOR {ORDER} {above} \
             ORDER BY t.submitted_at, t.id"
        );
        self.link.run(&open).await?;
        self.cursor = Some(Cursor {
            after: after.cloned(),
            next: VecDeque::new(),
        });
        Ok(())
    }

    async fn end(&mut self) -> Result<(), Fault> {
        match self.cursor.take() {
            Some(_) => self.link.run(END).await,
            None => Ok(()),
        }
    }

    /// The next tasks, until there are enough of them or enough bytes.
    async fn some(&mut self) -> Result<Vec<Next>, Fault> {
        let Some(cursor) = &mut self.cursor else {
            return Ok(Vec::new());
        };
        if cursor.next.is_empty() {
            let fetch = format!("FETCH FORWARD {LEAF_TASKS_MAX} FROM leaf");
            for row in self.link.client().query(&fetch, &[]).await? {
                cursor.next.push_back(next(&row)?);
            }
        }
        let (mut some, mut bytes) = (Vec::new(), 0);
        while let Some(next) = cursor.next.pop_front() {
            some.push(next);
            bytes += next.bytes;
            if bytes >= LEAF_BYTES_MAX {
                break;
            }
        }
        Ok(some)
    }

    async fn read(&self, some: &[Next], mark: Mark) -> Result<Leaf, Fault> {
        let ids = uuids(some.iter().map(|next| next.id));
        let rows = self.link.rows(LOAD, &[&ids]).await?;
        let tasks = row::tasks(&rows)?.into_iter().map(|task| (task.id(), task));
        let mut tasks: HashMap<TaskId, Task> = tasks.collect();
        let mut attempts: HashMap<TaskId, Vec<Attempt>> = HashMap::new();
        for row in self.link.rows(ATTEMPTS, &[&ids]).await? {
            let ended = row::attempt(&row)?;
            attempts.entry(row::id(&row, 5)?).or_default().push(ended);
        }
        let whole = some.iter().map(|next| {
            let task = tasks.remove(&next.id);
            let task = task.ok_or_else(|| row::damaged("a task that is gone"))?;
            let attempts = attempts.remove(&next.id).unwrap_or_default();
            Ok(WholeTask { task, attempts })
        });
        let tasks = whole.collect::<Result<_, Fault>>()?;
        Ok(Leaf { tasks, mark })
    }

    async fn read_beside(&self) -> Result<Beside, Fault> {
        let mut beside = Beside::default();
        for row in self.link.rows(QUEUES, &[]).await? {
            beside
                .queues
                .insert(row::queue(&row, 0)?, row::get(&row, 1)?);
        }
        for row in self.link.rows(KINDS, &[]).await? {
            let name: &str = row::get(&row, 0)?;
            let kind = tareas_core::Kind::new(name).map_err(row::damaged)?;
            beside.kinds.insert(kind);
        }
        for row in self.link.rows(SESSIONS, &[]).await? {
            beside.sessions.push(row::stored_session(&row)?);
        }
        Ok(beside)
    }

    async fn read_counts(&self) -> Result<Counts, Fault> {
        let mut counts = Counts::new();
        for row in self.link.rows(COUNTS, &[]).await? {
            let phase = row::phase(&row, 1)?;
            let n: i64 = row::get(&row, 2)?;
            let of_queue = counts.entry(row::queue(&row, 0)?).or_default();
            of_queue[phase as usize] = n.max(0).unsigned_abs();
        }
        Ok(counts)
    }
}

/// The condition that a mark is. Its parts are numbers: nothing of it is anybody's text.
fn above(mark: &Mark) -> Result<String, Fault> {
    let parts = mark.0.split_once(' ').and_then(|(at, id)| {
        let at: i64 = at.parse().ok()?;
        Some((at, Uuid::try_parse(id).ok()?))
    });
    let (at, id) = parts.ok_or_else(|| row::damaged("a mark that is none"))?;
    Ok(format!(
        "WHERE (t.submitted_at, t.id) > \
         (timestamptz 'epoch' + {at} * interval '1 microsecond', '{id}')"
    ))
}

fn next(row: &Row) -> Result<Next, Fault> {
    Ok(Next {
        id: row::id(row, 0)?,
        submitted_at: row::get::<Instant>(row, 1)?.into(),
        bytes: usize::try_from(row::get::<i64>(row, 2)?).unwrap_or(0),
    })
}

#[async_trait]
impl Export for PostgresExport {
    async fn leaf(&mut self, after: Option<&Mark>) -> Result<Option<Leaf>, PortError> {
        let leaf = self.leaf_after(after).await;
        leaf.map_err(Fault::into_port_error)
    }

    async fn beside(&mut self) -> Result<Beside, PortError> {
        let beside = self.read_beside().await;
        beside.map_err(Fault::into_port_error)
    }

    async fn counts(&mut self) -> Result<Counts, PortError> {
        let counts = self.read_counts().await;
        counts.map_err(Fault::into_port_error)
    }
}
