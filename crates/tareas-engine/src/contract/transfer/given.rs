//! Records to move, and the moving of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tareas_core::{Blob, Body, Ending, Options, Priority, Spec, TaskId};

use super::Places;
use crate::contract::records::Store;
use crate::contract::records::given::{
    SESSION, all_durable, apply_at, cancel, claim, done, failed, id, keyed, later, queue, settle,
    spec, started, submit, submit_due, success, until_durable, with_options, without_place,
};
use crate::ports::{Counts, Export, Import, Mark, Progress, StoredSession, WholeTask};

/// Whose tasks run.
pub(super) fn session() -> StoredSession {
    StoredSession {
        worker: Some("office".into()),
        ..StoredSession::of_own_pool(SESSION, SLOTS)
    }
}

/// So many tasks `SESSION` can run at once.
pub(super) const SLOTS: u16 = 4;

/// One task in every state, with everything that a task can have.
pub(super) async fn fill(store: &dyn Store) {
    store.open_session(session()).await.unwrap();
    done(store, submit(spec(1))).await;
    done(store, submit_due(2, later(3_600))).await;
    started(store, 3).await;
    let four = started(store, 4).await;
    done(store, settle(&four, success())).await;
    let five = started(store, 5).await;
    done(store, settle(&five, failed("no", true))).await;
    done(store, submit(spec(6))).await;
    done(store, cancel(id(6))).await;
    done(store, submit(rich(7))).await;
    let eight = started(store, 8).await;
    done(store, settle(&eight, failed("never", false))).await;
    started(store, 9).await;
    done(store, cancel(id(9))).await;
    done(store, submit(keyed(10, "key ñ"))).await;
    let eleven = started(store, 11).await;
    done(store, settle(&eleven, Ending::Released)).await;
    done(store, submit(large(12))).await;
    let twelve = done(store, claim(id(12), 0)).await;
    done(store, settle(&twelve, Ending::Succeeded(blob(12)))).await;
    store.pause(&queue("mail"), true).await.unwrap();
    let kind = tareas_core::Kind::new("resize").unwrap();
    store.remember_kinds(&[kind]).await.unwrap();
    all_durable(store).await;
}

/// Everything that a client may say.
pub(super) fn rich(number: u128) -> Spec {
    let mut options = Options {
        expires_at: Some(later(7_200)),
        timeout: Some(Duration::from_millis(1_500)),
        retry: Some(tareas_core::RetryPolicy::default()),
        retention: Some(Duration::from_secs(3)),
        idempotency_key: Some("k".into()),
        requires: vec!["gpu".into()],
        keep_until: Some(later(9)),
        trace: Some(tareas_core::TraceContext {
            trace_id: 7,
            span_id: 8,
            flags: 0,
            state: None,
        }),
        ..Options::default()
    };
    options.metadata.insert("who".into(), "ana\u{0}".into());
    Spec {
        queue: queue("mail"),
        priority: Priority::HIGHEST,
        ..with_options(number, options)
    }
}

/// A payload that gets a row of its own where there is such a thing.
pub(super) fn large(number: u128) -> Spec {
    let payload = format!("\"{}\"", "x".repeat(40_000));
    Spec {
        payload: Body::Inline(payload.into_bytes().into()),
        ..spec(number)
    }
}

pub(super) fn blob(number: u128) -> Body {
    Body::Blob(Box::new(Blob {
        key: format!("t/{}/out/1-00000001", id(number)).into(),
        bytes: 70_000,
        sha256: [7; 32],
    }))
}

/// Many small tasks, some hundreds more than one leaf takes.
pub(super) async fn fill_many(store: &dyn Store, count: u128) {
    let numbers: Vec<u128> = (100..100 + count).collect();
    for part in numbers.chunks(500) {
        let commands = part.iter().map(|number| submit(spec(*number))).collect();
        let applied = apply_at(store, later(1), commands).await;
        until_durable(store, applied.position).await;
    }
}

pub(super) async fn all(export: &mut dyn Export, mut mark: Option<Mark>) -> Vec<(WholeTask, Mark)> {
    let mut all = Vec::new();
    while let Some(leaf) = export.leaf(mark.as_ref()).await.unwrap() {
        assert!(!leaf.tasks.is_empty(), "a leaf is never empty");
        let last = leaf.mark.clone();
        all.extend(leaf.tasks.into_iter().map(|task| (task, last.clone())));
        mark = Some(leaf.mark);
    }
    all
}

pub(super) fn progress(mark: Option<Mark>, tasks: u64) -> Progress {
    let from = "somewhere".to_owned();
    Progress { from, mark, tasks }
}

/// Brings everything over, and ends the import unless it is to stay open.
pub(super) async fn bring(export: &mut dyn Export, import: &mut dyn Import) {
    import.begin(&progress(None, 0)).await.unwrap();
    let (mut mark, mut tasks) = (None, 0);
    while let Some(leaf) = export.leaf(mark.as_ref()).await.unwrap() {
        tasks += leaf.tasks.len() as u64;
        mark = Some(leaf.mark);
        let now = progress(mark.clone(), tasks);
        import.put(&leaf.tasks, &now).await.unwrap();
    }
    import
        .put_beside(&export.beside().await.unwrap())
        .await
        .unwrap();
}

/// From a store that is filled to one that is served from.
pub(super) async fn moved(places: &dyn Places, filled: Arc<dyn Store>) -> Arc<dyn Store> {
    let mut export = places.export(filled).await;
    let mut import = places.import().await;
    bring(&mut *export, &mut *import).await;
    import.finish().await.unwrap();
    drop(import);
    places.serve().await.expect("all has arrived")
}

pub(super) fn sorted(tasks: Vec<(WholeTask, Mark)>) -> BTreeMap<TaskId, WholeTask> {
    let without = tasks.into_iter().map(|(mut whole, _)| {
        whole.task = without_place(&whole.task);
        (whole.task.id(), whole)
    });
    without.collect()
}

pub(super) fn filled(mut counts: Counts) -> Counts {
    counts.retain(|_, phases| phases.iter().any(|n| *n > 0));
    counts
}
