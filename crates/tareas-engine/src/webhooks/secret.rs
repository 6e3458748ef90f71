//! Secrets of webhooks, and signatures made with them, after Standard Webhooks 1.0.
//!
//! A secret is `whsec_` and 32 bytes in Base64. It has to be stored as it is, since signing takes
//! the secret itself; it is shown once and never logged.

use std::fmt;

use sha2::{Digest, Sha256};
use tareas_core::Timestamp;

/// Bytes of a secret.
pub const SECRET_BYTES: usize = 32;
/// Bytes that HMAC-SHA256 works in.
const BLOCK_BYTES: usize = 64;
const PREFIX: &str = "whsec_";
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What deliveries of a webhook are signed with.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret([u8; SECRET_BYTES]);

/// Bytes that are no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret of a webhook has {SECRET_BYTES} bytes")]
pub struct NotSecret;

impl WebhookSecret {
    /// From bytes that nobody can guess.
    pub const fn new(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(bytes)
    }

    /// One that was stored.
    ///
    /// # Errors
    /// When it has another length.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, NotSecret> {
        bytes.try_into().map(Self).map_err(|_| NotSecret)
    }

    /// To be stored.
    pub const fn as_bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }

    /// The text to be shown once to whoever checks the signatures.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", base64(&self.0))
    }

    /// The signature of a message: `v1,` and the HMAC-SHA256 of `id.timestamp.body` in Base64.
    pub fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let head = format!("{id}.{seconds}.");
        format!("v1,{}", base64(&hmac(&self.0, &[head.as_bytes(), body])))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(hidden)")
    }
}

/// The secrets that sign now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// The one that is valid.
    pub current: WebhookSecret,
    /// The one before, and until when it signs besides.
    pub previous: Option<(WebhookSecret, Timestamp)>,
}

impl Secrets {
    /// One secret.
    pub const fn only(current: WebhookSecret) -> Self {
        let previous = None;
        Self { current, previous }
    }

    /// A new secret; the one that was valid until now signs besides until then.
    #[must_use]
    pub fn rotated(self, current: WebhookSecret, until: Timestamp) -> Self {
        let previous = Some((self.current, until));
        Self { current, previous }
    }

    /// The header `webhook-signature`: one signature of each secret, with a space between them.
    pub fn signatures(&self, id: &str, now: Timestamp, body: &[u8]) -> String {
        let seconds = now.as_millis().div_euclid(1_000);
        let old = self.previous.as_ref().filter(|(_, until)| *until > now);
        let mut text = self.current.sign(id, seconds, body);
        if let Some((old, _)) = old {
            text.push(' ');
            text.push_str(&old.sign(id, seconds, body));
        }
        text
    }
}

/// HMAC-SHA256 (RFC 2104) of these parts, one after another.
fn hmac(key: &[u8; SECRET_BYTES], parts: &[&[u8]]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; BLOCK_BYTES];
        block
            .iter_mut()
            .zip(key)
            .for_each(|(byte, key)| *byte ^= key);
        block
    };
    let mut inner = Sha256::new().chain_update(pad(0x36));
    parts.iter().for_each(|part| inner.update(part));
    let outer = Sha256::new().chain_update(pad(0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

/// Base64 (RFC 4648) with padding.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() {
                letter.into()
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        let table = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, text) in table {
            assert_eq!(base64(plain.as_bytes()), text);
        }
    }

    /// Computed with Python: `hmac.new(bytes(range(32)), b"msg_1.1700000000.{}", "sha256")`.
    #[test]
    fn a_signature_is_that_of_the_standard() {
        let secret = WebhookSecret::new(std::array::from_fn(|at| at as u8));
        let signed = secret.sign("msg_1", 1_700_000_000, b"{}");
        assert_eq!(signed, "v1,fhksJF5ElKjlPoT/jtefCO5XjQPvhf7Dhf/8R1ad9yU=");
        let text = secret.reveal();
        assert_eq!(text, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        assert!(!format!("{secret:?}").contains("AAEC"));
    }

    #[test]
    fn the_secret_before_signs_for_a_while() {
        let made = |first: u8| WebhookSecret::new([first; SECRET_BYTES]);
        let now = Timestamp::from_millis(1_000);
        let until = now + Duration::from_secs(1);
        let secrets = Secrets::only(made(1)).rotated(made(2), until);
        let both = secrets.signatures("m", now, b"{}");
        let [new, old] = [made(2), made(1)].map(|secret| secret.sign("m", 1, b"{}"));
        assert_eq!(both, format!("{new} {old}"));
        let later = secrets.signatures("m", until, b"{}");
        assert_eq!(later, made(2).sign("m", 2, b"{}"));
    }
}
