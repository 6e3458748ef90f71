//! Secrets for leases and sessions: a keyed stream that nobody outside can guess.

use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use tareas_core::{SessionId, Token};

/// Stretches 256 secret bits of this boot: SHA-256 of the key and a counter.
pub(super) struct Secret {
    key: [u8; 32],
    drawn: AtomicU64,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl Secret {
    pub(super) const fn new(key: [u8; 32]) -> Self {
        Self {
            key,
            drawn: AtomicU64::new(0),
        }
    }

    fn draw(&self) -> [u8; 32] {
        let count = self.drawn.fetch_add(1, Ordering::Relaxed);
        let hash = Sha256::new()
            .chain_update(self.key)
            .chain_update(count.to_be_bytes());
        hash.finalize().into()
    }

    /// A token for a claim.
    pub(super) fn token(&self) -> Token {
        let [bits, _] = halves(self.draw());
        Token::new(bits)
    }

    /// A session: never zero, 63 bits.
    pub(super) fn session(&self) -> SessionId {
        let [bits, _] = halves(self.draw());
        SessionId((bits as u64 >> 1).max(1))
    }

    /// The secret with which a worker may go on with its session.
    pub(super) fn resume(&self) -> [u8; 32] {
        self.draw()
    }
}

/// What is kept of a secret.
pub(super) fn hash(secret: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Compares without telling by its time where they differ.
pub(super) fn is_same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let difference = one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b));
    difference == 0
}

fn halves(bytes: [u8; 32]) -> [u128; 2] {
    let [high, low] = [&bytes[..16], &bytes[16..]].map(|half| {
        half.iter()
            .fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte))
    });
    [high, low]
}

/// The name of a session and its secret as one text: `SESSION.SECRET`, in hexadecimal.
pub(super) fn to_text(session: SessionId, secret: &[u8; 32]) -> String {
    let mut text = format!("{:016x}.", session.0);
    for byte in secret {
        text += &format!("{byte:02x}");
    }
    text
}

/// Reads what [`to_text`] wrote.
pub(super) fn from_text(text: &str) -> Option<(SessionId, [u8; 32])> {
    let (session, secret) = text.split_once('.')?;
    if secret.len() != 64 || !secret.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(secret.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    let session = SessionId(u64::from_str_radix(session, 16).ok()?);
    Some((session, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_reads_back_and_is_known_by_its_hash() {
        let secret = Secret::new([7; 32]);
        let (session, resume) = (secret.session(), secret.resume());
        assert_eq!(
            from_text(&to_text(session, &resume)),
            Some((session, resume))
        );
        assert!(is_same(&hash(&resume), &hash(&resume)));
        assert!(!is_same(&hash(&resume), &hash(&secret.resume())));
        assert_ne!(secret.token(), secret.token());
        for wrong in ["", ".", "1.2", "x.é", &"0".repeat(80)] {
            assert_eq!(from_text(wrong), None, "{wrong}");
        }
    }
}
