//! The records as a whole, while nobody serves from them: read ([`PostgresExport`]) or filled
//! ([`PostgresImport`]).
//!
//! Both hold the lock of which every process that serves has a share. Records that are being
//! filled have a table more, `tareas.import`: it says how far that is, and keeps servers away
//! also after a kill.

mod arriving;
mod export;
mod import;

pub use self::export::PostgresExport;
pub use self::import::PostgresImport;
use super::fault::{During, OpenError};
use super::link::{Link, Purpose};
use super::migrate::serving_lock;
use super::open::connect_error;
use super::{PostgresOptions, checks, refresh};

const IMPORTS: &str = "SELECT to_regclass('tareas.import') IS NOT NULL";
const ALONE: &str = concat!("SELECT pg_try_advisory_lock(", serving_lock!(), ")");
/// Somebody whose lease runs may only have lost a connection, and come back.
const SERVED: &str = "SELECT EXISTS (SELECT FROM tareas.servers s WHERE s.state <> 2 \
    AND s.expires_at > statement_timestamp() AND s.expires_at < 'infinity')";
/// Leaves may take as long as the other side needs.
const PATIENT: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
    SET work_mem = '64MB'";

/// Refuses records that hold a part of the tasks only.
pub(super) async fn refuse_unfinished(link: &Link) -> Result<(), OpenError> {
    match ask(link, IMPORTS, "the look at imports").await? {
        true => Err(OpenError::Unfinished),
        false => Ok(()),
    }
}

/// A connection to a server that is fit.
async fn connect(options: &PostgresOptions) -> Result<Link, OpenError> {
    let link = Link::open(options, Purpose::Seldom).await;
    let link = link.map_err(|fault| connect_error(&options.at(), fault))?;
    checks::check(&link, options).await?;
    let patient = link.client().batch_execute(PATIENT).await;
    patient.during("the settings of the connection")?;
    Ok(link)
}

/// Keeps everybody else away for as long as the connection lasts.
async fn be_alone(link: &Link) -> Result<(), OpenError> {
    let is_alone = refresh::take(link, ALONE, &[]).await?;
    if !is_alone || ask(link, SERVED, "the look at leases").await? {
        return Err(OpenError::Served);
    }
    Ok(())
}

async fn ask(link: &Link, sql: &str, what: &'static str) -> Result<bool, OpenError> {
    let asked = link.client().query_one(sql, &[]).await;
    Ok(asked.during(what)?.get(0))
}
