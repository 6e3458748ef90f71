//! A worker comes back: what it still holds goes on, what it no longer holds is given to others.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tareas_core::{Phase, SessionId, Task, TaskId};

use super::secret;
use super::session::{Courier, HeldBy, Session};
use super::work::{Opened, WorkerHello};
use crate::filter::Filter;
use crate::ports::{StoredSession, TaskQuery};
use crate::queries::TASKS_PER_PAGE_MAX;
use crate::{Engine, Refusal};

impl Engine {
    /// Goes on with the session that the worker asks for; `None` when it has no right to it, or
    /// it is over.
    pub(super) async fn resume(
        &self,
        hello: &WorkerHello,
        courier: &Arc<dyn Courier>,
    ) -> Result<Option<Opened>, Refusal> {
        let Some(text) = &hello.resume else {
            return Ok(None);
        };
        let Some(id) = self.session_of(text) else {
            return Ok(None);
        };
        if !self.is_open(id).await? {
            self.remote.roster().sessions.remove(&id);
            return Ok(None);
        }
        self.restore(id, &hello.holding).await?;
        let Some((opened, missing)) = self.go_on(id, text, hello, courier) else {
            return Ok(None);
        };
        self.release(&missing).await;
        Ok(Some(opened))
    }

    /// Whether nobody has closed the session: other processes do when this one was gone for long,
    /// and then take back what it held.
    async fn is_open(&self, session: SessionId) -> Result<bool, Refusal> {
        match &self.config.membership {
            Some(membership) => Ok(membership.members.is_open(session).await?),
            None => Ok(true),
        }
    }

    /// The session whose secret this is.
    fn session_of(&self, text: &str) -> Option<SessionId> {
        let (id, resume) = secret::from_text(text)?;
        let roster = self.remote.roster();
        let session = roster.sessions.get(&id)?;
        secret::is_same(&session.resume_hash, &secret::hash(&resume)).then_some(id)
    }

    /// Attaches the worker; what it holds no longer, and what it never got, comes back with it.
    fn go_on(
        &self,
        id: SessionId,
        text: &str,
        hello: &WorkerHello,
        courier: &Arc<dyn Courier>,
    ) -> Option<(Opened, Vec<HeldBy>)> {
        let mut roster = self.remote.roster();
        let session = roster.sessions.get_mut(&id)?;
        let link = session.attach(hello, Arc::clone(courier), self.now());
        let is_its = |held: &HeldBy| {
            let given = session.given.get(&held.task);
            given.is_some_and(|given| given.attempt == held.attempt && given.token == held.token)
        };
        let (kept, dropped): (Vec<HeldBy>, Vec<HeldBy>) =
            hello.holding.iter().copied().partition(is_its);
        let kept: HashSet<TaskId> = kept.iter().map(|held| held.task).collect();
        let missing = session
            .given
            .iter()
            .filter(|(task, _)| !kept.contains(task));
        let missing: Vec<HeldBy> = missing
            .map(|(task, given)| HeldBy {
                task: *task,
                attempt: given.attempt,
                token: given.token,
            })
            .collect();
        for held in &missing {
            session.forget(held.task);
        }
        let opened = Opened {
            name: link.name(),
            link,
            resume: text.to_owned(),
            is_resumed: true,
            dropped,
        };
        Some((opened, missing))
    }

    /// Of a session of an earlier life: reads what it holds from the records.
    async fn restore(&self, id: SessionId, holding: &[HeldBy]) -> Result<(), Refusal> {
        let is_restored = |session: &Session| session.is_restored;
        if !self
            .remote
            .roster()
            .sessions
            .get(&id)
            .is_some_and(is_restored)
        {
            return Ok(());
        }
        let held = self.running_of(id, holding).await?;
        let mut roster = self.remote.roster();
        let roster = &mut *roster;
        if let Some(session) = roster.sessions.get_mut(&id)
            && session.is_restored
        {
            for task in &held {
                let Some(token) = task.lease().and_then(|lease| lease.token) else {
                    continue;
                };
                let given_at = task.started_at.unwrap_or_else(|| self.now());
                session.give(task, token, &roster.speeds, given_at);
            }
            session.is_restored = false;
        }
        Ok(())
    }

    /// The tasks that run in a session: those that its worker names, and those that it does not.
    async fn running_of(
        &self,
        session: SessionId,
        holding: &[HeldBy],
    ) -> Result<Vec<Task>, Refusal> {
        let is_its = |task: &Task| task.lease().is_some_and(|lease| lease.session == session);
        let named: Vec<TaskId> = holding.iter().map(|held| held.task).collect();
        let (named, _) = self.ports.records.load(&named).await?;
        let mut found: HashMap<TaskId, Task> = HashMap::new();
        let mut add = |task: Task| {
            if is_its(&task) {
                found.insert(task.id(), task);
            }
        };
        named.into_iter().flatten().for_each(&mut add);
        let mut query = TaskQuery {
            filter: Filter::of_phases([Phase::Running]),
            limit: TASKS_PER_PAGE_MAX,
            ..TaskQuery::default()
        };
        loop {
            let page = self.ports.records.page(&query).await?;
            page.tasks.into_iter().for_each(&mut add);
            query.cursor = page.next;
            if query.cursor.is_none() {
                return Ok(found.into_values().collect());
            }
        }
    }

    /// A session of an earlier life of this process, whose worker may come back until the time
    /// for that is over.
    pub(crate) fn expect_back(&self, stored: &StoredSession, resume_hash: [u8; 32]) {
        let now = self.now();
        let until = now + self.config.patience.session_ttl;
        let mut session = Session::new(stored.id, stored.slots, resume_hash, now);
        session.presence = super::session::Presence::Away(until);
        session.is_restored = true;
        session.name = stored.worker.as_deref().unwrap_or_default().to_owned();
        self.remote.roster().sessions.insert(stored.id, session);
        self.next_due.note(until);
    }
}
