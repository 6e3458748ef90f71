//! `access.db`: credentials and the audit log in a file of the data folder.
//!
//! See `PrivateFile` for what holds of such a file.

use std::path::Path;

use async_trait::async_trait;
use rusqlite::{Row, params};
use tareas_core::Timestamp;
use tareas_engine::access::{AuditEntry, Credential, CredentialId};
use tareas_engine::ports::{AccessRecords, PortError};

use super::row::{CredentialRow, audit_entry};
use crate::private_file::{Layout, PrivateFile};

const LAYOUT: Layout = Layout {
    file: "access.db",
    version: 1,
    schema: include_str!("schema.sql"),
};
const ALL: &str = "SELECT id, kind, sealed, name, roles, queues, networks, expires_at, created_at, \
    created_by, parent, used_at, revoked_at FROM credentials";
const ADD: &str = "INSERT INTO credentials (id, kind, sealed, name, roles, queues, networks, \
    expires_at, created_at, created_by, parent, used_at, revoked_at) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT (id) DO NOTHING";
const REVOKE: &str = "UPDATE credentials SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
const TOUCH: &str = "UPDATE credentials SET used_at = max(coalesce(used_at, 0), ?2) WHERE id = ?1";
const WRITE_AUDIT: &str =
    "INSERT INTO audit (at, who, address, deed, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
const READ_AUDIT: &str = "SELECT number, at, who, address, deed, detail FROM audit \
    WHERE number < ?1 ORDER BY number DESC LIMIT ?2";
const REMOVE: &str = "DELETE FROM credentials WHERE id = ?1";
const PRUNE_AUDIT: &str = "DELETE FROM audit WHERE at < ?1";

/// See the module's documentation.
#[derive(Clone, Debug)]
pub struct SqliteAccess(PrivateFile);

impl SqliteAccess {
    /// Opens the file in this folder; makes both where they are missing, for this user alone.
    ///
    /// # Errors
    /// When they cannot be made or read, or the file is of a newer version.
    pub fn open(folder: &Path) -> Result<Self, PortError> {
        PrivateFile::open(folder, LAYOUT).map(Self)
    }
}

#[async_trait]
impl AccessRecords for SqliteAccess {
    async fn credentials(&self) -> Result<Vec<Credential>, PortError> {
        let rows = self.0.run(|connection| {
            let mut statement = connection.prepare_cached(ALL)?;
            let rows = statement.query_map([], credential_row)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        rows.await?.into_iter().map(CredentialRow::read).collect()
    }

    async fn add(&self, credential: &Credential) -> Result<(), PortError> {
        let row = CredentialRow::of(credential);
        let added = self.0.run(move |connection| {
            let values = params![
                row.id,
                row.kind,
                row.sealed,
                row.name,
                row.roles,
                row.queues,
                row.networks,
                row.expires_at,
                row.created_at,
                row.created_by,
                row.parent,
                row.used_at,
                row.revoked_at
            ];
            connection.execute(ADD, values)
        });
        match added.await? {
            0 => Err(PortError::Conflict {
                what: format!("the credential {}", credential.id),
            }),
            _ => Ok(()),
        }
    }

    async fn revoke(&self, id: CredentialId, at: Timestamp) -> Result<bool, PortError> {
        let changed = self.0.run(move |connection| {
            connection.execute(REVOKE, params![id.as_str(), at.as_micros()])
        });
        Ok(changed.await? > 0)
    }

    async fn touch(&self, used: &[(CredentialId, Timestamp)]) -> Result<(), PortError> {
        let used = used.to_vec();
        let touched = self.0.run(move |connection| {
            let transaction = connection.transaction()?;
            for (id, at) in used {
                transaction.execute(TOUCH, params![id.as_str(), at.as_micros()])?;
            }
            transaction.commit()
        });
        touched.await
    }

    async fn write_audit(&self, entries: &[AuditEntry]) -> Result<(), PortError> {
        let entries = entries.to_vec();
        let written = self.0.run(move |connection| {
            let transaction = connection.transaction()?;
            for entry in entries {
                let values = params![
                    entry.at.as_micros(),
                    entry.who.as_str(),
                    entry.address.as_str(),
                    entry.deed.name(),
                    entry.detail
                ];
                transaction.execute(WRITE_AUDIT, values)?;
            }
            transaction.commit()
        });
        written.await
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
        let lines = self.0.run(move |connection| {
            let mut statement = connection.prepare_cached(READ_AUDIT)?;
            let rows = statement.query_map([before, limit], audit_line)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        Ok(lines.await?.into_iter().flatten().collect())
    }

    async fn prune(&self, ended: &[CredentialId], before: Timestamp) -> Result<(), PortError> {
        let ended = ended.to_vec();
        let pruned = self.0.run(move |connection| {
            let transaction = connection.transaction()?;
            for id in ended {
                transaction.execute(REMOVE, [id.as_str()])?;
            }
            transaction.execute(PRUNE_AUDIT, [before.as_micros()])?;
            transaction.commit()
        });
        pruned.await
    }
}

fn credential_row(row: &Row<'_>) -> rusqlite::Result<CredentialRow> {
    Ok(CredentialRow {
        id: row.get(0)?,
        kind: row.get(1)?,
        sealed: row.get(2)?,
        name: row.get(3)?,
        roles: row.get(4)?,
        queues: row.get(5)?,
        networks: row.get(6)?,
        expires_at: row.get(7)?,
        created_at: row.get(8)?,
        created_by: row.get(9)?,
        parent: row.get(10)?,
        used_at: row.get(11)?,
        revoked_at: row.get(12)?,
    })
}

fn audit_line(row: &Row<'_>) -> rusqlite::Result<Option<(u64, AuditEntry)>> {
    let number: i64 = row.get(0)?;
    let (who, address, deed): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
    let entry = audit_entry(row.get(1)?, &who, &address, &deed, row.get(5)?);
    Ok(entry.map(|entry| (number.unsigned_abs(), entry)))
}
