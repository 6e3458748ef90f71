//! Gathering: submissions that stand one after the other become one call of the engine.

use bytes::Bytes;
use tareas_engine::Submission;
use tareas_protocol::request::Payload;

use super::outbox::Asked;

/// Payloads of this many bytes share one allocation. A payload that is still needed keeps its
/// neighbours in memory, so this is also what the smallest of them can cost.
const SHARED_BYTES: usize = 16 * 1024;
/// A payload from this length on has an allocation of its own.
const OWN_BYTES: usize = 2 * 1024;

/// Submissions on their way to the engine, each with the line that asked for it.
#[derive(Debug, Default)]
pub(super) struct Gathered<'b> {
    pub(super) submissions: Vec<Submission>,
    pub(super) asked: Vec<Asked<'b>>,
    payloads: Payloads,
}

/// Payloads that were written but not handed out yet.
#[derive(Debug, Default)]
struct Payloads {
    text: Vec<u8>,
    /// Of which submission each is, and where it ends.
    ends: Vec<(usize, usize)>,
}

impl<'b> Gathered<'b> {
    pub(super) fn len(&self) -> usize {
        self.submissions.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.submissions.is_empty()
    }

    /// Adds a submission; its payload is the one given, whatever it says itself.
    pub(super) fn add(
        &mut self,
        mut submission: Submission,
        payload: &Payload<'_>,
        asked: Asked<'b>,
    ) {
        if payload.len_hint() >= OWN_BYTES {
            submission.payload = payload.to_bytes();
        } else {
            payload.append_to(&mut self.payloads.text);
            self.payloads
                .ends
                .push((self.submissions.len(), self.payloads.text.len()));
        }
        self.submissions.push(submission);
        self.asked.push(asked);
        if self.payloads.text.len() >= SHARED_BYTES {
            self.payloads.hand_out(&mut self.submissions);
        }
    }

    /// Everything that was gathered; nothing is left.
    pub(super) fn take(&mut self) -> (Vec<Submission>, Vec<Asked<'b>>) {
        self.payloads.hand_out(&mut self.submissions);
        (
            std::mem::take(&mut self.submissions),
            std::mem::take(&mut self.asked),
        )
    }
}

impl Payloads {
    fn hand_out(&mut self, submissions: &mut [Submission]) {
        let shared = Bytes::from(std::mem::take(&mut self.text));
        if let [(only, _)] = self.ends[..] {
            submissions[only].payload = shared;
            self.ends.clear();
            return;
        }
        let mut start = 0;
        for (index, end) in self.ends.drain(..) {
            submissions[index].payload = shared.slice(start..end);
            start = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use tareas_core::Kind;
    use tareas_protocol::request::Face;

    use super::*;

    fn payloads(texts: &[String]) -> Vec<Bytes> {
        let mut gathered = Gathered::default();
        for text in texts {
            let submission = Submission::new(Kind::new("echo").unwrap(), Bytes::new());
            let asked = Asked {
                face: Face::Json,
                reference: None,
                bytes: text.len(),
                wait: true,
                tag: None,
            };
            gathered.add(submission, &Payload::Words(text), asked);
        }
        let (submissions, asked) = gathered.take();
        assert_eq!((asked.len(), gathered.len()), (texts.len(), 0));
        submissions
            .into_iter()
            .map(|submission| submission.payload)
            .collect()
    }

    #[test]
    fn each_submission_gets_its_own_payload() {
        for count in [0, 1, 2, 5_000] {
            let texts: Vec<String> = (0..count)
                .map(|n| n.to_string().repeat(1 + n % 7 * 500))
                .collect();
            let wanted: Vec<Bytes> = texts.iter().map(|t| format!("\"{t}\"").into()).collect();
            assert_eq!(payloads(&texts), wanted);
        }
    }
}
