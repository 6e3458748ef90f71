//! What remote workers say and what they are told, written and read back.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use tareas_protocol::id::parse_id;
use tareas_protocol::request::{
    Decoder, Failed, Held, Report, Reported, Request, Token, Work, append_beat, append_many,
    append_report, append_work,
};
use tareas_protocol::response::{
    Assign, Session, Told, ToldReader, append_cancel_event, append_drain_event, append_many_answer,
};
use tareas_protocol::trace::parse_traceparent;
use tareas_protocol::{Code, ErrorObject, Lang, TaskIdBytes};

const ID_TEXT: &str = "019abcde-f012-7345-8678-9abcdef012ff";

fn id() -> TaskIdBytes {
    parse_id(ID_TEXT).unwrap()
}

const LEASE_TEXT: &str = "00112233445566778899aabbccddeeff";

fn held() -> Held {
    Held {
        task_id: id(),
        attempt: 3,
        lease: tareas_protocol::lease::parse_lease(LEASE_TEXT).unwrap(),
    }
}

fn decoded(line: &[u8]) -> Request<'_> {
    Decoder::new().line(line).request.unwrap()
}

#[test]
fn a_worker_says_what_it_can_do() {
    let work = Work {
        name: Some("w1".into()),
        queues: vec!["default".into()],
        kinds: vec!["resize".into(), "ocr".into()],
        labels: vec!["gpu".into()],
        slots: 8,
        prefetch: 64,
        resume: Some(Token::of("a.b".into())),
        holding: vec![held(), held()],
    };
    let mut out = Vec::new();
    append_work(&mut out, &work);
    assert_eq!(decoded(&out), Request::Work(Box::new(work)));
}

#[test]
fn reports_read_back_as_they_were_written_alone_and_together() {
    let failed = Failed {
        name: Some("Boom".into()),
        message: "it \"broke\"".into(),
        backtrace: Some("line 1\nline 2".into()),
        exit_code: Some(70),
        signal: Some(9),
        retryable: false,
        retry_after_ms: Some(5),
        timed_out: true,
        thread: Some(3),
        run_us: Some(7),
    };
    let said = [
        Reported::Done {
            result: Some(r#"{"a":[1,2]}"#),
            run_us: Some(12),
        },
        Reported::Done {
            result: None,
            run_us: None,
        },
        Reported::Failed(failed),
        Reported::Released,
        Reported::Progress {
            percent: 12.5,
            message: "half".into(),
        },
        Reported::Log {
            text: "a\nb".into(),
        },
        Reported::Partial {
            text: "so far".into(),
        },
        Reported::Artifact {
            name: "ñ.csv".into(),
            media_type: Some("text/csv".into()),
            chunk: "Zm9v".into(),
        },
        Reported::Output {
            chunk: "\"begin".into(),
        },
    ];
    let reports: Vec<Report<'_>> = said
        .into_iter()
        .map(|said| Report { held: held(), said })
        .collect();
    let mut items = Vec::new();
    for report in &reports {
        let mut out = Vec::new();
        append_report(&mut out, report);
        assert_eq!(decoded(&out), Request::Report(report.clone()));
        if !items.is_empty() {
            items.push(b',');
        }
        items.extend(out);
    }
    let mut out = Vec::new();
    append_many(&mut out, &items, 9);
    let items = reports.into_iter().map(Ok).collect();
    assert_eq!(decoded(&out), Request::Many(items));
    assert_eq!(Decoder::new().line(&out).reference, Some("9"));
    out.clear();
    append_beat(&mut out, Some(0));
    assert_eq!(decoded(&out), Request::Beat { slots: Some(0) });
}

#[test]
fn what_a_worker_may_not_say_is_refused() {
    let lease = LEASE_TEXT;
    let table = [
        (r#"{"cmd":"work"}"#.to_owned(), "'kinds' is missing"),
        (r#"{"cmd":"work","kinds":["a b"]}"#.to_owned(), "array"),
        (
            r#"{"cmd":"work","kinds":["a"],"slots":5000}"#.to_owned(),
            "'slots' must be",
        ),
        (
            r#"{"cmd":"work","kinds":["a"],"holding":[["x",1,"y"]]}"#.to_owned(),
            "'holding'",
        ),
        (
            r#"{"cmd":"work","kinds":["a"],"slot":5}"#.to_owned(),
            "no member 'slot'",
        ),
        (
            format!(r#"{{"cmd":"done","task_id":"{ID_TEXT}","attempt":1}}"#),
            "'lease' is missing",
        ),
        (
            format!(r#"{{"cmd":"done","task_id":"{ID_TEXT}","attempt":0,"lease":"{lease}"}}"#),
            "'attempt' must be",
        ),
        (
            format!(
                r#"{{"cmd":"done","task_id":"{ID_TEXT}","attempt":1,"lease":"{}"}}"#,
                &lease[1..]
            ),
            "'lease' must be",
        ),
        (
            format!(r#"{{"cmd":"fail","task_id":"{ID_TEXT}","attempt":1,"lease":"{lease}"}}"#),
            "'error' is missing",
        ),
        (
            r#"{"cmd":"many","items":{}}"#.to_owned(),
            "'items' must be an array",
        ),
    ];
    for (line, story) in table {
        let refusal = Decoder::new().line(line.as_bytes()).request.unwrap_err();
        assert!(refusal.to_string().contains(story), "{line}: {refusal}");
    }
    let line = r#"{"cmd":"many","items":[{"cmd":"ping"},{"cmd":"done","x":1}]}"#;
    let Request::Many(items) = decoded(line.as_bytes()) else {
        panic!("not many")
    };
    let pointers: Vec<_> = items
        .into_iter()
        .map(|item| item.unwrap_err().pointer.unwrap())
        .collect();
    assert_eq!(pointers, ["/items/0/cmd", "/items/1/x"]);
}

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn told(line: &[u8]) -> Told<'_> {
    ToldReader::new().read(line).unwrap()
}

#[test]
fn an_assignment_reads_back_as_it_was_written() {
    for metadata in [vec![], vec![("a", "1"), ("b", "\"2\"")]] {
        let assign = Assign {
            held: held(),
            kind: "resize",
            payload: b"{\n\"w\":4}",
            queue: "default",
            deadline_ms: 300_000,
            traceparent: parse_traceparent(TRACEPARENT).filter(|_| !metadata.is_empty()),
            tracestate: Some("vendor=\"1\""),
        };
        let mut out = Vec::new();
        assign.append_to(&mut out, metadata.iter().copied());
        let Told::Assign(read) = told(&out) else {
            panic!("not an assignment")
        };
        assert_eq!((read.held, &*read.kind), (held(), "resize"));
        assert_eq!((read.payload, &*read.queue), (r#"{ "w":4}"#, "default"));
        assert_eq!(read.deadline_ms, 300_000);
        assert_eq!(read.traceparent, assign.traceparent);
        let state = assign.traceparent.and(assign.tracestate);
        assert_eq!(read.tracestate.as_deref(), state);
        let pairs: Vec<(&str, &str)> = read.metadata.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(pairs, metadata);
    }
}

#[test]
fn a_session_and_the_other_events_read_back() {
    let session = Session {
        session: "s1".into(),
        resume: "s1.secret".into(),
        beat_ms: 5_000,
        resumed: true,
        dropped: vec![held()],
    };
    let mut out = Vec::new();
    session.append_to(&mut out, Some("1"));
    assert_eq!(told(&out), Told::Session(session));
    out.clear();
    append_cancel_event(&mut out, &id(), 3);
    let (task_id, attempt) = (id(), 3);
    assert_eq!(told(&out), Told::Cancel { task_id, attempt });
    out.clear();
    append_drain_event(&mut out);
    assert_eq!(told(&out), Told::Drain);
    assert_eq!(told(br#"{"event":"news","x":1}"#), Told::Other);
    assert_eq!(told(br#"{"beat":true}"#), Told::Other);
    assert!(ToldReader::new().read(br#"{"event":"assign"}"#).is_err());
}

#[test]
fn an_answer_to_many_names_what_was_not_recorded() {
    let mut out = Vec::new();
    append_many_answer(&mut out, 7, &[], &[], Some("4"));
    assert_eq!(out, br#"{"recorded":7,"ref":4}"#);
    out.clear();
    let error = ErrorObject::new(Code::InvalidValue, Lang::En);
    append_many_answer(&mut out, 7, &[id()], &[(2, error)], Some("4"));
    let (reference, stale) = (4, vec![id()]);
    assert_eq!(told(&out), Told::Many { reference, stale });
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains(r#""errors":[{"item":2,"error":{"code":"#),
        "{text}"
    );
}
