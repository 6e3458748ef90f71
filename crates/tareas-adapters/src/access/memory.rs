//! Credentials in memory: for records that are in memory, and as the plainest example.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tareas_core::Timestamp;
use tareas_engine::access::{AuditEntry, Credential, CredentialId};
use tareas_engine::ports::{AccessRecords, PortError};

/// Credentials that live as long as the process.
#[derive(Debug, Default)]
pub struct MemoryAccess(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    credentials: Vec<Credential>,
    audit: Vec<(u64, AuditEntry)>,
    written: u64,
}

impl MemoryAccess {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl AccessRecords for MemoryAccess {
    async fn credentials(&self) -> Result<Vec<Credential>, PortError> {
        Ok(self.lock().credentials.clone())
    }

    async fn add(&self, credential: &Credential) -> Result<(), PortError> {
        let mut state = self.lock();
        if state
            .credentials
            .iter()
            .any(|known| known.id == credential.id)
        {
            let what = format!("the credential {}", credential.id);
            return Err(PortError::Conflict { what });
        }
        state.credentials.push(credential.clone());
        Ok(())
    }

    async fn revoke(&self, id: CredentialId, at: Timestamp) -> Result<bool, PortError> {
        let mut state = self.lock();
        let mut live = state
            .credentials
            .iter_mut()
            .filter(|known| known.revoked_at.is_none());
        let found = live.find(|known| known.id == id);
        Ok(found.map(|known| known.revoked_at = Some(at)).is_some())
    }

    async fn touch(&self, used: &[(CredentialId, Timestamp)]) -> Result<(), PortError> {
        let mut state = self.lock();
        for (id, at) in used {
            for known in state.credentials.iter_mut().filter(|known| known.id == *id) {
                known.used_at = known.used_at.max(Some(*at));
            }
        }
        Ok(())
    }

    async fn write_audit(&self, entries: &[AuditEntry]) -> Result<(), PortError> {
        let mut state = self.lock();
        for entry in entries {
            state.written += 1;
            let number = state.written;
            state.audit.push((number, entry.clone()));
        }
        Ok(())
    }

    async fn read_audit(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, PortError> {
        let state = self.lock();
        let newest_first = state.audit.iter().rev();
        let below = newest_first.filter(|(number, _)| before.is_none_or(|before| *number < before));
        Ok(below.take(limit).cloned().collect())
    }

    async fn prune(&self, ended: &[CredentialId], before: Timestamp) -> Result<(), PortError> {
        let mut state = self.lock();
        state.credentials.retain(|known| !ended.contains(&known.id));
        state.audit.retain(|(_, entry)| entry.at >= before);
        Ok(())
    }
}
