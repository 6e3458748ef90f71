//! What a token looks like: `tr_<8 letters of its id>_<32 letters of its secret>`.
//!
//! The id is public: it stands in lists and logs, and finds the token. The secret is 190 bits of
//! chance, so a fast hash of it can be stored; whoever reads the store cannot use what is there.
//! Two hashes are compared in the same time wherever they differ.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::CredentialKind;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LETTERS: usize = 8;
const SECRET_LETTERS: usize = 32;

/// How many numbers of chance a token is made of.
pub const CHANCE: usize = ID_LETTERS + SECRET_LETTERS;

/// Chance for one token, from a source that nobody can guess.
pub type Chances = [u32; CHANCE];

/// The public half of a token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialId([u8; ID_LETTERS]);

impl Default for CredentialId {
    fn default() -> Self {
        Self([b'0'; ID_LETTERS])
    }
}

impl CredentialId {
    /// The id of the token that is made when access control is first switched on: the same
    /// everywhere, so that of several servers one makes it.
    pub const FIRST: Self = Self(*b"first000");

    /// The id as text.
    pub fn as_str(&self) -> &str {
        // Every way to make one takes letters of the table, which are ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// A text that cannot be the id of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id of a token has eight letters and digits")]
pub struct NotCredentialId;

impl FromStr for CredentialId {
    type Err = NotCredentialId;

    fn from_str(text: &str) -> Result<Self, NotCredentialId> {
        let not = || NotCredentialId;
        let letters: [u8; ID_LETTERS] = text.as_bytes().try_into().map_err(|_| not())?;
        match is_letters(&letters) {
            true => Ok(Self(letters)),
            false => Err(not()),
        }
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is stored of a secret: its SHA-256.
#[derive(Clone, Copy, Default)]
pub struct Sealed([u8; 32]);

impl Sealed {
    /// One that was stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// To be stored.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both are of the same secret; takes as long wherever they differ.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(hidden)")
    }
}

/// A token as its bearer shows it. It does not show itself in logs.
#[derive(Clone)]
pub struct TokenText {
    kind: CredentialKind,
    id: CredentialId,
    secret: [u8; SECRET_LETTERS],
}

impl TokenText {
    /// A fresh one.
    pub fn make(kind: CredentialKind, chances: &Chances) -> Self {
        // 62 does not divide 2^32, which favours some letters by a part in 69 million.
        let letter = |chance: &u32| LETTERS[(*chance % 62) as usize];
        let (id, secret) = chances.split_at(ID_LETTERS);
        Self {
            kind,
            id: CredentialId(std::array::from_fn(|at| letter(&id[at]))),
            secret: std::array::from_fn(|at| letter(&secret[at])),
        }
    }

    /// The same secret under another id.
    pub fn with_id(self, id: CredentialId) -> Self {
        Self { id, ..self }
    }

    /// Reads one; `None` when it cannot be any.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.trim().split_once('_')?;
        let kind = CredentialKind::ALL
            .into_iter()
            .find(|known| known.prefix() == kind)?;
        let (id, secret) = rest.split_once('_')?;
        let secret: [u8; SECRET_LETTERS] = secret.as_bytes().try_into().ok()?;
        Some(Self {
            kind,
            id: id.parse().ok()?,
            secret: is_letters(&secret).then_some(secret)?,
        })
    }

    /// What it is for.
    pub fn kind(&self) -> CredentialKind {
        self.kind
    }

    /// The public half.
    pub fn id(&self) -> CredentialId {
        self.id
    }

    /// The whole text, to be shown to its bearer and to nobody else.
    pub fn reveal(&self) -> String {
        let secret = std::str::from_utf8(&self.secret).unwrap_or_default();
        format!("{}_{}_{secret}", self.kind.prefix(), self.id)
    }

    /// What is stored of it.
    pub fn seal(&self) -> Sealed {
        Sealed(Sha256::digest(self.secret).into())
    }

    /// Another secret that follows from this one: whoever has it cannot find this one.
    pub fn derive(&self, purpose: &str) -> String {
        let hash = Sha256::new()
            .chain_update(purpose)
            .chain_update([0])
            .chain_update(self.secret);
        hash.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_hidden", self.kind.prefix(), self.id)
    }
}

fn is_letters(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(first: u32) -> TokenText {
        let chances = std::array::from_fn(|at| first.wrapping_mul(at as u32 + 1));
        TokenText::make(CredentialKind::Token, &chances)
    }

    #[test]
    fn a_token_reads_back_and_fits_what_was_stored_of_it() {
        let token = made(0x9E37_79B9);
        let text = token.reveal();
        assert_eq!(text.len(), "tr_".len() + 8 + 1 + 32);
        let read = TokenText::parse(&text).unwrap();
        assert_eq!(read.id(), token.id());
        assert!(read.seal().is(&token.seal()));
        assert!(!made(1).seal().is(&token.seal()));
    }

    #[test]
    fn a_token_shows_its_id_alone() {
        let token = made(77);
        let secret = token.reveal()[12..].to_owned();
        for shown in [format!("{token:?}"), format!("{:?}", token.seal())] {
            assert!(!shown.contains(&secret), "{shown}");
        }
        assert!(!token.derive("form").contains(&secret));
        assert_ne!(token.derive("form"), made(78).derive("form"));
    }

    #[test]
    fn what_is_no_token_is_none() {
        let text = made(5).reveal();
        let (short, foreign) = (&text[..text.len() - 1], text.replace("tr_", "xx_"));
        for wrong in ["", "tr", "tr__", short, &foreign, &text.replace('_', "-")] {
            assert!(TokenText::parse(wrong).is_none(), "{wrong}");
        }
    }
}
