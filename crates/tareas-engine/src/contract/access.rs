//! What every adapter of the `AccessRecords` port keeps.

use std::time::Duration;

use tareas_core::Timestamp;

use super::Fresh;
use crate::access::{
    AuditEntry, CHANCE, Credential, CredentialId, CredentialKind, Deed, Networks, QueueScope,
    Roles, TokenText, Wanted,
};
use crate::ports::{AccessRecords, PortError};

/// A database, or the like, for one clause.
pub type FreshAccess = dyn Fresh<dyn AccessRecords>;

/// Whether a clause must be skipped: see [`Fresh::is_absent`].
pub fn is_absent(fresh: &FreshAccess) -> bool {
    fresh.is_absent()
}

/// Every clause of the `AccessRecords` contract, as one test each.
#[macro_export]
macro_rules! access_contract {
    ($fresh:expr) => {
        $crate::clauses! { access, $fresh;
        a_credential_comes_back_as_it_was,
        an_id_is_given_once,
        a_credential_is_revoked_once,
        the_last_use_never_goes_back,
        the_audit_log_is_read_from_its_end,
        what_is_past_is_removed,
        }
    };
}

/// What holds across restarts, for adapters that survive them.
#[macro_export]
macro_rules! access_restart_contract {
    ($fresh:expr) => {
        $crate::clauses! { access, $fresh;
        what_was_stored_is_there_after_a_restart,
        }
    };
}

const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn credential(number: u32) -> Credential {
    let text = TokenText::make(CredentialKind::Token, &[number; CHANCE]);
    let wanted = Wanted {
        name: format!("añadido-{number}").into(),
        roles: Roles::parse("submit,work").unwrap(),
        queues: QueueScope::parse("mail*,default").unwrap(),
        from: Networks::parse(["10.0.0.0/8", "2001:db8::/32"]).unwrap(),
        expires_at: Some(START + Duration::from_micros(7)),
    };
    Credential {
        parent: Some(CredentialId::FIRST),
        ..Credential::new(&text, wanted, "first".into(), START)
    }
}

fn entry(number: u64) -> AuditEntry {
    let at = START + Duration::from_secs(number);
    AuditEntry::new(
        at,
        "ops (abcd1234)",
        "192.0.2.1",
        Deed::Cancel,
        &format!("/{number} ñ"),
    )
}

/// The fields of a credential that can be compared.
fn shown(credential: &Credential) -> String {
    format!("{credential:?} {:?}", credential.sealed.as_bytes())
}

/// What was stored comes back, the rarely used fields included.
pub async fn a_credential_comes_back_as_it_was(fresh: &FreshAccess) {
    let store = fresh.open().await;
    assert!(store.credentials().await.unwrap().is_empty());
    let plain = Credential {
        parent: None,
        wanted: Wanted {
            expires_at: None,
            from: Networks::default(),
            queues: QueueScope::every(),
            ..credential(1).wanted
        },
        ..credential(1)
    };
    for one in [&plain, &credential(2)] {
        store.add(one).await.unwrap();
    }
    let mut found = store.credentials().await.unwrap();
    found.sort_by_key(|credential| credential.id);
    let found: Vec<_> = found.iter().map(shown).collect();
    assert_eq!(found, [shown(&plain), shown(&credential(2))]);
}

/// A second credential under one id is refused and changes nothing.
pub async fn an_id_is_given_once(fresh: &FreshAccess) {
    let store = fresh.open().await;
    store.add(&credential(1)).await.unwrap();
    let other = Credential {
        created_by: "somebody else".into(),
        ..credential(1)
    };
    let refused = store.add(&other).await;
    assert!(
        matches!(refused, Err(PortError::Conflict { .. })),
        "{refused:?}"
    );
    let found = store.credentials().await.unwrap();
    assert_eq!(found[0].created_by, "first");
}

/// Of several who revoke the same one, one is told that it did.
pub async fn a_credential_is_revoked_once(fresh: &FreshAccess) {
    let store = fresh.open().await;
    let id = credential(1).id;
    assert!(!store.revoke(id, START).await.unwrap());
    store.add(&credential(1)).await.unwrap();
    store.add(&credential(2)).await.unwrap();
    let calls = (0..8).map(|_| store.revoke(id, START));
    let told = futures_util::future::join_all(calls).await;
    let winners = told
        .into_iter()
        .filter(|told| *told.as_ref().unwrap())
        .count();
    assert_eq!(winners, 1);
    let found = store.credentials().await.unwrap();
    let revoked: Vec<_> = found.iter().filter(|c| c.revoked_at.is_some()).collect();
    assert_eq!((revoked.len(), revoked[0].id), (1, id));
    assert_eq!(revoked[0].revoked_at, Some(START));
}

/// Two servers may note the use of one token in any order.
pub async fn the_last_use_never_goes_back(fresh: &FreshAccess) {
    let store = fresh.open().await;
    store.add(&credential(1)).await.unwrap();
    let (id, late) = (credential(1).id, START + Duration::from_secs(9));
    store
        .touch(&[(id, late), (credential(2).id, late)])
        .await
        .unwrap();
    store.touch(&[(id, START)]).await.unwrap();
    store.touch(&[]).await.unwrap();
    let found = store.credentials().await.unwrap();
    assert_eq!(found[0].used_at, Some(late));
}

/// Lines come newest first, page by page, with numbers that only grow.
pub async fn the_audit_log_is_read_from_its_end(fresh: &FreshAccess) {
    let store = fresh.open().await;
    let lines: Vec<AuditEntry> = (1..=5).map(entry).collect();
    store.write_audit(&lines[..2]).await.unwrap();
    store.write_audit(&lines[2..]).await.unwrap();
    let newest = store.read_audit(None, 2).await.unwrap();
    let (numbers, found): (Vec<u64>, Vec<AuditEntry>) = newest.into_iter().unzip();
    assert_eq!(found, [entry(5), entry(4)]);
    assert!(numbers[0] > numbers[1]);
    let older = store.read_audit(Some(numbers[1]), 10).await.unwrap();
    let older: Vec<_> = older.into_iter().map(|(_, entry)| entry).collect();
    assert_eq!(older, [entry(3), entry(2), entry(1)]);
}

/// Old lines and ended credentials go; the others stay, and numbers are not given again.
pub async fn what_is_past_is_removed(fresh: &FreshAccess) {
    let store = fresh.open().await;
    for number in 1..=2 {
        store.add(&credential(number)).await.unwrap();
        store.write_audit(&[entry(number.into())]).await.unwrap();
    }
    let last = store.read_audit(None, 1).await.unwrap()[0].0;
    store.prune(&[credential(1).id], entry(2).at).await.unwrap();
    let left = store.credentials().await.unwrap();
    assert_eq!((left.len(), left[0].id), (1, credential(2).id));
    let lines = store.read_audit(None, 10).await.unwrap();
    assert_eq!(lines, [(last, entry(2))]);
    store.prune(&[], entry(3).at).await.unwrap();
    store.write_audit(&[entry(4)]).await.unwrap();
    assert!(store.read_audit(None, 1).await.unwrap()[0].0 > last);
}

/// Everything is durable when a call has returned.
pub async fn what_was_stored_is_there_after_a_restart(fresh: &FreshAccess) {
    let store = fresh.open().await;
    for number in 1..=2 {
        store.add(&credential(number)).await.unwrap();
    }
    store.revoke(credential(1).id, START).await.unwrap();
    store.write_audit(&[entry(1)]).await.unwrap();
    let store = fresh.reopen(store).await;
    let found = store.credentials().await.unwrap();
    let valid: Vec<_> = found.iter().filter(|c| c.revoked_at.is_none()).collect();
    assert_eq!((found.len(), valid.len()), (2, 1));
    assert_eq!(shown(valid[0]), shown(&credential(2)));
    assert_eq!(store.read_audit(None, 9).await.unwrap()[0].1, entry(1));
}
