//! A look at PostgreSQL for whoever sets a system up. It changes nothing.

use super::checks;
use super::fault::{During, OpenError};
use super::link::{Link, Purpose};
use super::open::connect_error;
use super::options::PostgresOptions;

const FACTS: &str = "SELECT current_setting('server_version'), \
    has_database_privilege(current_database(), 'CREATE'), \
    coalesce((SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'tareas'), \
      false), \
    current_setting('max_connections')::int8 \
      - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')";

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Host, port and database.
    pub at: String,
    /// Its version, in its own words.
    pub version: String,
    /// Whether the schema is this account's, or may be made by it.
    pub may_migrate: bool,
    /// Connections that others have left.
    pub connections_free: i64,
    /// What an operator should know.
    pub warnings: Vec<String>,
}

/// Looks at the server that the options name, and asks of it what the records need.
///
/// # Errors
/// As [`PostgresRecords::open`](super::PostgresRecords::open), without making anything.
pub async fn survey(options: &PostgresOptions) -> Result<Survey, OpenError> {
    let at = options.at();
    let link = Link::open(options, Purpose::Seldom)
        .await
        .map_err(|fault| connect_error(&at, fault))?;
    let warnings = checks::check(&link, options).await?;
    let facts = link.client().query_one(FACTS, &[]).await;
    let facts = facts.during("the survey")?;
    Ok(Survey {
        at,
        version: facts.get(0),
        may_migrate: facts.get(1) || facts.get(2),
        connections_free: facts.get(3),
        warnings,
    })
}
