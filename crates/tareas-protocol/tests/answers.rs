//! Answers, byte by byte, and read back.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use tareas_protocol::id::parse_id;
use tareas_protocol::response::{
    Acknowledgement, Answer, AttemptView, BlobRef, Durability, End, Hello, ProgressView,
    ResultText, Said, Status, TaskView, WhyView, append_authenticated, append_batch,
    append_cancel_requested, append_cancelled, append_end_text, append_pong, append_status,
    append_wait_timed_out,
};
use tareas_protocol::{Code, ErrorObject, Lang, TaskIdBytes};

const ID_TEXT: &str = "019abcde-f012-7345-8678-9abcdef012ff";

fn id() -> TaskIdBytes {
    parse_id(ID_TEXT).unwrap()
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    let text = String::from_utf8(out).unwrap();
    assert!(!text.contains('\n'), "{text}");
    text.replace(ID_TEXT, "ID")
}

/// What an encoder wrote is valid JSON too.
fn json(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let text = written(write);
    serde_json::from_str::<serde_json::Value>(&text).expect(&text);
    text
}

fn acknowledgement() -> Acknowledgement<'static> {
    Acknowledgement {
        task_id: id(),
        status: Status::Queued,
        duplicate: false,
        durability: Durability::Full,
        reference: None,
    }
}

fn error() -> ErrorObject {
    ErrorObject::new(Code::UnknownKind, Lang::En)
        .message("no kind 'sqare'")
        .hint("did you mean 'square'?")
}

const ERROR: &str = r#"{"code":"TAR-1204","name":"unknown_kind","message":"no kind 'sqare'","hint":"did you mean 'square'?","retryable":false}"#;

#[test]
fn acknowledgements() {
    let plain = json(|out| acknowledgement().append_to(out));
    assert_eq!(plain, r#"{"task_id":"ID","status":"queued"}"#);
    let everything = Acknowledgement {
        status: Status::Scheduled,
        duplicate: true,
        durability: Durability::Os,
        reference: Some("\"a\\nb\""),
        ..acknowledgement()
    };
    assert_eq!(
        json(|out| everything.append_to(out)),
        r#"{"task_id":"ID","status":"scheduled","duplicate":true,"durability":"os","ref":"a\nb"}"#
    );
    let replicated = Acknowledgement {
        durability: Durability::Replicated,
        reference: Some("7"),
        ..acknowledgement()
    };
    assert_eq!(
        json(|out| replicated.append_to(out)),
        r#"{"task_id":"ID","status":"queued","durability":"replicated","ref":7}"#
    );
}

#[test]
fn ends() {
    let end = |end: End<'_>| json(|out| end.append_to(out, &id(), Some("1")));
    let result = ResultText::Json(b"{\n \"a\": 25\r\n}");
    assert_eq!(
        end(End::Succeeded { result }),
        r#"{"task_id":"ID","status":"succeeded","result":{  "a": 25  },"ref":1}"#
    );
    let blob = BlobRef {
        bytes: 5_242_880,
        sha256: "00ff",
    };
    let result = ResultText::Blob(blob);
    assert_eq!(
        end(End::Succeeded { result }),
        r#"{"task_id":"ID","status":"succeeded","result_ref":{"bytes":5242880,"sha256":"00ff","url":"/v1/tasks/ID/result"},"ref":1}"#
    );
    let (reason, error) = ("rejected", &error());
    assert_eq!(
        end(End::Failed { reason, error }),
        format!(
            r#"{{"task_id":"ID","status":"failed","reason":"rejected","error":{ERROR},"ref":1}}"#
        )
    );
    let reason = "requested";
    assert_eq!(
        end(End::Cancelled { reason }),
        r#"{"task_id":"ID","status":"cancelled","reason":"requested","ref":1}"#
    );
}

#[test]
fn answers_to_commands() {
    assert_eq!(
        json(|out| append_status(out, &id(), Status::Running, None)),
        r#"{"task_id":"ID","status":"running"}"#
    );
    assert_eq!(
        json(|out| append_wait_timed_out(out, &id(), Status::Queued, Some("2"))),
        r#"{"task_id":"ID","status":"queued","timed_out":true,"ref":2}"#
    );
    assert_eq!(
        json(|out| append_cancelled(out, &id(), None)),
        r#"{"task_id":"ID","status":"cancelled"}"#
    );
    assert_eq!(
        json(|out| append_cancel_requested(out, &id(), None)),
        r#"{"task_id":"ID","status":"running","cancel_requested":true}"#
    );
    assert_eq!(
        json(|out| append_pong(out, Some("\"p\""))),
        r#"{"pong":true,"ref":"p"}"#
    );
    assert_eq!(
        json(|out| append_authenticated(out, &["submit", "read"], None)),
        r#"{"authenticated":true,"roles":["submit","read"]}"#
    );
    let hello = Hello {
        version: "0.1.0",
        features: &["postgres"],
        workers: 1,
        threads: 4,
        now_us: 1_795_249_800_250_000,
        open_max: 16_384,
    };
    assert_eq!(
        json(|out| hello.append_to(out, None)),
        r#"{"server":"tareas","version":"0.1.0","protocol":1,"features":["postgres"],"workers":1,"threads":4,"now":"2026-11-21T08:30:00.250Z","open_max":16384}"#
    );
}

#[test]
fn errors() {
    assert_eq!(
        json(|out| error().append_answer(out)),
        format!(r#"{{"error":{ERROR}}}"#)
    );
    let mut full = ErrorObject::new(Code::Overloaded, Lang::En)
        .message("m")
        .hint("")
        .about(id())
        .retry_after(250);
    full.pointer = Some("/n".to_owned());
    full.reference = Some("3".to_owned());
    assert_eq!(
        json(|out| full.append_answer(out)),
        r#"{"error":{"code":"TAR-1301","name":"overloaded","message":"m","hint":"","retryable":true,"retry_after_ms":250,"pointer":"/n"},"task_id":"ID","ref":3}"#
    );
}

#[test]
fn a_batch_is_answered_in_one_line() {
    let error = error();
    let tasks = || [Ok(acknowledgement()), Err(&error), Ok(acknowledgement())];
    let ack = r#"{"task_id":"ID","status":"queued"}"#;
    assert_eq!(
        json(|out| append_batch(out, tasks(), Some("9"))),
        format!(r#"{{"tasks":[{ack},{{"error":{ERROR}}},{ack}],"ref":9}}"#)
    );
    assert_eq!(json(|out| append_batch(out, [], None)), r#"{"tasks":[]}"#);
}

fn task<'a>() -> TaskView<'a> {
    TaskView {
        task_id: id(),
        status: Status::Queued,
        reason: None,
        kind: "echo",
        queue: "default",
        priority: 5,
        payload: None,
        result: None,
        artifacts: 0,
        error: None,
        attempt: 0,
        max_attempts: 5,
        attempts: &[],
        progress: None,
        submitted_at_us: 0,
        due_at_us: None,
        started_at_us: None,
        finished_at_us: None,
        expires_at_us: None,
        worker: None,
        metadata: &[],
        requires: &[],
        idempotency_key: None,
        trace_id: None,
        why: None,
    }
}

#[test]
fn a_task_object_leaves_out_what_does_not_apply() {
    assert_eq!(
        json(|out| task().append_to(out, None)),
        r#"{"task_id":"ID","status":"queued","kind":"echo","queue":"default","priority":5,"attempt":0,"max_attempts":5,"attempts":[],"submitted_at":"1970-01-01T00:00:00.000Z","metadata":{},"requires":[]}"#
    );
}

#[test]
fn a_task_object_says_everything() {
    let error = error();
    let attempt = AttemptView {
        attempt: 1,
        worker: Some("w1"),
        thread: Some(2),
        exit_code: None,
        signal: None,
        started_at_us: Some(1_000),
        finished_at_us: Some(2_000),
        outcome: Some("failed"),
        error: Some(&error),
        error_type: Some("ValueError"),
        backtrace: Some("line 3\nline 2"),
    };
    let second = AttemptView {
        attempt: 2,
        ..AttemptView::default()
    };
    let attempts = [attempt, second];
    let view = TaskView {
        status: Status::Failed,
        reason: Some("rejected"),
        payload: Some(b"{\n}"),
        result: Some(ResultText::Json(b"1")),
        error: Some(&error),
        attempt: 2,
        attempts: &attempts,
        progress: Some(ProgressView {
            percent: 50,
            message: Some("half"),
        }),
        due_at_us: Some(1_000),
        started_at_us: Some(2_000),
        finished_at_us: Some(3_000),
        expires_at_us: Some(4_000),
        worker: Some("w1"),
        metadata: &[("a", "1"), ("b", "2")],
        requires: &["gpu", "eu"],
        idempotency_key: Some("k"),
        trace_id: Some("0af7"),
        why: Some(WhyView {
            code: "no_worker",
            message: "m",
            hint: "h",
        }),
        ..task()
    };
    let time = |millis: u8| format!("\"1970-01-01T00:00:00.00{millis}Z\"");
    let (t0, t1, t2, t3, t4) = (time(0), time(1), time(2), time(3), time(4));
    let expected = [
        r#"{"task_id":"ID","status":"failed","reason":"rejected","kind":"echo","queue":"default","#,
        r#""priority":5,"payload":{ },"result":1,"error":"#,
        ERROR,
        r#","attempt":2,"max_attempts":5,"attempts":[{"attempt":1,"worker":"w1","thread":2,"#,
        &format!(r#""started_at":{t1},"finished_at":{t2},"outcome":"failed","error":{ERROR},"#),
        r#""type":"ValueError","backtrace":"line 3\nline 2"},"#,
        r#"{"attempt":2}],"progress":{"percent":50,"message":"half"},"#,
        &format!(r#""submitted_at":{t0},"due_at":{t1},"started_at":{t2},"finished_at":{t3},"#),
        &format!(r#""expires_at":{t4},"worker":"w1","metadata":{{"a":"1","b":"2"}},"#),
        r#""requires":["gpu","eu"],"idempotency_key":"k","trace_id":"0af7","#,
        r#""why":{"code":"no_worker","message":"m","hint":"h"},"ref":1}"#,
    ];
    assert_eq!(
        json(|out| view.append_to(out, Some("1"))),
        expected.concat()
    );
}

#[test]
fn text_answers_are_one_line_and_steer_no_terminal() {
    let text = |json: &str| {
        let result = ResultText::Json(json.as_bytes());
        written(|out| append_end_text(out, &End::Succeeded { result }, &id(), Lang::En))
    };
    let table = [
        ("25", "25"),
        ("\"hola, añ\\u0061 \\\"x\\\"\"", "hola, aña \"x\""),
        ("\"\"", ""),
        ("{\"a\": [1,\n2]}", "{\"a\": [1, 2]}"),
        ("\"two\\nlines\"", "\"two\\nlines\""),
        ("\"\\u001b[31mred\"", "\"\\u001b[31mred\""),
        ("\"\u{9b}31mred\"", "\"\\u009b31mred\""),
    ];
    for (json, expected) in table {
        assert_eq!(text(json), expected, "{json}");
    }
    let end_text = |end, lang| written(|out| append_end_text(out, &end, &id(), lang));
    let blob = BlobRef {
        bytes: 5_242_880,
        sha256: "",
    };
    let result = ResultText::Blob(blob);
    assert_eq!(
        end_text(End::Succeeded { result }, Lang::En),
        "[5242880 bytes: /v1/tasks/ID/result]"
    );
    let error = &error().message("line\nend\u{1b}[2J");
    let reason = "rejected";
    assert_eq!(
        end_text(End::Failed { reason, error }, Lang::En),
        "error: line end [2J [TAR-1204] did you mean 'square'?"
    );
    let cancelled = End::Cancelled {
        reason: "requested",
    };
    assert_eq!(
        end_text(cancelled, Lang::Es),
        "error: la tarea fue cancelada [TAR-3007] envíela de nuevo si aún hace falta"
    );
}

fn read(line: &str) -> Answer<'_> {
    Answer::parse(line.as_bytes()).expect(line)
}

#[test]
fn every_answer_reads_back() {
    let line = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    };
    let acknowledged = |status, duplicate| Said::Acknowledged { status, duplicate };
    let about = |line: &str, said: Said<'_>| {
        let answer = read(line);
        assert_eq!(
            (answer.task_id, answer.reference),
            (Some(id()), Some("1")),
            "{line}"
        );
        assert_eq!(answer.said, said, "{line}");
    };
    let duplicate = Acknowledgement {
        status: Status::Succeeded,
        duplicate: true,
        reference: Some("1"),
        ..acknowledgement()
    };
    let text = line(&|out| duplicate.append_to(out));
    about(&text, acknowledged(Status::Succeeded, true));
    let result = ResultText::Json(b"[1, 2]");
    let text = line(&|out| End::Succeeded { result }.append_to(out, &id(), Some("1")));
    about(&text, Said::Succeeded("[1, 2]"));
    let (reason, error) = ("rejected", &error());
    let text = line(&|out| End::Failed { reason, error }.append_to(out, &id(), Some("1")));
    let failed = Said::Failed {
        reason: reason.into(),
        error: Box::new(error.clone()),
    };
    about(&text, failed);
    let text = line(&|out| End::Cancelled { reason: "expired" }.append_to(out, &id(), Some("1")));
    about(&text, Said::Cancelled("expired".into()));
    let text = line(&|out| append_cancelled(out, &id(), Some("1")));
    about(&text, acknowledged(Status::Cancelled, false));
    let text = line(&|out| append_cancel_requested(out, &id(), Some("1")));
    about(&text, Said::CancelRequested);
    let text = line(&|out| append_wait_timed_out(out, &id(), Status::Running, Some("1")));
    about(&text, Said::TimedOut(Status::Running));
    let text = line(&|out| task().append_to(out, Some("1")));
    about(&text, Said::Task(&text));
    let mut refused = error.clone().about(id());
    refused.reference = Some("1".to_owned());
    let text = line(&|out| refused.append_answer(out));
    about(&text, Said::Error(Box::new(refused.clone())));
}

#[test]
fn a_reader_ignores_what_it_does_not_know() {
    let answer = read(r#"{"newer":{"x":[1]},"status":"queued","task_id":"?"}"#);
    let status = Status::Queued;
    let duplicate = false;
    assert_eq!(answer.said, Said::Acknowledged { status, duplicate });
    assert_eq!(answer.task_id, None);
    assert_eq!(read(r#"{"pong":true,"x":1}"#).said, Said::Pong);
    assert_eq!(read(r#"{"tasks":[ 1 ]}"#).said, Said::Batch("[ 1 ]"));
    assert_eq!(
        read(r#"{"status":"new"}"#).said,
        Said::Other(r#"{"status":"new"}"#)
    );
    assert!(Answer::parse(b"not json").is_err());
    assert!(Answer::parse(b"{\"a\":\"\xff\"}").is_err());
}
