//! `PostgresAccess`: credentials and the audit log, on a connection of their own
//! (`SeldomLink`).

use async_trait::async_trait;
use tareas_core::Timestamp;
use tareas_engine::access::{AuditEntry, Credential, CredentialId};
use tareas_engine::ports::{AccessRecords, PortError};
use tokio_postgres::Row;

use super::fault::{Fault, OpenError};
use super::link::Value;
use super::seldom::SeldomLink;
use super::{PostgresOptions, row};
use crate::access::row::{CredentialRow, audit_entry};

const ALL: &str = "SELECT id, kind, sealed, name, roles, queues, networks, expires_at, created_at, \
    created_by, parent, used_at, revoked_at FROM tareas.credentials";
const ADD: &str = "INSERT INTO tareas.credentials (id, kind, sealed, name, roles, queues, networks, \
    expires_at, created_at, created_by, parent, used_at, revoked_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
    ON CONFLICT (id) DO NOTHING RETURNING id";
const REVOKE: &str = "UPDATE tareas.credentials SET revoked_at = $2 \
    WHERE id = $1 AND revoked_at IS NULL RETURNING id";
const TOUCH: &str = "UPDATE tareas.credentials c SET used_at = greatest(c.used_at, u.at) \
    FROM unnest($1::text[], $2::int8[]) AS u (id, at) WHERE c.id = u.id";
const WRITE_AUDIT: &str = "INSERT INTO tareas.audit (at, who, address, deed, detail) \
    SELECT * FROM unnest($1::int8[], $2::text[], $3::text[], $4::text[], $5::text[])";
const READ_AUDIT: &str = "SELECT number, at, who, address, deed, detail FROM tareas.audit \
    WHERE number < $1 ORDER BY number DESC LIMIT $2";
const PRUNE: &str = "WITH a AS (DELETE FROM tareas.audit WHERE at < $2) \
    DELETE FROM tareas.credentials WHERE id = ANY ($1::text[])";

/// See the module's documentation.
#[derive(Debug)]
pub struct PostgresAccess(SeldomLink);

impl PostgresAccess {
    /// Connects, and makes the schema where it is missing.
    ///
    /// # Errors
    /// When the server cannot be reached, or its schema cannot be made.
    pub async fn open(options: PostgresOptions) -> Result<Self, OpenError> {
        SeldomLink::open(options).await.map(Self)
    }
}

#[async_trait]
impl AccessRecords for PostgresAccess {
    async fn credentials(&self) -> Result<Vec<Credential>, PortError> {
        let rows = self.0.rows(ALL, &[]).await?;
        let read = |row: &Row| credential(row).map_err(Fault::into_port_error)?.read();
        rows.iter().map(read).collect()
    }

    async fn add(&self, credential: &Credential) -> Result<(), PortError> {
        let row = CredentialRow::of(credential);
        let values: [Value<'_>; 13] = [
            &row.id,
            &row.kind,
            &row.sealed,
            &row.name,
            &row.roles,
            &row.queues,
            &row.networks,
            &row.expires_at,
            &row.created_at,
            &row.created_by,
            &row.parent,
            &row.used_at,
            &row.revoked_at,
        ];
        match self.0.rows(ADD, &values).await?.is_empty() {
            true => Err(PortError::Conflict {
                what: format!("the credential {}", row.id),
            }),
            false => Ok(()),
        }
    }

    async fn revoke(&self, id: CredentialId, at: Timestamp) -> Result<bool, PortError> {
        let rows = self
            .0
            .rows(REVOKE, &[&id.as_str(), &at.as_micros()])
            .await?;
        Ok(!rows.is_empty())
    }

    async fn touch(&self, used: &[(CredentialId, Timestamp)]) -> Result<(), PortError> {
        let (ids, ats): (Vec<String>, Vec<i64>) = used
            .iter()
            .map(|(id, at)| (id.to_string(), at.as_micros()))
            .unzip();
        self.0.rows(TOUCH, &[&ids, &ats]).await.map(drop)
    }

    async fn write_audit(&self, entries: &[AuditEntry]) -> Result<(), PortError> {
        let ats: Vec<i64> = entries.iter().map(|entry| entry.at.as_micros()).collect();
        let texts = |of: fn(&AuditEntry) -> &str| entries.iter().map(of).collect::<Vec<&str>>();
        let (who, address) = (texts(|entry| &entry.who), texts(|entry| &entry.address));
        let (deed, detail) = (
            texts(|entry| entry.deed.name()),
            texts(|entry| &entry.detail),
        );
        let values: [Value<'_>; 5] = [&ats, &who, &address, &deed, &detail];
        self.0.rows(WRITE_AUDIT, &values).await.map(drop)
    }

    async fn read_audit(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, PortError> {
        let before = before
            .and_then(|number| i64::try_from(number).ok())
            .unwrap_or(i64::MAX);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.0.rows(READ_AUDIT, &[&before, &limit]).await?;
        let lines: Result<Vec<_>, Fault> = rows.iter().map(line).collect();
        Ok(lines
            .map_err(Fault::into_port_error)?
            .into_iter()
            .flatten()
            .collect())
    }

    async fn prune(&self, ended: &[CredentialId], before: Timestamp) -> Result<(), PortError> {
        let ended: Vec<String> = ended.iter().map(ToString::to_string).collect();
        self.0
            .rows(PRUNE, &[&ended, &before.as_micros()])
            .await
            .map(drop)
    }
}

fn credential(from: &Row) -> Result<CredentialRow, Fault> {
    Ok(CredentialRow {
        id: row::get(from, 0)?,
        kind: row::get(from, 1)?,
        sealed: row::get(from, 2)?,
        name: row::get(from, 3)?,
        roles: row::get(from, 4)?,
        queues: row::get(from, 5)?,
        networks: row::get(from, 6)?,
        expires_at: row::get(from, 7)?,
        created_at: row::get(from, 8)?,
        created_by: row::get(from, 9)?,
        parent: row::get(from, 10)?,
        used_at: row::get(from, 11)?,
        revoked_at: row::get(from, 12)?,
    })
}

fn line(from: &Row) -> Result<Option<(u64, AuditEntry)>, Fault> {
    let number: i64 = row::get(from, 0)?;
    let (who, address, deed): (String, String, String) =
        (row::get(from, 2)?, row::get(from, 3)?, row::get(from, 4)?);
    let entry = audit_entry(
        row::get(from, 1)?,
        &who,
        &address,
        &deed,
        row::get(from, 5)?,
    );
    Ok(entry.map(|entry| (number.unsigned_abs(), entry)))
}
