//! The desk of a connection: decodes its lines and has the engine do what they ask for.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use smol_str::{SmolStr, ToSmolStr};
use tareas_core::{Kind, Position};
use tareas_engine::access::Principal;
use tareas_engine::{Listening, Submitted};
use tareas_protocol::ErrorObject;
use tareas_protocol::request::{Decoder, Face, Line, Refusal, Request, Submission};
use tokio::task::JoinSet;
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::gather::Gathered;
use super::outbox::{Asked, Outbox};
use super::reports::AtWork;
use super::tag::Tag;
use crate::access::stranger;
use crate::{ServerState, intake};

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) state: Arc<ServerState>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) listening: Listening,
    /// Who asks, as the history of a task names it.
    pub(super) peer: SmolStr,
    pub(super) address: SocketAddr,
    /// Who speaks here, as far as it was shown.
    pub(super) principal: Principal,
    /// Wakes when that has ended: the token was revoked or has run out.
    pub(super) ended: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    /// Wrong tokens so far.
    pub(super) failures: u32,
    /// Tells whoever follows tasks; ends with the connection.
    pub(super) followed: JoinSet<()>,
    /// The remote worker that speaks here, if one does.
    pub(super) at_work: AtWork,
    decoder: Decoder,
    /// The kind of the last submission: the next one is usually of the same.
    kind: Option<Kind>,
}

/// Whether the connection goes on after a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    GoOn,
    Leave,
}

impl Desk {
    pub(super) fn new(state: Arc<ServerState>, outbox: Arc<Outbox>, address: SocketAddr) -> Self {
        let listening = state.engine.listen(Arc::clone(&outbox) as _);
        Self {
            principal: stranger(&state),
            ended: None,
            failures: 0,
            state,
            outbox,
            listening,
            peer: address.ip().to_smolstr(),
            address,
            followed: JoinSet::new(),
            at_work: AtWork::default(),
            decoder: Decoder::new(),
            kind: None,
        }
    }

    /// Gathers a line that submits a task; gives back any other.
    pub(super) fn gather<'b>(
        &mut self,
        line: &'b [u8],
        gathered: &mut Gathered<'b>,
    ) -> Option<Line<'b>> {
        let decoded = self.decoder.line(line);
        let (face, reference) = (decoded.face, decoded.reference);
        let submission = match decoded.request {
            Ok(Request::Submit(submission)) => submission,
            Ok(Request::Text { kind, rest }) => Submission::from_text(kind, rest),
            request => {
                return Some(Line {
                    face,
                    reference,
                    request,
                });
            }
        };
        if !self.may_submit(&submission) {
            // Whoever answers it refuses it, and says why.
            return Some(Line {
                face,
                reference,
                request: Ok(Request::Submit(submission)),
            });
        }
        let asked = Asked {
            face,
            reference,
            bytes: line.len(),
            wait: submission.wait,
            tag: None,
        };
        match self.gather_submission(&submission, asked, gathered) {
            Ok(()) => None,
            Err(refusal) => Some(Line {
                face,
                reference,
                request: Err(refusal),
            }),
        }
    }

    pub(super) fn gather_submission<'b>(
        &mut self,
        decoded: &Submission<'_>,
        asked: Asked<'b>,
        gathered: &mut Gathered<'b>,
    ) -> Result<(), Box<Refusal>> {
        let kind = match &self.kind {
            Some(kind) if kind.as_str() == decoded.kind => kind.clone(),
            _ => self.kind.insert(intake::kind(&decoded.kind)?).clone(),
        };
        let submission = intake::submission(decoded, kind, bytes::Bytes::new(), None)?;
        gathered.add(submission, &decoded.payload, asked);
        Ok(())
    }

    /// Submits what was gathered.
    pub(super) async fn submit(&self, gathered: &mut Gathered<'_>) {
        if !gathered.is_empty() {
            let acknowledge =
                |submitted: &_, asked: &[Asked<'_>]| self.outbox.acknowledge(submitted, asked);
            self.submit_with(gathered, acknowledge).await;
        }
    }

    /// Submits what was gathered and has it acknowledged in some way.
    pub(super) async fn submit_with(
        &self,
        gathered: &mut Gathered<'_>,
        acknowledge: impl FnOnce(&Submitted, &[Asked<'_>]) + Send,
    ) {
        let (mut submissions, mut asked) = gathered.take();
        self.outbox.expect(&mut asked);
        for (submission, line) in submissions.iter_mut().zip(&asked) {
            submission.watch = line.tag.map(Tag::to_number);
        }
        let acknowledge = |submitted: &Submitted| acknowledge(submitted, &asked);
        self.state
            .engine
            .submit(submissions, Some(&self.listening), acknowledge)
            .await;
    }

    /// Refuses a line.
    pub(super) fn refuse(
        &self,
        face: Face,
        reference: Option<&str>,
        bytes: usize,
        mut error: ErrorObject,
    ) {
        if face == Face::Json {
            error.reference = reference.map(str::to_owned);
            return self
                .outbox
                .reply(Position::ZERO, |out| error.append_answer(out));
        }
        let mut text = Vec::new();
        error.append_text(&mut text);
        self.outbox.reply_in_text(bytes, text);
    }
}
