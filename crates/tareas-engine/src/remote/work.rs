//! A worker comes: it gets a session, or the one it had before.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use smol_str::SmolStr;
use tareas_core::{Kind, QueueName, SessionId};

use super::fit::Fit;
use super::roster::Over;
use super::secret;
use super::session::{Courier, HeldBy, Presence, Session};
use crate::ports::StoredSession;
use crate::{Engine, Refusal};

/// What a worker says of itself.
#[derive(Clone, Debug)]
pub struct WorkerHello {
    /// What people call it; may be empty.
    pub name: String,
    /// Where it connects from.
    pub address: String,
    /// The queues it takes tasks from; all when empty.
    pub queues: Vec<QueueName>,
    /// The kinds it has handlers for.
    pub kinds: Vec<Kind>,
    /// Its labels.
    pub labels: Vec<SmolStr>,
    /// How many tasks it runs at once.
    pub slots: u16,
    /// How many more it will hold while they are short.
    pub prefetch: u16,
    /// The secret of the session it wants to go on with.
    pub resume: Option<String>,
    /// What it still holds of that session.
    pub holding: Vec<HeldBy>,
}

/// The session of a worker, as its connection has it.
#[derive(Clone, Debug)]
pub struct SessionLink {
    pub(super) id: SessionId,
    pub(super) connection: u64,
    pub(super) heard_at: Arc<AtomicI64>,
}

/// A session that was opened.
#[derive(Debug)]
pub struct Opened {
    /// What the connection needs to speak for it.
    pub link: SessionLink,
    /// The name of the session, for people.
    pub name: String,
    /// With what the worker can go on with it after the connection was lost.
    pub resume: String,
    /// Whether the worker goes on with the session that it asked for.
    pub is_resumed: bool,
    /// Of what the worker holds: what is no longer its own.
    pub dropped: Vec<HeldBy>,
}

impl SessionLink {
    /// The name of the session, for people.
    pub fn name(&self) -> String {
        format!("{:016x}", self.id.0)
    }
}

impl Engine {
    /// A worker is there. Its session is durable on return; the courier is brought work from
    /// then on, so it must not let anything leave before the answer to this.
    ///
    /// # Errors
    /// When the store is unavailable, or the system drains.
    pub async fn work(
        self: &Arc<Self>,
        hello: WorkerHello,
        courier: Arc<dyn Courier>,
    ) -> Result<Opened, Refusal> {
        if self.is_draining() {
            return Err(Refusal::Draining);
        }
        self.learn_of_kinds(&hello.kinds).await?;
        let resumed = self.resume(&hello, &courier).await?;
        let opened = match resumed {
            Some(opened) => opened,
            None => self.open(&hello, courier).await?,
        };
        self.remote.start_matching();
        self.want_kinds();
        self.remote.has_room();
        Ok(opened)
    }

    /// The worker said something: it is alive.
    pub fn heard(&self, link: &SessionLink) {
        let now = self.now().as_micros();
        link.heard_at.store(now, Ordering::Relaxed);
    }

    /// Whether the session is not over, and this connection's.
    pub fn has_session(&self, link: &SessionLink) -> bool {
        self.remote.roster().of(link.id, link.connection).is_some()
    }

    /// The worker takes so many tasks at once from now on.
    pub fn set_slots(&self, link: &SessionLink, slots: u16) {
        if let Some(session) = self.remote.roster().of(link.id, link.connection) {
            session.slots = slots;
            session.slots_at_most = session.slots_at_most.max(slots);
        }
        self.remote.has_room();
    }

    /// The connection is gone. Without a goodbye the worker has a while to come back; with one
    /// its session is over, and what it holds is given back.
    pub async fn leave(&self, link: &SessionLink, with_goodbye: bool) {
        let until = self.now() + self.config.patience.reconnect_grace;
        let given_back = {
            let mut roster = self.remote.roster();
            let Some(session) = roster.of(link.id, link.connection) else {
                return;
            };
            if !with_goodbye {
                session.presence = Presence::Away(until);
                self.next_due.note(until);
                return;
            }
            let given = session.given.iter();
            let given_back: Vec<HeldBy> = given
                .map(|(task, given)| HeldBy {
                    task: *task,
                    attempt: given.attempt,
                    token: given.token,
                })
                .collect();
            roster.sessions.remove(&link.id);
            // What it was just being given is found by its session; none of it was started.
            roster.over.push(Over {
                session: link.id,
                slots: 0,
                worker: None,
            });
            given_back
        };
        self.release(&given_back).await;
        self.bury().await;
    }

    /// Has the queue bring what can be run here, and nothing else. What somebody has left behind
    /// on the shelves is found by others, in the records.
    pub(crate) fn want_kinds(&self) {
        self.ports.queue.want(&self.remote.kinds_here());
        if self.ports.queue.is_shared() {
            self.remote.forget_foreign();
        }
    }

    async fn learn_of_kinds(&self, kinds: &[Kind]) -> Result<(), Refusal> {
        let is_new = |kind: &&Kind| self.kinds.look_up(kind).is_none();
        let new: Vec<Kind> = kinds.iter().filter(is_new).cloned().collect();
        if !new.is_empty() {
            self.ports.settings.remember_kinds(&new).await?;
            self.kinds.announce(new);
        }
        Ok(())
    }

    async fn open(
        &self,
        hello: &WorkerHello,
        courier: Arc<dyn Courier>,
    ) -> Result<Opened, Refusal> {
        let (id, resume) = (self.remote.secret.session(), self.remote.secret.resume());
        let hash = secret::hash(&resume);
        let stored = StoredSession {
            id,
            slots: hello.slots,
            resume: Some(hash),
            worker: (!hello.name.is_empty()).then(|| hello.name.as_str().into()),
        };
        self.ports.settings.open_session(stored).await?;
        let mut session = Session::new(id, hello.slots, hash, self.now());
        let link = session.attach(hello, courier, self.now());
        self.remote.roster().sessions.insert(id, session);
        Ok(Opened {
            name: link.name(),
            link,
            resume: secret::to_text(id, &resume),
            is_resumed: false,
            dropped: hello.holding.clone(),
        })
    }
}

impl Session {
    /// Takes over what the worker says of itself; a connection it had before is told so.
    pub(super) fn attach(
        &mut self,
        hello: &WorkerHello,
        courier: Arc<dyn Courier>,
        now: tareas_core::Timestamp,
    ) -> SessionLink {
        self.name = match hello.name.is_empty() {
            true => format!("{:016x}", self.id.0),
            false => hello.name.clone(),
        };
        self.address.clone_from(&hello.address);
        self.fit = Fit {
            kinds: hello.kinds.iter().cloned().collect::<HashSet<_>>(),
            queues: hello.queues.iter().cloned().collect::<HashSet<_>>(),
            labels: hello.labels.iter().cloned().collect::<BTreeSet<_>>(),
        };
        self.slots = hello.slots;
        self.slots_at_most = self.slots_at_most.max(hello.slots);
        self.prefetch = hello.prefetch;
        if let Presence::Here(before) =
            std::mem::replace(&mut self.presence, Presence::Here(courier))
        {
            before.replaced();
        }
        self.connection += 1;
        self.is_restored = false;
        self.heard_at.store(now.as_micros(), Ordering::Relaxed);
        SessionLink {
            id: self.id,
            connection: self.connection,
            heard_at: Arc::clone(&self.heard_at),
        }
    }
}
