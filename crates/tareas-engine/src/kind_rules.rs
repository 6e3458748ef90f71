//! What holds for the tasks of one kind: defaults for what a submission leaves open, a check of
//! its payload, and what people are told.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tareas_core::task::Options;
use tareas_core::{QueueName, RetryPolicy};

use crate::Submission;

/// The rules of a kind. The default has none.
#[derive(Clone, Debug, Default)]
pub struct KindRules {
    /// Limit of one attempt.
    pub timeout: Option<Duration>,
    /// Failures allowed and delays between them.
    pub retry: Option<RetryPolicy>,
    /// The lane of tasks that name none.
    pub queue: Option<QueueName>,
    /// What a payload must be like.
    pub payload: Option<Arc<dyn PayloadCheck>>,
    /// What the kind does, in English and in Spanish; may be empty.
    pub description: [String; 2],
    /// A line to try; may be empty.
    pub example: String,
    /// The same as JSON; may be empty.
    pub example_json: String,
}

/// Judges payloads before their tasks are accepted.
pub trait PayloadCheck: fmt::Debug + Send + Sync {
    /// Whether the payload, valid JSON text, may be accepted.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    fn check(&self, payload: &[u8]) -> Result<(), PayloadFault>;

    /// The JSON Schema that it goes by, as text, when it goes by one.
    fn schema(&self) -> Option<&str> {
        None
    }
}

/// Why a payload is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadFault {
    /// JSON pointer to what is wrong, within the payload.
    pub pointer: String,
    /// One sentence.
    pub message: String,
}

impl KindRules {
    /// Checks a submission and fills in what it leaves open.
    pub(crate) fn apply(&self, submission: &mut Submission) -> Result<(), PayloadFault> {
        if let Some(check) = &self.payload {
            check.check(&submission.payload)?;
        }
        if let Some(queue) = &self.queue
            && submission.queue == QueueName::default()
        {
            submission.queue = queue.clone();
        }
        if self.timeout.is_some() || self.retry.is_some() {
            let options: &mut Options = submission.options.get_or_insert_default();
            options.timeout = options.timeout.or(self.timeout);
            options.retry = options.retry.or(self.retry);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tareas_core::Kind;

    use super::*;

    #[test]
    fn rules_fill_in_only_what_was_left_open() {
        let rules = KindRules {
            timeout: Some(Duration::from_secs(9)),
            queue: Some(QueueName::new("slow").unwrap()),
            ..KindRules::default()
        };
        let fresh = || Submission::new(Kind::new("resize").unwrap(), Bytes::from_static(b"1"));
        let mut open = fresh();
        rules.apply(&mut open).unwrap();
        assert_eq!(open.queue.as_str(), "slow");
        assert_eq!(open.options.unwrap().timeout, rules.timeout);
        let mut said = fresh();
        said.queue = QueueName::new("fast").unwrap();
        said.options.get_or_insert_default().timeout = Some(Duration::from_secs(1));
        rules.apply(&mut said).unwrap();
        assert_eq!(said.queue.as_str(), "fast");
        assert_eq!(said.options.unwrap().timeout, Some(Duration::from_secs(1)));
    }
}
