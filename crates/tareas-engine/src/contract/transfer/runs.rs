//! Runs that are cut short, and whom they keep away.

use std::sync::Arc;

use tareas_core::Priority;

use super::Places;
use super::given::{all, fill, fill_many, progress};
use crate::contract::records::given::{all_durable, done, lane, line_of, spec, submit};
use crate::ports::{PortError, Standing};

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
