//! Credentials and lines of the audit log as columns: texts, bytes and microseconds.

use std::str::FromStr;

use tareas_core::Timestamp;
use tareas_engine::access::{
    AuditEntry, Credential, CredentialKind, Deed, Networks, QueueScope, Roles, Sealed, Wanted,
};
use tareas_engine::ports::{BoxError, PortError};

/// The columns of a credential, in the order of the tables.
#[derive(Clone, Debug)]
pub(crate) struct CredentialRow {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) sealed: Vec<u8>,
    pub(crate) name: String,
    pub(crate) roles: String,
    pub(crate) queues: String,
    pub(crate) networks: String,
    pub(crate) expires_at: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) parent: Option<String>,
    pub(crate) used_at: Option<i64>,
    pub(crate) revoked_at: Option<i64>,
}

impl CredentialRow {
    pub(crate) fn of(credential: &Credential) -> Self {
        let wanted = &credential.wanted;
        let micros = |at: Option<Timestamp>| at.map(Timestamp::as_micros);
        Self {
            id: credential.id.to_string(),
            kind: credential.kind.name().to_owned(),
            sealed: credential.sealed.as_bytes().to_vec(),
            name: wanted.name.to_string(),
            roles: wanted.roles.to_string(),
            queues: wanted.queues.to_string(),
            networks: wanted.from.to_string(),
            expires_at: micros(wanted.expires_at),
            created_at: credential.created_at.as_micros(),
            created_by: credential.created_by.to_string(),
            parent: credential.parent.map(|parent| parent.to_string()),
            used_at: micros(credential.used_at),
            revoked_at: micros(credential.revoked_at),
        }
    }

    /// The credential of a row. One that cannot be read gives nobody any rights.
    pub(crate) fn read(self) -> Result<Credential, PortError> {
        let kind = CredentialKind::of_name(&self.kind);
        let sealed: Result<[u8; 32], _> = self.sealed.try_into();
        let networks = self.networks.split(',').filter(|word| !word.is_empty());
        let at = |micros: Option<i64>| micros.map(Timestamp::from_micros);
        Ok(Credential {
            id: parsed(&self.id)?,
            kind: kind.ok_or_else(|| damaged("an unknown kind"))?,
            sealed: Sealed::from_bytes(sealed.map_err(|_| damaged("a hash of another length"))?),
            wanted: Wanted {
                name: self.name.into(),
                roles: Roles::parse(&self.roles).map_err(damaged)?,
                queues: QueueScope::parse(&self.queues).map_err(damaged)?,
                from: Networks::parse(networks).map_err(damaged)?,
                expires_at: at(self.expires_at),
            },
            created_at: Timestamp::from_micros(self.created_at),
            created_by: self.created_by.into(),
            parent: self.parent.as_deref().map(parsed).transpose()?,
            used_at: at(self.used_at),
            revoked_at: at(self.revoked_at),
        })
    }
}

/// A line of the audit log from its columns; one of a deed that this version does not know is
/// left out.
pub(crate) fn audit_entry(
    at: i64,
    who: &str,
    address: &str,
    deed: &str,
    detail: String,
) -> Option<AuditEntry> {
    Some(AuditEntry {
        at: Timestamp::from_micros(at),
        who: who.into(),
        address: address.into(),
        deed: Deed::of_name(deed)?,
        detail,
    })
}

fn parsed<T: FromStr<Err: Into<BoxError>>>(text: &str) -> Result<T, PortError> {
    text.parse().map_err(damaged)
}

fn damaged(source: impl Into<BoxError>) -> PortError {
    PortError::Corrupt {
        what: "a stored credential".to_owned(),
        source: source.into(),
    }
}
