//! What goes into a pool and what comes out of it.
//!
//! An [`Assignment`] is one attempt to run; a [`Completion`] says how it ended. The `ticket` of
//! the first comes back with the second and means nothing to the pool.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use smol_str::SmolStr;

use crate::{CancelHandle, HandlerError, Trail};

/// One attempt to run, as the pool sees it.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The bits of the task's UUID.
    pub task_id: u128,
    /// Number of this attempt.
    pub attempt: u64,
    /// Name of the kind, which selects the handler.
    pub kind: SmolStr,
    /// JSON text, already validated.
    pub payload: Bytes,
    /// What the submitter attached for handlers to read.
    pub metadata: Option<Arc<BTreeMap<String, String>>>,
    /// Where the task belongs in a trace across programs.
    pub trace: Option<Box<Trace>>,
    /// The lane the task came from.
    pub queue: SmolStr,
    /// How long this attempt may run.
    pub timeout: Duration,
    /// Opaque to the pool: given back with the completion.
    pub ticket: u64,
    /// A handle that somebody else holds too, and may raise before the attempt begins.
    /// `None`: the pool uses one of its own, which [`crate::Pool::cancel`] reaches.
    pub cancel: Option<CancelHandle>,
}

/// A span that others are made below, as W3C Trace Context writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// `traceparent`.
    pub parent: SmolStr,
    /// `tracestate`.
    pub state: Option<SmolStr>,
}

/// How an attempt ended.
#[derive(Debug)]
pub enum Ending {
    /// The handler returned this JSON text.
    Succeeded(Bytes),
    /// The handler returned an error or panicked.
    Failed(HandlerError),
    /// The attempt was cancelled: before it began, or the handler honoured it.
    Cancelled,
    /// The attempt was over its limit: the handler honoured that, or its slot was retired.
    TimedOut,
    /// The pool was stopped before the attempt ended: not its fault, not to be charged.
    Released,
}

/// One ended attempt.
#[derive(Debug)]
pub struct Completion {
    /// The assignment's ticket.
    pub ticket: u64,
    /// The assignment's task.
    pub task_id: u128,
    /// The assignment's attempt.
    pub attempt: u64,
    /// How it ended.
    pub ending: Ending,
    /// From `started` to the end; zero when the handler was never called.
    pub run_time: Duration,
    /// When the handler was called.
    pub started: Instant,
    /// Log and last progress, if the handler reported any. Lost with a retired slot, whose
    /// notes the source has had already.
    pub trail: Option<Box<Trail>>,
}
