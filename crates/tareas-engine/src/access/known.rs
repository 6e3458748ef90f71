//! What is known of the store: the credentials that are valid, and who goes by each.

use std::collections::{HashMap, HashSet};

use tareas_core::Timestamp;

use super::principal::Life;
use super::{Credential, CredentialId, Principal};

/// The valid credentials, as they were read last.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) by_id: HashMap<CredentialId, Entry>,
    pub(super) read_at: Option<Timestamp>,
    /// Uses that are not stored yet.
    pub(super) used: HashMap<CredentialId, Timestamp>,
}

/// One of them, and who goes by it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) credential: Credential,
    pub(super) principal: Principal,
    pub(super) life: Life,
}

impl Known {
    /// Takes over what is stored; ends what is not valid any more.
    pub(super) fn take(&mut self, stored: Vec<Credential>, now: Timestamp) {
        let used = |id: CredentialId| {
            self.by_id
                .get(&id)
                .and_then(|entry| entry.credential.used_at)
        };
        let valid: HashMap<CredentialId, Credential> = stored
            .into_iter()
            .map(|credential| Credential {
                // A use that is not stored yet counts.
                used_at: credential.used_at.max(used(credential.id)),
                ..credential
            })
            .filter(|credential| credential.is_valid(now))
            .map(|credential| (credential.id, credential))
            .collect();
        let orphans: HashSet<CredentialId> = valid
            .values()
            .filter(|c| c.parent.is_some_and(|parent| !valid.contains_key(&parent)))
            .map(|credential| credential.id)
            .collect();
        self.by_id.retain(|id, entry| {
            let stays = valid.contains_key(id) && !orphans.contains(id);
            if !stays {
                entry.life.end();
            }
            stays
        });
        for (id, credential) in valid {
            if orphans.contains(&id) {
                continue;
            }
            match self.by_id.get_mut(&id) {
                Some(entry) => {
                    entry.credential.used_at = entry.credential.used_at.max(credential.used_at);
                }
                None => {
                    self.by_id.insert(id, Entry::new(credential));
                }
            }
        }
    }

    /// Ends what has run out by the clock.
    pub(super) fn end_what_is_over(&mut self, now: Timestamp) {
        self.by_id.retain(|_, entry| {
            let stays = entry.credential.is_valid(now);
            if !stays {
                entry.life.end();
            }
            stays
        });
    }
}

impl Entry {
    pub(super) fn new(credential: Credential) -> Self {
        let life = Life::default();
        let wanted = &credential.wanted;
        let (name, queues) = (wanted.name.clone(), wanted.queues.clone());
        let principal = Principal::bearer(credential.id, name, wanted.roles, queues, life.clone());
        Self {
            credential,
            principal,
            life,
        }
    }
}
