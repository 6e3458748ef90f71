//! What an operator has set, the sessions, and the kinds that workers announced.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tareas_core::{Kind, Position, QueueName, SessionId};
use tareas_engine::ports::{ApplyError, PortError, Settings, StoredSession};
use tokio::sync::oneshot;

use super::SqliteRecords;
use super::error::unavailable;
use super::shared::{AskedSession, SessionChange};

#[async_trait]
impl Settings for SqliteRecords {
    fn queues(&self) -> BTreeMap<QueueName, bool> {
        let state = self.shared.lock();
        state
            .ledger
            .queues()
            .map(|(queue, paused)| (queue.clone(), paused))
            .collect()
    }

    async fn pause(&self, queue: &QueueName, paused: bool) -> Result<Position, ApplyError> {
        let locked = self.shared.lock_to_decide();
        let mut state = locked.map_err(|stopped| ApplyError::NotApplied(unavailable(stopped)))?;
        let position = state.ledger.pause(queue, paused);
        self.decided(state, position);
        Ok(position)
    }

    fn lost_sessions(&self) -> Vec<StoredSession> {
        self.lost_sessions
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    async fn open_session(&self, session: StoredSession) -> Result<(), PortError> {
        self.change_session(SessionChange::Open(session)).await
    }

    async fn close_session(&self, session: SessionId) -> Result<(), PortError> {
        self.change_session(SessionChange::Close { session })
            .await?;
        let mut lost = self
            .lost_sessions
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        lost.retain(|known| known.id != session);
        Ok(())
    }

    fn remembered_kinds(&self) -> Vec<Kind> {
        self.remembered_kinds.clone()
    }

    async fn remember_kinds(&self, kinds: &[Kind]) -> Result<(), PortError> {
        self.change_session(SessionChange::Kinds(kinds.to_vec()))
            .await
    }
}

impl SqliteRecords {
    /// Hands a change to the writer and waits until it is on disk.
    async fn change_session(&self, change: SessionChange) -> Result<(), PortError> {
        let (done, is_done) = oneshot::channel();
        {
            let mut state = self.shared.lock_to_decide().map_err(unavailable)?;
            state.sessions.push(AskedSession { change, done });
            self.shared.unlock(state);
        }
        is_done.await.map_err(unavailable)
    }
}
