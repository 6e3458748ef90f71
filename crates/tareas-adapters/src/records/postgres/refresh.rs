//! The service that keeps in touch: what other servers have counted and operators have set, every
//! second; partitions, every hour. It holds the lock that says that this server is alive.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tareas_engine::ports::{Clock, SystemClock};

use super::fault::{During, Fault, OpenError};
use super::link::{Link, Purpose, Value};
use super::migrate::serving_lock;
use super::settings::read_queues;
use super::shared::Shared;

/// How often counts and settings of others are read.
const REFRESH_EVERY: Duration = Duration::from_secs(1);
/// How often partitions are made and dropped.
const DAYS_EVERY: Duration = Duration::from_secs(3600);
/// How long another process with this identity may take to let go: the one before, which ends.
const HANDOVER_MAX: Duration = Duration::from_secs(5);
const HANDOVER_LOOK: Duration = Duration::from_millis(50);

const LOCK: &str = "SELECT pg_try_advisory_lock($1)";
const SERVE: &str = concat!("SELECT pg_try_advisory_lock_shared(", serving_lock!(), ")");

/// The key of the lock that a server holds as long as it lives.
pub(super) fn lock_key(server: u128) -> i64 {
    ((server >> 64) as u64 ^ server as u64).cast_signed()
}

/// Takes the lock of this server, once the life before has let go of it, and its share of the
/// one that keeps migrations away.
pub(super) async fn take_lock(link: &Link, server: u128) -> Result<(), OpenError> {
    if !take(link, LOCK, &[&lock_key(server)]).await? {
        return Err(OpenError::Taken);
    }
    match take(link, SERVE, &[]).await? {
        true => Ok(()),
        false => Err(OpenError::Migrating),
    }
}

/// Whether a lock could be taken, after a while for whoever had it before to let go.
pub(super) async fn take(link: &Link, sql: &str, values: &[Value<'_>]) -> Result<bool, OpenError> {
    let began = Instant::now();
    loop {
        let asked = link.client().query_one(sql, values).await;
        let is_taken = asked.during("a lock of this server")?.get(0);
        if is_taken || began.elapsed() > HANDOVER_MAX {
            return Ok(is_taken);
        }
        SystemClock.sleep(HANDOVER_LOOK).await;
    }
}

/// Refreshes until the store is closed. `link` holds the lock.
pub(super) async fn run(shared: Arc<Shared>, link: Link) {
    let (mut link, mut is_locked) = (Some(link), true);
    let mut days_at = Instant::now() + DAYS_EVERY;
    while !shared.front.is_closed() {
        tokio::select! {
            () = shared.closing.notified() => return,
            () = SystemClock.sleep(REFRESH_EVERY) => {}
        }
        let with_days = Instant::now() >= days_at;
        match refresh(&shared, &mut link, &mut is_locked, with_days).await {
            Ok(()) if with_days => days_at = Instant::now() + DAYS_EVERY,
            Ok(()) => {}
            Err(fault) => {
                if !fault.leaves_the_connection() {
                    link = None;
                }
                let error = fault.into_port_error();
                tracing::warn!(%error, "counts and settings of other servers were not read");
            }
        }
    }
}

async fn refresh(
    shared: &Shared,
    link: &mut Option<Link>,
    is_locked: &mut bool,
    with_days: bool,
) -> Result<(), Fault> {
    let link = match link {
        Some(link) if !link.is_closed() => link,
        _ => {
            *is_locked = false;
            link.insert(Link::open(&shared.options, Purpose::Seldom).await?)
        }
    };
    if !*is_locked {
        // PostgreSQL may not have noticed yet that the connection before is lost.
        let key = lock_key(shared.options.server);
        let held = link.rows(LOCK, &[&key]).await?;
        let serves = link.rows(SERVE, &[]).await?;
        *is_locked = held.iter().chain(&serves).all(|row| row.get(0));
    }
    shared.tally.read_others(link).await?;
    read_queues(shared, link).await?;
    if with_days {
        let now = SystemClock.now();
        shared.days.make_ahead(link, now).await?;
        shared.days.drop_empty(link, now).await?;
    }
    Ok(())
}
