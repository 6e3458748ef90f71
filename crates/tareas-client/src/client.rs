//! The client: one connection, the commands of the wire as methods.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tareas_protocol::request::append_command;
use tareas_protocol::response::Status;
use tareas_protocol::{Code, ErrorObject};

use crate::end::{Reply, malformed};
use crate::http::HttpClient;
use crate::link::Link;
use crate::ticket::end_of;
use crate::{
    Acknowledged, Address, End, Error, Follow, Options, Result, Submit, TaskId, Ticket, text_line,
};

/// Added to the time that a server waits, before its silence counts as such.
const GRACE: Duration = Duration::from_secs(5);
/// The longest `wait` that a server grants; longer ones are asked for again.
const WAIT_MAX: Duration = Duration::from_secs(3_600);
/// Before an unknown outcome is asked about again.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// A connection to a server. Clones share it; it may be used from many threads.
#[derive(Clone, Debug)]
pub struct Client {
    link: Arc<Link>,
}

/// What `result` found.
#[derive(Clone, Debug, PartialEq)]
pub enum Looked {
    /// The task has ended.
    Ended(End),
    /// It has not; where it stands.
    Unfinished(Status),
}

/// What came of a cancel request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// The task is cancelled.
    Done,
    /// It is running and was asked to stop.
    Requested,
}

impl Client {
    /// Connects to a server such as `tcp://127.0.0.1:5000`.
    ///
    /// # Errors
    /// [`Error::Address`], or [`Error::Unreachable`] after the configured number of tries.
    pub fn connect(address: &str, options: Options) -> Result<Self> {
        Self::connect_to(address.parse()?, options)
    }

    /// Connects to this address.
    ///
    /// # Errors
    /// [`Error::Unreachable`] after the configured number of tries.
    pub fn connect_to(address: Address, options: Options) -> Result<Self> {
        Ok(Self {
            link: Link::open(address, options)?,
        })
    }

    /// Where the server is.
    pub fn address(&self) -> &Address {
        &self.link.address
    }

    /// Submits a task: a kind and the JSON text of its payload.
    ///
    /// # Errors
    /// As [`submit_with`](Self::submit_with).
    pub fn submit(&self, kind: &str, payload: &str) -> Result<Ticket> {
        self.submit_with(Submit::new(kind, payload))
    }

    /// Submits a task with any options. Returns when it is accepted.
    ///
    /// # Errors
    /// [`Error::Refused`] with the server's own words. On [`Error::ConnectionLost`] the task may
    /// have been accepted or not; submitting it again under the id in the error is safe.
    pub fn submit_with(&self, mut submit: Submit) -> Result<Ticket> {
        let task_id = *submit.task_id.get_or_insert_with(TaskId::new);
        let give_up = Instant::now() + self.link.options.answer_timeout;
        loop {
            let submitted = self.submit_once(&submit, task_id);
            match submitted {
                // The same id again: it cannot become a second task.
                Err(Error::Refused(error)) if is_unknown(&error) && Instant::now() < give_up => {
                    std::thread::sleep(RETRY_PAUSE);
                }
                submitted => return submitted,
            }
        }
    }

    fn submit_once(&self, submit: &Submit, task_id: TaskId) -> Result<Ticket> {
        let reference = self.link.send(true, |reference| {
            let mut line = Vec::new();
            submit.append_to(&mut line, Some(reference), true);
            line
        });
        match self.link.acknowledged(reference, task_id) {
            Ok(acknowledged) => Ok(Ticket::new(Arc::clone(&self.link), reference, acknowledged)),
            Err(error) => {
                self.link.forget(reference);
                Err(error)
            }
        }
    }

    /// Submits a task without interest in its end.
    ///
    /// # Errors
    /// As [`submit_with`](Self::submit_with).
    pub fn submit_and_forget(&self, mut submit: Submit) -> Result<Acknowledged> {
        submit.task_id.get_or_insert_with(TaskId::new);
        let reply = self.link.ask(None, |reference| {
            let mut line = Vec::new();
            submit.append_to(&mut line, Some(reference), false);
            line
        })?;
        acknowledged_of(reply)
    }

    /// Submits up to 10,000 tasks in one line; the JSON text of the array of acknowledgements
    /// and errors, in order.
    ///
    /// # Errors
    /// When the batch as a whole is refused or not answered.
    pub fn batch(&self, submits: &mut [Submit]) -> Result<String> {
        for submit in submits.iter_mut() {
            submit.task_id.get_or_insert_with(TaskId::new);
        }
        let reply = self.link.ask(None, |reference| {
            let mut line = b"{\"cmd\":\"batch\",\"wait\":false,\"ref\":".to_vec();
            line.extend_from_slice(reference.as_bytes());
            line.extend_from_slice(b",\"tasks\":[");
            for (index, submit) in submits.iter().enumerate() {
                if index > 0 {
                    line.push(b',');
                }
                submit.append_to(&mut line, None, true);
            }
            line.extend_from_slice(b"]}");
            line
        })?;
        json_of(reply)
    }

    /// The whole task object, as JSON text.
    ///
    /// # Errors
    /// [`Error::Refused`] with `not_found`.
    pub fn status(&self, id: TaskId) -> Result<String> {
        json_of(self.command("status", id, None)?)
    }

    /// How the task ended, or where it stands.
    ///
    /// # Errors
    /// [`Error::Refused`] with `not_found`.
    pub fn result(&self, id: TaskId) -> Result<Looked> {
        match self.command("result", id, None)? {
            Reply::Acknowledged(acknowledged) => Ok(Looked::Unfinished(acknowledged.status)),
            reply => end_of(&self.link, id, reply).map(Looked::Ended),
        }
    }

    /// Waits until a task has ended, whoever submitted it; without a limit when there is none.
    ///
    /// # Errors
    /// [`Error::WaitTimedOut`] when the time is over, [`Error::Refused`] with `not_found`.
    pub fn wait(&self, id: TaskId, timeout: Option<Duration>) -> Result<End> {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let now = left.unwrap_or(WAIT_MAX).min(WAIT_MAX);
            match self.command("wait", id, Some(now))? {
                Reply::TimedOut if left.is_none_or(|left| left > WAIT_MAX) => {}
                reply => return end_of(&self.link, id, reply),
            }
        }
    }

    /// What the attempts of a task have said so far: lines of log and partial output, as JSON text.
    ///
    /// # Errors
    /// [`Error::Refused`] with `not_found`.
    pub fn logs(&self, id: TaskId) -> Result<String> {
        json_of(self.command("logs", id, None)?)
    }

    /// Follows a task: what its attempts have said and say from now on, until it has ended.
    pub fn follow(&self, id: TaskId) -> Follow {
        let address = self.link.address.clone();
        Follow::begin(address, self.link.options.clone(), id)
    }

    /// Asks for a task to be given up.
    ///
    /// # Errors
    /// [`Error::Refused`] with `conflict` when it has ended.
    pub fn cancel(&self, id: TaskId) -> Result<Cancel> {
        match self.command("cancel", id, None)? {
            Reply::CancelRequested => Ok(Cancel::Requested),
            Reply::Acknowledged(_) | Reply::Ended(End::Cancelled { .. }) => Ok(Cancel::Done),
            _ => Err(malformed("the answer to cancel")),
        }
    }

    /// Puts a failed or cancelled task back in line.
    ///
    /// # Errors
    /// [`Error::Refused`] with `conflict` when it is in another state.
    pub fn requeue(&self, id: TaskId) -> Result<Acknowledged> {
        acknowledged_of(self.command("requeue", id, None)?)
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// When there is none.
    pub fn ping(&self) -> Result<()> {
        let line = |reference: &str| format!("{{\"cmd\":\"ping\",\"ref\":{reference}}}");
        self.link
            .ask(None, |reference| line(reference).into_bytes())
            .map(|_| ())
    }

    /// Who the server is: the JSON text of its answer to `hello`.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn hello(&self) -> Result<String> {
        let lang = self.link.options.lang.as_str();
        let line = |reference: &str| {
            format!("{{\"cmd\":\"hello\",\"lang\":\"{lang}\",\"ref\":{reference}}}")
        };
        json_of(
            self.link
                .ask(None, |reference| line(reference).into_bytes())?,
        )
    }

    /// Sends one line of text on a connection of its own, as `nc` would, and gives every line of
    /// the answer. A text line has no id, so it is never sent twice.
    ///
    /// # Errors
    /// [`Error::ConnectionLost`] when the connection ends without an answer,
    /// [`Error::NoAnswer`] when the time is over.
    pub fn send_text(&self, line: &str, timeout: Option<Duration>) -> Result<Vec<String>> {
        text_line::send(&self.link.address, &self.link.options, line, timeout)
    }

    /// The requests that lines do not have, over HTTP on the same port.
    pub fn http(&self) -> HttpClient {
        HttpClient::new(self.link.address.clone(), self.link.options.clone())
    }

    fn command(&self, command: &str, id: TaskId, timeout: Option<Duration>) -> Result<Reply> {
        let timeout_ms = timeout.map(crate::submit::millis);
        let patience = timeout.map(|timeout| timeout + GRACE);
        self.link.ask(patience, |reference| {
            let mut line = Vec::new();
            append_command(
                &mut line,
                command,
                id.as_bytes(),
                timeout_ms,
                Some(reference),
            );
            line
        })
    }
}

fn is_unknown(error: &ErrorObject) -> bool {
    error.code() == Some(Code::UnknownOutcome)
}

fn acknowledged_of(reply: Reply) -> Result<Acknowledged> {
    match reply {
        Reply::Acknowledged(acknowledged) => Ok(acknowledged),
        _ => Err(malformed("not an acknowledgement")),
    }
}

fn json_of(reply: Reply) -> Result<String> {
    match reply {
        Reply::Json(json) => Ok(json),
        _ => Err(malformed("not an object")),
    }
}
