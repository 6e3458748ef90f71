//! Identities: tasks, sessions, lease tokens, and positions in the order of decisions.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use uuid::Uuid;

use crate::Timestamp;

/// Identity of a task: a UUID, version 7. It never says anything about order in line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(Uuid);

impl TaskId {
    /// From the 16 bytes of a UUID.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// From the UUID as one number.
    pub const fn from_u128(bits: u128) -> Self {
        Self(Uuid::from_u128(bits))
    }

    /// A version 7 UUID of the given instant; `chance` fills the 74 free bits.
    pub fn v7(at: Timestamp, chance: u128) -> Self {
        let millis = (at.as_millis().max(0) as u128) & 0xFFFF_FFFF_FFFF;
        let rand_a = (chance >> 62) & 0xFFF;
        let rand_b = chance & 0x3FFF_FFFF_FFFF_FFFF;
        Self(Uuid::from_u128(
            millis << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b,
        ))
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The UUID as one number.
    pub const fn as_u128(self) -> u128 {
        self.0.as_u128()
    }

    /// The instant inside a version 7 UUID; `None` for any other kind of UUID.
    pub fn made_at(self) -> Option<Timestamp> {
        let is_v7 = self.0.get_version_num() == 7 && self.0.get_variant() == uuid::Variant::RFC4122;
        is_v7.then(|| Timestamp::from_millis((self.0.as_u128() >> 80) as i64))
    }

    /// Whether this id may name a new task at `now`: its own time lies within the window in
    /// which ids that were ever executed are still known.
    pub fn within_window(self, now: Timestamp, past: Duration, future: Duration) -> bool {
        self.made_at()
            .is_some_and(|at| at >= now - past && at <= now + future)
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for TaskId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// One worker's membership: one life of one pool. Chance, never zero, 63 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// The unguessable half of the fence: random, made at each claim.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token([u8; 16]);

impl Token {
    /// From 128 random bits.
    pub const fn new(bits: u128) -> Self {
        Self(bits.to_be_bytes())
    }

    /// The 128 bits.
    pub const fn bits(self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What a writer must show to settle an attempt: both values must be those of the open lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The attempt that was started.
    pub attempt: u64,
    /// The token of its claim; absent when the claim had none.
    pub token: Option<Token>,
}

/// A point in the order of decisions. Everything decided at or below `durable` survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

impl Position {
    /// Before the first decision.
    pub const ZERO: Self = Self(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_made_from_an_instant_tells_that_instant() {
        let at = Timestamp::from_millis(1_700_000_000_123);
        let id = TaskId::v7(at, u128::MAX);
        assert_eq!(id.made_at(), Some(at));
        assert_eq!(id.to_string().parse::<TaskId>().unwrap(), id);
    }

    #[test]
    fn the_window_refuses_other_versions_and_other_times() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let (past, future) = (Duration::from_secs(86_400), Duration::from_secs(300));
        let ok = |id: TaskId| id.within_window(now, past, future);
        assert!(ok(TaskId::v7(now, 7)));
        assert!(!ok(TaskId::v7(now + Duration::from_secs(301), 7)));
        assert!(!ok(TaskId::v7(now - Duration::from_secs(86_401), 7)));
        assert!(!ok(TaskId::from_u128(
            0x1234_5678_1234_4234_8234_1234_5678_9abc
        )));
    }

    #[test]
    fn a_token_is_not_shown() {
        assert!(!format!("{:?}", Token::new(42)).contains("42"));
    }
}
