//! Whether whoever speaks on a connection may do what a line asks for.
//!
//! Every request has its action here; a new one does not compile without. Where access control is
//! off nothing of this runs.

use tareas_core::{Position, QueueName, Rejected, TaskId};
use tareas_engine::access::{Action, CredentialKind, Deed, Object, Principal};
use tareas_protocol::request::{Face, Logs, Request, Submission, Token};
use tareas_protocol::response::append_authenticated;
use tareas_protocol::{Code, ErrorObject, TaskIdBytes};

use super::desk::{Desk, Next};
use crate::access::{authenticate, judge, switched_on};
use crate::codes;

/// Wrong tokens on one connection; then it is closed.
const FAILURES_MAX: u32 = 3;

type Judged = Result<(), Box<ErrorObject>>;

/// What a request is.
pub(super) const fn action_of(request: &Request<'_>) -> Action {
    match request {
        Request::Text { .. } | Request::Submit(_) | Request::Batch(_) => Action::Submit,
        Request::Status { .. } | Request::Result { .. } | Request::Wait { .. } => {
            Action::FollowTask
        }
        Request::Logs(_) => Action::InspectTask,
        Request::Cancel { .. } => Action::CancelTask,
        Request::Requeue { .. } => Action::RequeueTask,
        Request::Ping | Request::Hello { .. } | Request::Auth { .. } | Request::Leave => {
            Action::Greet
        }
        Request::Help => Action::ListKinds,
        Request::Work(_) | Request::Beat { .. } | Request::Report(_) | Request::Many(_) => {
            Action::Work
        }
    }
}

/// The task that a request is about.
const fn task_of(request: &Request<'_>) -> Option<TaskIdBytes> {
    match request {
        Request::Status { task_id }
        | Request::Result { task_id }
        | Request::Wait { task_id, .. }
        | Request::Cancel { task_id }
        | Request::Requeue { task_id }
        | Request::Logs(Logs { task_id, .. }) => Some(*task_id),
        _ => None,
    }
}

impl Desk {
    /// Whether a task may be submitted to where it is to go.
    pub(super) fn may_submit(&self, submission: &Submission<'_>) -> bool {
        self.judge_submission(submission).is_ok()
    }

    /// The same, with what is wrong.
    pub(super) fn judge_submission(&self, submission: &Submission<'_>) -> Judged {
        // Of every task of a batch, too: nothing is looked at where everybody may do everything.
        if self.principal.is_everyone() {
            return Ok(());
        }
        let options = submission.options.as_ref();
        let named = options.and_then(|options| options.queue.as_deref());
        let queue = match named {
            // A name that cannot be one is refused when it is taken in.
            Some(name) => QueueName::new(name).unwrap_or_default(),
            None => QueueName::default(),
        };
        self.judge(Action::Submit, Object::Queue(&queue))
    }

    fn judge(&self, action: Action, object: Object<'_>) -> Judged {
        judge(&self.principal, action, object, self.outbox.lang())
    }

    /// Whether a request may be carried out.
    pub(super) async fn judge_request(&self, request: &Request<'_>) -> Judged {
        if self.principal.is_everyone() {
            return Ok(());
        }
        let action = action_of(request);
        match request {
            Request::Text { .. } => self.judge(action, Object::Queue(&QueueName::default())),
            Request::Submit(submission) => self.judge_submission(submission),
            Request::Work(work) => {
                self.judge(action, Object::Unnamed)?;
                self.judge_work(&work.queues)
            }
            _ => {
                self.judge(action, Object::Unnamed)?;
                match task_of(request) {
                    Some(id) if !self.principal.sees_every_queue() => self.judge_task(id).await,
                    _ => Ok(()),
                }
            }
        }
    }

    /// A worker that names no queues asks for all.
    fn judge_work(&self, queues: &[std::borrow::Cow<'_, str>]) -> Judged {
        let lang = self.outbox.lang();
        if queues.is_empty() && !self.principal.sees_every_queue() {
            let error = ErrorObject::new(Code::Forbidden, lang)
                .message(lang.pick(
                    "this token is for some queues, and the worker asks for all",
                    "este token es para algunas colas, y el trabajador pide todas",
                ))
                .hint(lang.pick(
                    "name the queues of the worker",
                    "nombre las colas del trabajador",
                ));
            return Err(Box::new(error));
        }
        // Names were checked when the line was decoded.
        let mut queues = queues.iter().filter_map(|name| QueueName::new(name).ok());
        queues.try_for_each(|queue| self.judge(Action::Work, Object::Queue(&queue)))
    }

    /// A task of a queue that is not there for this token is answered as one that does not exist.
    async fn judge_task(&self, id: TaskIdBytes) -> Judged {
        let found = self.state.engine.task(TaskId::from_bytes(id)).await;
        let refusal = match found {
            Ok(Some(task)) if self.principal.sees(&task.spec.queue) => return Ok(()),
            Ok(_) => Rejected::NotFound.into(),
            Err(refusal) => refusal,
        };
        Err(Box::new(
            codes::error(&refusal, self.outbox.lang()).about(id),
        ))
    }

    /// `auth`: whoever speaks here is the bearer of this token from now on.
    pub(super) async fn auth(
        &mut self,
        token: &Token<'_>,
        face: Face,
        reference: Option<&str>,
        bytes: usize,
    ) -> Next {
        let (lang, peer) = (self.outbox.lang(), self.address.ip());
        let shown = match switched_on(&self.state, lang) {
            Ok(access) => {
                let kind = CredentialKind::Token;
                authenticate(access, token.reveal(), kind, peer, lang).await
            }
            Err(error) => {
                self.refuse(face, reference, bytes, *error);
                return Next::GoOn;
            }
        };
        match shown {
            Ok(principal) => {
                self.know(principal, face, reference, bytes);
                Next::GoOn
            }
            Err(error) => {
                self.refuse(face, reference, bytes, *error);
                self.failures += 1;
                if self.failures < FAILURES_MAX {
                    Next::GoOn
                } else {
                    Next::Leave
                }
            }
        }
    }

    fn know(&mut self, principal: Principal, face: Face, reference: Option<&str>, bytes: usize) {
        let roles: Vec<&str> = principal.roles().iter().map(|role| role.name()).collect();
        if let Some(name) = principal.name() {
            self.peer = name.clone();
        }
        self.ended = Some(Box::pin(principal.ended()));
        self.principal = principal;
        if face == Face::Json {
            return self.outbox.reply(Position::ZERO, |out| {
                append_authenticated(out, &roles, reference);
            });
        }
        let text = format!("ok: {}", roles.join(", "));
        self.outbox.reply_in_text(bytes, text.into_bytes());
    }

    /// Writes down what was done to a task.
    pub(super) async fn note(&self, deed: Deed, id: TaskId) {
        if let Some(access) = &self.state.config.access {
            let address = self.address.ip();
            access
                .note(&self.principal, address, deed, &id.to_string())
                .await;
        }
    }
}
