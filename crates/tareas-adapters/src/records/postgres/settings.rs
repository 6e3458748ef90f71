//! What an operator has set, the sessions of this server, and the kinds that workers announced.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tareas_core::{Kind, Position, QueueName, SessionId};
use tareas_engine::ports::{ApplyError, PortError, Settings, StoredSession};
use tokio_postgres::types::ToSql;

use super::PostgresRecords;
use super::fault::Fault;
use super::link::Link;
use super::row;
use super::shared::Shared;

const QUEUES: &str = "SELECT name, paused FROM tareas.queues";
/// Returns the name when the queue was otherwise before.
const PAUSE: &str = "INSERT INTO tareas.queues AS q (name, paused) VALUES ($1, $2) \
    ON CONFLICT (name) DO UPDATE SET paused = excluded.paused \
    WHERE q.paused <> excluded.paused RETURNING name";
const SESSIONS: &str = "SELECT session_id, slots, resume_hash, worker FROM tareas.sessions \
    WHERE server_id = $1 AND state = 0 ORDER BY opened_at, session_id";
const OPEN: &str = "INSERT INTO tareas.sessions (session_id, server_id, slots, own_pool, \
    resume_hash, worker) VALUES ($1, $2, $3, $4::bytea IS NULL, $4::bytea, $5) \
    ON CONFLICT (session_id) DO UPDATE SET server_id = excluded.server_id, \
    slots = excluded.slots, resume_hash = excluded.resume_hash, worker = excluded.worker";
const CLOSE: &str = "UPDATE tareas.sessions SET state = 1, closed_at = statement_timestamp() \
    WHERE session_id = $1 AND state = 0";
const KINDS: &str = "SELECT name FROM tareas.kinds ORDER BY name";
const REMEMBER: &str = "INSERT INTO tareas.kinds (name) SELECT unnest($1::text[]) \
    ON CONFLICT (name) DO NOTHING";

#[async_trait]
impl Settings for PostgresRecords {
    fn queues(&self) -> BTreeMap<QueueName, bool> {
        let mut queues = self.shared.queues();
        // Those that nobody has set are open.
        let others = self.shared.tally.sums().into_keys();
        for queue in others.chain([QueueName::default()]) {
            queues.entry(queue).or_insert(false);
        }
        queues
    }

    async fn pause(&self, queue: &QueueName, paused: bool) -> Result<Position, ApplyError> {
        let name = queue.as_str();
        // Setting it twice is setting it once: a lost connection is tried again by the reader.
        let changed = self.seldom.rows(PAUSE, &[&name, &paused]).await;
        let changed = changed.map_err(ApplyError::Unknown)?;
        self.shared.set_queue(queue, paused);
        if !changed.is_empty() {
            self.shared.advance();
        }
        Ok(self.shared.position())
    }

    fn lost_sessions(&self) -> Vec<StoredSession> {
        self.shared.lost().clone()
    }

    async fn open_session(&self, session: StoredSession) -> Result<(), PortError> {
        let (id, slots) = (row::session_uuid(session.id), i32::from(session.slots));
        let (server, resume) = (self.shared.server, session.resume.map(Vec::from));
        let worker = session.worker.as_deref();
        let values: [&(dyn ToSql + Sync); 5] = [&id, &server, &slots, &resume, &worker];
        self.seldom.rows(OPEN, &values).await?;
        Ok(())
    }

    async fn close_session(&self, session: SessionId) -> Result<(), PortError> {
        let id = row::session_uuid(session);
        self.seldom.rows(CLOSE, &[&id]).await?;
        self.shared.lost().retain(|lost| lost.id != session);
        Ok(())
    }

    fn remembered_kinds(&self) -> Vec<Kind> {
        self.shared.kinds().clone()
    }

    async fn remember_kinds(&self, kinds: &[Kind]) -> Result<(), PortError> {
        let names: Vec<&str> = kinds.iter().map(Kind::as_str).collect();
        self.seldom.rows(REMEMBER, &[&names]).await?;
        Ok(())
    }
}

/// Takes over what is stored of the queues.
pub(super) async fn read_queues(shared: &Shared, link: &Link) -> Result<(), Fault> {
    let changes = shared.queue_changes();
    let mut queues = BTreeMap::new();
    for row in link.rows(QUEUES, &[]).await? {
        queues.insert(row::queue(&row, 0)?, row::get(&row, 1)?);
    }
    shared.install_queues(queues, changes);
    Ok(())
}

/// Takes over the sessions of earlier lives of this server: all that are stored when it opens.
pub(super) async fn read_sessions(shared: &Shared, link: &Link) -> Result<(), Fault> {
    let rows = link.rows(SESSIONS, &[&shared.server]).await?;
    let lost = rows.iter().map(row::stored_session);
    *shared.lost() = lost.collect::<Result<_, Fault>>()?;
    Ok(())
}

/// Takes over the kinds that workers have announced, here or at other servers.
pub(super) async fn read_kinds(shared: &Shared, link: &Link) -> Result<(), Fault> {
    let mut kinds = Vec::new();
    for row in link.rows(KINDS, &[]).await? {
        // A name that this version does not take is no kind of its own.
        kinds.extend(Kind::new(&row::get::<String>(&row, 0)?).ok());
    }
    *shared.kinds() = kinds;
    Ok(())
}
