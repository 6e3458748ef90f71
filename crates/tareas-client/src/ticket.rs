//! A ticket: the right to hear how one task ended.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::end::{Reply, malformed};
use crate::link::Link;
use crate::{Acknowledged, End, Error, Result, TaskId, http};

/// One accepted task of this client.
///
/// Dropping it changes nothing for the task; its end can still be asked for by the id.
pub struct Ticket {
    link: Arc<Link>,
    reference: u64,
    acknowledged: Acknowledged,
}

impl Ticket {
    pub(crate) fn new(link: Arc<Link>, reference: u64, acknowledged: Acknowledged) -> Self {
        Self {
            link,
            reference,
            acknowledged,
        }
    }

    /// The task.
    pub fn task_id(&self) -> TaskId {
        self.acknowledged.task_id
    }

    /// What the server said when it accepted the task.
    pub fn acknowledged(&self) -> Acknowledged {
        self.acknowledged
    }

    /// Waits until the task has ended; without a limit when there is no timeout. May be called
    /// again, with the same answer.
    ///
    /// # Errors
    /// [`Error::WaitTimedOut`] when the time is over: the task goes on. [`Error::ConnectionLost`]
    /// when the server could not be reached again in time: the task is safe.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<End> {
        let id = self.task_id();
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        match self.link.answered(self.reference, until, Some(id))? {
            Some(reply) => end_of(&self.link, id, reply),
            None => Err(Error::WaitTimedOut { task_id: id }),
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.link.forget(self.reference);
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ticket").field(&self.task_id()).finish()
    }
}

/// The end that a reply is; a result that does not fit a line is fetched over HTTP.
pub(crate) fn end_of(link: &Link, id: TaskId, reply: Reply) -> Result<End> {
    match reply {
        Reply::Ended(end) => Ok(end),
        Reply::Elsewhere => {
            let http = http::HttpClient::new(link.address.clone(), link.options.clone());
            let response = http.get(&format!("/v1/tasks/{id}/result"))?.accepted()?;
            let json = String::from_utf8(response.body);
            json.map(End::Succeeded)
                .map_err(|_| malformed("a result that is not UTF-8"))
        }
        Reply::TimedOut => Err(Error::WaitTimedOut { task_id: id }),
        _ => Err(malformed("neither an end nor a refusal")),
    }
}
