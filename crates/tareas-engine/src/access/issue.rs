//! Making credentials, and taking them back: tokens, login links, sessions, and the first token.

use std::net::IpAddr;

use smol_str::SmolStr;
use tareas_core::Timestamp;

use super::known::Entry;
use super::{
    Access, Chances, Credential, CredentialId, CredentialKind, Denied, Networks, Principal,
    QueueScope, Role, Roles, TokenText, Wanted,
};
use crate::ports::PortError;

impl Access {
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
                && entry.credential.wanted.roles.contains(Role::Admin)
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

    /// Revokes a token that `by` may know of, and what came of it; `false` when there is none.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn revoke_token(&self, id: CredentialId, by: &Principal) -> Result<bool, PortError> {
        let known = self.list(by).await?;
        match known.iter().any(|credential| credential.id == id) {
            true => self.revoke(id).await,
            false => Ok(false),
        }
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

    /// The tokens that are stored, newest first: those that are for no other queues than `by` is.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn list(&self, by: &Principal) -> Result<Vec<Credential>, PortError> {
        let mut all = self.store.credentials().await?;
        all.retain(|credential| {
            let queues = by.queues();
            credential.kind == CredentialKind::Token
                && queues.is_none_or(|own| own.covers(&credential.wanted.queues))
        });
        all.sort_by_key(|credential| std::cmp::Reverse(credential.created_at));
        Ok(all)
    }

    async fn store(&self, credential: &Credential) -> Result<(), Denied> {
        if !self.has_room_for(credential) {
            return Err(Denied::Full);
        }
        self.store.add(credential).await?;
        Ok(self.refresh().await?)
    }

    fn has_room_for(&self, credential: &Credential) -> bool {
        let known = self.known();
        let is_sibling = |entry: &&Entry| {
            entry.credential.parent == credential.parent && credential.parent.is_some()
        };
        known.by_id.len() < self.limits.credentials_max
            && known.by_id.values().filter(is_sibling).count() < self.limits.children_max
    }
}

/// All rights.
fn admin(name: &'static str) -> Wanted {
    Wanted {
        name: SmolStr::new_static(name),
        roles: Roles::ADMIN,
        queues: QueueScope::every(),
        from: Networks::default(),
        expires_at: None,
    }
}
