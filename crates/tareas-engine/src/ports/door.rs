//! The `Door` port: submissions that clients leave in a queue of their own, outside of this system.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

/// Letters that clients have left, each delivered again and again until it is taken or put aside.
///
/// Nothing here fails: what cannot be said now is repeated by whoever keeps the letters.
#[async_trait]
pub trait Door: fmt::Debug + Send + Sync + 'static {
    /// The next letters, at most `max`; waits for the first one.
    async fn receive(&self, max: usize) -> Vec<Letter>;

    /// They are recorded, durably: they need not be delivered again.
    async fn take(&self, receipts: Vec<LetterReceipt>);

    /// They can never be tasks: they are kept where a person finds them, with the reason.
    async fn put_aside(&self, refused: Vec<(Letter, Reason)>);

    /// Brings an answer to where a letter asked for it. Lost when nobody is there any more.
    async fn reply(&self, to: ReplyAddress, body: Bytes);
}

/// A submission as a client has left it.
#[derive(Clone, Debug)]
pub struct Letter {
    /// To say what became of it.
    pub receipt: LetterReceipt,
    /// What it says.
    pub body: Bytes,
    /// Which of two letters are the same one: the identity that its sender gave it.
    pub identity: Option<String>,
    /// How urgent it is, when it says so outside of its body.
    pub priority: Option<u8>,
    /// How long it is worth something, when it says so outside of its body.
    pub expires_in: Option<Duration>,
    /// Where its sender waits for the end.
    pub reply_to: Option<ReplyAddress>,
}

/// One delivery of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LetterReceipt {
    /// Which life of the connection; a receipt of an earlier one means nothing any more.
    pub life: u64,
    /// Which delivery of that life.
    pub tag: u64,
}

/// Where an answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyAddress {
    /// The place.
    pub to: String,
    /// What the sender knows it by.
    pub correlation: Option<String>,
}

/// Why a letter cannot be a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The stable code, `TAR-nnnn`.
    pub code: String,
    /// One sentence.
    pub message: String,
}
