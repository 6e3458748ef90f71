//! The one table of error codes.
//!
//! A code's number and name never change and are never used again for something else. From it
//! follow whether trying again can help, the HTTP status, the exit code of the command line,
//! and what there is to say in both languages. `docs/errors/` is generated from it.
//!
//! Numbers by hundred: 10 connection, 11 access, 12 request, 13 capacity, 14 backends,
//! 15 configuration, 20 protocol, 30 outcome of a task, 90 a bug of ours.

mod page;
mod table;

pub use page::index;

use crate::lang::Lang;
use std::fmt;

/// Exit codes of the command line.
pub mod exit {
    /// Done, or accepted.
    pub const OK: u8 = 0;
    /// The task failed.
    pub const TASK_FAILED: u8 = 1;
    /// Wrong use, or refused: asking again the same way gets the same answer.
    pub const REFUSED: u8 = 2;
    /// Stopped waiting; the task goes on.
    pub const TIMED_OUT: u8 = 3;
    /// Login needed, or not allowed.
    pub const ACCESS: u8 = 4;
    /// The task was cancelled.
    pub const CANCELLED: u8 = 6;
    /// The state of things forbids it: another content under the same key, a task that has or
    /// has not ended.
    pub const CONFLICT: u8 = 7;
    /// Server or backend not reachable, or port taken.
    pub const UNREACHABLE: u8 = 69;
    /// A bug of ours.
    pub const BUG: u8 = 70;
    /// Not now: full, overloaded, draining, data folder in use.
    pub const TRY_LATER: u8 = 75;
    /// Invalid configuration, or refused to listen.
    pub const CONFIGURATION: u8 = 78;
}

/// What there is to say about a code in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prose {
    /// One sentence about what happened, for when nothing more exact is known.
    pub message: &'static str,
    /// What to do about it.
    pub hint: &'static str,
    /// The longer explanation.
    pub explanation: &'static str,
}

/// A row of the table.
#[derive(Debug)]
struct Entry {
    code: Code,
    name: &'static str,
    retryable: bool,
    http: u16,
    exit: u8,
    en: Prose,
    es: Prose,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal,)+) => {
        /// A stable error code, such as `TAR-1204`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $variant = $number,)+ }

        impl Code {
            /// Every code, in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
        }
    };
}

codes! {
    /// The server cannot be reached.
    Unreachable = 1001,
    /// The connection ended before the answer came.
    ConnectionLost = 1002,
    /// The server has no room for another connection.
    TooManyConnections = 1003,
    /// What was begun did not end in time, or nothing was said for too long.
    Idle = 1004,
    /// Nobody is logged in on this connection.
    Unauthenticated = 1101,
    /// Whoever is logged in may not do this.
    Forbidden = 1102,
    /// The HTTP request names a host that this server is not.
    ForbiddenHost = 1103,
    /// The request comes from a page of another origin.
    CrossOrigin = 1104,
    /// This address has shown too many wrong tokens.
    TooManyFailures = 1105,
    /// The server runs without access control.
    AccessOff = 1106,
    /// Not a valid line or body.
    Malformed = 1201,
    /// A member that the request does not have.
    UnknownMember = 1202,
    /// The payload does not fit the kind.
    InvalidPayload = 1203,
    /// A kind that nobody runs.
    UnknownKind = 1204,
    /// Larger than a limit.
    TooLarge = 1205,
    /// The same idempotency key with another content.
    IdempotencyMismatch = 1206,
    /// No such thing.
    NotFound = 1207,
    /// A command that does not exist.
    UnknownCommand = 1208,
    /// An option of the wrong type or out of range.
    InvalidValue = 1209,
    /// The state forbids the action.
    Conflict = 1210,
    /// A task id made too long ago or in the future.
    IdWindow = 1211,
    /// The result of a task that has not ended.
    NotFinished = 1212,
    /// An HTTP body of the wrong type.
    UnsupportedMediaType = 1213,
    /// An HTTP method that the resource does not have.
    MethodNotAllowed = 1214,
    /// A plain HTTP request where a WebSocket is opened.
    UpgradeRequired = 1215,
    /// The task is not as the caller has seen it.
    Changed = 1216,
    /// The server has more to do than it can.
    Overloaded = 1301,
    /// The queue has reached its limit.
    QueueFull = 1302,
    /// No room on the disk.
    StorageFull = 1303,
    /// The client does not read what it is sent.
    SlowConsumer = 1304,
    /// The server is about to stop.
    Draining = 1305,
    /// A backend does not answer.
    Unavailable = 1401,
    /// Whether it was done is not known.
    UnknownOutcome = 1402,
    /// Another process has the data folder.
    DataInUse = 1403,
    /// Another process has the port.
    PortInUse = 1404,
    /// A setting is wrong.
    InvalidConfiguration = 1501,
    /// A setting that does not exist.
    UnknownKey = 1502,
    /// This build lacks what the setting needs.
    FeatureMissing = 1503,
    /// Listening there would be unsafe.
    RefusedToListen = 1504,
    /// A worker spoke about an attempt that is no longer its own.
    Stale = 2001,
    /// This server does not do that.
    Unsupported = 2002,
    /// The worker's session is over, or it has none.
    SessionLost = 2003,
    /// The handler failed.
    HandlerFailed = 3001,
    /// The attempt took too long.
    Timeout = 3002,
    /// The task brought its worker down too often.
    Poison = 3003,
    /// The handler refused the task for good.
    Rejected = 3004,
    /// No attempts are left.
    AttemptsExhausted = 3005,
    /// The task was not started in time.
    Expired = 3006,
    /// The task was cancelled.
    Cancelled = 3007,
    /// A bug of ours.
    Bug = 9001,
}

impl Code {
    /// The code with this number.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.number() == number)
    }

    /// Reads `TAR-1204`, `tar-1204`, `1204` or the name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = match text.get(..4) {
            Some(prefix) if prefix.eq_ignore_ascii_case("TAR-") => &text[4..],
            _ => text,
        };
        match digits.parse() {
            Ok(number) => Self::from_number(number),
            Err(_) => Self::ALL.iter().copied().find(|code| code.name() == text),
        }
    }

    /// The four digits.
    #[must_use]
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The name, in snake case.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        self.entry().retryable
    }

    /// The status of an HTTP answer that is this error.
    #[must_use]
    pub fn http_status(self) -> u16 {
        self.entry().http
    }

    /// The exit code of a command that ends with this error; see [`exit`].
    #[must_use]
    pub fn exit_code(self) -> u8 {
        self.entry().exit
    }

    /// What there is to say about it.
    #[must_use]
    pub fn prose(self, lang: Lang) -> Prose {
        let entry = self.entry();
        lang.pick(entry.en, entry.es)
    }

    fn entry(self) -> &'static Entry {
        table::entry(self)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TAR-{:04}", self.number())
    }
}
