//! Everything arrives, as it was.

use std::sync::Arc;

use tareas_core::{Actor, Command, Jitter, Outcome, Phase, Priority, Sweep, Task, TaskId};

use super::Places;
use super::given::{SLOTS, all, bring, fill, fill_many, filled, moved, progress, session, sorted};
use crate::contract::records::Store;
use crate::contract::records::given::{
    SESSION, all_durable, attempts, claim, done, failed, id, keyed, lane, later, line, load, one,
    pages, queue, settle, spec, submit, success, until_durable, without_place,
};
use crate::ports::{Mark, Standing, TaskQuery};

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
    assert_eq!(here.sessions, [session()]);
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
    let sweep = Sweep::Reclaim {
        session,
        slots,
        worker: None,
    };
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
        done(
            &*store,
            Command::Requeue {
                task,
                by,
                only: None,
            },
        )
        .await;
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

/// Records in which nothing is.
pub async fn nothing_at_all_can_be_moved(places: &dyn Places) {
    let store = places.records().await;
    all_durable(&*store).await;
    let new = moved(places, store).await;
    assert!(filled(new.counts()).is_empty());
    done(&*new, submit(spec(1))).await;
}
