//! A connection for what is asked seldom, beside those of the tasks.
//!
//! It is made again when it is lost. A statement whose outcome is unknown then is not repeated: the
//! caller is told that the store does not answer.

use std::sync::Arc;

use tareas_engine::ports::PortError;
use tokio::sync::Mutex;
use tokio_postgres::Row;

use super::fault::{Fault, OpenError};
use super::link::{Link, Purpose, Value};
use super::open::connect_error;
use super::{PostgresOptions, migrate};

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct SeldomLink {
    options: PostgresOptions,
    link: Mutex<Option<Arc<Link>>>,
}

impl SeldomLink {
    /// Connects, and makes the schema where it is missing.
    pub(super) async fn open(options: PostgresOptions) -> Result<Self, OpenError> {
        let at = options.at();
        let link = Link::open(&options, Purpose::Seldom).await;
        let link = link.map_err(|fault| connect_error(&at, fault))?;
        migrate::run(&link).await?;
        Ok(Self {
            options,
            link: Mutex::new(Some(Arc::new(link))),
        })
    }

    /// Runs one statement.
    pub(super) async fn rows(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, PortError> {
        let link = self.link().await.map_err(Fault::into_port_error)?;
        match link.rows(sql, values).await {
            Ok(rows) => Ok(rows),
            Err(fault) => {
                if !fault.leaves_the_connection() {
                    *self.link.lock().await = None;
                }
                Err(fault.into_port_error())
            }
        }
    }

    async fn link(&self) -> Result<Arc<Link>, Fault> {
        let mut present = self.link.lock().await;
        if let Some(link) = present.as_ref().filter(|link| !link.is_closed()) {
            return Ok(Arc::clone(link));
        }
        let link = Arc::new(Link::open(&self.options, Purpose::Seldom).await?);
        *present = Some(Arc::clone(&link));
        Ok(link)
    }
}
