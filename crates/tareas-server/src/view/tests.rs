//! What is told of tasks in each state.

use std::sync::Arc;

use bytes::Bytes;
use tareas_core::{
    Body, Cause, Failure, Kind, Priority, QueueName, Reason, Spec, State, Task, TaskId, Timestamp,
};
use tareas_protocol::Lang;

use super::TaskEnd;

/// A task in some state.
pub(crate) fn task(state: State) -> Task {
    let spec = Spec {
        id: TaskId::v7(Timestamp::from_millis(1_700_000_000_000), 7),
        kind: Kind::new("echo").unwrap(),
        queue: QueueName::default(),
        priority: Priority::default(),
        payload: Body::Inline(Bytes::from_static(b"1")),
        submitted_at: Timestamp::EPOCH,
        options: None,
    };
    Task {
        spec: Arc::new(spec),
        version: 1,
        state,
        attempt: 1,
        charged: 0,
        crashes: 0,
        cancel_requested: false,
        started_at: None,
        finished_at: None,
        last_token: None,
        result: None,
        failure: None,
    }
}

fn failed(reason: Reason, name: Option<&str>) -> Task {
    let failure = Failure {
        cause: Cause::Handler,
        name: name.map(str::to_owned),
        message: "boom".to_owned(),
        backtrace: None,
        ran_by: None,
        process_end: None,
    };
    Task {
        failure: Some(Arc::new(failure)),
        ..task(State::Failed(reason))
    }
}

fn text(task: &Task) -> String {
    let mut out = Vec::new();
    TaskEnd::of(task, Lang::En)
        .unwrap()
        .append_text(&mut out, Lang::En);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_failure_is_told_by_its_reason_and_in_the_words_of_the_handler() {
    let table = [
        (Reason::Rejected, None, "error: boom [TAR-3004]"),
        (Reason::Rejected, Some("rejected"), "error: boom [TAR-3004]"),
        (Reason::Timeout, None, "error: boom [TAR-3002]"),
        (Reason::Poison, None, "error: boom [TAR-3003]"),
        (
            Reason::AttemptsExhausted,
            Some("ValueError"),
            "error: ValueError: boom [TAR-3005]",
        ),
    ];
    for (reason, name, wanted) in table {
        let told = text(&failed(reason, name));
        assert!(told.starts_with(wanted), "{told}");
    }
    assert!(text(&task(State::Cancelled(Reason::Expired))).contains("[TAR-3006]"));
    assert!(text(&task(State::Cancelled(Reason::Requested))).contains("[TAR-3007]"));
}

#[test]
fn a_result_is_shown_whole_or_as_a_reference() {
    let blob = |bytes| {
        Body::Blob(Box::new(tareas_core::Blob {
            key: "t/x/out/1-0".into(),
            bytes,
            sha256: [0xAB; 32],
        }))
    };
    let ended = |body| Task {
        result: Some(body),
        ..task(State::Succeeded)
    };
    let inline = ended(Body::Inline(Bytes::from_static(b"\"hola\"")));
    assert_eq!(text(&inline), "hola");
    assert!(
        TaskEnd::of(&ended(blob(100_000)), Lang::En).is_none(),
        "to be read first"
    );
    let long = ended(blob(300_000));
    let mut out = Vec::new();
    TaskEnd::of(&long, Lang::En)
        .unwrap()
        .append_json(&mut out, Some("1"));
    let told = String::from_utf8(out).unwrap();
    assert!(
        told.contains(r#""result_ref":{"bytes":300000,"sha256":"abab"#),
        "{told}"
    );
    assert!(told.ends_with(r#","ref":1}"#), "{told}");
}
