//! Commands on a remote worker: their results, what they say, and the files that they leave.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::Stage;
use crate::wire::Wire;

const WITHIN: Duration = Duration::from_secs(60);

const CONFIG: &str = r#"
[kinds.leaves]
command = ["sh", "-c", "echo working >&2; cat > $TAREAS_OUT/in.json; head -c 700000 /dev/zero > $TAREAS_OUT/zeros; echo done"]

[kinds.fails]
command = ["sh", "-c", "echo x > $TAREAS_OUT/x; exit 65"]

[kinds.hangs]
command = ["sleep", "600"]

[kinds.killed]
command = ["sh", "-c", "kill -KILL $$"]

[kinds.heaps]
command = ["sh", "-c", "for n in $(seq 70); do echo $n > $TAREAS_OUT/$n; done"]
"#;

/// A server that knows no commands, and a worker that has some.
fn stage() -> (Stage, crate::stage::Process) {
    let stage = Stage::new(&[]);
    stage.write("tareas.toml", CONFIG);
    let worker = stage.worker("w", &[]);
    (stage, worker)
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn a_remote_worker_runs_its_commands_and_delivers_what_they_leave() {
    let (stage, _worker) = stage();
    let id = stage.submit("leaves", r#"{"n":1}"#);
    let task = stage.ended(&id, WITHIN);
    assert_eq!(
        (&task["status"], &task["result"], &task["artifacts"]),
        (&"succeeded".into(), &"done".into(), &2.into()),
        "{task}"
    );
    let list = json_of(&stage.get(&format!("/v1/tasks/{id}/artifacts")));
    let names: Vec<&Value> = list["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| &a["name"])
        .collect();
    assert_eq!(names, ["in.json", "zeros"]);
    assert_eq!(list["artifacts"][0]["type"], "application/json");
    assert_eq!(
        stage.get(&format!("/v1/tasks/{id}/artifacts/in.json")),
        br#"{"n":1}"#
    );
    // Longer than a piece.
    let zeros = stage.get(&format!("/v1/tasks/{id}/artifacts/zeros"));
    assert!(zeros.len() == 700_000 && zeros.iter().all(|byte| *byte == 0));
    let log = stage.say(&format!(r#"{{"cmd":"logs","task_id":"{id}"}}"#));
    assert_eq!(log["attempts"][0]["lines"], json!(["working"]), "{log}");
}

#[test]
fn files_go_with_a_result_and_only_so_many() {
    let (stage, _worker) = stage();
    let task = stage.ended(&stage.submit("fails", "1"), WITHIN);
    assert_eq!(
        (&task["reason"], task.get("artifacts")),
        (&"rejected".into(), None),
        "{task}"
    );
    let task = stage.ended(&stage.submit("heaps", "1"), WITHIN);
    assert_eq!(task["reason"], "rejected", "{task}");
    assert_eq!(stage.blobs(), 0);
}

#[test]
fn an_attempt_tells_who_ran_it_and_how_its_process_ended() {
    let (stage, _worker) = stage();
    for (kind, outcome, end) in [
        ("fails", "failed", ("exit_code", 65)),
        ("killed", "failed", ("signal", 9)),
        ("hangs", "timed_out", ("exit_code", 0)),
    ] {
        let answer = stage.say(&format!(
            r#"{{"cmd":"submit","kind":"{kind}","payload":1,"max_attempts":1,"timeout_ms":500,"wait":false}}"#
        ));
        let id = answer["task_id"].as_str().unwrap();
        let shown = &stage.ended(id, WITHIN)["attempts"][0];
        let http = &json_of(&stage.get(&format!("/v1/tasks/{id}")))["attempts"][0];
        assert_eq!(shown, http);
        assert_eq!(
            (&shown["outcome"], &shown["worker"]),
            (&outcome.into(), &"w".into()),
            "{shown}"
        );
        assert!(shown["thread"].as_u64().is_some(), "{shown}");
        let (member, number) = end;
        // A process that was asked to end says nothing by it.
        let expected = (outcome == "failed").then(|| json!(number));
        assert_eq!(shown.get(member), expected.as_ref(), "{shown}");
        let page = String::from_utf8(stage.get(&format!("/tasks/{id}"))).unwrap();
        assert!(page.contains("w · thread "), "{page}");
    }
}

/// Pieces of a result or a file wait for the end of their attempt; one that cannot be kept is
/// refused, and costs that attempt alone.
#[test]
fn a_piece_that_cannot_be_kept_costs_its_attempt_and_no_other() {
    let stage = Stage::new(&[]);
    let mut worker = Wire::connect(stage.address());
    worker.work(json!({"slots": 2}));
    let spoiled = stage.submit("echo", "1");
    let given = worker.hear("lease");
    worker.about("artifact", &given, &json!({"name": "../up", "chunk": ""}));
    assert_eq!(worker.hear("error")["task_id"], spoiled.as_str());
    worker.about("done", &given, &json!({"result": 1}));
    let task = stage.ended(&spoiled, WITHIN);
    assert_eq!(
        (&task["reason"], &task["error"]["name"]),
        (&"rejected".into(), &"rejected".into()),
        "{task}"
    );
    let fine = stage.submit("echo", "2");
    let given = worker.hear("lease");
    worker.about(
        "artifact",
        &given,
        &json!({"name": "a.bin", "type": "x/y", "chunk": "AAH/"}),
    );
    worker.about(
        "artifact",
        &given,
        &json!({"name": "a.bin", "chunk": "/w=="}),
    );
    worker.about("output", &given, &json!({"chunk": "[1,"}));
    worker.about("output", &given, &json!({"chunk": "2]"}));
    worker.about("done", &given, &json!({}));
    let task = stage.ended(&fine, WITHIN);
    assert_eq!(
        (&task["result"], &task["artifacts"]),
        (&json!([1, 2]), &1.into()),
        "{task}"
    );
    assert_eq!(
        stage.get(&format!("/v1/tasks/{fine}/artifacts/a.bin")),
        [0, 1, 255, 255]
    );
}

/// It would end a program that does not listen for it.
#[test]
fn a_hangup_neither_ends_a_worker_nor_what_it_runs() {
    let stage = Stage::new(&[]);
    let worker = stage.worker("w", &[]);
    let id = stage.submit("sleep", r#"{"ms":1500}"#);
    stage.until_running(&id);
    worker.signal(nix::sys::signal::Signal::SIGHUP);
    let task = stage.ended(&id, WITHIN);
    assert_eq!(
        (&task["status"], &task["attempt"]),
        (&"succeeded".into(), &1.into()),
        "{task}"
    );
}
