//! The `Tracer` port: who writes down the spans of traces that go across programs.

use std::fmt;

use tareas_core::{Kind, QueueName, TaskId, Timestamp, TraceContext};

use crate::Refusal;

/// Writes spans down. It is asked on the path of every submission, so it must neither block nor
/// fail: what it cannot write down it drops.
pub trait Tracer: fmt::Debug + Send + Sync + 'static {
    /// The context of a new span below `parent`, or of a new trace without one; `None` when
    /// nobody records it.
    fn begin(&self, parent: Option<&TraceContext>) -> Option<TraceContext>;

    /// The span of a submission has ended: the task was accepted, or refused.
    fn sent(&self, sent: Sent<'_>);
}

/// A submission that was decided.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// Its own span, which [`Tracer::begin`] has given.
    pub span: &'a TraceContext,
    /// The span of the client that submitted it.
    pub parent: Option<&'a TraceContext>,
    /// Which task; `None` when it was refused.
    pub task: Option<TaskId>,
    /// Its lane.
    pub queue: &'a QueueName,
    /// Its handler.
    pub kind: &'a Kind,
    /// When it came.
    pub began_at: Timestamp,
    /// When it was decided.
    pub ended_at: Timestamp,
    /// Why it was refused.
    pub error: Option<&'a Refusal>,
}
