//! Lines and what they ask for.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use tareas_protocol::id::parse_id;
use tareas_protocol::limits::{BATCH_TASKS_MAX, WAIT_MS_MAX};
use tareas_protocol::request::{
    Backoff, Decoder, Face, Line, Options, Payload, Refusal, Request, Submission, append_command,
    append_submission,
};
use tareas_protocol::trace::parse_traceparent;
use tareas_protocol::{Code, Lang, TaskIdBytes};

const ID_TEXT: &str = "019abcde-f012-7345-8678-9abcdef012ff";

fn id() -> TaskIdBytes {
    parse_id(ID_TEXT).unwrap()
}

fn decode(line: &str) -> Line<'_> {
    Decoder::new().line(line.as_bytes())
}

fn request(line: &str) -> Request<'_> {
    decode(line)
        .request
        .unwrap_or_else(|refusal| panic!("{line}: {refusal}"))
}

fn submission(line: &str) -> Submission<'_> {
    match request(line) {
        Request::Submit(submission) => submission,
        other => panic!("{line}: {other:?}"),
    }
}

fn refusal(line: &str) -> Box<Refusal> {
    decode(line).request.expect_err(line)
}

fn payload(submission: &Submission<'_>) -> String {
    String::from_utf8(submission.payload.to_bytes().to_vec()).unwrap()
}

#[test]
fn a_text_line_is_a_kind_and_the_rest() {
    let table = [
        ("sumar 2 + 2", "sumar", "2 + 2"),
        ("procesar  datos  y más ", "procesar", "datos  y más"),
        ("  square\t5", "square", "5"),
        ("echo", "echo", ""),
        ("exit now", "exit", "now"),
        ("\u{feff}square 5", "square", "5"),
        ("echo {\"op\":1}", "echo", "{\"op\":1}"),
    ];
    for (line, kind, rest) in table {
        assert_eq!(request(line), Request::Text { kind, rest }, "{line}");
        assert_eq!(decode(line).face, Face::Text);
    }
    let words = Submission::from_text("echo", "a \"b\"\t");
    assert_eq!(payload(&words), r#""a \"b\"\t""#);
    assert_eq!(payload(&Submission::from_text("echo", "")), "\"\"");
}

#[test]
fn leaving_and_helping_are_known_in_any_case() {
    for line in ["salir", "SALIR", "Exit", "quit "] {
        assert_eq!(request(line), Request::Leave, "{line}");
    }
    for line in ["help", "Ayuda", " HELP"] {
        assert_eq!(request(line), Request::Help, "{line}");
    }
}

#[test]
fn the_short_form_is_every_member_but_the_envelope() {
    let table = [
        (r#"{"op":"square","n":5}"#, r#"{"n":5}"#),
        (r#" { "op" : "square" , "n" : 5 } "#, r#"{"n" : 5}"#),
        (r#"{"n":5,"op":"square"}"#, r#"{"n":5}"#),
        (r#"{"op":"square"}"#, "{}"),
        (r#"{"op":"square","ref":1}"#, "{}"),
        (r#"{"op":"square","n":5,"ref":"x"}"#, r#"{"n":5}"#),
        (
            r#"{"n":5,"op":"square","m":[1, 2]}"#,
            r#"{"n":5,"m":[1, 2]}"#,
        ),
        (r#"{"\u006fp":"squ\u0061re","n":5}"#, r#"{"n":5}"#),
        (
            r#"{"op":"square","cmd":"x","kind":1}"#,
            r#"{"cmd":"x","kind":1}"#,
        ),
        ("{\"op\":\"square\",\"n\":\r5}", r#"{"n": 5}"#),
    ];
    for (line, expected) in table {
        let submission = submission(line);
        assert_eq!(submission.kind, "square", "{line}");
        assert_eq!(payload(&submission), expected, "{line}");
        assert!(submission.wait && submission.options.is_none());
    }
}

#[test]
fn side_by_side_members_are_not_copied() {
    let usual = submission(r#"{"op":"square","n":5,"ref":7}"#);
    assert!(matches!(usual.payload, Payload::Members("\"n\":5")));
}

#[test]
fn the_envelope_of_the_short_form_is_read() {
    let line = format!(r#"{{"op":"echo","task_id":"{ID_TEXT}","ref":"a\u0062"}}"#);
    let decoded = decode(&line);
    assert_eq!(decoded.reference, Some(r#""a\u0062""#));
    let submission = submission(&line);
    assert_eq!(submission.task_id, Some(id()));
    assert_eq!(submission.reference, decoded.reference);
    assert_eq!(
        decode(r#"{"op":"echo","ref":-7.50}"#).reference,
        Some("-7.50")
    );
}

#[test]
fn the_full_form_reads_every_option() {
    let line = format!(
        r#"{{"cmd":"submit","kind":"resize","payload":[1, {{"a":null}}],"task_id":"{ID_TEXT}",
        "queue":"images","priority":9,"due_at":"2026-11-21T08:30:00+01:00","expires_at":1795249800000,
        "timeout_ms":60000,"max_attempts":3,"backoff":{{"initial_ms":100,"max_ms":5000,"factor":1.5}},
        "idempotency_key":"order:42","retention_ms":0,"metadata":{{"who":"añ\u0061","x":""}},
        "requires":["gpu","zone.eu"],"wait":false,"ref":1}}"#
    );
    let submission = submission(&line);
    assert_eq!(submission.kind, "resize");
    assert_eq!(payload(&submission), r#"[1, {"a":null}]"#);
    assert_eq!(submission.task_id, Some(id()));
    assert!(!submission.wait);
    let expected = Options {
        queue: Some("images".into()),
        priority: Some(9),
        delay_ms: None,
        due_at_us: Some(1_795_246_200_000_000),
        expires_at_us: Some(1_795_249_800_000_000),
        timeout_ms: Some(60_000),
        max_attempts: Some(3),
        backoff: Some(Backoff {
            initial_ms: Some(100),
            max_ms: Some(5_000),
            factor: Some(1.5),
        }),
        idempotency_key: Some("order:42".into()),
        retention_ms: Some(0),
        metadata: vec![("who".into(), "aña".into()), ("x".into(), "".into())],
        requires: vec!["gpu".into(), "zone.eu".into()],
        ..Options::default()
    };
    assert_eq!(submission.options.as_deref(), Some(&expected));
}

#[test]
fn the_full_form_needs_a_kind_alone() {
    let submission = submission(r#"{"cmd":"submit","kind":"echo"}"#);
    assert_eq!(payload(&submission), "null");
    assert_eq!(submission.options, None);
    assert!(submission.wait);
}

#[test]
fn commands_are_read() {
    let about = |command: &str| format!(r#"{{"cmd":"{command}","task_id":"{ID_TEXT}","ref":1}}"#);
    let task_id = id();
    assert_eq!(request(&about("status")), Request::Status { task_id });
    assert_eq!(request(&about("result")), Request::Result { task_id });
    assert_eq!(request(&about("cancel")), Request::Cancel { task_id });
    assert_eq!(request(&about("requeue")), Request::Requeue { task_id });
    let wait = |timeout_ms| Request::Wait {
        task_id,
        timeout_ms,
    };
    assert_eq!(request(&about("wait")), wait(WAIT_MS_MAX));
    let line = format!(r#"{{"cmd":"wait","task_id":"{ID_TEXT}","timeout_ms":250}}"#);
    assert_eq!(request(&line), wait(250));
    assert_eq!(request(r#"{"cmd":"ping"}"#), Request::Ping);
    assert_eq!(request(r#"{"cmd":"hello"}"#), Request::Hello { lang: None });
    let spanish = Request::Hello {
        lang: Some(Lang::Es),
    };
    assert_eq!(request(r#"{"cmd":"hello","lang":"es-MX"}"#), spanish);
}

#[test]
fn a_token_is_read_and_does_not_show_itself() {
    let request = request(r#"{"cmd":"auth","token":"tr_secret"}"#);
    assert!(!format!("{request:?}").contains("secret"));
    let Request::Auth { token } = request else {
        panic!("{request:?}");
    };
    assert_eq!(token.reveal(), "tr_secret");
    let refusal = refusal(r#"{"cmd":"auth","token":["tr_secret"]}"#);
    assert!(!format!("{refusal:?} {refusal}").contains("secret"));
}

#[test]
fn each_task_of_a_batch_is_decoded_by_itself() {
    let line = r#"{"cmd":"batch","wait":false,"tasks":[{"op":"square","n":5,"ref":"a"},
        {"kind":"echo","payload":1,"wait":false},{"kind":"echo","priority":10},7,
        {"cmd":"ping"},{"op":"no kind"}]}"#;
    let Request::Batch(batch) = request(line) else {
        panic!("not a batch");
    };
    assert!(!batch.wait);
    let first = batch.tasks[0].as_ref().unwrap();
    assert_eq!((&*first.kind, first.reference), ("square", Some("\"a\"")));
    assert_eq!(payload(batch.tasks[1].as_ref().unwrap()), "1");
    let refused: Vec<_> = batch.tasks[2..]
        .iter()
        .map(|task| task.as_ref().unwrap_err())
        .map(|refusal| (refusal.fault.code(), refusal.pointer.as_deref()))
        .collect();
    let expected = [
        (Code::InvalidValue, Some("/tasks/2/priority")),
        (Code::Malformed, Some("/tasks/3")),
        (Code::InvalidValue, Some("/tasks/4/cmd")),
        (Code::UnknownKind, Some("/tasks/5/op")),
    ];
    assert_eq!(refused, expected);
}

#[test]
fn a_batch_may_have_more_keys_than_a_line_but_not_more_tasks() {
    let batch = |count: usize| {
        let tasks = vec![r#"{"op":"square","n":5}"#; count].join(",");
        format!(r#"{{"cmd":"batch","tasks":[{tasks}]}}"#)
    };
    let line = batch(BATCH_TASKS_MAX);
    let Request::Batch(full) = request(&line) else {
        panic!("not a batch");
    };
    assert_eq!(full.tasks.len(), BATCH_TASKS_MAX);
    assert!(full.wait && full.tasks.iter().all(Result::is_ok));
    let line = batch(BATCH_TASKS_MAX + 1);
    assert_eq!(refusal(&line).fault.code(), Code::TooLarge);
    let keys = vec![r#"{"a":0,"b":0}"#; 6_000].join(",");
    let line = format!(r#"{{"op":"echo","tasks":[{keys}]}}"#);
    assert_eq!(refusal(&line).fault.code(), Code::Malformed);
    let line = format!(r#"{{"cmd":"batch","tasks":[{{"op":"echo","x":[{keys}]}}]}}"#);
    let Request::Batch(one) = request(&line) else {
        panic!("not a batch");
    };
    assert_eq!(
        one.tasks[0].as_ref().unwrap_err().fault.code(),
        Code::Malformed
    );
}

/// Line, code, pointer, and what the message or hint must hold.
const REFUSED: [(&str, Code, Option<&str>, &str); 38] = [
    ("{", Code::Malformed, None, "ends too early"),
    ("{}", Code::UnknownCommand, None, "neither 'op' nor 'cmd'"),
    (
        r#"{"n":5}"#,
        Code::UnknownCommand,
        None,
        r#"{"op":"square","n":5}"#,
    ),
    (
        r#"{"op":"a"} x"#,
        Code::Malformed,
        None,
        "something follows",
    ),
    (
        r#"{"op":"a","n":1,"n":2}"#,
        Code::Malformed,
        None,
        "'n' stands twice",
    ),
    (
        r#"{"op":"a","\u006fp":"b"}"#,
        Code::Malformed,
        None,
        "'op' stands twice",
    ),
    (
        r#"{"op":5}"#,
        Code::InvalidValue,
        Some("/op"),
        "must be a string",
    ),
    (r#"{"op":"a b"}"#, Code::UnknownKind, Some("/op"), "'a b'"),
    (r#"{"op":""}"#, Code::UnknownKind, Some("/op"), "''"),
    ("¿qué? 5", Code::UnknownKind, None, "'¿qué?'"),
    ("[1,2]", Code::UnknownKind, None, "'[1,2]'"),
    (
        r#"{"op":"a","task_id":"7"}"#,
        Code::InvalidValue,
        Some("/task_id"),
        "UUID",
    ),
    (
        r#"{"op":"a","ref":[1]}"#,
        Code::InvalidValue,
        Some("/ref"),
        "string or number",
    ),
    (
        r#"{"cmd":5}"#,
        Code::InvalidValue,
        Some("/cmd"),
        "must be a string",
    ),
    (
        r#"{"cmd":"sumbit"}"#,
        Code::UnknownCommand,
        Some("/cmd"),
        "'submit'",
    ),
    (
        r#"{"cmd":"teleport"}"#,
        Code::UnknownCommand,
        Some("/cmd"),
        "the commands are submit",
    ),
    (
        r#"{"cmd":"work","name":"w1"}"#,
        Code::InvalidValue,
        None,
        "'kinds' is missing",
    ),
    (
        r#"{"cmd":"ping","x":1}"#,
        Code::UnknownMember,
        Some("/x"),
        "'x'",
    ),
    (
        r#"{"cmd":"status"}"#,
        Code::InvalidValue,
        None,
        "'task_id' is missing",
    ),
    (
        r#"{"cmd":"status","task_id":null}"#,
        Code::InvalidValue,
        Some("/task_id"),
        "UUID",
    ),
    (
        r#"{"cmd":"status","taks_id":1}"#,
        Code::UnknownMember,
        Some("/taks_id"),
        "'task_id'",
    ),
    (
        r#"{"cmd":"wait","task_id":"019abcde-f012-7345-8678-9abcdef012ff","timeout_ms":3600001}"#,
        Code::InvalidValue,
        Some("/timeout_ms"),
        "0 to 3600000",
    ),
    (
        r#"{"cmd":"auth"}"#,
        Code::InvalidValue,
        None,
        "'token' is missing",
    ),
    (
        r#"{"cmd":"batch"}"#,
        Code::InvalidValue,
        None,
        "'tasks' is missing",
    ),
    (
        r#"{"cmd":"batch","tasks":{}}"#,
        Code::InvalidValue,
        Some("/tasks"),
        "an array",
    ),
    (
        r#"{"cmd":"submit"}"#,
        Code::InvalidValue,
        None,
        "'kind' is missing",
    ),
    (
        r#"{"cmd":"submit","kind":"a","prioirty":1}"#,
        Code::UnknownMember,
        Some("/prioirty"),
        "did you mean 'priority'?",
    ),
    (
        r#"{"cmd":"submit","kind":"a","a/~b":1}"#,
        Code::UnknownMember,
        Some("/a~1~0b"),
        "'a/~b'",
    ),
    (
        r#"{"cmd":"submit","kind":"a","priority":1.0}"#,
        Code::InvalidValue,
        Some("/priority"),
        "an integer from 0 to 9",
    ),
    (
        r#"{"cmd":"submit","kind":"a","queue":"a b"}"#,
        Code::InvalidValue,
        Some("/queue"),
        "a name",
    ),
    (
        r#"{"cmd":"submit","kind":"a","wait":1}"#,
        Code::InvalidValue,
        Some("/wait"),
        "true or false",
    ),
    (
        r#"{"cmd":"submit","kind":"a","due_at":"soon"}"#,
        Code::InvalidValue,
        Some("/due_at"),
        "2026-11-21T08:30:00Z",
    ),
    (
        r#"{"cmd":"submit","kind":"a","due_at":0,"delay_ms":1}"#,
        Code::InvalidValue,
        None,
        "exclude each other",
    ),
    (
        r#"{"cmd":"submit","kind":"a","backoff":{"factor":0.5}}"#,
        Code::InvalidValue,
        Some("/backoff/factor"),
        "a number from 1 to 100",
    ),
    (
        r#"{"cmd":"submit","kind":"a","backoff":{"facotr":2}}"#,
        Code::UnknownMember,
        Some("/backoff/facotr"),
        "'factor'",
    ),
    (
        r#"{"cmd":"submit","kind":"a","backoff":2}"#,
        Code::InvalidValue,
        Some("/backoff"),
        "object",
    ),
    (
        r#"{"cmd":"submit","kind":"a","metadata":{"a":1}}"#,
        Code::InvalidValue,
        Some("/metadata"),
        "at most 16 strings",
    ),
    (
        r#"{"cmd":"submit","kind":"a","requires":["gpu",7]}"#,
        Code::InvalidValue,
        Some("/requires"),
        "at most 16 names",
    ),
];

#[test]
fn what_is_wrong_is_said() {
    for (line, code, pointer, said) in REFUSED {
        let refusal = refusal(line);
        assert_eq!(refusal.fault.code(), code, "{line}");
        assert_eq!(refusal.pointer.as_deref(), pointer, "{line}");
        let error = refusal.to_error(Lang::En);
        let text = format!("{} {}", error.message, error.hint);
        assert!(text.contains(said), "{line}: {text}");
        let spanish = refusal.to_error(Lang::Es);
        assert_ne!(error.message, spanish.message, "{line}");
        assert_eq!(
            (spanish.number, spanish.pointer),
            (error.number, error.pointer)
        );
    }
}

#[test]
fn a_refused_line_still_has_its_ref() {
    let line = decode(r#"{"cmd":"sumbit","ref":"r1"}"#);
    assert_eq!((line.face, line.reference), (Face::Json, Some("\"r1\"")));
    assert!(line.request.is_err());
}

#[test]
fn broken_utf8_is_refused_on_its_face() {
    for (line, face) in [
        (&b"echo \xff"[..], Face::Text),
        (b"{\"op\":\"\xff\"}", Face::Json),
    ] {
        let decoded = Decoder::new().line(line);
        assert_eq!(decoded.face, face);
        assert_eq!(decoded.request.unwrap_err().fault.code(), Code::Malformed);
    }
}

#[test]
fn limits_of_names_and_notes_hold() {
    let long = "x".repeat(128);
    assert_eq!(submission(&format!(r#"{{"op":"{long}"}}"#)).kind, long);
    assert_eq!(
        refusal(&format!(r#"{{"op":"{long}x"}}"#)).fault.code(),
        Code::UnknownKind
    );
    let with = |entries: usize, bytes: usize| {
        let value = "v".repeat(bytes);
        let entries: Vec<_> = (0..entries)
            .map(|key| format!(r#""{key}":"{value}""#))
            .collect();
        let entries = entries.join(",");
        format!(r#"{{"cmd":"submit","kind":"a","metadata":{{{entries}}}}}"#)
    };
    assert!(decode(&with(16, 256)).request.is_ok());
    assert!(decode(&with(17, 1)).request.is_err());
    assert!(decode(&with(1, 257)).request.is_err());
}

#[test]
fn bodies_are_the_same_submissions() {
    let mut decoder = Decoder::new();
    let short = decoder.submission(br#"{"op":"square","n":5}"#).unwrap();
    assert_eq!(payload(&short), r#"{"n":5}"#);
    let full = decoder
        .submission(br#"{"kind":"square","payload":5,"wait":true}"#)
        .unwrap();
    assert_eq!(payload(&full), "5");
    assert!(
        decoder
            .submission(br#"{"cmd":"submit","kind":"square"}"#)
            .is_ok()
    );
    assert!(
        decoder
            .submission(br#"{"cmd":"ping","kind":"square"}"#)
            .is_err()
    );
    assert!(decoder.submission(b"square 5").is_err());

    let array = decoder.submissions(br#"[{"op":"a"},{"kind":5}]"#).unwrap();
    let refused = array[1].as_ref().unwrap_err();
    assert!(array[0].is_ok());
    assert_eq!(refused.pointer.as_deref(), Some("/1/kind"));
    assert!(decoder.submissions(b"{}").is_err());
    assert_eq!(decoder.submissions(b" [ ] ").unwrap(), []);

    let lines = decoder.submission_lines(b"{\"op\":\"a\"}\r\n\n{\"op\":\"b\"\n{\"op\":\"\xff\"}");
    let lines = lines.unwrap();
    assert_eq!(
        lines.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [true, false, false]
    );
}

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn a_place_in_a_trace_is_read_or_refused() {
    let with = |name: &str, value: &str| {
        let line = format!(r#"{{"kind":"echo","{name}":"{value}"}}"#);
        let decoded = Decoder::new().submission(line.as_bytes()).map(|read| {
            let options = read.options.unwrap();
            (options.traceparent, options.tracestate.map(String::from))
        });
        decoded.map_err(|refusal| refusal.pointer.unwrap())
    };
    let parent = parse_traceparent(TRACEPARENT);
    assert!(parent.is_some());
    assert_eq!(with("traceparent", TRACEPARENT), Ok((parent, None)));
    assert_eq!(
        with("traceparent", "00-1-2-01"),
        Err("/traceparent".to_owned())
    );
    assert_eq!(
        with("tracestate", "a=1"),
        Ok((None, Some("a=1".to_owned())))
    );
    assert_eq!(with("tracestate", "ñ"), Err("/tracestate".to_owned()));
}

#[test]
fn a_submission_written_reads_back() {
    let options = Options {
        queue: Some("q".into()),
        priority: Some(0),
        due_at_us: Some(1_000_000),
        expires_at_us: Some(2_000_000),
        backoff: Some(Backoff::default()),
        metadata: vec![("a \"b\"".into(), "\n".into())],
        requires: vec!["x".into(), "y".into()],
        traceparent: parse_traceparent(TRACEPARENT),
        tracestate: Some("vendor=1".into()),
        ..Options::default()
    };
    let written = Submission {
        kind: "echo".into(),
        payload: Payload::Words("dos \"palabras\""),
        task_id: Some(id()),
        reference: Some("\"r\""),
        wait: false,
        options: Some(Box::new(options)),
    };
    let mut out = Vec::new();
    append_submission(&mut out, &written);
    assert_eq!(submission(std::str::from_utf8(&out).unwrap()), written);
    out.clear();
    append_command(&mut out, "wait", &id(), Some(5), Some("7"));
    let expected = format!(r#"{{"cmd":"wait","task_id":"{ID_TEXT}","timeout_ms":5,"ref":7}}"#);
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}
