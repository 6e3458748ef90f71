//! Which submissions are new tasks, and what is kept of them.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use tareas_core::limits::INLINE_BYTES_MAX;
use tareas_core::{
    Backoff, Body, Ending, Options, Outcome, Phase, Rejected, RetryPolicy, Spec, TraceContext,
};

use super::FreshRecords;
use super::given::{
    NOW, accepted, all_durable, apply_at, claim, delete, done, id, keyed, later, load, one, queue,
    refused, settle, spec, submit, submit_due, success, text, with_options,
};

/// T1: at once, or later.
pub async fn a_submission_is_queued_or_scheduled(fresh: &FreshRecords) {
    let store = fresh.open().await;
    assert_eq!(accepted(&*store, 1).await.phase(), Phase::Queued);
    assert_eq!(
        done(&*store, submit_due(2, NOW)).await.phase(),
        Phase::Queued
    );
    assert_eq!(
        done(&*store, submit_due(3, later(1))).await.phase(),
        Phase::Scheduled
    );
    let task = load(&*store, id(1)).await.unwrap();
    assert_eq!(
        (task.attempt, task.charged, task.crashes, task.version),
        (0, 0, 0, 1)
    );
}

/// The same id with the same content is the same task, on disk or not; with other content it is
/// a mistake.
pub async fn one_id_is_one_task(fresh: &FreshRecords) {
    let store = fresh.open().await;
    accepted(&*store, 1).await;
    for _ in 0..2 {
        let again = one(&*store, submit(spec(1))).await;
        assert!(matches!(again, Outcome::Already(task) if task.id() == id(1)));
        let other = Spec {
            payload: text("6"),
            ..spec(1)
        };
        assert_eq!(
            refused(&*store, submit(other)).await,
            Rejected::Mismatch { of: id(1) }
        );
        all_durable(&*store).await;
    }
    let running = done(&*store, claim(id(1), 0)).await;
    done(&*store, settle(&running, success())).await;
    all_durable(&*store).await;
    let again = one(&*store, submit(spec(1))).await;
    assert!(matches!(again, Outcome::Already(task) if task.phase() == Phase::Succeeded));
}

/// A key is one task, whatever the queue; other content under it is a mistake.
pub async fn one_key_is_one_task_in_all_queues(fresh: &FreshRecords) {
    let store = fresh.open().await;
    done(&*store, submit(keyed(1, "order-1"))).await;
    for _ in 0..2 {
        let again = one(&*store, submit(keyed(2, "order-1"))).await;
        assert!(matches!(again, Outcome::Already(task) if task.id() == id(1)));
        let elsewhere = Spec {
            queue: queue("other"),
            ..keyed(2, "order-1")
        };
        let mismatch = Rejected::Mismatch { of: id(1) };
        assert_eq!(refused(&*store, submit(elsewhere)).await, mismatch);
        assert_eq!(load(&*store, id(2)).await, None);
        all_durable(&*store).await;
    }
    done(&*store, submit(keyed(3, "order-2"))).await;
}

/// A key is free before its task comes and after it is gone.
pub async fn a_key_that_nobody_has_may_be_used(fresh: &FreshRecords) {
    let store = fresh.open().await;
    for number in 1..=3 {
        done(&*store, submit(keyed(number, "again"))).await;
        let running = done(&*store, claim(id(number), 0)).await;
        done(&*store, settle(&running, success())).await;
        if number == 2 {
            all_durable(&*store).await;
        }
        done(&*store, delete(id(number))).await;
    }
}

/// An id that could have been used and forgotten is not accepted.
pub async fn an_id_from_another_time_is_refused(fresh: &FreshRecords) {
    let store = fresh.open().await;
    for now in [later(2 * 24 * 3600), NOW - Duration::from_secs(3600)] {
        let outcome = apply_at(&*store, now, vec![submit(spec(1))])
            .await
            .outcomes
            .remove(0);
        assert!(
            matches!(outcome, Outcome::Refused(Rejected::IdWindow)),
            "{outcome:?}"
        );
    }
    accepted(&*store, 1).await;
}

fn every_option() -> Options {
    Options {
        expires_at: Some(later(3600)),
        timeout: Some(Duration::from_millis(1_500)),
        retry: Some(RetryPolicy {
            max_attempts: 9,
            backoff: Backoff {
                initial: Duration::from_millis(250),
                max: Duration::from_secs(90),
                factor: 1.5,
            },
        }),
        retention: Some(Duration::from_secs(77)),
        idempotency_key: Some("kéy \u{1F511}".into()),
        metadata: BTreeMap::from([("who".to_owned(), "Ñandú \0 \"quoted\"".to_owned())]),
        requires: vec!["gpu".into(), "eu".into()],
        keep_until: Some(later(7)),
        trace: Some(TraceContext {
            trace_id: 1 << 127 | 7,
            span_id: u64::MAX,
            flags: 1,
            state: Some("vendor=\"1\"".into()),
        }),
    }
}

/// Everything a client said, byte for byte: also what text columns cannot hold.
pub async fn what_was_asked_comes_back_as_it_was(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let payloads: [&[u8]; 5] = [
        b"null",
        b"\"a\\u0000b\"",
        b"\"\0\"",
        "\"ñ \u{1F980} \u{7F}\"".as_bytes(),
        b"",
    ];
    for (number, payload) in (1..).zip(payloads) {
        let payload = Body::Inline(Bytes::from_static(payload));
        done(
            &*store,
            submit(Spec {
                payload,
                ..spec(number)
            }),
        )
        .await;
    }
    done(&*store, submit(with_options(9, every_option()))).await;
    for _ in 0..2 {
        for (number, payload) in (1..).zip(payloads) {
            let task = load(&*store, id(number)).await.unwrap();
            assert_eq!(task.spec.payload, Body::Inline(Bytes::from_static(payload)));
        }
        let task = load(&*store, id(9)).await.unwrap();
        assert_eq!(*task.spec, with_options(9, every_option()));
        all_durable(&*store).await;
    }
}

/// The largest bodies that are not blobs, and those around the sizes at which stores change
/// their mind, through all of a task's life.
pub async fn payloads_and_results_of_64_kib_come_back(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let sizes = [2_047, 2_048, 2_049, 4_096, INLINE_BYTES_MAX];
    let body = |size| Body::Inline(Bytes::from(vec![b'7'; size]));
    for (number, size) in (1..).zip(sizes) {
        done(
            &*store,
            submit(Spec {
                payload: body(size),
                ..spec(number)
            }),
        )
        .await;
        // Some of them are written at each step, some in one.
        if size % 2 == 0 {
            all_durable(&*store).await;
        }
        let running = done(&*store, claim(id(number), 0)).await;
        if size == INLINE_BYTES_MAX {
            all_durable(&*store).await;
        }
        done(&*store, settle(&running, Ending::Succeeded(body(size)))).await;
    }
    all_durable(&*store).await;
    for (number, size) in (1..).zip(sizes) {
        let task = load(&*store, id(number)).await.unwrap();
        assert!(
            task.spec.payload == body(size) && task.result == Some(body(size)),
            "{size}"
        );
    }
}

/// A body in the blob store is a reference here.
pub async fn references_to_blobs_come_back(fresh: &FreshRecords) {
    let store = fresh.open().await;
    let blob = |name: &str| {
        Body::Blob(Box::new(tareas_core::Blob {
            key: format!("t/{}/{name}", id(1)).into(),
            bytes: 5 << 30,
            sha256: [0xA5; 32],
        }))
    };
    done(
        &*store,
        submit(Spec {
            payload: blob("in"),
            ..spec(1)
        }),
    )
    .await;
    all_durable(&*store).await;
    let running = done(&*store, claim(id(1), 0)).await;
    done(
        &*store,
        settle(&running, Ending::Succeeded(blob("out/1-00000001"))),
    )
    .await;
    for _ in 0..2 {
        let task = load(&*store, id(1)).await.unwrap();
        assert_eq!(task.spec.payload, blob("in"));
        assert_eq!(task.result, Some(blob("out/1-00000001")));
        all_durable(&*store).await;
    }
}
