//! The place of a task in a trace that goes across programs.

use smol_str::SmolStr;

/// A span that others are made below: the shape of W3C Trace Context, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace; not zero.
    pub trace_id: u128,
    /// The span in it; not zero.
    pub span_id: u64,
    /// Bit 0: the trace is recorded.
    pub flags: u8,
    /// What tracing systems add for each other; passed on as it came.
    pub state: Option<SmolStr>,
}

impl TraceContext {
    /// The bit of `flags` that says that the trace is recorded.
    pub const SAMPLED: u8 = 1;

    /// Whether the trace is recorded.
    pub fn is_sampled(&self) -> bool {
        self.flags & Self::SAMPLED != 0
    }
}
