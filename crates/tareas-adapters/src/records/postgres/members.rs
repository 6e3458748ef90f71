//! The other processes on the same records: leases, who is gone, and what they left behind.
//!
//! Each process holds an advisory lock on a connection of its own for as long as it lives, and
//! renews the lease in its row. Whoever has neither is declared gone by a statement that checks
//! it again, and whose row lock gives its sessions to one caller only. Closed sessions stay as
//! rows: the statements that claim read them (see `statements`).

use std::time::Duration;

use async_trait::async_trait;
use tareas_core::{Kind, SessionId};
use tareas_engine::ports::{
    MemberId, MemberPresence, MemberReport, MemberView, Members, Missing, Offer, PortError,
    StoredSession,
};

use super::fault::Fault;
use super::refresh::lock_key;
use super::statements::{held, named};
use super::{PostgresRecords, report, row, tally};

/// Whether the connection with the lock of the server in row `s` is there.
macro_rules! is_connected {
    () => {
        "EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted \
           AND l.objsubid = 1 AND l.classid = ((s.lock_key >> 32) & 4294967295)::oid \
           AND l.objid = (s.lock_key & 4294967295)::oid \
           AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))"
    };
}

/// Under the number of its shard: another process may have removed the row meanwhile.
const ENTER: &str = "INSERT INTO tareas.servers (server_id, shard, lock_key, expires_at, local_blobs) \
    OVERRIDING SYSTEM VALUE \
    VALUES ($1, $2, $3, statement_timestamp() + $4 * interval '1 millisecond', $5) \
    ON CONFLICT (server_id) DO UPDATE SET state = 0, expires_at = excluded.expires_at, \
      local_blobs = excluded.local_blobs";
const RENEW: &str = "UPDATE tareas.servers SET \
    expires_at = statement_timestamp() + $2 * interval '1 millisecond' \
    WHERE server_id = $1 AND state = 0 RETURNING server_id";
const LEAVE: &str = "WITH gone AS (UPDATE tareas.servers SET state = 2, report = NULL, \
      expires_at = statement_timestamp() WHERE server_id = $1) \
    UPDATE tareas.sessions SET state = 1, closed_at = statement_timestamp() \
    WHERE server_id = $1 AND state = 0 AND own_pool";
const OFFER: &str = "UPDATE tareas.servers SET threads = $2, kinds = $3 WHERE server_id = $1";
const OFFERS: &str = "SELECT s.threads, s.kinds FROM tareas.servers s WHERE s.server_id <> $1 \
    AND s.state = 0 AND s.expires_at > statement_timestamp() AND s.threads > 0";
const MISSING: &str = concat!(
    "SELECT s.server_id, s.expires_at <= statement_timestamp() FROM tareas.servers s \
     WHERE s.server_id <> $1 AND s.state <> 2 AND (s.expires_at <= statement_timestamp() OR NOT ",
    is_connected!(),
    ")"
);
const BURY: &str = concat!(
    "WITH gone AS (UPDATE tareas.servers s SET state = 2, expires_at = statement_timestamp() \
       WHERE s.server_id = $1 AND s.state <> 2 AND (s.expires_at <= statement_timestamp() OR NOT ",
    is_connected!(),
    ") RETURNING s.server_id) \
     UPDATE tareas.sessions s SET state = 1, closed_at = statement_timestamp() FROM gone \
     WHERE s.server_id = gone.server_id AND s.state = 0 AND s.own_pool \
     RETURNING s.session_id, s.slots, s.resume_hash, s.worker"
);
/// Of servers that left or were declared gone. One that is coming back has its row locked, and is
/// left alone; the others are locked only when they have something open.
const ORPHANED: &str = "WITH gone AS MATERIALIZED (SELECT s.server_id FROM tareas.servers s \
      WHERE s.state = 2 AND s.expires_at <= statement_timestamp() - $1 * interval '1 millisecond' \
        AND EXISTS (SELECT FROM tareas.sessions o WHERE o.server_id = s.server_id AND o.state = 0) \
      FOR UPDATE OF s SKIP LOCKED) \
    UPDATE tareas.sessions s SET state = 1, closed_at = statement_timestamp() FROM gone \
    WHERE s.server_id = gone.server_id AND s.state = 0 \
    RETURNING s.session_id, s.slots, s.resume_hash, s.worker";
const IS_OPEN: &str = "SELECT EXISTS (SELECT FROM tareas.sessions s \
    WHERE s.session_id = $1 AND s.state = 0)";
pub(super) const HAUNTED: &str = concat!(
    "SELECT s.session_id FROM tareas.sessions s WHERE s.state = 1 AND EXISTS (SELECT FROM ",
    held!(),
    " WHERE c.session_id = s.session_id) LIMIT 100"
);
/// The shards of those whose lock is free, so that nobody counts in them meanwhile.
const FOLD: &str = "WITH gone AS MATERIALIZED (SELECT s.shard * $1::int4 AS first \
      FROM tareas.servers s WHERE s.state = 2 AND EXISTS (SELECT FROM tareas.counts c \
        WHERE c.shard >= s.shard * $1::int4 AND c.shard < (s.shard + 1) * $1::int4) \
      AND pg_try_advisory_xact_lock(s.lock_key) FOR UPDATE OF s SKIP LOCKED), \
    moved AS (DELETE FROM tareas.counts c USING gone \
      WHERE c.shard >= gone.first AND c.shard < gone.first + $1::int4 \
      RETURNING c.queue, c.state, c.n) \
    INSERT INTO tareas.counts (shard, queue, state, n) \
    SELECT 0, m.queue, m.state, sum(m.n) FROM moved m GROUP BY m.queue, m.state \
    ORDER BY m.queue, m.state \
    ON CONFLICT (shard, queue, state) DO UPDATE SET n = counts.n + excluded.n";
/// A process may be stopped for long and go on; after a day without its connections it does not.
pub(super) const FORGET_SESSIONS: &str = concat!(
    "DELETE FROM tareas.sessions s WHERE s.state = 1 \
     AND s.closed_at < statement_timestamp() - interval '1 day' \
     AND NOT EXISTS (SELECT FROM ",
    held!(),
    " WHERE c.session_id = s.session_id)"
);
/// Claims of which all has ended, and nobody has said so: their process was idle ever since, or is
/// gone. Waits for nobody, so that no statement can wait for it in a circle.
pub(super) const FORGET_CLAIMS: &str = concat!(
    "WITH old AS MATERIALIZED (SELECT o.claim, o.session_id, o.ids FROM tareas.claims o \
       WHERE o.claimed_at < statement_timestamp() - interval '1 minute' \
       ORDER BY o.claimed_at LIMIT 1000 FOR UPDATE OF o SKIP LOCKED) \
     DELETE FROM tareas.claims d USING old \
     WHERE d.claim = old.claim AND d.session_id = old.session_id \
       AND NOT EXISTS (SELECT FROM ",
    named!("old.ids", "o.session_id = old.session_id"),
    ")"
);
const FORGET_SERVERS: &str = "DELETE FROM tareas.servers s WHERE s.state = 2 \
    AND s.expires_at < statement_timestamp() - interval '1 day' \
    AND NOT EXISTS (SELECT FROM tareas.counts c \
      WHERE c.shard >= s.shard * $1::int4 AND c.shard < (s.shard + 1) * $1::int4)";
const REPORT: &str = "UPDATE tareas.servers SET report = $2, \
    reported_at = statement_timestamp() WHERE server_id = $1 AND state = 0";
/// Who was declared gone is shown for a minute.
const OTHERS: &str = concat!(
    "SELECT s.server_id, s.state, s.expires_at > statement_timestamp() AND ",
    is_connected!(),
    ", s.report, extract(epoch FROM statement_timestamp() - s.reported_at)::float8 \
     FROM tareas.servers s WHERE s.server_id <> $1 AND s.report IS NOT NULL \
     AND (s.state = 0 OR s.expires_at > statement_timestamp() - interval '1 minute') \
     ORDER BY s.server_id LIMIT 256"
);
/// Whether somebody else is connected who cannot share blobs with a process like this.
pub(super) const CANNOT_SHARE_BLOBS: &str = concat!(
    "SELECT EXISTS (SELECT FROM tareas.servers s WHERE s.server_id <> $1 AND s.state = 0 \
     AND ($2 OR s.local_blobs) AND ",
    is_connected!(),
    ")"
);

#[async_trait]
impl Members for PostgresRecords {
    async fn enter(&self, ttl: Duration, anew: bool) -> Result<(), PortError> {
        let shared = &self.shared;
        let shard = shared.tally.shard(0) / tally::SHARDS;
        let key = lock_key(shared.options.server);
        let local_blobs = shared.options.local_blobs;
        let values: [super::link::Value<'_>; 5] =
            [&shared.server, &shard, &key, &millis(ttl), &local_blobs];
        self.members.rows(ENTER, &values).await?;
        if anew {
            // Others may have moved the counts of this process: they are read again.
            shared.begin_epoch();
        }
        Ok(())
    }

    async fn renew(&self, ttl: Duration) -> Result<bool, PortError> {
        let server = self.shared.server;
        let renewed = self.members.rows(RENEW, &[&server, &millis(ttl)]).await?;
        Ok(!renewed.is_empty())
    }

    async fn leave(&self) -> Result<(), PortError> {
        self.members.rows(LEAVE, &[&self.shared.server]).await?;
        Ok(())
    }

    async fn missing(&self) -> Result<Vec<Missing>, PortError> {
        let found = self.members.rows(MISSING, &[&self.shared.server]).await?;
        let missing = found.iter().map(|found| {
            let member = MemberId(row::get::<uuid::Uuid>(found, 0)?.as_u128());
            let is_expired = row::get(found, 1)?;
            Ok(Missing { member, is_expired })
        });
        missing.collect::<Result<_, Fault>>().map_err(told)
    }

    async fn bury(&self, member: MemberId) -> Result<Vec<StoredSession>, PortError> {
        let server = uuid::Uuid::from_u128(member.0);
        let closed = self.members.rows(BURY, &[&server]).await?;
        let sessions = closed.iter().map(row::stored_session);
        sessions.collect::<Result<_, Fault>>().map_err(told)
    }

    async fn orphaned(&self, after: Duration) -> Result<Vec<StoredSession>, PortError> {
        let closed = self.members.rows(ORPHANED, &[&millis(after)]).await?;
        let sessions = closed.iter().map(row::stored_session);
        sessions.collect::<Result<_, Fault>>().map_err(told)
    }

    async fn is_open(&self, session: SessionId) -> Result<bool, PortError> {
        let session = row::session_uuid(session);
        let told_of = self.members.rows(IS_OPEN, &[&session]).await?;
        let is_open = told_of.first().map(|found| row::get(found, 0));
        is_open.unwrap_or(Ok(false)).map_err(told)
    }

    async fn haunted(&self) -> Result<Vec<SessionId>, PortError> {
        let found = self.members.rows(HAUNTED, &[]).await?;
        let sessions = found.iter().map(|found| row::session(found, 0));
        sessions.collect::<Result<_, Fault>>().map_err(told)
    }

    async fn offer(&self, offer: &Offer) -> Result<(), PortError> {
        let (server, threads) = (self.shared.server, i32::from(offer.threads));
        let kinds: Vec<&str> = offer.kinds.iter().map(Kind::as_str).collect();
        self.members
            .rows(OFFER, &[&server, &threads, &kinds])
            .await?;
        Ok(())
    }

    async fn offers(&self) -> Result<Vec<Offer>, PortError> {
        let found = self.members.rows(OFFERS, &[&self.shared.server]).await?;
        let offers = found.iter().map(|found| {
            let kinds: Vec<&str> = row::get(found, 1)?;
            Ok(Offer {
                threads: u16::try_from(row::get::<i32>(found, 0)?).unwrap_or(u16::MAX),
                // A name that this version does not take is no kind of its own.
                kinds: kinds
                    .into_iter()
                    .filter_map(|name| Kind::new(name).ok())
                    .collect(),
            })
        });
        offers.collect::<Result<_, Fault>>().map_err(told)
    }

    async fn tidy(&self) -> Result<(), PortError> {
        self.members.rows(FOLD, &[&tally::SHARDS]).await?;
        self.members.rows(FORGET_CLAIMS, &[]).await?;
        self.members.rows(FORGET_SESSIONS, &[]).await?;
        self.members.rows(FORGET_SERVERS, &[&tally::SHARDS]).await?;
        Ok(())
    }

    async fn report(&self, report: &MemberReport) -> Result<(), PortError> {
        let text = report::write(report);
        let values: [super::link::Value<'_>; 2] = [&self.shared.server, &text];
        self.members.rows(REPORT, &values).await?;
        Ok(())
    }

    async fn others(&self) -> Result<Vec<MemberView>, PortError> {
        let found = self.members.rows(OTHERS, &[&self.shared.server]).await?;
        let views = found.iter().map(view);
        views.collect::<Result<_, Fault>>().map_err(told)
    }
}

fn view(found: &tokio_postgres::Row) -> Result<MemberView, Fault> {
    let (state, is_well): (i16, bool) = (row::get(found, 1)?, row::get(found, 2)?);
    let presence = match (state, is_well) {
        (0, true) => MemberPresence::Here,
        (0, false) => MemberPresence::Silent,
        _ => MemberPresence::Gone,
    };
    let age: f64 = row::get(found, 4)?;
    Ok(MemberView {
        member: MemberId(row::get::<uuid::Uuid>(found, 0)?.as_u128()),
        presence,
        report: report::read(row::get(found, 3)?),
        age: Duration::try_from_secs_f64(age).unwrap_or_default(),
    })
}

fn told(fault: Fault) -> PortError {
    fault.into_port_error()
}

/// For `$n * interval '1 millisecond'`, which takes a fraction.
fn millis(ttl: Duration) -> f64 {
    ttl.as_secs_f64() * 1_000.0
}
