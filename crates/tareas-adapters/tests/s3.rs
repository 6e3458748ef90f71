//! The contract of the `Blobs` port on S3, and what happens when the store fails.

#![cfg(feature = "s3")]
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use tareas_adapters::S3Blobs;
use tareas_adapters::blobs::s3::{S3Config, S3Keys};
use tareas_core::TaskId;
use tareas_engine::contract::Fresh;
use tareas_engine::ports::{BlobKey, Blobs, PortError};
use tareas_services::Bucket;

/// Stores that go when the clause ends.
#[derive(Default)]
struct Stores(Mutex<Vec<Bucket>>);

#[async_trait]
impl Fresh<dyn Blobs> for Stores {
    async fn open(&self) -> Arc<dyn Blobs> {
        let store = Bucket::start();
        let config = config(&store);
        self.0.lock().unwrap().push(store);
        Arc::new(S3Blobs::open(config, &keys()).await.unwrap())
    }

    async fn reopen(&self, old: Arc<dyn Blobs>) -> Arc<dyn Blobs> {
        drop(old);
        let config = config(self.0.lock().unwrap().last().unwrap());
        Arc::new(S3Blobs::open(config, &keys()).await.unwrap())
    }
}

mod s3 {
    tareas_engine::blobs_contract!(super::Stores::default());
    tareas_engine::blobs_restart_contract!(super::Stores::default());
}

fn config(store: &Bucket) -> S3Config {
    S3Config::parse(&store.url()).unwrap()
}

fn keys() -> S3Keys {
    S3Keys {
        id: Bucket::KEY.to_owned(),
        secret: Bucket::SECRET.to_owned(),
        session: None,
    }
}

fn key(number: u128) -> BlobKey {
    BlobKey::payload(TaskId::from_u128(
        0x0190_c1f0_0000_7000_8000_0000_0000_0000 + number,
    ))
}

async fn open(store: &Bucket) -> S3Blobs {
    S3Blobs::open(config(store), &keys()).await.unwrap()
}

/// Such a store cannot exclude two at once; one after the other is seen.
#[tokio::test]
async fn a_store_that_ignores_conditions_is_looked_at_first() {
    let store = Bucket::start_heedless();
    let blobs = open(&store).await;
    assert!(format!("{blobs:?}").contains("creates_exclusively: false"));
    blobs
        .put(&key(1), Bytes::from_static(b"one"))
        .await
        .unwrap();
    blobs
        .put(&key(1), Bytes::from_static(b"one"))
        .await
        .unwrap();
    let other = blobs.put(&key(1), Bytes::from_static(b"two")).await;
    assert!(matches!(other, Err(PortError::Conflict { .. })));
    assert_eq!(blobs.get(&key(1)).await.unwrap(), "one");
}

#[tokio::test]
async fn a_store_that_fails_is_unavailable_and_then_heals() {
    let store = Bucket::start();
    let blobs = open(&store).await;
    blobs
        .put(&key(1), Bytes::from_static(b"one"))
        .await
        .unwrap();
    store.fail(true);
    let began = Instant::now();
    let failed = blobs.put(&key(2), Bytes::from_static(b"two")).await;
    assert!(
        matches!(failed, Err(PortError::Unavailable { .. })),
        "{failed:?}"
    );
    assert!(matches!(
        blobs.get(&key(1)).await,
        Err(PortError::Unavailable { .. })
    ));
    assert!(matches!(
        blobs.list(None, 9).await,
        Err(PortError::Unavailable { .. })
    ));
    assert!(
        began.elapsed() < Duration::from_secs(40),
        "{:?}",
        began.elapsed()
    );
    store.fail(false);
    blobs
        .put(&key(2), Bytes::from_static(b"two"))
        .await
        .unwrap();
    assert_eq!(blobs.list(None, 9).await.unwrap(), [key(1), key(2)]);
}

#[tokio::test]
async fn seconds_of_failure_are_not_noticed() {
    let store = Bucket::start();
    let blobs = open(&store).await;
    store.fail(true);
    let put = async { blobs.put(&key(1), Bytes::from_static(b"one")).await };
    let heal = async {
        let a_while = std::future::pending::<()>();
        let _ = tokio::time::timeout(Duration::from_millis(150), a_while).await;
        store.fail(false);
    };
    let (put, ()) = tokio::join!(put, heal);
    put.unwrap();
}

#[tokio::test]
async fn nobody_opens_what_is_not_there_or_not_theirs() {
    let store = Bucket::start();
    let stranger = S3Keys {
        secret: "guess".to_owned(),
        ..keys()
    };
    let refused = S3Blobs::open(config(&store), &stranger).await.unwrap_err();
    assert!(!format!("{refused:?}").contains("guess"));
    store.fail(true);
    assert!(S3Blobs::open(config(&store), &keys()).await.is_err());
}

#[tokio::test]
async fn a_bucket_is_tried_out_before_it_is_used() {
    use tareas_adapters::blobs::s3::survey;

    let store = Bucket::start();
    let found = survey(&config(&store), &keys()).await.unwrap();
    assert!(found.creates_exclusively);
    let heedless = Bucket::start_heedless();
    let found = survey(&config(&heedless), &keys()).await.unwrap();
    assert!(!found.creates_exclusively);
    store.fail(true);
    let fault = survey(&config(&store), &keys()).await.unwrap_err();
    assert_eq!(fault.step, "put");
    assert!(!format!("{fault:?}").contains(&keys().secret));
}
