//! The `Members` port: which processes serve on shared records, and which of them are gone.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::{Kind, SessionId};

use super::{MemberReport, MemberView, PortError, StoredSession};

/// A process that serves on shared records: the same in all lives of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemberId(pub u128);

/// Who serves on these records, so that what a process that is gone has left running is taken
/// back by the others. Records that one process has for itself have no members.
///
/// A member is alive as long as it renews its lease, or until its connection ends and stays away.
/// Whoever was declared gone may still run, and not know it: none of its claims is recorded from
/// then on, until it has entered anew with another session.
#[async_trait]
pub trait Members: fmt::Debug + Send + Sync + 'static {
    /// Enters this process, with a lease that ends `ttl` from now. `anew`: after it was declared
    /// gone, so what it knows of itself may be out of date.
    async fn enter(&self, ttl: Duration, anew: bool) -> Result<(), PortError>;

    /// Has the lease end `ttl` from now; `false` when this process was declared gone.
    async fn renew(&self, ttl: Duration) -> Result<bool, PortError>;

    /// Ends the membership of this process in good order: it holds nothing any more.
    async fn leave(&self) -> Result<(), PortError>;

    /// Other members that seem to be gone.
    async fn missing(&self) -> Result<Vec<Missing>, PortError>;

    /// Declares a member gone, if it still seems so. Returns the sessions of its own pool: the
    /// caller takes back what they hold. Of several callers one is given them.
    async fn bury(&self, member: MemberId) -> Result<Vec<StoredSession>, PortError>;

    /// Closes the sessions of remote workers whose server has been gone for so long and has not
    /// come back, and returns them: the caller takes back what they hold. Of several callers one
    /// is given them.
    async fn orphaned(&self, after: Duration) -> Result<Vec<StoredSession>, PortError>;

    /// Whether a session is open: claims in one that is not are refused.
    async fn is_open(&self, session: SessionId) -> Result<bool, PortError>;

    /// Sessions that were closed and hold tasks all the same: whoever buried their member has
    /// not come to the end, or a claim was on its way. Bounded; what is left comes next time.
    async fn haunted(&self) -> Result<Vec<SessionId>, PortError>;

    /// Says what the pool of this process can run from now on.
    async fn offer(&self, offer: &Offer) -> Result<(), PortError>;

    /// What the pools of the other members that are alive can run: of those with threads.
    async fn offers(&self) -> Result<Vec<Offer>, PortError>;

    /// Tidies up after members that are gone: their shares of counts, and what is long past.
    async fn tidy(&self) -> Result<(), PortError>;

    /// Tells the others what this process does. For people: nothing is decided by it.
    async fn report(&self, report: &MemberReport) -> Result<(), PortError>;

    /// The other members that have reported: those that are there, and those declared gone
    /// within the last minute. Who has left in good order is not among them. Bounded.
    async fn others(&self) -> Result<Vec<MemberView>, PortError>;
}

/// What the pool of a member can run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Its threads.
    pub threads: u16,
    /// The kinds that it has handlers for, in order.
    pub kinds: Vec<Kind>,
}

/// A member that seems to be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Who.
    pub member: MemberId,
    /// Its lease has run out; else only its connection has ended, which may come back.
    pub is_expired: bool,
}
