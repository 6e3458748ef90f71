//! What a kind brings for its tasks: schema, queue, time limit, and what people are told.

use crate::server::Server;

const CONFIG: &str = r#"
[kinds.resize]
command = ["cat"]
description = "Resizes an image"
example = 'resize {"width":4}'
queue = "images"
timeout = "7s"
retry = { attempts = 2 }
schema = { type = "object", required = ["width"], properties = { width = { type = "integer" } } }
"#;

#[test]
fn a_payload_that_does_not_fit_is_refused_on_every_face() {
    let server = Server::start(CONFIG);
    let ran = server.tareas(&["submit", "resize", r#"{"width":"x"}"#]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr.contains("[TAR-1203]") && ran.stderr.contains("/width"),
        "{ran:?}"
    );
    let body = r#"{"kind":"resize","payload":{"width":"x"}}"#;
    let answer = server.http(&format!(
        "POST /v1/tasks HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
    assert!(answer.contains(r#""pointer":"/payload/width""#), "{answer}");
    let line = server.tareas(&["client", r#"{"op":"resize","height":1}"#]);
    assert!(
        line.code != 0 && format!("{line:?}").contains("width"),
        "{line:?}"
    );
    assert_eq!(server.result("resize", r#"{"width":4}"#), r#"{"width":4}"#);
}

#[test]
fn what_a_submission_leaves_open_is_filled_in() {
    let server = Server::start(CONFIG);
    let ran = server.tareas(&["submit", "resize", r#"{"width":4}"#]);
    let task = server.ended(ran.stdout.trim());
    assert_eq!(
        (&task["queue"], &task["max_attempts"]),
        (&"images".into(), &2.into())
    );
}

#[test]
fn people_are_told() {
    let server = Server::start(CONFIG);
    let kinds = server.get("/v1/kinds");
    let told =
        r#"{"kind":"resize","description":"Resizes an image","example":"resize {\"width\":4}","#;
    let schema = r#""schema":{"properties":{"width":{"type":"integer"}}"#;
    assert!(kinds.contains(&format!("{told}{schema}")), "{kinds}");
    let help = server.tareas(&["client", "help"]);
    assert!(help.stdout.contains(r#"resize {"width":4}"#), "{help:?}");
}

#[test]
fn a_kind_that_cannot_be_used_stops_the_start() {
    for (config, why) in [
        (
            "[kinds.x]\ncommand = [\"no-such-program\"]",
            "there is no program `no-such-program`",
        ),
        (
            "[kinds.x]\ncommand = [\"true\"]\ncwd = \"nowhere\"",
            "there is no folder",
        ),
        (
            "[kinds.x]\ncommand = [\"true\"]\nuser = \"nobody-at-all\"",
            "there is no user",
        ),
        (
            "[kinds.x]\ncommand = [\"true\"]\nsandbox = { read = [\"nowhere\"] }",
            "there is no file or folder",
        ),
        (
            "[kinds.x]\ncommand = [\"true\"]\nschema = { type = 5 }",
            "the schema is not usable",
        ),
        (
            "[kinds.x]\ncommand = [\"true\"]\ntimeuot = 5",
            "did you mean `timeout`?",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tareas.toml");
        std::fs::write(&path, config).unwrap();
        let mut command = crate::server::program();
        let output = command
            .args(["config", "check", "--config"])
            .arg(&path)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains(why), "{said}");
    }
}
