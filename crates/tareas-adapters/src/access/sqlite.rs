//! `access.db`: credentials and the audit log in a file of the data folder.
//!
//! Every call is a transaction of its own on a thread that may block, written to the disk before
//! it returns. Several processes may have the file open: one waits for the other.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags, Row, params};
use tareas_core::Timestamp;
use tareas_engine::access::{AuditEntry, Credential, CredentialId};
use tareas_engine::ports::{AccessRecords, PortError};

use super::row::{CredentialRow, audit_entry};

/// The file in the data folder.
const FILE: &str = "access.db";
/// How long one process waits for another.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const ADAPTER: &str = "access.db";

/// The version of the schema; a newer file is refused.
const SCHEMA: i64 = 1;
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
pub struct SqliteAccess(Arc<Mutex<Connection>>);

impl SqliteAccess {
    /// Opens the file in this folder; makes both where they are missing, for this user alone.
    ///
    /// # Errors
    /// When they cannot be made or read, or the file is of a newer version.
    pub fn open(folder: &Path) -> Result<Self, PortError> {
        let path = make_private(folder).map_err(unavailable)?;
        let connection = open(&path).map_err(unavailable)?;
        let found: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(unavailable)?;
        if found > SCHEMA {
            return Err(PortError::Corrupt {
                what: path.display().to_string(),
                source: format!("its schema is {found}, this version knows {SCHEMA}").into(),
            });
        }
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, PortError> {
        let connection = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection)
        });
        done.await.map_err(unavailable)?.map_err(unavailable)
    }
}

fn make_private(folder: &Path) -> std::io::Result<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let path = folder.join(FILE);
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true).mode(0o600).open(&path)?;
    Ok(path)
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", 2)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found < SCHEMA {
        let schema = include_str!("schema.sql");
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE;\n{schema}\nPRAGMA user_version = {SCHEMA};\nCOMMIT;"
        ))?;
    }
    Ok(connection)
}

#[async_trait]
impl AccessRecords for SqliteAccess {
    async fn credentials(&self) -> Result<Vec<Credential>, PortError> {
        let rows = self.run(|connection| {
            let mut statement = connection.prepare_cached(ALL)?;
            let rows = statement.query_map([], credential_row)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        rows.await?.into_iter().map(CredentialRow::read).collect()
    }

    async fn add(&self, credential: &Credential) -> Result<(), PortError> {
        let row = CredentialRow::of(credential);
        let added = self.run(move |connection| {
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
        let changed = self.run(move |connection| {
            connection.execute(REVOKE, params![id.as_str(), at.as_micros()])
        });
        Ok(changed.await? > 0)
    }

    async fn touch(&self, used: &[(CredentialId, Timestamp)]) -> Result<(), PortError> {
        let used = used.to_vec();
        let touched = self.run(move |connection| {
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
        let written = self.run(move |connection| {
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
        let lines = self.run(move |connection| {
            let mut statement = connection.prepare_cached(READ_AUDIT)?;
            let rows = statement.query_map([before, limit], audit_line)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        Ok(lines.await?.into_iter().flatten().collect())
    }

    async fn prune(&self, ended: &[CredentialId], before: Timestamp) -> Result<(), PortError> {
        let ended = ended.to_vec();
        let pruned = self.run(move |connection| {
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

fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
    PortError::Unavailable {
        adapter: ADAPTER,
        source: source.into(),
    }
}
