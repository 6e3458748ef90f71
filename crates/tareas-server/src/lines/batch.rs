//! Batches: one answer for all tasks of a line, then the ends of those that are waited for.

use tareas_engine::{Accepted, Submitted};
use tareas_protocol::request::{self, Face};
use tareas_protocol::response::{append_batch, end_line};
use tareas_protocol::{Code, ErrorObject, Lang};

use super::desk::Desk;
use super::gather::Gathered;
use super::outbox::Asked;
use super::tell::acknowledgement;
use crate::codes;

impl Desk {
    /// Submits a batch.
    pub(super) async fn batch(
        &mut self,
        batch: request::Batch<'_>,
        reference: Option<&str>,
        bytes: usize,
    ) {
        let lang = self.outbox.lang();
        let mut gathered = Gathered::default();
        let mut refused = Vec::with_capacity(batch.tasks.len());
        for task in &batch.tasks {
            let refusal = match task {
                Ok(submission) => {
                    let asked = Asked {
                        face: Face::Json,
                        reference: submission.reference.or(reference),
                        bytes: bytes / batch.tasks.len(),
                        wait: batch.wait,
                        tag: None,
                    };
                    match self.judge_submission(submission) {
                        Ok(()) => self
                            .gather_submission(submission, asked, &mut gathered)
                            .map_err(|refusal| refusal.to_error(lang))
                            .err(),
                        Err(error) => Some(*error),
                    }
                }
                Err(refusal) => Some(refusal.to_error(lang)),
            };
            refused.push(refusal);
        }
        let outbox = &self.outbox;
        let acknowledge = |submitted: &Submitted, asked: &[Asked<'_>]| {
            let verdicts = verdicts(submitted, refused, lang);
            let references = batch.tasks.iter().map(|task| task.as_ref().ok()?.reference);
            let answers = verdicts.iter().zip(references).map(|(verdict, reference)| {
                let accepted = verdict.as_ref().map_err(AsRef::as_ref);
                accepted.map(|accepted| acknowledgement(accepted, outbox.durability, reference))
            });
            let mut line = Vec::new();
            append_batch(&mut line, answers, reference);
            end_line(&mut line);
            outbox.hand_in(submitted, asked, &line);
        };
        self.submit_with(&mut gathered, acknowledge).await;
    }
}

/// What became of each task: those that were not even submitted were refused before.
fn verdicts(
    submitted: &Submitted,
    refused: Vec<Option<ErrorObject>>,
    lang: Lang,
) -> Vec<Result<&Accepted, Box<ErrorObject>>> {
    let mut outcomes = submitted.outcomes.iter();
    let mut verdict = |refused| match refused {
        Some(error) => Err(Box::new(error)),
        None => match outcomes.next() {
            Some(Ok(accepted)) => Ok(accepted),
            Some(Err(refusal)) => Err(Box::new(codes::error(refusal, lang))),
            None => Err(Box::new(ErrorObject::new(Code::Bug, lang))),
        },
    };
    refused.into_iter().map(&mut verdict).collect()
}
