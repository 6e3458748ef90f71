//! Credentials: tokens, login links and sessions of the dashboard, as they are stored.
//!
//! All three are the same thing: a secret that stands for rights, for a while. A link and a
//! session have the rights of the token that they come from, and end with it.

use std::time::Duration;

use smol_str::SmolStr;
use tareas_core::Timestamp;

use super::{CredentialId, Networks, QueueScope, Roles, Sealed, TokenText};

/// How long a login link waits to be used.
pub(super) const LINK_TTL: Duration = Duration::from_secs(30 * 60);
/// How long a session lasts at most.
pub(super) const SESSION_TTL: Duration = Duration::from_secs(12 * 60 * 60);
/// A session in which nothing is asked for so long is over.
pub(super) const SESSION_IDLE: Duration = Duration::from_secs(30 * 60);

/// What a credential is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// For programs: shown with every connection or request.
    Token,
    /// For a person: opened once, it begins a session.
    Link,
    /// For a browser: a cookie.
    Session,
}

impl CredentialKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Token, Self::Link, Self::Session];

    /// What its text begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Token => "tr",
            Self::Link => "tl",
            Self::Session => "ts",
        }
    }

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Link => "link",
            Self::Session => "session",
        }
    }

    /// The kind of this word.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a token is to be.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name, for people: which program or person it is for.
    pub name: SmolStr,
    /// What it is for.
    pub roles: Roles,
    /// For which queues.
    pub queues: QueueScope,
    /// From where it may be used; from anywhere when empty.
    pub from: Networks,
    /// When it ends; never when `None`.
    pub expires_at: Option<Timestamp>,
}

/// A credential as it is stored.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The public half of its text.
    pub id: CredentialId,
    /// What it is for.
    pub kind: CredentialKind,
    /// What is kept of its secret.
    pub sealed: Sealed,
    /// Its rights.
    pub wanted: Wanted,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: SmolStr,
    /// With which credential it ends, too.
    pub parent: Option<CredentialId>,
    /// When it was last used, to the minute.
    pub used_at: Option<Timestamp>,
    /// When it was revoked, or used up.
    pub revoked_at: Option<Timestamp>,
}

impl Credential {
    /// A new one.
    pub fn new(text: &TokenText, wanted: Wanted, by: SmolStr, now: Timestamp) -> Self {
        Self {
            id: text.id(),
            kind: text.kind(),
            sealed: text.seal(),
            wanted,
            created_at: now,
            created_by: by,
            parent: None,
            used_at: None,
            revoked_at: None,
        }
    }

    /// A link or a session with the rights of this credential. It ends when this one does, at
    /// the latest.
    pub(super) fn child(&self, text: &TokenText, by: SmolStr, now: Timestamp) -> Self {
        let within = match text.kind() {
            CredentialKind::Link => LINK_TTL,
            _ => SESSION_TTL,
        };
        let ends = now + within;
        let expires_at = self.wanted.expires_at.map_or(ends, |own| own.min(ends));
        let wanted = Wanted {
            expires_at: Some(expires_at),
            ..self.wanted.clone()
        };
        // A link is used up by the session that comes of it, which goes on with the token.
        let parent = match self.kind {
            CredentialKind::Token => Some(self.id),
            CredentialKind::Link | CredentialKind::Session => self.parent,
        };
        Self {
            parent,
            ..Self::new(text, wanted, by, now)
        }
    }

    /// When it ends by itself, as things stand.
    pub fn ends_at(&self) -> Option<Timestamp> {
        let last = self.used_at.unwrap_or(self.created_at);
        let idle = (self.kind == CredentialKind::Session).then(|| last + SESSION_IDLE);
        [self.wanted.expires_at, self.revoked_at, idle]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether it is valid, as far as it knows itself.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.ends_at().is_none_or(|end| now < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn credential(kind: CredentialKind) -> Credential {
        let text = TokenText::make(kind, &[7; super::super::CHANCE]);
        let wanted = Wanted {
            name: "x".into(),
            roles: Roles::ADMIN,
            queues: QueueScope::every(),
            from: Networks::default(),
            expires_at: None,
        };
        Credential::new(&text, wanted, "test".into(), START)
    }

    #[test]
    fn a_session_ends_when_nothing_is_asked_and_after_half_a_day_at_the_latest() {
        let text = TokenText::make(CredentialKind::Session, &[9; super::super::CHANCE]);
        let token = credential(CredentialKind::Token);
        let mut session = token.child(&text, "x".into(), START);
        assert_eq!(session.parent, Some(token.id));
        assert!(session.is_valid(START + SESSION_IDLE / 2));
        assert!(!session.is_valid(START + SESSION_IDLE));
        session.used_at = Some(START + SESSION_TTL);
        assert!(!session.is_valid(START + SESSION_TTL));
        assert!(token.is_valid(START + SESSION_TTL * 100));
    }

    #[test]
    fn what_comes_of_a_token_does_not_outlive_it() {
        let mut token = credential(CredentialKind::Token);
        token.wanted.expires_at = Some(START + LINK_TTL / 3);
        let text = TokenText::make(CredentialKind::Link, &[9; super::super::CHANCE]);
        let link = token.child(&text, "x".into(), START);
        assert_eq!(link.ends_at(), token.wanted.expires_at);
        let session = link.child(&text, "x".into(), START);
        assert_eq!(session.parent, Some(token.id));
    }
}
