//! Membership: how this process stands among those that share its records.
//!
//! A lease is renewed by [`services::LeaseKeeper`](crate::services::LeaseKeeper). A process that
//! could not renew it in time *fences itself*: it claims nothing until it has renewed, or has
//! entered anew with another session. What runs goes on; the record is protected by its fence.
//! It judges others only when the store has answered for a whole lease: after an outage of the
//! store every lease looks expired, and the first to come back must not bury the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tareas_core::SessionId;

use crate::ports::{Identity, Members, News, PortError};
use crate::{Engine, Refusal};

/// How a process is one of several on the same records.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The others.
    pub members: Arc<dyn Members>,
    /// How this process is called.
    pub identity: Identity,
    /// How long everybody waits for everybody.
    pub terms: LeaseTerms,
    /// How they hear of ended tasks before they look.
    pub news: Option<Arc<dyn News>>,
}

/// How long a silent process is believed. All follow from the length of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTerms {
    ttl: Duration,
}

impl LeaseTerms {
    /// The usual length of a lease.
    pub const TTL_DEFAULT: Duration = Duration::from_secs(15);
    /// Renewals per lease, of which one must succeed.
    const RENEWALS: u32 = 3;

    /// Terms of leases of this length.
    pub fn new(ttl: Duration) -> Self {
        Self { ttl }
    }

    /// How long a lease lasts: who is silent for so long is gone.
    pub fn ttl(self) -> Duration {
        self.ttl
    }

    /// How often it is renewed.
    pub fn renew_every(self) -> Duration {
        self.ttl / Self::RENEWALS
    }

    /// How often a renewal that failed is tried again.
    pub fn retry_every(self) -> Duration {
        self.ttl / 15
    }

    /// How long one renewal may take, and how long before its lease ends a process stops to
    /// claim.
    pub fn margin(self) -> Duration {
        self.ttl / 5
    }

    /// How often others are looked at.
    pub fn look_every(self) -> Duration {
        self.ttl / 30
    }

    /// Who was seen without its connection in so many looks in a row is gone.
    pub(crate) fn looks_max(self) -> u32 {
        10
    }

    /// So many renewals in a row, the first of them included, span a whole lease.
    fn renewals_to_judge(self) -> u32 {
        Self::RENEWALS + 1
    }
}

impl Default for LeaseTerms {
    fn default() -> Self {
        Self::new(Self::TTL_DEFAULT)
    }
}

/// Where this process stands.
#[derive(Debug)]
pub(crate) struct Standing {
    session: AtomicU64,
    is_fenced: AtomicBool,
    renewals: AtomicU32,
}

impl Standing {
    /// Alone, or not in doubt yet.
    pub(crate) fn new(session: SessionId) -> Self {
        Self {
            session: AtomicU64::new(session.0),
            is_fenced: AtomicBool::new(false),
            renewals: AtomicU32::new(0),
        }
    }

    pub(crate) fn session(&self) -> SessionId {
        SessionId(self.session.load(Ordering::SeqCst))
    }

    /// Whether tasks may be claimed.
    pub(crate) fn may_claim(&self) -> bool {
        !self.is_fenced.load(Ordering::SeqCst)
    }

    /// Whether others may be declared gone.
    pub(crate) fn may_judge(&self, terms: LeaseTerms) -> bool {
        self.may_claim() && self.renewals.load(Ordering::SeqCst) >= terms.renewals_to_judge()
    }

    /// The lease was renewed.
    pub(crate) fn renewed(&self) {
        let more = |renewals: u32| Some(renewals.saturating_add(1));
        // It always has a next value.
        let _ = self
            .renewals
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        if self.is_fenced.swap(false, Ordering::SeqCst) {
            tracing::info!("the lease is renewed: tasks are claimed again");
        }
    }

    /// The store did not answer: nobody is judged until it has answered for a whole lease.
    pub(crate) fn doubt(&self) {
        self.renewals.store(0, Ordering::SeqCst);
    }

    /// The lease is about to end, or has ended.
    pub(crate) fn fence(&self) {
        self.doubt();
        if !self.is_fenced.swap(true, Ordering::SeqCst) {
            tracing::warn!(
                "the lease of this process was not renewed: nothing is claimed until it is"
            );
        }
    }
}

impl Engine {
    /// Enters this process among its peers; nothing where it is alone.
    pub(crate) async fn enter(&self) -> Result<(), Refusal> {
        if let Some(Membership { members, terms, .. }) = &self.config.membership {
            members.enter(terms.ttl(), false).await?;
            self.exchange_offers(&**members).await?;
        }
        Ok(())
    }

    /// Whether other processes may share the records, which are then a round trip away.
    pub fn shares_records(&self) -> bool {
        self.config.membership.is_some()
    }

    /// Whether this process may claim tasks: its lease is not in doubt.
    pub fn may_claim(&self) -> bool {
        self.standing.may_claim()
    }

    /// Ends the membership of this process, once it runs nothing any more. What it could not
    /// give back is found by the others.
    ///
    /// # Errors
    /// When the store is unavailable: the others find out by themselves.
    pub async fn depart(&self) -> Result<(), Refusal> {
        if let Some(Membership { members, .. }) = &self.config.membership {
            members.leave().await?;
        }
        Ok(())
    }

    /// This process was declared gone: it goes on under another session, and stops what is not
    /// its own any more.
    pub(crate) async fn enter_anew(&self, membership: &Membership) -> Result<(), PortError> {
        self.standing.fence();
        let session = SessionId(self.chance.draw() >> 1 | 1);
        let Membership { members, terms, .. } = membership;
        members.enter(terms.ttl(), true).await?;
        self.open_own_session(session).await?;
        self.standing.session.store(session.0, Ordering::SeqCst);
        tracing::warn!("this process was declared gone; it goes on under another session");
        // What is not ours any more.
        let held: Vec<_> = self.held_for(Duration::ZERO).into_iter().collect();
        self.recall(&held).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_judged_after_a_whole_lease_of_answers() {
        let (standing, terms) = (Standing::new(SessionId(1)), LeaseTerms::default());
        for _ in 0..3 {
            standing.renewed();
            assert!(!standing.may_judge(terms));
        }
        standing.renewed();
        assert!(standing.may_judge(terms));
        standing.doubt();
        assert!(!standing.may_judge(terms) && standing.may_claim());
    }

    #[test]
    fn a_process_without_a_lease_claims_nothing() {
        let standing = Standing::new(SessionId(1));
        standing.fence();
        assert!(!standing.may_claim());
        standing.renewed();
        assert!(standing.may_claim());
    }
}
