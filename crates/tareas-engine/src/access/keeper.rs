//! The tokens that are valid now, and when one stops to be.
//!
//! They are held in memory and read again every two seconds, so that what another server or the
//! command line has changed is heeded soon. A token that is revoked or has run out ends at once
//! for everybody who goes by it: [`Principal::ended`] wakes. While the store does not answer, what
//! was read last stands; what runs out by the clock ends all the same.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use smol_str::SmolStr;
use tareas_core::Timestamp;
use tokio_util::sync::CancellationToken;

use super::principal::Life;
use super::{
    AuditEntry, Chances, Credential, CredentialId, CredentialKind, Deed, Failures, Principal,
    Roles, Sealed, TokenText, Wanted,
};
use crate::ports::{AccessRecords, Clock, PortError};
use crate::services::Service;

/// How often the store is read: within so long, and a little, a revoked token is refused.
pub const REFRESH_EVERY: Duration = Duration::from_secs(2);
/// An unknown token has the store read at once, but not more often than this.
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
    /// How long lines of the audit log are kept.
    pub audit_kept: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            credentials_max: 10_000,
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
    store: Arc<dyn AccessRecords>,
    clock: Arc<dyn Clock>,
    limits: Limits,
    known: Mutex<Known>,
    failures: Mutex<Failures>,
}

#[derive(Debug, Default)]
struct Known {
    by_id: HashMap<CredentialId, Entry>,
    read_at: Option<Timestamp>,
    used: HashMap<CredentialId, Timestamp>,
}

#[derive(Debug)]
struct Entry {
    credential: Credential,
    principal: Principal,
    life: Life,
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

    /// The bearer of this token, if it is valid, and valid from there.
    ///
    /// # Errors
    /// [`Denied`]; whatever is wrong with a token, the answer is the same.
    pub async fn authenticate(
        &self,
        text: &str,
        kind: CredentialKind,
        address: IpAddr,
    ) -> Result<Principal, Denied> {
        let now = self.clock.now();
        if let Some(wait) = self.failures().wait(address, now) {
            return Err(Denied::TooOften { wait });
        }
        let shown = TokenText::parse(text).filter(|shown| shown.kind() == kind);
        let is_new = |shown: &TokenText| !self.known().by_id.contains_key(&shown.id());
        if shown.as_ref().is_some_and(is_new) && self.may_refresh(now) {
            self.refresh().await?;
        }
        let found = shown.and_then(|shown| self.find(&shown, address, now));
        found.ok_or_else(|| {
            self.failures().note(address, now);
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

    /// Makes a token. Its text is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`Denied::TooMuch`] when it would have rights that `by` has not; else when it cannot be
    /// stored.
    pub async fn create_token(
        &self,
        wanted: Wanted,
        by: &Principal,
        chances: &Chances,
    ) -> Result<(TokenText, Credential), Denied> {
        let covers = by.queues().is_none_or(|own| own.covers(&wanted.queues));
        if !covers {
            return Err(Denied::TooMuch);
        }
        let text = TokenText::make(CredentialKind::Token, chances);
        let by = by.name().cloned().unwrap_or_default();
        let credential = Credential::new(&text, wanted, by, self.clock.now());
        self.store(&credential).await?;
        Ok((text, credential))
    }

    /// Makes a login link with the rights of the caller; with all where access control is not
    /// asked, which is on the machine of the store.
    ///
    /// # Errors
    /// When the caller has no token, or it cannot be stored.
    pub async fn create_link(
        &self,
        by: &Principal,
        chances: &Chances,
    ) -> Result<(TokenText, Credential), Denied> {
        self.create_child(CredentialKind::Link, by, chances).await
    }

    /// Begins a session of the dashboard with the rights of the caller.
    ///
    /// # Errors
    /// As [`create_link`](Self::create_link).
    pub async fn create_session(
        &self,
        by: &Principal,
        chances: &Chances,
    ) -> Result<(TokenText, Credential), Denied> {
        self.create_child(CredentialKind::Session, by, chances)
            .await
    }

    /// Begins a session with a login link, which is used up by that.
    ///
    /// # Errors
    /// [`Denied::NotValid`] also for a link that was used before.
    pub async fn redeem_link(
        &self,
        text: &str,
        address: IpAddr,
        chances: &Chances,
    ) -> Result<(TokenText, Credential), Denied> {
        let link = self
            .authenticate(text, CredentialKind::Link, address)
            .await?;
        let session = self.child_of(CredentialKind::Session, &link, chances)?;
        let id = link.id().ok_or(Denied::NotValid)?;
        if !self.store.revoke(id, self.clock.now()).await? {
            return Err(Denied::NotValid);
        }
        self.store(&session.1).await?;
        Ok(session)
    }

    async fn create_child(
        &self,
        kind: CredentialKind,
        by: &Principal,
        chances: &Chances,
    ) -> Result<(TokenText, Credential), Denied> {
        let child = self.child_of(kind, by, chances)?;
        self.store(&child.1).await?;
        Ok(child)
    }

    fn child_of(
        &self,
        kind: CredentialKind,
        by: &Principal,
        chances: &Chances,
    ) -> Result<(TokenText, Credential), Denied> {
        let text = TokenText::make(kind, chances);
        if by.is_everyone() {
            // Whoever is in charge of the store anyway.
            let root = Credential::new(&text, admin("local"), SmolStr::default(), self.clock.now());
            let child = root.child(&text, root.wanted.name.clone(), root.created_at);
            return Ok((
                text,
                Credential {
                    parent: None,
                    ..child
                },
            ));
        }
        let known = self.known();
        let parent = by.id().and_then(|id| known.by_id.get(&id));
        let parent = &parent.ok_or(Denied::NotValid)?.credential;
        let name = parent.wanted.name.clone();
        let child = parent.child(&text, name, self.clock.now());
        Ok((text, child))
    }

    /// Makes the first token, of an administrator, unless there has ever been one.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn create_first(&self, chances: &Chances) -> Result<Option<TokenText>, Denied> {
        let is_admin = |entry: &Entry| {
            entry.credential.kind == CredentialKind::Token
                && entry.credential.wanted.roles.contains(super::Role::Admin)
        };
        if self.known().by_id.values().any(is_admin) {
            return Ok(None);
        }
        let text = TokenText::make(CredentialKind::Token, chances).with_id(CredentialId::FIRST);
        let by = SmolStr::default();
        let credential = Credential::new(&text, admin("first"), by, self.clock.now());
        match self.store(&credential).await {
            Ok(()) => Ok(Some(text)),
            // Another server was faster, or it was revoked and is still in the lists.
            Err(Denied::Store(PortError::Conflict { .. })) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Removes a token that nobody has been given.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn forget(&self, id: CredentialId) -> Result<(), PortError> {
        self.store.prune(&[id], Timestamp::EPOCH).await?;
        self.refresh().await
    }

    /// Revokes a token, link or session, and what came of it; `false` when there is no valid one.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn revoke(&self, id: CredentialId) -> Result<bool, PortError> {
        let is_revoked = self.store.revoke(id, self.clock.now()).await?;
        self.refresh().await?;
        Ok(is_revoked)
    }

    /// Every credential that is stored, newest first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list(&self) -> Result<Vec<Credential>, PortError> {
        let mut all = self.store.credentials().await?;
        all.sort_by_key(|credential| std::cmp::Reverse(credential.created_at));
        Ok(all)
    }

    async fn store(&self, credential: &Credential) -> Result<(), Denied> {
        if self.known().by_id.len() >= self.limits.credentials_max {
            return Err(Denied::Full);
        }
        self.store.add(credential).await?;
        Ok(self.refresh().await?)
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

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn admin(name: &'static str) -> Wanted {
    Wanted {
        name: SmolStr::new_static(name),
        roles: Roles::ADMIN,
        queues: super::QueueScope::every(),
        from: super::Networks::default(),
        expires_at: None,
    }
}

impl Known {
    fn take(&mut self, stored: Vec<Credential>, now: Timestamp) {
        let valid: HashMap<CredentialId, Credential> = stored
            .into_iter()
            .filter(|credential| credential.is_valid(now))
            .map(|credential| (credential.id, credential))
            .collect();
        let orphans: HashSet<CredentialId> = valid
            .values()
            .filter(|c| c.parent.is_some_and(|parent| !valid.contains_key(&parent)))
            .map(|credential| credential.id)
            .collect();
        self.by_id.retain(|id, entry| {
            let stays = valid.contains_key(id) && !orphans.contains(id);
            if !stays {
                entry.life.end();
            }
            stays
        });
        for (id, credential) in valid {
            if orphans.contains(&id) {
                continue;
            }
            match self.by_id.get_mut(&id) {
                Some(entry) => {
                    entry.credential.used_at = entry.credential.used_at.max(credential.used_at);
                }
                None => {
                    self.by_id.insert(id, Entry::new(credential));
                }
            }
        }
    }

    fn end_what_is_over(&mut self, now: Timestamp) {
        self.by_id.retain(|_, entry| {
            let stays = entry.credential.is_valid(now);
            if !stays {
                entry.life.end();
            }
            stays
        });
    }
}

impl Entry {
    fn new(credential: Credential) -> Self {
        let life = Life::default();
        let wanted = &credential.wanted;
        let (name, queues) = (wanted.name.clone(), wanted.queues.clone());
        let principal = Principal::bearer(credential.id, name, wanted.roles, queues, life.clone());
        Self {
            credential,
            principal,
            life,
        }
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
