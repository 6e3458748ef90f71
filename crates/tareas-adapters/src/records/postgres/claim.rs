//! Claims, by one statement for the plain case: what it did must be what core makes of each of
//! them.

use std::sync::atomic::Ordering;

use tareas_core::limits::TIMEOUT_DEFAULT;
use tareas_core::{Command, Outcome, Phase, Task, TaskId, Timestamp, lifecycle};
use tokio_postgres::Row;
use uuid::Uuid;

use super::days::day_of_all;
use super::decide::{Entry, Sent};
use super::fault::Fault;
use super::instant::Instant;
use super::link::Value;
use super::row;
use super::rows::Rows;
use super::statements::{CLAIM, CLAIM_ALIKE};
use super::write::Writer;

impl Writer<'_> {
    /// T3 by one statement. What it does not find stays open.
    pub(super) async fn claim(self, entries: &mut [&mut Entry]) -> Result<(), Fault> {
        entries.sort_unstable_by_key(|entry| entry.command.task());
        for entry in entries.iter_mut() {
            entry.sent = Some(Sent::Claim);
        }
        self.shared.stats.statements.fetch_add(1, Ordering::Relaxed);
        let (claim, over) = (Uuid::now_v7(), self.shared.running().take_over());
        let answered = self.claimed(entries, claim, &over).await;
        if answered.is_err() {
            self.shared.running().give_back(over);
        }
        if !matches!(answered, Err(Fault::Lost(_))) {
            entries.iter_mut().for_each(|entry| entry.sent = None);
        }
        let claimed = answered?;
        let has_changed = !claimed.is_empty();
        if !has_changed {
            // The statement has noted it all the same.
            self.shared.running().give_back(vec![claim]);
        }
        let count = claimed.len() as u64;
        self.shared.stats.rows.fetch_add(count, Ordering::Relaxed);
        let moves = claimed.iter().map(|(_, task)| {
            let (was, is) = (Phase::Queued, Phase::Running);
            (&task.spec.queue, Some(was), Some(is))
        });
        self.shared.tally.moved(self.shard, moves);
        for (number, task) in claimed {
            entries[number].outcome = Some(Outcome::Done(task));
        }
        self.settle(entries, has_changed, claim);
        Ok(())
    }

    /// The tasks that were claimed, each with the number of its entry.
    async fn claimed(
        self,
        asked: &[&mut Entry],
        claim: Uuid,
        over: &Vec<Uuid>,
    ) -> Result<Vec<(usize, Task)>, Fault> {
        let mut next = 0;
        let read = |found: &Row| {
            let number = number_of(asked, row::id(found, 0)?, next)?;
            let entry = &*asked[number];
            next = number + 1;
            let task = row::claimed(found, &claim_of(entry)?, entry.now)?;
            Ok((number, task))
        };
        let day = day_of_all(asked.iter().map(|entry| entry.command.task()));
        let claims = Claims::of(asked, day.is_some());
        let values = claims.values(&self.shard, &claim, over);
        let link = self.link;
        link.collect(day, claims.sql(), &values, asked.len(), read)
            .await
    }
}

/// Which of these commands, which are in order of id, claims this task: mostly the next one.
fn number_of(entries: &[&mut Entry], id: TaskId, next: usize) -> Result<usize, Fault> {
    let is_next = |entry: &&mut Entry| entry.command.task() == id;
    if entries.get(next).is_some_and(is_next) {
        return Ok(next);
    }
    let found = entries.binary_search_by_key(&id, |entry| entry.command.task());
    found.map_err(|_| row::damaged("a claim that nobody asked for"))
}

/// Who claims, and on what knowledge.
fn claim_of(entry: &Entry) -> Result<lifecycle::Claim, Fault> {
    match &entry.command {
        Command::Claim {
            expected_attempt,
            session,
            token,
            ..
        } => Ok(lifecycle::Claim {
            expected_attempt: *expected_attempt,
            session: *session,
            token: *token,
            gap: 0,
        }),
        _ => Err(row::damaged("a claim that is none")),
    }
}

/// Claims, as their statement takes them.
enum Claims {
    /// For [`CLAIM_ALIKE`].
    Alike(Alike),
    /// For [`CLAIM`].
    Any(Any),
}

/// How long an attempt may take whose task says nothing of it, in microseconds.
const TIMEOUT_MICROS: i64 = TIMEOUT_DEFAULT.as_micros() as i64;

impl Claims {
    /// All entries claim. A list of ids is for one day: of several, each would be looked for in
    /// all of them.
    fn of(entries: &[&mut Entry], is_one_day: bool) -> Self {
        let alike = is_one_day.then(|| Alike::of(entries)).flatten();
        alike.map_or_else(|| Self::Any(Any::of(entries)), Self::Alike)
    }

    fn sql(&self) -> &'static str {
        match self {
            Self::Alike(_) => CLAIM_ALIKE,
            Self::Any(_) => CLAIM,
        }
    }

    /// In the order of the statement.
    fn values<'b>(
        &'b self,
        shard: &'b i32,
        claim: &'b Uuid,
        over: &'b Vec<Uuid>,
    ) -> Vec<Value<'b>> {
        let (of, sessions, more): (Value<'b>, Value<'b>, Vec<Value<'b>>) = match self {
            Self::Alike(alike) => (&alike.ids, &alike.session, vec![&alike.at, &alike.attempt]),
            Self::Any(any) => (&any.rows, &any.sessions, vec![&any.holds]),
        };
        let mut values: Vec<Value<'b>> = vec![shard, of, sessions, &TIMEOUT_MICROS, claim, over];
        values.extend(more);
        values
    }
}

/// Claims that differ in their tasks alone.
struct Alike {
    session: Uuid,
    attempt: i64,
    at: Instant,
    ids: Vec<Uuid>,
}

impl Alike {
    /// These claims, when one session makes all of them at one instant, for the same attempt and
    /// without a token.
    fn of(entries: &[&mut Entry]) -> Option<Self> {
        let mut ids = Vec::with_capacity(entries.len());
        let mut alike = None;
        let are_alike = entries.iter().all(|entry| {
            let Command::Claim {
                task,
                expected_attempt,
                session,
                token: None,
            } = &entry.command
            else {
                return false;
            };
            ids.push(row::uuid(*task));
            let this = (entry.now, *expected_attempt, *session);
            *alike.get_or_insert(this) == this
        });
        let (now, attempt, session) = alike.filter(|_| are_alike)?;
        Some(Self {
            session: row::session_uuid(session),
            attempt: attempt.cast_signed(),
            at: now.into(),
            ids,
        })
    }
}

/// Claims of any kind.
#[derive(Default)]
struct Any {
    rows: Rows,
    sessions: Vec<Uuid>,
    /// The tasks of each session, and the same as rows.
    ids: Vec<Vec<Uuid>>,
    holds: Rows,
}

impl Any {
    fn of(entries: &[&mut Entry]) -> Self {
        let mut claims = Self {
            rows: Rows::with_room(entries.len()),
            ..Self::default()
        };
        for entry in entries {
            claims.push(&entry.command, entry.now);
        }
        for (session, ids) in claims.sessions.iter().zip(&claims.ids) {
            claims.holds.push(|fields| {
                fields.uuid(Some(*session));
                fields.uuids(ids);
            });
        }
        claims
    }

    fn push(&mut self, command: &Command, now: Timestamp) {
        if let Command::Claim {
            task,
            expected_attempt,
            session,
            token,
        } = command
        {
            let (task, session) = (row::uuid(*task), row::session_uuid(*session));
            self.rows.push(|fields| {
                fields.uuid(Some(task));
                fields.int8(Some(expected_attempt.cast_signed()));
                fields.uuid(Some(session));
                fields.uuid(token.map(|token| Uuid::from_u128(token.bits())));
                fields.instant(Some(now.into()));
            });
            self.hold(session, task);
        }
    }

    fn hold(&mut self, session: Uuid, task: Uuid) {
        match self.sessions.iter().rposition(|known| *known == session) {
            Some(at) => self.ids[at].push(task),
            None => {
                self.sessions.push(session);
                self.ids.push(vec![task]);
            }
        }
    }
}
