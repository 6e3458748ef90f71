//! Recovery: what earlier lives of this process, or other processes, left running is taken back.

use std::sync::Arc;

use smol_str::SmolStr;
use tareas_core::{Outcome, SessionId, Sweep};

use crate::ports::{PortError, StoredSession};
use crate::{Engine, Refusal};

/// Tasks per sweep.
const SWEEP_MAX: usize = 10_000;

impl Engine {
    /// Takes back the tasks of sessions that are gone, before anything else starts. How many.
    /// Remote workers get a while to come back to theirs.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn recover(self: &Arc<Self>) -> Result<usize, Refusal> {
        self.enter().await?;
        let mut reclaimed = 0;
        self.kinds.announce(self.ports.settings.remembered_kinds());
        for lost in self.ports.settings.lost_sessions() {
            if let Some(resume_hash) = lost.resume {
                self.expect_back(&lost, resume_hash);
                continue;
            }
            reclaimed += self.reclaim(lost.id, lost.slots, lost.worker).await?;
            self.ports.settings.close_session(lost.id).await?;
        }
        self.open_own_session(self.session()).await?;
        Ok(reclaimed)
    }

    /// Opens the session of this process's own pool.
    pub(crate) async fn open_own_session(&self, session: SessionId) -> Result<(), PortError> {
        let name = &self.config.name;
        let own = StoredSession {
            worker: (!name.is_empty()).then(|| name.clone()),
            ..StoredSession::of_own_pool(session, self.config.threads)
        };
        self.ports.settings.open_session(own).await
    }

    /// T7 for everything that a session holds: only its `slots` oldest claims can have been
    /// started. How many tasks. Their history gets the name of the worker.
    pub(crate) async fn reclaim(
        &self,
        session: SessionId,
        slots: u16,
        worker: Option<SmolStr>,
    ) -> Result<usize, Refusal> {
        let mut reclaimed = 0;
        let mut slots = slots;
        loop {
            let worker = worker.clone();
            let sweep = Sweep::Reclaim {
                session,
                slots,
                worker,
            };
            let applied = self
                .ports
                .records
                .sweep(sweep, self.now(), SWEEP_MAX)
                .await?;
            let done = || {
                applied
                    .outcomes
                    .iter()
                    .filter(|o| matches!(o, Outcome::Done(_)))
            };
            self.tally.lost(done().count() as u64);
            reclaimed += done().count();
            self.ended(applied.position, done().filter_map(Outcome::task));
            self.publish(done().filter_map(Outcome::task)).await;
            self.until_durable(applied.position).await?;
            if applied.outcomes.len() < SWEEP_MAX {
                return Ok(reclaimed);
            }
            // Only the oldest claims of the session can have been started.
            slots = 0;
        }
    }
}
