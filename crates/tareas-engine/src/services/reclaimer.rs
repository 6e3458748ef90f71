//! The reclaimer: finds processes that are gone, and takes back what they were running.
//!
//! Level-triggered: it looks at who is there. A process whose lease has run out is gone; one
//! whose connection has ended is gone when it was not back for some looks in a row. Nobody is
//! judged until the store has answered this process for a whole lease.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::Service;
use crate::ports::{MemberId, Missing, StoredSession};
use crate::{Engine, Membership, Refusal};

/// Every so many looks, what others have left undone is looked for.
const TIDY_LOOKS: u32 = 10;

/// See the module's documentation.
#[derive(Debug)]
pub struct Reclaimer {
    engine: Arc<Engine>,
    membership: Membership,
    /// In how many looks in a row each was missing.
    missed: HashMap<MemberId, u32>,
    looks: u32,
}

impl Reclaimer {
    /// A reclaimer for this engine.
    pub fn new(engine: Arc<Engine>, membership: Membership) -> Self {
        Self {
            engine,
            membership,
            missed: HashMap::new(),
            looks: 0,
        }
    }

    /// One look; how many tasks were taken back.
    ///
    /// # Errors
    /// When the store is unavailable: nobody is judged for a while.
    pub async fn look(&mut self) -> Result<usize, Refusal> {
        let Membership { members, terms, .. } = &self.membership;
        if !self.engine.standing.may_judge(*terms) {
            self.missed.clear();
            return Ok(0);
        }
        let missing = members.missing().await?;
        let mut reclaimed = 0;
        for member in self.judge(&missing) {
            reclaimed += self.bury(member).await?;
        }
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(TIDY_LOOKS) {
            reclaimed += self.tidy().await?;
        }
        Ok(reclaimed)
    }

    /// Those that are gone.
    fn judge(&mut self, missing: &[Missing]) -> Vec<MemberId> {
        let is_missing = |member: &MemberId| missing.iter().any(|m| m.member == *member);
        self.missed.retain(|member, _| is_missing(member));
        let mut gone = Vec::new();
        for Missing { member, is_expired } in missing {
            let looks = self.missed.entry(*member).or_default();
            *looks += 1;
            // The first look only begins the wait.
            if *is_expired || *looks > self.membership.terms.looks_max() {
                gone.push(*member);
            }
        }
        gone
    }

    async fn bury(&self, member: MemberId) -> Result<usize, Refusal> {
        let members = &self.membership.members;
        let sessions = members.bury(member).await?;
        if sessions.is_empty() {
            return Ok(0);
        }
        let reclaimed = self.take_back(sessions).await?;
        tracing::warn!(
            member = %format_args!("{:08x}", member.0 as u32),
            reclaimed,
            "a process is gone; what it was running is taken back"
        );
        Ok(reclaimed)
    }

    async fn take_back(&self, sessions: Vec<StoredSession>) -> Result<usize, Refusal> {
        let mut reclaimed = 0;
        for lost in sessions {
            let StoredSession {
                id, slots, worker, ..
            } = lost;
            reclaimed += self.engine.reclaim(id, slots, worker).await?;
        }
        Ok(reclaimed)
    }

    async fn tidy(&self) -> Result<usize, Refusal> {
        let members = &self.membership.members;
        // A worker has as long to come back as when its server is there.
        let patience = self.engine.config.patience.session_ttl;
        let orphaned = members.orphaned(patience).await?;
        if !orphaned.is_empty() {
            tracing::warn!(
                workers = orphaned.len(),
                "the server of remote workers is gone; what they were running is taken back"
            );
        }
        let mut reclaimed = self.take_back(orphaned).await?;
        for session in members.haunted().await? {
            // Whoever buried it knew which claims were started. What is left came late.
            reclaimed += self.engine.reclaim(session, 0, None).await?;
        }
        members.tidy().await?;
        Ok(reclaimed)
    }
}

#[async_trait]
impl Service for Reclaimer {
    fn name(&self) -> &'static str {
        "reclaimer"
    }

    async fn run(mut self: Box<Self>, shutdown: CancellationToken) {
        let look_every = self.membership.terms.look_every();
        let engine = Arc::clone(&self.engine);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = engine.ports.clock.sleep(look_every) => {}
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                looked = self.look() => if let Err(error) = looked {
                    tracing::warn!(%error, "the other processes were not looked at");
                    engine.standing.doubt();
                }
            }
        }
    }
}
