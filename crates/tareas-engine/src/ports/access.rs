//! The `AccessRecords` port: credentials and the audit log.

use std::fmt;

use async_trait::async_trait;
use tareas_core::Timestamp;

use super::PortError;
use crate::access::{AuditEntry, Credential, CredentialId};

/// Who may do what, and who did what; shared by all servers on the same records.
///
/// Everything is durable when a call returns. Nothing here is on the path of a task.
#[async_trait]
pub trait AccessRecords: fmt::Debug + Send + Sync + 'static {
    /// Every credential that is stored, revoked and expired ones included.
    async fn credentials(&self) -> Result<Vec<Credential>, PortError>;

    /// Stores a new one.
    ///
    /// # Errors
    /// [`PortError::Conflict`] when its id is taken.
    async fn add(&self, credential: &Credential) -> Result<(), PortError>;

    /// Revokes one; `false` when there is none, or when it was revoked before. Of several callers
    /// one is told `true`.
    async fn revoke(&self, id: CredentialId, at: Timestamp) -> Result<bool, PortError>;

    /// Notes when credentials were last used. Never goes back.
    async fn touch(&self, used: &[(CredentialId, Timestamp)]) -> Result<(), PortError>;

    /// Adds lines to the audit log, in this order.
    async fn write_audit(&self, entries: &[AuditEntry]) -> Result<(), PortError>;

    /// Lines of the audit log with their numbers, newest first, below the number `before`.
    async fn read_audit(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, PortError>;

    /// Removes these credentials, and lines of the audit log that are older than `before`.
    async fn prune(&self, ended: &[CredentialId], before: Timestamp) -> Result<(), PortError>;
}
