//! The tokens that are valid now, and when one stops to be.
//!
//! They are held in memory and read again every two seconds, so that what another server or the
//! command line has changed is heeded soon. A token that is revoked or has run out ends at once
//! for everybody who goes by it: [`Principal::ended`] wakes. While the store does not answer, what
//! was read last stands; what runs out by the clock ends all the same.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::Timestamp;
use tokio_util::sync::CancellationToken;

use super::known::Known;
use super::{AuditEntry, Credential, CredentialKind, Deed, Failures, Principal, Sealed, TokenText};
use crate::ports::{AccessRecords, Clock, PortError};
use crate::services::Service;

/// How often the store is read: within so long, and a little, a revoked token is refused.
pub const REFRESH_EVERY: Duration = Duration::from_secs(2);
/// A wrong token has the store read at once, but not more often than this.
const REFRESH_SOONEST: Duration = Duration::from_millis(200);
/// How exactly the last use of a token is noted.
const TOUCH_EVERY: Duration = Duration::from_secs(60);
/// Between two removals of what is past.
const PRUNE_EVERY: Duration = Duration::from_secs(600);
/// How long an ended token stays in lists. Links and sessions go at once.
const TOKENS_SHOWN_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Credentials of all kinds that are valid at once.
    pub credentials_max: usize,
    /// Links and sessions of one token that are valid at once.
    pub children_max: usize,
    /// How long lines of the audit log are kept.
    pub audit_kept: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            credentials_max: 10_000,
            children_max: 100,
            audit_kept: Duration::from_secs(365 * 24 * 60 * 60),
        }
    }
}

/// Why a token was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// There is no such token, or it is not valid, or not from there: nobody is told which.
    #[error("the token is not valid")]
    NotValid,
    /// This address was wrong too often.
    #[error("too many wrong tokens came from this address")]
    TooOften {
        /// When it may try again.
        wait: Duration,
    },
    /// There are as many as there may be.
    #[error("there are too many tokens and sessions")]
    Full,
    /// Nobody gives more than they have.
    #[error("a token cannot give more than it has")]
    TooMuch,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] PortError),
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Access {
    pub(super) store: Arc<dyn AccessRecords>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: Limits,
    known: Mutex<Known>,
    failures: Mutex<Failures>,
}

impl Access {
    /// Access control over this store, which is read before anybody is let in.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open(
        store: Arc<dyn AccessRecords>,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> Result<Arc<Self>, PortError> {
        let access = Self {
            store,
            clock,
            limits,
            known: Mutex::default(),
            failures: Mutex::default(),
        };
        access.refresh().await?;
        Ok(Arc::new(access))
    }

    /// The bearer of this token, if it is valid, and valid from there. Wrong ones are counted by
    /// address; whoever shows a valid one is let in all the same, since others may be wrong behind
    /// the same balancer.
    ///
    /// # Errors
    /// [`Denied`]; whatever is wrong with a token, the answer is the same, and takes the same way.
    pub async fn authenticate(
        &self,
        text: &str,
        kind: CredentialKind,
        address: IpAddr,
    ) -> Result<Principal, Denied> {
        let now = self.clock.now();
        let shown = TokenText::parse(text).filter(|shown| shown.kind() == kind);
        let find = || self.find(shown.as_ref()?, address, now);
        if let Some(principal) = find() {
            return Ok(principal);
        }
        if let Some(wait) = self.failures().wait(address, now) {
            return Err(Denied::TooOften { wait });
        }
        // Another server may have made it just now.
        if shown.is_some() && self.may_refresh(now) {
            self.refresh().await?;
        }
        find().ok_or_else(|| {
            // A page that is left open goes on to show a session that is over.
            if kind != CredentialKind::Session {
                self.failures().note(address, now);
            }
            Denied::NotValid
        })
    }

    fn may_refresh(&self, now: Timestamp) -> bool {
        let read_at = self.known().read_at;
        read_at.is_none_or(|at| now.since(at) >= REFRESH_SOONEST)
    }

    /// An unknown id takes the same way as a wrong secret.
    fn find(&self, shown: &TokenText, address: IpAddr, now: Timestamp) -> Option<Principal> {
        let mut known = self.known();
        let entry = known.by_id.get(&shown.id());
        let stored = entry.map_or(Sealed::default(), |entry| entry.credential.sealed);
        let is_same = stored.is(&shown.seal());
        let entry = entry.filter(|_| is_same)?;
        let credential = &entry.credential;
        let from = &credential.wanted.from;
        let is_near = from.is_empty() || from.contains(address);
        if !is_near || entry.life.has_ended() || !credential.is_valid(now) {
            return None;
        }
        let principal = entry.principal.clone();
        let last = credential.used_at.unwrap_or(Timestamp::EPOCH);
        if now.since(last) >= TOUCH_EVERY {
            known.used.insert(shown.id(), now);
            if let Some(entry) = known.by_id.get_mut(&shown.id()) {
                entry.credential.used_at = Some(now);
            }
        }
        Some(principal)
    }

    /// Reads what is valid; ends what is not any more.
    ///
    /// # Errors
    /// When the store does not answer: what was read last stands.
    pub async fn refresh(&self) -> Result<(), PortError> {
        let stored = self.store.credentials().await;
        let now = self.clock.now();
        let mut known = self.known();
        known.read_at = Some(now);
        let stored = match stored {
            Ok(stored) => stored,
            Err(error) => {
                known.end_what_is_over(now);
                return Err(error);
            }
        };
        known.take(stored, now);
        Ok(())
    }

    /// Writes a line into the audit log.
    pub async fn note(&self, who: &Principal, address: IpAddr, deed: Deed, detail: &str) {
        let who = match (who.name(), who.id()) {
            (Some(name), Some(id)) => format!("{name} ({id})"),
            _ => String::new(),
        };
        let entry = AuditEntry::new(self.clock.now(), &who, &address.to_string(), deed, detail);
        tracing::info!(who = %entry.who, address = %entry.address, deed = deed.name(),
            detail = %entry.detail, "audit");
        if let Err(error) = self.store.write_audit(std::slice::from_ref(&entry)).await {
            tracing::error!(%error, deed = deed.name(), "a line of the audit log was not written");
        }
    }

    /// Lines of the audit log, newest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn audit(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, PortError> {
        self.store.read_audit(before, limit).await
    }

    /// Stores when tokens were used.
    async fn touch(&self) {
        let used: Vec<_> = self.known().used.drain().collect();
        if used.is_empty() {
            return;
        }
        if let Err(error) = self.store.touch(&used).await {
            tracing::warn!(%error, "the last use of tokens was not noted");
        }
    }

    /// Removes what is past.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn prune(&self) -> Result<(), PortError> {
        let now = self.clock.now();
        let is_past = |credential: &Credential| {
            let shown_for = match credential.kind {
                CredentialKind::Token => TOKENS_SHOWN_FOR,
                CredentialKind::Link | CredentialKind::Session => Duration::ZERO,
            };
            credential
                .ends_at()
                .is_some_and(|end| end + shown_for < now)
        };
        let stored = self.store.credentials().await?;
        let ended: Vec<_> = stored.iter().filter(|c| is_past(c)).map(|c| c.id).collect();
        self.store.prune(&ended, now - self.limits.audit_kept).await
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The loop that keeps it up to date.
#[derive(Debug)]
pub struct AccessKeeper(pub Arc<Access>);

#[async_trait]
impl Service for AccessKeeper {
    fn name(&self) -> &'static str {
        "access-keeper"
    }

    async fn run(self: Box<Self>, shutdown: CancellationToken) {
        let access = &self.0;
        let mut pruned_at = Timestamp::EPOCH;
        loop {
            access.touch().await;
            if let Err(error) = access.refresh().await {
                tracing::warn!(%error, "tokens were not read again; those that were read stand");
            }
            let now = access.clock.now();
            if now.since(pruned_at) >= PRUNE_EVERY {
                pruned_at = now;
                if let Err(error) = access.prune().await {
                    tracing::warn!(%error, "old tokens and audit lines were not removed");
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return access.touch().await,
                () = access.clock.sleep(REFRESH_EVERY) => {}
            }
        }
    }
}
