//! A webhook: who is told, of what, and how that goes.

use std::fmt;
use std::str::FromStr;

use smol_str::SmolStr;
use tareas_core::{Kind, Phase, QueueName, Task, Timestamp};

use super::{Ended, SECRET_BYTES, Secrets, WebhookSecret};
use crate::access::QueueScope;

const ID_LETTERS: usize = 8;
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Longest URL.
pub const URL_BYTES_MAX: usize = 2_048;
/// Longest text about what went wrong last.
pub const WHY_CHARS_MAX: usize = 256;
/// How much chance a webhook is made of.
pub const SEED_BYTES: usize = ID_LETTERS + SECRET_BYTES;

/// Chance for one webhook, from a source that nobody can guess.
pub type Seed = [u8; SEED_BYTES];

/// The name of a webhook for programs: eight small letters and digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookId(SmolStr);

/// A text that cannot be the id of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id of a webhook has eight letters and digits")]
pub struct NotWebhookId;

impl WebhookId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn made_of(seed: &Seed) -> Self {
        let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
        Self(seed[..ID_LETTERS].iter().map(letter).collect())
    }
}

impl FromStr for WebhookId {
    type Err = NotWebhookId;

    fn from_str(text: &str) -> Result<Self, NotWebhookId> {
        let is_id = text.len() == ID_LETTERS && text.bytes().all(|byte| LETTERS.contains(&byte));
        is_id.then(|| Self(text.into())).ok_or(NotWebhookId)
    }
}

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What an administrator asks for. Checked by whoever reads it from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Its name for people.
    pub name: SmolStr,
    /// Where deliveries go.
    pub url: SmolStr,
    /// Of tasks in which queues.
    pub queues: QueueScope,
    /// Of which kinds; of all when empty.
    pub kinds: Vec<Kind>,
    /// Of which ends; all of them terminal.
    pub ends: Vec<Phase>,
}

/// Why nothing is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disabled {
    /// An administrator has said so.
    ByHand,
    /// The address answered that it is gone for good (410).
    Gone,
    /// Every delivery has failed for too long.
    Failing,
    /// Too many deliveries wait.
    Behind,
}

impl Disabled {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::ByHand, Self::Gone, Self::Failing, Self::Behind];

    /// The word on wires and in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ByHand => "by_hand",
            Self::Gone => "gone",
            Self::Failing => "failing",
            Self::Behind => "behind",
        }
    }

    /// The reason of this word.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// A webhook as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its name for programs.
    pub id: WebhookId,
    /// Raised by one at each change; the guard of every write.
    pub version: u64,
    /// What was asked for.
    pub wish: Wish,
    /// What its deliveries are signed with.
    pub secrets: Secrets,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: SmolStr,
    /// When an administrator changed it last.
    pub changed_at: Timestamp,
    /// It is told of what has ended since then: since it was made, or enabled again.
    pub since: Timestamp,
    /// Why nothing is delivered, and since when; `None` while it is enabled.
    pub disabled: Option<(Disabled, Timestamp)>,
    /// Since when every delivery has failed; `None` when the last one was taken.
    pub failing_since: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: SmolStr,
}

impl Webhook {
    /// A new one.
    pub fn new(seed: &Seed, wish: Wish, by: SmolStr, now: Timestamp) -> Self {
        Self {
            id: WebhookId::made_of(seed),
            version: 1,
            wish,
            secrets: Secrets::only(secret_of(seed)),
            created_at: now,
            created_by: by,
            changed_at: now,
            since: now,
            disabled: None,
            failing_since: None,
            last_error: SmolStr::default(),
        }
    }

    /// Whether anything is delivered.
    pub fn is_enabled(&self) -> bool {
        self.disabled.is_none()
    }

    /// Whether it is to be told of this end.
    pub fn wants(&self, ended: &Ended) -> bool {
        let Ended { queue, kind, .. } = ended;
        self.is_for(queue, kind, ended.phase, ended.finished_at)
    }

    /// The same, before anything is copied.
    pub(super) fn wants_end_of(&self, task: &Task) -> bool {
        let (queue, kind) = (&task.spec.queue, &task.spec.kind);
        let at = task.finished_at;
        at.is_some_and(|at| self.is_for(queue, kind, task.phase(), at))
    }

    fn is_for(&self, queue: &QueueName, kind: &Kind, phase: Phase, at: Timestamp) -> bool {
        let wish = &self.wish;
        self.is_enabled()
            && at >= self.since
            && wish.ends.contains(&phase)
            && (wish.kinds.is_empty() || wish.kinds.contains(kind))
            && wish.queues.contains(queue)
    }

    /// Signs with another secret; the one before signs besides until then.
    pub(super) fn rotate(&mut self, seed: &Seed, until: Timestamp, now: Timestamp) {
        self.secrets = self.secrets.clone().rotated(secret_of(seed), until);
        self.changed_at = now;
    }

    /// Enables or disables it by hand.
    pub(super) fn enable(&mut self, is_enabled: bool, now: Timestamp) {
        match (is_enabled, self.is_enabled()) {
            (true, false) => {
                self.disabled = None;
                self.since = now;
                self.failing_since = None;
            }
            (false, true) => self.disabled = Some((Disabled::ByHand, now)),
            _ => {}
        }
    }
}

fn secret_of(seed: &Seed) -> WebhookSecret {
    WebhookSecret::new(std::array::from_fn(|at| seed[ID_LETTERS + at]))
}
