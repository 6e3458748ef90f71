//! What every adapter of the `Export` and `Import` ports keeps.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::{
    Actor, Blob, Body, Command, Ending, Jitter, Options, Outcome, Phase, Priority, Spec, Sweep,
    Task, TaskId,
};

use super::records::Store;
use super::records::given::{
    SESSION, all_durable, apply_at, attempts, cancel, claim, done, failed, id, keyed, lane, later,
    line, line_of, load, one, pages, queue, settle, spec, started, submit, submit_due, success,
    until_durable, with_options, without_place,
};
use crate::ports::{
    Counts, Export, Import, Mark, PortError, Progress, Standing, StoredSession, TaskQuery,
    WholeTask,
};

/// Records in places of their own, for one clause.
#[async_trait]
pub trait Places: Send + Sync {
    /// Opens new records in a new place.
    async fn records(&self) -> Arc<dyn Store>;
    /// Ends these records, and opens them to be read.
    async fn export(&self, records: Arc<dyn Store>) -> Box<dyn Export>;
    /// Opens a new place to be filled.
    async fn import(&self) -> Box<dyn Import>;
    /// Opens the place again that was opened to be filled last, after that was dropped.
    async fn import_again(&self) -> Box<dyn Import>;
    /// Opens that place to serve from it; nothing when that is refused.
    async fn serve(&self) -> Option<Arc<dyn Store>>;
    /// Whether the records that are open to be read can be served from meanwhile.
    async fn can_serve_what_is_read(&self) -> bool;

    /// Whether the service that it needs is not installed.
    fn is_absent(&self) -> bool {
        false
    }
}

/// Whether a clause must be skipped.
pub fn is_absent(places: &dyn Places) -> bool {
    places.is_absent()
}

/// Every clause, as one test each.
#[macro_export]
macro_rules! transfer_contract {
    ($places:expr) => {
        $crate::clauses! { transfer, $places;
        every_task_is_read_once_wherever_the_marks_are,
        what_arrives_is_what_was_sent,
        what_has_arrived_goes_on_as_before,
        what_was_running_is_taken_back_after_the_next_start,
        order_in_line_arrives,
        a_leaf_arrives_once,
        an_import_is_gone_on_with,
        nobody_serves_before_all_has_arrived,
        nobody_serves_while_it_is_read,
        records_with_tasks_are_occupied,
        nothing_at_all_can_be_moved,
        }
    };
}

/// The attempt in which `SESSION` holds a task for good.
const SLOTS: u16 = 4;

/// One task in every state, with everything that a task can have.
async fn fill(store: &dyn Store) {
    let session = StoredSession::of_own_pool(SESSION, SLOTS);
    store.open_session(session).await.unwrap();
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
fn rich(number: u128) -> Spec {
    let mut options = Options {
        expires_at: Some(later(7_200)),
        timeout: Some(Duration::from_millis(1_500)),
        retry: Some(tareas_core::RetryPolicy::default()),
        retention: Some(Duration::from_secs(3)),
        idempotency_key: Some("k".into()),
        requires: vec!["gpu".into()],
        keep_until: Some(later(9)),
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
fn large(number: u128) -> Spec {
    let payload = format!("\"{}\"", "x".repeat(40_000));
    Spec {
        payload: Body::Inline(payload.into_bytes().into()),
        ..spec(number)
    }
}

fn blob(number: u128) -> Body {
    Body::Blob(Box::new(Blob {
        key: format!("t/{}/out/1-00000001", id(number)).into(),
        bytes: 70_000,
        sha256: [7; 32],
    }))
}

/// Many small tasks, some hundreds more than one leaf takes.
async fn fill_many(store: &dyn Store, count: u128) {
    let numbers: Vec<u128> = (100..100 + count).collect();
    for part in numbers.chunks(500) {
        let commands = part.iter().map(|number| submit(spec(*number))).collect();
        let applied = apply_at(store, later(1), commands).await;
        until_durable(store, applied.position).await;
    }
}

async fn all(export: &mut dyn Export, mut mark: Option<Mark>) -> Vec<(WholeTask, Mark)> {
    let mut all = Vec::new();
    while let Some(leaf) = export.leaf(mark.as_ref()).await.unwrap() {
        assert!(!leaf.tasks.is_empty(), "a leaf is never empty");
        let last = leaf.mark.clone();
        all.extend(leaf.tasks.into_iter().map(|task| (task, last.clone())));
        mark = Some(leaf.mark);
    }
    all
}

fn progress(mark: Option<Mark>, tasks: u64) -> Progress {
    let from = "somewhere".to_owned();
    Progress { from, mark, tasks }
}

/// Brings everything over, and ends the import unless it is to stay open.
async fn bring(export: &mut dyn Export, import: &mut dyn Import) {
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
async fn moved(places: &dyn Places, filled: Arc<dyn Store>) -> Arc<dyn Store> {
    let mut export = places.export(filled).await;
    let mut import = places.import().await;
    bring(&mut *export, &mut *import).await;
    import.finish().await.unwrap();
    drop(import);
    places.serve().await.expect("all has arrived")
}

fn sorted(tasks: Vec<(WholeTask, Mark)>) -> BTreeMap<TaskId, WholeTask> {
    let without = tasks.into_iter().map(|(mut whole, _)| {
        whole.task = without_place(&whole.task);
        (whole.task.id(), whole)
    });
    without.collect()
}

fn filled(mut counts: Counts) -> Counts {
    counts.retain(|_, phases| phases.iter().any(|n| *n > 0));
    counts
}

/// Also when reading begins again at any of the marks.
pub async fn every_task_is_read_once_wherever_the_marks_are(places: &dyn Places) {
    let store = places.records().await;
    fill(&*store).await;
    fill_many(&*store, 4_500).await;
    let expected = store.counts().values().flatten().sum::<u64>();
    let mut export = places.export(store).await;
    let whole = all(&mut *export, None).await;
    assert_eq!(whole.len() as u64, expected);
    let ids: Vec<TaskId> = whole.iter().map(|(whole, _)| whole.task.id()).collect();
    let mut marks: Vec<Mark> = whole.into_iter().map(|(_, mark)| mark).collect();
    assert_eq!(
        ids[..12],
        (1..=12).map(id).collect::<Vec<_>>()[..],
        "in order of acceptance"
    );
    marks.dedup();
    assert!(marks.len() >= 3, "leaves are bounded");
    for mark in marks {
        let rest = all(&mut *export, Some(mark)).await;
        let rest: Vec<TaskId> = rest.iter().map(|(whole, _)| whole.task.id()).collect();
        assert_eq!(rest[..], ids[ids.len() - rest.len()..]);
    }
    let again = all(&mut *export, None).await;
    assert_eq!(again.len(), ids.len());
}

/// Tasks, attempts, counts and what is beside them.
pub async fn what_arrives_is_what_was_sent(places: &dyn Places) {
    let store = places.records().await;
    fill(&*store).await;
    let mut export = places.export(store).await;
    let sent = all(&mut *export, None).await;
    let mut import = places.import().await;
    assert_eq!(import.standing().await.unwrap(), Standing::Empty);
    bring(&mut *export, &mut *import).await;
    let arrived = import.arrived();
    assert_eq!(sorted(all(arrived, None).await), sorted(sent));
    let (here, there) = (
        arrived.counts().await.unwrap(),
        export.counts().await.unwrap(),
    );
    assert_eq!(filled(here), filled(there));
    let (here, there) = (
        arrived.beside().await.unwrap(),
        export.beside().await.unwrap(),
    );
    assert_eq!(here, there);
    assert_eq!(here.sessions, [StoredSession::of_own_pool(SESSION, SLOTS)]);
    assert_eq!(here.queues.get(&queue("mail")), Some(&true));
}

/// The new records answer as the old ones did, and tasks go on from where they were.
pub async fn what_has_arrived_goes_on_as_before(places: &dyn Places) {
    let old = places.records().await;
    fill(&*old).await;
    let query = TaskQuery {
        limit: 100,
        ..TaskQuery::default()
    };
    let tasks = pages(&*old, query.clone()).await;
    let mut ended = Vec::new();
    for task in &tasks {
        ended.push(attempts(&*old, task.id()).await);
    }
    let (counts, lines) = (filled(old.counts()), line(&*old).await);
    let new = moved(places, old).await;
    let plain = |tasks: &[Task]| tasks.iter().map(without_place).collect::<Vec<_>>();
    assert_eq!(plain(&pages(&*new, query).await), plain(&tasks));
    for (task, ended) in tasks.iter().zip(ended) {
        assert_eq!(attempts(&*new, task.id()).await, ended);
    }
    assert_eq!(filled(new.counts()), counts);
    assert_eq!(line(&*new).await, lines);
    assert!(
        new.remembered_kinds()
            .iter()
            .any(|kind| kind.as_str() == "resize")
    );
    let again = one(&*new, submit(keyed(10, "key ñ"))).await;
    assert!(matches!(again, Outcome::Already(_)), "{again:?}");
    let other = one(&*new, submit(keyed(77, "key ñ"))).await;
    assert!(!matches!(other, Outcome::Done(_)), "{other:?}");
    let paused = one(&*new, claim(id(7), 0)).await;
    assert!(matches!(paused, Outcome::Refused(_)), "{paused:?}");
    let next = done(&*new, claim(id(11), 1)).await;
    assert_eq!((next.attempt, next.phase()), (2, Phase::Running));
}

/// By whoever serves next: the session that holds it is known, and its fence still holds.
pub async fn what_was_running_is_taken_back_after_the_next_start(places: &dyn Places) {
    let old = places.records().await;
    fill(&*old).await;
    let before = load(&*old, id(3)).await.unwrap();
    let new = moved(places, old).await;
    let late = Command::Settle {
        task: id(3),
        fence: tareas_core::ledger::fence(&before).unwrap(),
        ending: success(),
        jitter: Jitter(0),
    };
    let (session, slots) = (SESSION, SLOTS);
    let sweep = Sweep::Reclaim { session, slots };
    let taken = new.sweep(sweep, later(60), 100).await.unwrap();
    assert_eq!(taken.outcomes.len(), 2, "{taken:?}");
    until_durable(&*new, taken.position).await;
    let task = load(&*new, id(3)).await.unwrap();
    assert_eq!((task.attempt, task.crashes), (before.attempt, 1));
    assert!(!task.phase().is_terminal());
    let late = one(&*new, late).await;
    assert!(matches!(late, Outcome::Refused(_)), "{late:?}");
    assert_eq!(load(&*new, id(9)).await.unwrap().phase(), Phase::Cancelled);
}

/// Also when two tasks had one place.
pub async fn order_in_line_arrives(places: &dyn Places) {
    let store = places.records().await;
    fill_many(&*store, 50).await;
    for number in [120, 110] {
        let task = done(&*store, claim(id(number), 0)).await;
        done(&*store, settle(&task, failed("no", false))).await;
        let by = Actor::System;
        let task = id(number);
        done(&*store, Command::Requeue { task, by }).await;
    }
    all_durable(&*store).await;
    let expected = line(&*store).await;
    let mut export = places.export(store).await;
    let mut import = places.import().await;
    bring(&mut *export, &mut *import).await;
    let mut twin = all(&mut *export, None).await.remove(0).0;
    twin.task.spec = Arc::new(spec(900));
    import.put(&[twin], &progress(None, 51)).await.unwrap();
    import.finish().await.unwrap();
    drop(import);
    let new = places.serve().await.expect("all has arrived");
    let priority = Priority::default();
    let mut found = line_of_any(&*new, priority).await;
    assert_eq!(found.len(), expected.len() + 1);
    found.retain(|task| *task != id(900));
    assert_eq!(found, expected);
}

/// The default lane, also where two tasks have one place.
async fn line_of_any(store: &dyn Store, priority: Priority) -> Vec<TaskId> {
    let lane = lane("default", priority);
    let hints = store.ready(&lane, tareas_core::Place::START, 1_000).await;
    hints.unwrap().into_iter().map(|hint| hint.task).collect()
}

/// The same tasks are refused, and nothing of that leaf is there.
pub async fn a_leaf_arrives_once(places: &dyn Places) {
    let store = places.records().await;
    fill(&*store).await;
    let mut export = places.export(store).await;
    let leaf = export.leaf(None).await.unwrap().unwrap();
    let mut import = places.import().await;
    let before = progress(Some(leaf.mark.clone()), 12);
    import.begin(&progress(None, 0)).await.unwrap();
    import.put(&leaf.tasks, &before).await.unwrap();
    let mut fresh = leaf.tasks[0].clone();
    fresh.task.spec = Arc::new(spec(500));
    let twice = [fresh, leaf.tasks[3].clone()];
    let refused = import.put(&twice, &progress(None, 14)).await;
    assert!(
        matches!(refused, Err(PortError::Conflict { .. })),
        "{refused:?}"
    );
    assert_eq!(
        import.standing().await.unwrap(),
        Standing::Unfinished(before)
    );
    assert_eq!(all(import.arrived(), None).await.len(), 12);
    let counts = import.arrived().counts().await.unwrap();
    assert_eq!(counts.values().flatten().sum::<u64>(), 12);
}

/// After an end without a last word.
pub async fn an_import_is_gone_on_with(places: &dyn Places) {
    let store = places.records().await;
    fill_many(&*store, 2_500).await;
    let mut export = places.export(store).await;
    let mut import = places.import().await;
    import.begin(&progress(None, 0)).await.unwrap();
    let leaf = export.leaf(None).await.unwrap().unwrap();
    let count = leaf.tasks.len() as u64;
    let now = progress(Some(leaf.mark), count);
    import.put(&leaf.tasks, &now).await.unwrap();
    drop(import);
    let mut import = places.import_again().await;
    let Standing::Unfinished(noted) = import.standing().await.unwrap() else {
        panic!("it is not finished");
    };
    assert_eq!(noted, now);
    let rest = export.leaf(noted.mark.as_ref()).await.unwrap().unwrap();
    let total = count + rest.tasks.len() as u64;
    import
        .put(&rest.tasks, &progress(Some(rest.mark), total))
        .await
        .unwrap();
    import.finish().await.unwrap();
    drop(import);
    let new = places.serve().await.expect("all has arrived");
    assert_eq!(
        line_of(&*new, &lane("default", Priority::default()))
            .await
            .len(),
        1_000
    );
    assert_eq!(new.counts().values().flatten().sum::<u64>(), 2_500);
}

/// Neither while it is filled nor after a kill.
pub async fn nobody_serves_before_all_has_arrived(places: &dyn Places) {
    let mut import = places.import().await;
    import.begin(&progress(None, 0)).await.unwrap();
    assert!(places.serve().await.is_none(), "it is being filled");
    drop(import);
    assert!(places.serve().await.is_none(), "it is half full");
    let mut import = places.import_again().await;
    import.finish().await.unwrap();
    drop(import);
    assert!(places.serve().await.is_some());
}

/// Or what it accepts would be left behind.
pub async fn nobody_serves_while_it_is_read(places: &dyn Places) {
    let store = places.records().await;
    fill(&*store).await;
    let export = places.export(store).await;
    assert!(!places.can_serve_what_is_read().await);
    drop(export);
}

/// What is there stays there.
pub async fn records_with_tasks_are_occupied(places: &dyn Places) {
    let mut import = places.import().await;
    import.begin(&progress(None, 0)).await.unwrap();
    import.finish().await.unwrap();
    drop(import);
    let store = places
        .serve()
        .await
        .expect("nothing has arrived, and all of it");
    done(&*store, submit(spec(1))).await;
    all_durable(&*store).await;
    drop(store);
    let mut import = places.import_again().await;
    assert_eq!(import.standing().await.unwrap(), Standing::Occupied);
}

/// Records in which nothing is.
pub async fn nothing_at_all_can_be_moved(places: &dyn Places) {
    let store = places.records().await;
    all_durable(&*store).await;
    let new = moved(places, store).await;
    assert!(filled(new.counts()).is_empty());
    done(&*new, submit(spec(1))).await;
}
