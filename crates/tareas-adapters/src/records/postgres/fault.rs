//! What can go wrong with a statement, as far as somebody acts on it, and what can go wrong at
//! the start.

use tareas_engine::ports::{BoxError, PortError};
use tokio_postgres::error::SqlState;

/// The name of this adapter in errors.
pub(super) const ADAPTER: &str = "PostgreSQL";

/// Why a statement gave nothing.
#[derive(Debug)]
pub(super) enum Fault {
    /// PostgreSQL refused it: nothing of it was done.
    Refused(BoxError),
    /// It collided with another one: nothing of it was done, and it may be sent again at once.
    Collided(BoxError),
    /// One of its rows is there already: nothing of it was done.
    Exists(BoxError),
    /// There is no partition for one of its rows.
    NoPartition(BoxError),
    /// The connection ended: whether it was done is unknown.
    Lost(BoxError),
    /// There is no connection: it was never sent.
    Unreachable(BoxError),
    /// A row cannot be what was written.
    Damaged(BoxError),
}

impl Fault {
    /// As the port tells it.
    pub(super) fn into_port_error(self) -> PortError {
        let adapter = ADAPTER;
        match self {
            Self::Damaged(source) => PortError::Corrupt {
                what: "a row of PostgreSQL".to_owned(),
                source,
            },
            Self::Refused(source)
            | Self::Collided(source)
            | Self::Exists(source)
            | Self::NoPartition(source)
            | Self::Lost(source)
            | Self::Unreachable(source) => PortError::Unavailable { adapter, source },
        }
    }

    /// Whether the connection can still be used.
    pub(super) fn leaves_the_connection(&self) -> bool {
        !matches!(self, Self::Lost(_) | Self::Unreachable(_))
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(told) = error.as_db_error() else {
            return Self::Lost(error.into());
        };
        let code = told.code();
        if *code == SqlState::T_R_DEADLOCK_DETECTED
            || *code == SqlState::T_R_SERIALIZATION_FAILURE
            || *code == SqlState::LOCK_NOT_AVAILABLE
        {
            return Self::Collided(error.into());
        }
        if *code == SqlState::UNIQUE_VIOLATION {
            return Self::Exists(error.into());
        }
        if *code == SqlState::ADMIN_SHUTDOWN
            || *code == SqlState::CRASH_SHUTDOWN
            || *code == SqlState::CANNOT_CONNECT_NOW
        {
            return Self::Lost(error.into());
        }
        if *code == SqlState::UNDEFINED_TABLE
            || (*code == SqlState::CHECK_VIOLATION && told.constraint().is_none())
        {
            return Self::NoPartition(error.into());
        }
        Self::Refused(error.into())
    }
}

/// Why the records could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is none.
    #[error("the URL of PostgreSQL cannot be read: {0}")]
    Url(String),
    /// Nobody answers, or the name, password or database is wrong.
    #[error("PostgreSQL at {at} does not let us in")]
    Connect {
        /// Host, port and database.
        at: String,
        /// What it said.
        source: BoxError,
    },
    /// The server is too old.
    #[error("PostgreSQL {found} is too old: {needed} or newer is needed")]
    Version {
        /// What it is.
        found: i32,
        /// What is needed.
        needed: i32,
    },
    /// It only follows another server.
    #[error("PostgreSQL at {at} is a standby: tasks can be kept by a primary only")]
    Standby {
        /// Host, port and database.
        at: String,
    },
    /// What it says is on disk would not survive a power cut.
    #[error("PostgreSQL runs with {setting} = off: what it acknowledges can be lost")]
    Unsafe {
        /// The setting.
        setting: String,
    },
    /// The clocks of the two machines are too far apart.
    #[error("the clock of PostgreSQL and that of this machine differ by {seconds} s")]
    Clock {
        /// How far.
        seconds: u64,
    },
    /// Another process serves under the same identity.
    #[error("another process serves with the identity of this one")]
    Taken,
    /// The records are read or filled as a whole.
    #[error("a migration from or to these records is under way")]
    Migrating,
    /// They were not filled to the end.
    #[error("a migration into these records has not ended: run `tareas migrate` again")]
    Unfinished,
    /// Somebody serves from them, or did a moment ago.
    #[error("a server or a worker node serves from these records")]
    Served,
    /// There is nothing to read.
    #[error("there are no records in PostgreSQL at {at}")]
    Missing {
        /// Host, port and database.
        at: String,
    },
    /// Several processes are to serve, and one of them keeps blobs where the others cannot read.
    #[error(
        "another process serves on these records, and blobs in a folder cannot be shared: \
         every process needs the same bucket"
    )]
    LocalBlobs,
    /// The database was written by a newer version.
    #[error("the database has schema {found}; this version knows {known}")]
    Newer {
        /// What it has.
        found: i32,
        /// What this version knows.
        known: i32,
    },
    /// A statement was refused.
    #[error("PostgreSQL refused to prepare the database: {what}")]
    Sql {
        /// What was tried.
        what: &'static str,
        /// What it said.
        source: BoxError,
    },
}

/// Names the step that a statement at the start belonged to.
pub(super) trait During<T> {
    /// The same, as an error of the start.
    fn during(self, what: &'static str) -> Result<T, OpenError>;
}

impl<T> During<T> for Result<T, tokio_postgres::Error> {
    fn during(self, what: &'static str) -> Result<T, OpenError> {
        self.map_err(|source| OpenError::Sql {
            what,
            source: source.into(),
        })
    }
}
