//! What an operator has set, and the sessions of this server.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tareas_core::{Position, QueueName, SessionId};
use tareas_engine::ports::{ApplyError, PortError, Settings};

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
const SESSIONS: &str = "SELECT session_id, slots FROM tareas.sessions WHERE server_id = $1 \
    ORDER BY opened_at, session_id";
const OPEN: &str = "INSERT INTO tareas.sessions (session_id, server_id, slots) \
    VALUES ($1, $2, $3) ON CONFLICT (session_id) DO UPDATE SET slots = excluded.slots";
const CLOSE: &str = "DELETE FROM tareas.sessions WHERE session_id = $1";

#[async_trait]
impl Settings for PostgresRecords {
    fn queues(&self) -> BTreeMap<QueueName, bool> {
        self.shared.queues()
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

    fn lost_sessions(&self) -> Vec<(SessionId, u16)> {
        self.shared.lost().clone()
    }

    async fn open_session(&self, session: SessionId, slots: u16) -> Result<(), PortError> {
        let (id, slots) = (row::session_uuid(session), i32::from(slots));
        let server = self.shared.server;
        self.seldom.rows(OPEN, &[&id, &server, &slots]).await?;
        Ok(())
    }

    async fn close_session(&self, session: SessionId) -> Result<(), PortError> {
        let id = row::session_uuid(session);
        self.seldom.rows(CLOSE, &[&id]).await?;
        self.shared.lost().retain(|(lost, _)| *lost != session);
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
    let mut lost = Vec::new();
    for row in link.rows(SESSIONS, &[&shared.server]).await? {
        let slots = u16::try_from(row::get::<i32>(&row, 1)?).unwrap_or(u16::MAX);
        lost.push((row::session(&row, 0)?, slots));
    }
    *shared.lost() = lost;
    Ok(())
}
