//! Deciding a command that depends on nothing but its task: without the other tasks, and so
//! without a ledger.
//!
//! A [`Ledger`](super::Ledger) decides these commands by the same functions, so a store that has
//! a task at hand comes to what a ledger with that task in it would come to.

use crate::lifecycle::{self, Ended};
use crate::limits::{ID_WINDOW_FUTURE, ID_WINDOW_PAST};
use crate::{Command, NewTask, Phase, Place, Reason, Rejected, State, Task, Timestamp};

/// What a command comes to for one task.
#[derive(Debug)]
pub enum Verdict {
    /// The task has changed, and left this behind.
    Done(Ended),
    /// It was so already: the same command was applied before.
    Already,
    /// Nothing was changed.
    Refused(Rejected),
}

/// Whether [`decide`] or [`submit`] may do: the command is none that needs a place in line again,
/// or knowledge of pauses and keys.
pub fn can_decide(command: &Command) -> bool {
    match command {
        Command::Submit(_)
        | Command::Settle { .. }
        | Command::Overdue { .. }
        | Command::Cancel { .. } => true,
        Command::Claim { .. } | Command::Requeue { .. } | Command::Delete { .. } => false,
    }
}

/// Decides a settlement, a time-out or a cancellation. `None` for any other command.
pub fn decide(task: &mut Task, command: &Command, now: Timestamp) -> Option<Verdict> {
    let verdict = match command {
        Command::Settle { fence, .. } if lifecycle::is_settled_by(task, *fence) => Verdict::Already,
        Command::Settle {
            fence,
            ending,
            jitter,
            ..
        } => lifecycle::settle(task, *fence, ending, *jitter, now).into(),
        Command::Overdue { attempt, .. } if lifecycle::is_ended_as_overdue(task, *attempt) => {
            Verdict::Already
        }
        Command::Overdue {
            attempt,
            ran_by,
            jitter,
            ..
        } => lifecycle::overdue(task, *attempt, ran_by.as_ref(), *jitter, now).into(),
        Command::Cancel { .. } if is_cancelled(task) => Verdict::Already,
        Command::Cancel { only, .. } => match changed(task, *only) {
            Some(changed) => Verdict::Refused(changed),
            None => lifecycle::cancel(task, now).into(),
        },
        Command::Submit(_)
        | Command::Claim { .. }
        | Command::Requeue { .. }
        | Command::Delete { .. } => return None,
    };
    Some(verdict)
}

/// Accepts a task at `place`, when neither its id nor its key is any other task's, and there is
/// room for it.
pub fn submit(new: &NewTask, now: Timestamp, place: Place) -> Result<Task, Rejected> {
    match is_in_window(new, now) {
        true => Ok(lifecycle::submit(new, now, place)),
        false => Err(Rejected::IdWindow),
    }
}

/// Whether the time inside the id of a new task is near enough.
pub(super) fn is_in_window(new: &NewTask, now: Timestamp) -> bool {
    let id = new.spec.id;
    new.id_is_fresh || id.within_window(now, ID_WINDOW_PAST, ID_WINDOW_FUTURE)
}

/// Why not, when the task is not the one that was seen. What is so already is told as such
/// before: of a command that is decided twice the second one finds another version.
pub(super) fn changed(task: &Task, only: Option<u64>) -> Option<Rejected> {
    let version = task.version;
    only.filter(|seen| *seen != version)
        .map(|_| Rejected::Changed { version })
}

fn is_cancelled(task: &Task) -> bool {
    let is_asked = task.cancel_requested && task.phase() == Phase::Running;
    is_asked || matches!(task.state, State::Cancelled(Reason::Requested))
}

impl From<Result<Ended, Rejected>> for Verdict {
    fn from(result: Result<Ended, Rejected>) -> Self {
        match result {
            Ok(ended) => Self::Done(ended),
            Err(rejected) => Self::Refused(rejected),
        }
    }
}
