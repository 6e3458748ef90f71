//! What filters mean, and what is said of those that mean nothing.

use std::time::Duration;

use tareas_protocol::Lang;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn meaning(text: &str) -> Result<Filter, Wrong> {
    let around = Around {
        now: NOW,
        sessions: &|name| {
            if name == OWN_POOL {
                vec![SessionId(7)]
            } else {
                Vec::new()
            }
        },
    };
    Words::split(text).and_then(|words| read(&words, &around))
}

#[test]
fn words_become_conditions() {
    let filter = meaning(" state:failed,cancelled  kind:resize queue:mail ").unwrap();
    assert_eq!(filter.phases, [Phase::Failed, Phase::Cancelled]);
    assert_eq!(filter.kinds, Names::only(Kind::new("resize").unwrap()));
    assert_eq!(filter.queues, Names::only(QueueName::new("mail").unwrap()));
    assert_eq!(meaning("").unwrap(), Filter::default());
    let with_colon = meaning("kind:a:b -kind:c -kind:d").unwrap().kinds;
    assert_eq!(with_colon.any, [Kind::new("a:b").unwrap()]);
    assert_eq!(with_colon.none.len(), 2);
    let rest = meaning("-state:queued,running -reason:requested").unwrap();
    assert_eq!((rest.phases.len(), rest.reasons.len()), (4, 5));
    let exact = meaning("id:01990000-0000-7000-8000-000000000001").unwrap();
    assert!(exact.ids.only().is_some());
}

#[test]
fn times_are_fixed_when_they_are_read() {
    let hour = Duration::from_secs(3_600);
    let filter = meaning("since:2h until:1h age:<90m").unwrap();
    assert_eq!(filter.submitted.from, Some(NOW - hour * 3 / 2));
    assert_eq!(filter.submitted.to, Some(NOW - hour));
    assert!(
        filter.details.are_none(),
        "the records can answer all of it"
    );
}

#[test]
fn details_are_left_to_the_engine() {
    let filter =
        meaning("error:\"No Such\" error:TAR-3002 label:gpu meta.a:b wait:>1m worker:local");
    let filter = filter.unwrap();
    assert_eq!(filter.phases, [Phase::Running]);
    assert_eq!(filter.details.errors, ["no such"]);
    assert_eq!(
        filter.details.went_wrong.unwrap().reasons,
        [Reason::Timeout]
    );
    assert_eq!(filter.details.metadata, [("a".to_owned(), "b".to_owned())]);
    assert_eq!(filter.details.waited.from, Some(Duration::from_secs(60)));
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_a_hint() {
    let table = [
        ("a:1 failed", "(character 5)", "state:failed"),
        ("staet:failed", "`staet`", "`state`"),
        ("state:faild", "`faild`", "`failed`"),
        ("state:x", "`x`", "scheduled, queued"),
        ("kind:a queue:a/b", "(character 8)", ""),
        ("queue:", "cannot be a name", ""),
        ("kind:a kind:b", "`kind` stands twice", "kind:a,b"),
        ("-since:1h", "turned round", ""),
        ("since:soon", "`soon`", "`1h`"),
        ("priority:high", "`high`", ">=7"),
        ("error:TAR-1204", "TAR-1204", "TAR-3002"),
        ("error:\"a", "does not end", "no such file"),
        ("kind:';DROP/**/TABLE", "cannot be a name", ""),
    ];
    for (text, said, hint) in table {
        let error = match meaning(text) {
            Err(wrong) => wrong.error(Lang::En),
            Ok(filter) => panic!("{text} means {filter:?}"),
        };
        assert!(error.message.contains(said), "{text}: {}", error.message);
        assert!(error.hint.contains(hint), "{text}: {}", error.hint);
        assert_eq!(error.pointer.as_deref(), Some("filter"));
    }
}

#[test]
fn every_condition_takes_its_example() {
    for condition in &CONDITIONS {
        let name = condition.name.replace("NAME", "x");
        let text = format!("{name}:{}", condition.example);
        assert!(meaning(&text).is_ok(), "{text}");
        assert!(condition.about.iter().all(|about| !about.is_empty()));
    }
}
