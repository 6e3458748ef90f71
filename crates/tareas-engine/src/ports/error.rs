//! Why a port could not do what it was asked. The engine branches on nothing else.

/// Any error, kept as the source of another.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why a port could not answer.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// There is no such thing.
    #[error("{what} not found")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// It is already there, with other content.
    #[error("{what} exists already")]
    Conflict {
        /// What is there.
        what: String,
    },
    /// The service behind the port cannot be reached or does not answer; trying again may help.
    #[error("{adapter} is unavailable")]
    Unavailable {
        /// Which adapter.
        adapter: &'static str,
        /// What it said.
        source: BoxError,
    },
    /// There is no room left.
    #[error("{adapter} has no room left")]
    Full {
        /// Which adapter.
        adapter: &'static str,
    },
    /// What is stored cannot be what was written.
    #[error("{what} is damaged")]
    Corrupt {
        /// What was read.
        what: String,
        /// What is wrong with it.
        source: BoxError,
    },
}

impl PortError {
    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Full { .. })
    }
}

/// Why a batch was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Nothing was decided: the batch may be applied later or never.
    #[error("nothing was decided")]
    NotApplied(#[source] PortError),
    /// It may or may not have been decided: apply the same batch again.
    #[error("it is unknown whether the batch was decided")]
    Unknown(#[source] PortError),
}

/// The store has stopped: nothing more will ever be durable here. The process must end.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store has stopped: {reason}")]
pub struct Stopped {
    /// What happened, in one sentence.
    pub reason: String,
}
