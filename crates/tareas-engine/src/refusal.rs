//! Why the engine did not do what a client asked. Faces turn it into a code, a sentence and a
//! hint; nothing else is branched on.

use tareas_core::{Kind, Rejected};

use crate::kind_rules::PayloadFault;
use crate::ports::{ApplyError, PortError, Stopped};

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No worker ever announced this kind.
    #[error("no handler is known for kind `{kind}`")]
    UnknownKind {
        /// What was asked for.
        kind: Kind,
        /// The known kind with the nearest name.
        nearest: Option<Kind>,
    },
    /// The payload is not what the kind asks for.
    #[error("the payload does not fit kind `{kind}`: {}", fault.message)]
    InvalidPayload {
        /// The kind.
        kind: Kind,
        /// What is wrong, and where.
        fault: PayloadFault,
    },
    /// The life cycle does not allow it.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// More than one request may hold.
    #[error("{what} is larger than {bytes_max} bytes")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit.
        bytes_max: usize,
    },
    /// The process is draining: it takes nothing new.
    #[error("this server is draining")]
    Draining,
    /// A store cannot be reached; nothing was decided.
    #[error("a store is unavailable")]
    Unavailable(#[source] PortError),
    /// It may or may not have happened: ask again with the same identity.
    #[error("the outcome is unknown")]
    Unknown(#[source] PortError),
    /// The store has stopped; the process is about to end.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl From<ApplyError> for Refusal {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::NotApplied(PortError::Full { .. }) => Self::Rejected(Rejected::StorageFull),
            ApplyError::NotApplied(source) => Self::Unavailable(source),
            ApplyError::Unknown(source) => Self::Unknown(source),
        }
    }
}

impl From<PortError> for Refusal {
    fn from(error: PortError) -> Self {
        match error {
            PortError::Full { .. } => Self::Rejected(Rejected::StorageFull),
            PortError::NotFound { .. } => Self::Rejected(Rejected::NotFound),
            other => Self::Unavailable(other),
        }
    }
}

impl Refusal {
    /// The same refusal once more, for the other requests of a batch that was not decided.
    pub(crate) fn again(&self) -> Self {
        let unavailable = |source: &PortError| PortError::Unavailable {
            adapter: "records",
            source: source.to_string().into(),
        };
        match self {
            Self::Rejected(rejected) => Self::Rejected(rejected.clone()),
            Self::Stopped(stopped) => Self::Stopped(stopped.clone()),
            Self::Unknown(source) => Self::Unknown(unavailable(source)),
            Self::Unavailable(source) => Self::Unavailable(unavailable(source)),
            Self::UnknownKind { kind, nearest } => Self::UnknownKind {
                kind: kind.clone(),
                nearest: nearest.clone(),
            },
            Self::InvalidPayload { kind, fault } => Self::InvalidPayload {
                kind: kind.clone(),
                fault: fault.clone(),
            },
            Self::TooLarge { what, bytes_max } => Self::TooLarge {
                what,
                bytes_max: *bytes_max,
            },
            Self::Draining => Self::Draining,
        }
    }
}
