//! What every adapter of the `Blobs` port keeps.

use std::sync::Arc;

use bytes::Bytes;
use tareas_core::{TaskId, Timestamp};

use super::Fresh;
use crate::ports::{BlobKey, Blobs, PortError};

/// A folder, bucket or the like for one clause.
pub type FreshBlobs = dyn Fresh<dyn Blobs>;

/// Whether a clause must be skipped: see [`Fresh::is_absent`].
pub fn is_absent(fresh: &FreshBlobs) -> bool {
    fresh.is_absent()
}

/// Every clause of the `Blobs` contract, as one test each.
#[macro_export]
macro_rules! blobs_contract {
    ($fresh:expr) => {
        $crate::clauses! { blobs, $fresh;
        what_was_put_can_be_had,
        what_was_never_put_is_not_found,
        the_same_bytes_may_be_put_again,
        other_bytes_are_refused_and_change_nothing,
        an_empty_blob_is_a_blob,
        any_bytes_come_back_as_they_were,
        a_blob_of_five_mebibytes_comes_back,
        what_was_deleted_is_gone,
        deleting_what_is_not_there_is_fine,
        a_key_is_free_again_after_deletion,
        blobs_of_one_task_are_apart,
        an_empty_store_lists_nothing,
        keys_are_listed_once_page_by_page,
        a_page_goes_on_where_a_deleted_key_was,
        one_of_eight_different_puts_wins,
        equal_puts_at_once_all_succeed,
        }
    };
}

/// What holds across restarts, for adapters that survive them.
#[macro_export]
macro_rules! blobs_restart_contract {
    ($fresh:expr) => {
        $crate::clauses! { blobs, $fresh;
        what_was_put_survives_a_restart,
        what_was_deleted_stays_deleted,
        }
    };
}

fn task(number: u128) -> TaskId {
    TaskId::v7(Timestamp::from_millis(1_800_000_000_000), number)
}

fn key() -> BlobKey {
    BlobKey::payload(task(1))
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

async fn put(blobs: &dyn Blobs, key: &BlobKey, text: &str) {
    blobs.put(key, bytes(text)).await.expect("there is room");
}

async fn assert_gone(blobs: &dyn Blobs, key: &BlobKey) {
    assert!(matches!(
        blobs.get(key).await,
        Err(PortError::NotFound { .. })
    ));
}

/// `get` gives what `put` was given.
pub async fn what_was_put_can_be_had(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    put(&*blobs, &key(), "hello").await;
    assert_eq!(blobs.get(&key()).await.unwrap(), bytes("hello"));
}

/// An absent blob is `NotFound`, nothing else.
pub async fn what_was_never_put_is_not_found(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    assert_gone(&*blobs, &key()).await;
}

/// A retry after an unknown outcome is fine.
pub async fn the_same_bytes_may_be_put_again(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    put(&*blobs, &key(), "hello").await;
    put(&*blobs, &key(), "hello").await;
    assert_eq!(blobs.get(&key()).await.unwrap(), bytes("hello"));
}

/// A blob never changes.
pub async fn other_bytes_are_refused_and_change_nothing(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    put(&*blobs, &key(), "hello").await;
    for other in ["jello", "hell", "hello!", ""] {
        let refused = blobs.put(&key(), bytes(other)).await;
        assert!(
            matches!(refused, Err(PortError::Conflict { .. })),
            "{other:?}: {refused:?}"
        );
    }
    assert_eq!(blobs.get(&key()).await.unwrap(), bytes("hello"));
}

/// No bytes are bytes too.
pub async fn an_empty_blob_is_a_blob(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    put(&*blobs, &key(), "").await;
    assert!(blobs.get(&key()).await.unwrap().is_empty());
    assert_eq!(blobs.list(None, 9).await.unwrap(), [key()]);
}

/// Nothing is taken for text.
pub async fn any_bytes_come_back_as_they_were(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    let all: Bytes = (0..=u8::MAX).chain([0, b'\r', b'\n', 0xFF]).collect();
    blobs.put(&key(), all.clone()).await.unwrap();
    assert_eq!(blobs.get(&key()).await.unwrap(), all);
}

/// Large ones too.
pub async fn a_blob_of_five_mebibytes_comes_back(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    let large: Bytes = (0..5 << 20)
        .map(|n: u32| n.wrapping_mul(2_654_435_761) as u8)
        .collect();
    blobs.put(&key(), large.clone()).await.unwrap();
    assert_eq!(blobs.get(&key()).await.unwrap(), large);
}

/// A deleted blob is neither found nor listed.
pub async fn what_was_deleted_is_gone(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    put(&*blobs, &key(), "hello").await;
    blobs.delete(&key()).await.unwrap();
    assert_gone(&*blobs, &key()).await;
    assert_eq!(blobs.list(None, 9).await.unwrap(), []);
}

/// Deleting is for sweepers, which may come twice.
pub async fn deleting_what_is_not_there_is_fine(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    blobs.delete(&key()).await.unwrap();
    put(&*blobs, &key(), "hello").await;
    blobs.delete(&key()).await.unwrap();
    blobs.delete(&key()).await.unwrap();
}

/// Nothing is remembered of a deleted blob.
pub async fn a_key_is_free_again_after_deletion(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    put(&*blobs, &key(), "hello").await;
    blobs.delete(&key()).await.unwrap();
    put(&*blobs, &key(), "other").await;
    assert_eq!(blobs.get(&key()).await.unwrap(), bytes("other"));
}

/// The payload and the results of each attempt have keys of their own.
pub async fn blobs_of_one_task_are_apart(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    let mut keys = vec![
        BlobKey::payload(task(1)),
        BlobKey::result(task(1), 1, 7),
        BlobKey::result(task(1), 1, 8),
        BlobKey::result(task(1), 11, 7),
    ];
    keys.extend(BlobKey::result_with_files(task(1), 1, 7, 2).with_files());
    for key in &keys {
        put(&*blobs, key, key.as_str()).await;
    }
    blobs.delete(&keys[2]).await.unwrap();
    for key in keys[..2].iter().chain(&keys[3..]) {
        assert_eq!(blobs.get(key).await.unwrap(), bytes(key.as_str()));
    }
}

/// Nothing is there at first.
pub async fn an_empty_store_lists_nothing(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    assert_eq!(blobs.list(None, 9).await.unwrap(), []);
    assert_eq!(blobs.list(Some(&key()), 9).await.unwrap(), []);
}

async fn list_all(blobs: &dyn Blobs, limit: usize) -> Vec<BlobKey> {
    let mut listed: Vec<BlobKey> = Vec::new();
    loop {
        let page = blobs.list(listed.last(), limit).await.unwrap();
        assert!(page.len() <= limit);
        if page.is_empty() {
            return listed;
        }
        listed.extend(page);
    }
}

/// Every key once, in one order, whatever the size of the pages.
pub async fn keys_are_listed_once_page_by_page(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    let payloads = (0..40).map(|number| BlobKey::payload(task(number * 77)));
    let results = (0..9).map(|number| BlobKey::result(task(number * 770), number as u64, 5));
    let files = BlobKey::result_with_files(task(3), 1, 5, 4).with_files();
    let mut keys: Vec<BlobKey> = payloads.chain(results).chain(files).collect();
    for key in keys.iter().rev() {
        put(&*blobs, key, "x").await;
    }
    keys.sort();
    let at_once = list_all(&*blobs, 1_000).await;
    for limit in [1, 7, 49] {
        assert_eq!(
            list_all(&*blobs, limit).await,
            at_once,
            "in pages of {limit}"
        );
    }
    let mut listed = at_once;
    listed.sort();
    assert_eq!(listed, keys);
}

/// A sweeper removes what it was given, and asks for more.
pub async fn a_page_goes_on_where_a_deleted_key_was(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    for number in 0..9 {
        put(&*blobs, &BlobKey::payload(task(number * 77)), "x").await;
    }
    let all = list_all(&*blobs, 1_000).await;
    let page = blobs.list(None, 4).await.unwrap();
    for key in &page {
        blobs.delete(key).await.unwrap();
    }
    assert_eq!(blobs.list(page.last(), 9).await.unwrap(), all[4..]);
}

async fn put_at_once(blobs: &Arc<dyn Blobs>, texts: [&'static str; 8]) -> Vec<&'static str> {
    let puts = texts.map(|text| {
        let blobs = Arc::clone(blobs);
        tokio::spawn(async move { blobs.put(&key(), bytes(text)).await.map(|()| text) })
    });
    let mut stored = Vec::new();
    for put in puts {
        match put.await.expect("no put panics") {
            Ok(text) => stored.push(text),
            Err(error) => assert!(matches!(error, PortError::Conflict { .. }), "{error:?}"),
        }
    }
    stored
}

/// Whoever is told that its bytes are stored finds them there.
pub async fn one_of_eight_different_puts_wins(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    let texts = [
        "one", "two", "three", "four", "five", "six", "seven", "eight",
    ];
    let stored = put_at_once(&blobs, texts).await;
    assert_eq!(stored.len(), 1, "{stored:?}");
    assert_eq!(blobs.get(&key()).await.unwrap(), bytes(stored[0]));
}

/// Two who store the same bytes do not disturb each other.
pub async fn equal_puts_at_once_all_succeed(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    assert_eq!(put_at_once(&blobs, ["same"; 8]).await.len(), 8);
    assert_eq!(blobs.list(None, 9).await.unwrap(), [key()]);
}

/// `put` returns when the bytes are durable.
pub async fn what_was_put_survives_a_restart(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    put(&*blobs, &key(), "hello").await;
    let blobs = fresh.reopen(blobs).await;
    assert_eq!(blobs.get(&key()).await.unwrap(), bytes("hello"));
    assert_eq!(blobs.list(None, 9).await.unwrap(), [key()]);
}

/// So is a deletion, as far as an orderly restart shows.
pub async fn what_was_deleted_stays_deleted(fresh: &FreshBlobs) {
    let blobs = fresh.open().await;
    put(&*blobs, &key(), "hello").await;
    blobs.delete(&key()).await.unwrap();
    let blobs = fresh.reopen(blobs).await;
    assert_gone(&*blobs, &key()).await;
}
