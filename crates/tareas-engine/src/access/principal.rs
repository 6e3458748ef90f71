//! Who asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use smol_str::SmolStr;
use tareas_core::QueueName;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::{Action, CredentialId, Object, QueueScope, Roles, Verdict, authorize};

/// Who asks: everyone where access control is off; else nobody, or the bearer of a token.
#[derive(Clone, Debug)]
pub struct Principal(Who);

#[derive(Clone, Debug)]
enum Who {
    Everyone,
    Nobody,
    Bearer(Arc<Bearer>),
}

#[derive(Debug)]
struct Bearer {
    id: CredentialId,
    name: SmolStr,
    roles: Roles,
    queues: QueueScope,
    life: Life,
}

/// How long a credential is valid: until somebody says that it has ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Life {
    /// What the token says, for those who ask at every turn: asking a token takes a lock.
    has_ended: Arc<AtomicBool>,
    ended: CancellationToken,
}

impl Life {
    /// Ends it; everybody who goes by it is woken.
    pub(super) fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
        self.ended.cancel();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }
}

impl Principal {
    /// Whoever it is, where access control is off: may do everything.
    pub const fn everyone() -> Self {
        Self(Who::Everyone)
    }

    /// Somebody without a token, where access control is on.
    pub const fn nobody() -> Self {
        Self(Who::Nobody)
    }

    /// The bearer of a valid token.
    pub(super) fn bearer(
        id: CredentialId,
        name: SmolStr,
        roles: Roles,
        queues: QueueScope,
        life: Life,
    ) -> Self {
        Self(Who::Bearer(Arc::new(Bearer {
            id,
            name,
            roles,
            queues,
            life,
        })))
    }

    /// Whether this is somebody without a token, where one is needed.
    pub fn is_nobody(&self) -> bool {
        matches!(self.0, Who::Nobody)
    }

    /// Whether nothing needs to be asked: access control is off.
    #[inline]
    pub fn is_everyone(&self) -> bool {
        matches!(self.0, Who::Everyone)
    }

    /// The name of the token, as histories and the audit log show it.
    pub fn name(&self) -> Option<&SmolStr> {
        self.of_bearer(|bearer| &bearer.name)
    }

    /// The id of the token.
    pub fn id(&self) -> Option<CredentialId> {
        self.of_bearer(|bearer| &bearer.id).copied()
    }

    /// The roles of the token.
    pub fn roles(&self) -> Roles {
        self.of_bearer(|bearer| &bearer.roles)
            .copied()
            .unwrap_or_default()
    }

    /// The queues of the token; `None` where nobody asks.
    pub fn queues(&self) -> Option<&QueueScope> {
        self.of_bearer(|bearer| &bearer.queues)
    }

    /// Whether tasks of this queue are there for them.
    pub fn sees(&self, queue: &QueueName) -> bool {
        match &self.0 {
            Who::Everyone => true,
            Who::Nobody => false,
            Who::Bearer(bearer) => bearer.queues.contains(queue),
        }
    }

    /// Whether tasks of all queues are there for them.
    pub fn sees_every_queue(&self) -> bool {
        match &self.0 {
            Who::Everyone => true,
            Who::Nobody => false,
            Who::Bearer(bearer) => bearer.queues.is_every(),
        }
    }

    /// Whether they may do this.
    pub fn may(&self, action: Action, object: Object<'_>) -> Verdict {
        authorize(self, action, object)
    }

    /// Whether the token was revoked or has run out since.
    pub fn has_ended(&self) -> bool {
        self.of_bearer(|bearer| &bearer.life)
            .is_some_and(Life::has_ended)
    }

    /// Returns when the token is revoked or runs out; never for others.
    pub fn ended(&self) -> WaitForCancellationFutureOwned {
        let life = self.of_bearer(|bearer| &bearer.life);
        let ended = life.map_or_else(CancellationToken::new, |life| life.ended.clone());
        ended.cancelled_owned()
    }

    fn of_bearer<'p, T>(&'p self, of: impl FnOnce(&'p Bearer) -> &'p T) -> Option<&'p T> {
        match &self.0 {
            Who::Bearer(bearer) => Some(of(bearer)),
            Who::Everyone | Who::Nobody => None,
        }
    }
}
