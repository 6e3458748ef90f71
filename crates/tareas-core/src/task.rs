//! A task: what was asked (its [`Spec`]) and where it stands (its [`State`]).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smol_str::SmolStr;

use crate::limits::{KEY_RETENTION_MIN, RETENTION_DEFAULT, TIMEOUT_DEFAULT};
use crate::{
    Kind, Place, Priority, QueueName, RetryPolicy, SessionId, TaskId, Timestamp, Token,
    TraceContext,
};

/// Bytes of a payload or a result: JSON text, here or in the blob store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The JSON text itself.
    Inline(Bytes),
    /// A reference to the text in the blob store. Boxed: nearly all bodies are inline, and
    /// tasks are copied often.
    Blob(Box<Blob>),
}

/// Where a large body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Key in the blob store, made by the system, never by a client.
    pub key: SmolStr,
    /// Length of the text.
    pub bytes: u64,
    /// SHA-256 of the text.
    pub sha256: [u8; 32],
}

impl Body {
    /// How many bytes this occupies in a record.
    pub fn inline_len(&self) -> usize {
        match self {
            Self::Inline(text) => text.len(),
            Self::Blob(blob) => blob.key.len() + 40,
        }
    }
}

/// What a client asks for. It never changes after the task is accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Identity, chosen by the client or the server before the first send.
    pub id: TaskId,
    /// Which handler.
    pub kind: Kind,
    /// Which lane.
    pub queue: QueueName,
    /// Order among the tasks of its lane.
    pub priority: Priority,
    /// Input.
    pub payload: Body,
    /// When it was accepted.
    pub submitted_at: Timestamp,
    /// What is rarely said; `None` when everything is as by default.
    pub options: Option<Box<Options>>,
}

/// What a client may say beyond kind and payload. Absent means the default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Not started after this instant: then it ends as `cancelled(expired)`.
    pub expires_at: Option<Timestamp>,
    /// Limit of one attempt.
    pub timeout: Option<Duration>,
    /// Failures allowed and delays between them.
    pub retry: Option<RetryPolicy>,
    /// How long to keep the task after its end.
    pub retention: Option<Duration>,
    /// Two submissions with one key are one task.
    pub idempotency_key: Option<SmolStr>,
    /// Free words for people and programs; the system does not read them.
    pub metadata: BTreeMap<String, String>,
    /// Labels that a worker must have.
    pub requires: Vec<SmolStr>,
    /// Not removed before this instant, whatever the retention: as long as an id that a client
    /// chose could be sent again.
    pub keep_until: Option<Timestamp>,
    /// Where it belongs in a trace across programs.
    pub trace: Option<TraceContext>,
}

static DEFAULT_OPTIONS: Options = Options {
    expires_at: None,
    timeout: None,
    retry: None,
    retention: None,
    idempotency_key: None,
    metadata: BTreeMap::new(),
    requires: Vec::new(),
    keep_until: None,
    trace: None,
};

impl Spec {
    /// The options, with the defaults where nothing was said.
    pub fn options(&self) -> &Options {
        self.options.as_deref().unwrap_or(&DEFAULT_OPTIONS)
    }

    /// Failures allowed and delays between them.
    pub fn retry(&self) -> RetryPolicy {
        self.options().retry.unwrap_or_default()
    }

    /// Limit of one attempt.
    pub fn timeout(&self) -> Duration {
        self.options().timeout.unwrap_or(TIMEOUT_DEFAULT)
    }

    /// How long to keep the task after its end.
    pub fn retention(&self) -> Duration {
        self.options().retention.unwrap_or(RETENTION_DEFAULT)
    }

    /// Its trace, for lines of the log.
    pub fn trace_id(&self) -> Option<String> {
        let trace = self.options().trace.as_ref()?;
        Some(format!("{:032x}", trace.trace_id))
    }

    /// Whether the other asks for the same work: what an idempotency key promises.
    pub fn same_request(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.queue == other.queue
            && self.priority == other.priority
            && self.payload == other.payload
            && self.options().same_request(other.options())
    }
}

impl Options {
    /// Equality of what was asked; `keep_until` only follows from how it was sent, and each time
    /// that something is sent it may be by another span.
    fn same_request(&self, other: &Self) -> bool {
        let asked = |options: &Self| Self {
            keep_until: None,
            trace: None,
            ..options.clone()
        };
        self == other || asked(self) == asked(other)
    }
}

/// A submission: what is asked, and from when on it may run.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTask {
    /// What is asked.
    pub spec: Arc<Spec>,
    /// Not before this instant; at once when absent or past.
    pub due_at: Option<Timestamp>,
    /// The id was made by this server just now, so no task can have it: saves a look-up.
    pub id_is_fresh: bool,
    /// The task is expected to end before the next commit: the writer may wait a moment for
    /// its end, so that one statement records all of its life. A hint, never a promise.
    pub quick: bool,
}

/// The right to run one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Whose pool runs it.
    pub session: SessionId,
    /// Unguessable half of the fence; absent for the pool of the process that owns the truth,
    /// where the attempt number alone cannot be mistaken.
    pub token: Option<Token>,
    /// When this attempt should have ended.
    pub deadline_at: Timestamp,
    /// The place that it had in line: a release gives it back.
    pub place: Place,
}

/// Where a task stands. Exactly one place each: a due time, a place in line, or a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Accepted, not before `due_at`; also between two attempts.
    Scheduled {
        /// The earliest start.
        due_at: Timestamp,
    },
    /// Accepted, may start now.
    Queued {
        /// Its place in line.
        place: Place,
    },
    /// Claimed: has a lease.
    Running(Lease),
    /// Ended with a result.
    Succeeded,
    /// Ended without one; kept for a person.
    Failed(Reason),
    /// Stopped before it ended.
    Cancelled(Reason),
}

/// A [`State`] without what belongs to it: the six words that are shown and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the six words are documented at `State`")]
pub enum Phase {
    Scheduled = 0,
    Queued = 1,
    Running = 2,
    Succeeded = 3,
    Failed = 4,
    Cancelled = 5,
}

impl Phase {
    /// All six, in order.
    pub const ALL: [Self; 6] = [
        Self::Scheduled,
        Self::Queued,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word on wires, in columns and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The phase with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }

    /// Whether nothing but a requeue or a removal can happen any more.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl State {
    /// The word for this state.
    pub const fn phase(self) -> Phase {
        match self {
            Self::Scheduled { .. } => Phase::Scheduled,
            Self::Queued { .. } => Phase::Queued,
            Self::Running(_) => Phase::Running,
            Self::Succeeded => Phase::Succeeded,
            Self::Failed(_) => Phase::Failed,
            Self::Cancelled(_) => Phase::Cancelled,
        }
    }

    /// Whether nothing but a requeue or a removal can happen any more.
    pub const fn is_terminal(self) -> bool {
        self.phase().is_terminal()
    }
}

/// Why a task ended as `failed` or `cancelled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Its attempts are used up.
    AttemptsExhausted = 1,
    /// The handler said that trying again cannot help.
    Rejected = 2,
    /// The last attempt allowed ran over its limit.
    Timeout = 3,
    /// Its executor died under it, again and again.
    Poison = 4,
    /// Somebody asked for it to be cancelled.
    Requested = 5,
    /// It was not started in time.
    Expired = 6,
}

impl Reason {
    /// All six, in order.
    pub const ALL: [Self; 6] = [
        Self::AttemptsExhausted,
        Self::Rejected,
        Self::Timeout,
        Self::Poison,
        Self::Requested,
        Self::Expired,
    ];

    /// The word on wires and in columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::Rejected => "rejected",
            Self::Timeout => "timeout",
            Self::Poison => "poison",
            Self::Requested => "requested",
            Self::Expired => "expired",
        }
    }
}

/// What went wrong in the attempt that ended a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which of the ways to go wrong.
    pub cause: Cause,
    /// Name of the error, as the handler calls it.
    pub name: Option<String>,
    /// One sentence.
    pub message: String,
    /// Where in the code, when the handler tells.
    pub backtrace: Option<String>,
    /// Who ran it, when that is known.
    pub ran_by: Option<RanBy>,
    /// How the process of the handler ended, if it had one of its own that ended.
    pub process_end: Option<ProcessEnd>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessEnd {
    /// By itself, with this code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
}

impl ProcessEnd {
    /// The code, if it ended by itself.
    pub fn exit_code(self) -> Option<i32> {
        match self {
            Self::Exit(code) => Some(code),
            Self::Signal(_) => None,
        }
    }

    /// The number of the signal that ended it.
    pub fn signal(self) -> Option<i32> {
        match self {
            Self::Exit(_) => None,
            Self::Signal(number) => Some(number),
        }
    }

    /// What these two say; a signal says more than a code.
    pub fn of(exit_code: Option<i32>, signal: Option<i32>) -> Option<Self> {
        signal.map(Self::Signal).or(exit_code.map(Self::Exit))
    }
}

/// Who ran an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RanBy {
    /// The worker, as people call it; of a server's own threads, the process.
    pub worker: String,
    /// Which of its threads, counted from 1, when it tells.
    pub thread: Option<u32>,
}

/// The ways an attempt can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The handler returned an error or panicked.
    Handler,
    /// The handler said that trying again cannot help.
    Rejected,
    /// It ran over its limit.
    Timeout,
    /// Its executor died.
    Crash,
}

impl Cause {
    /// The word in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Handler => "handler",
            Self::Rejected => "rejected",
            Self::Timeout => "timeout",
            Self::Crash => "crash",
        }
    }

    /// The cause with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Handler, Self::Rejected, Self::Timeout, Self::Crash]
            .into_iter()
            .find(|cause| cause.name() == name)
    }
}

/// A task: what was asked, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// What was asked.
    pub spec: Arc<Spec>,
    /// Raised by one at each transition; the guard of every write.
    pub version: u64,
    /// Where it stands.
    pub state: State,
    /// How often it was started. Never goes down; numbers may be left out.
    pub attempt: u64,
    /// Failures and time-outs: what counts against `max_attempts`.
    pub charged: u32,
    /// Deaths of its executor: what counts against `max_crashes`.
    pub crashes: u32,
    /// Somebody asked to cancel it while it ran.
    pub cancel_requested: bool,
    /// Start of the last attempt.
    pub started_at: Option<Timestamp>,
    /// End of the task.
    pub finished_at: Option<Timestamp>,
    /// Token of the last settled attempt, so that the same completion sent twice is recognised.
    pub last_token: Option<Token>,
    /// Its result, once it succeeded.
    pub result: Option<Body>,
    /// What went wrong last: kept while it waits for a retry, and when it has failed.
    pub failure: Option<Arc<Failure>>,
}

impl Task {
    /// Its identity.
    pub fn id(&self) -> TaskId {
        self.spec.id
    }

    /// The word for its state.
    pub fn phase(&self) -> Phase {
        self.state.phase()
    }

    /// Why it failed or was cancelled.
    pub fn reason(&self) -> Option<Reason> {
        match self.state {
            State::Failed(reason) | State::Cancelled(reason) => Some(reason),
            _ => None,
        }
    }

    /// When a finished task may be removed: after its retention, and not while its identity
    /// could still be sent again.
    pub fn prune_at(&self) -> Option<Timestamp> {
        let finished = self.finished_at?;
        let options = self.spec.options();
        let keyed = options
            .idempotency_key
            .as_ref()
            .map(|_| finished + KEY_RETENTION_MIN);
        let floor = keyed.max(options.keep_until);
        Some((finished + self.spec.retention()).max(floor.unwrap_or(Timestamp::EPOCH)))
    }

    /// Its place in line, while it is queued.
    pub fn place(&self) -> Option<Place> {
        match self.state {
            State::Queued { place } => Some(place),
            _ => None,
        }
    }

    /// The lease, while it runs.
    pub fn lease(&self) -> Option<&Lease> {
        match &self.state {
            State::Running(lease) => Some(lease),
            _ => None,
        }
    }
}

/// How one attempt ended; kept for attempts that did not simply succeed.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Its number.
    pub attempt: u64,
    /// When it was claimed.
    pub started_at: Option<Timestamp>,
    /// When it was settled.
    pub ended_at: Timestamp,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// What went wrong.
    pub failure: Option<Arc<Failure>>,
}

/// How an attempt ended, apart from where the task went from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are the documentation")]
pub enum AttemptOutcome {
    Succeeded = 0,
    Failed = 1,
    TimedOut = 2,
    Lost = 3,
    Released = 4,
    Cancelled = 5,
}

impl AttemptOutcome {
    /// All six, in order.
    pub const ALL: [Self; 6] = [
        Self::Succeeded,
        Self::Failed,
        Self::TimedOut,
        Self::Lost,
        Self::Released,
        Self::Cancelled,
    ];

    /// The word on wires.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Lost => "lost",
            Self::Released => "released",
            Self::Cancelled => "cancelled",
        }
    }
}
