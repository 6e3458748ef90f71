//! The spans of submissions, where somebody records them.
//!
//! The task goes on with the context of its own submission, so that whatever is done for it later
//! stands below. Without a tracer, which is the rule, nothing here costs anything.

use tareas_core::{Kind, QueueName, Timestamp, TraceContext};

use super::submit::Submitted;
use crate::ports::Sent;
use crate::{Engine, Submission};

/// A submission that is being decided, and recorded.
#[derive(Debug)]
pub(super) struct Sending {
    at: usize,
    span: TraceContext,
    parent: Option<TraceContext>,
    queue: QueueName,
    kind: Kind,
}

impl Engine {
    /// Begins the spans of these submissions and gives each task its own as its context.
    pub(super) fn begin_spans(&self, submissions: &mut [Submission]) -> Vec<Sending> {
        let Some(tracer) = &self.config.tracer else {
            return Vec::new();
        };
        let begin = |(at, submission): (usize, &mut Submission)| {
            let asked = submission.options.as_ref();
            let parent = asked.and_then(|options| options.trace.clone());
            let span = tracer.begin(parent.as_ref())?;
            submission.options.get_or_insert_default().trace = Some(span.clone());
            Some(Sending {
                at,
                span,
                parent,
                queue: submission.queue.clone(),
                kind: submission.kind.clone(),
            })
        };
        submissions
            .iter_mut()
            .enumerate()
            .filter_map(begin)
            .collect()
    }

    /// Ends them with what was decided.
    pub(super) fn end_spans(&self, spans: &[Sending], submitted: &Submitted, began_at: Timestamp) {
        let Some(tracer) = &self.config.tracer else {
            return;
        };
        let ended_at = self.now();
        for sending in spans {
            let Some(outcome) = submitted.outcomes.get(sending.at) else {
                continue;
            };
            tracer.sent(Sent {
                span: &sending.span,
                parent: sending.parent.as_ref(),
                task: outcome.as_ref().ok().map(|accepted| accepted.task.id()),
                queue: &sending.queue,
                kind: &sending.kind,
                began_at,
                ended_at,
                error: outcome.as_ref().err(),
            });
        }
    }
}
