//! `tareas_resultados`, as people read it, and what is refused at the start.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod postgres_support;

use bytes::Bytes;
use postgres_support::{NOW, claim, done, open, runtime, submission, submit};
use tareas_adapters::PostgresRecords;
use tareas_adapters::records::postgres::PostgresOptions;
use tareas_core::{Batch, Blob, Body, Cause, Command, Ending, Failure, Jitter, Kind, Spec, TaskId};
use tareas_engine::ports::Records;
use tareas_services::{Postgres, Service, is_missing};

/// Payload, result, and what the view makes of them.
const CASES: [(&str, &str, &str, &str); 8] = [
    (r#""2 + 2""#, "4", "square 2 + 2", "4"),
    (
        r#"{"n":5}"#,
        r#""un texto""#,
        r#"square {"n":5}"#,
        "un texto",
    ),
    (r#""""#, r#""""#, "square", ""),
    (
        "1e999",
        "12345678901234567890123",
        "square 1e999",
        "12345678901234567890123",
    ),
    (
        r#""ñ \"q\" \\ x""#,
        r#"{"a":[1,2.50]}"#,
        r#"square ñ "q" \ x"#,
        r#"{"a":[1,2.50]}"#,
    ),
    // What no text of PostgreSQL can hold is shown as it was written.
    (
        r#""a\u0000b""#,
        r#"{"k":"\u0000"}"#,
        r#"square "a\u0000b""#,
        r#"{"k":"\u0000"}"#,
    ),
    ("\"\0\"", "\"unclosed", "square \"\\000\"", "\"unclosed"),
    ("not json", "[[[[[", "square not json", "[[[[["),
];

fn id(number: u128) -> TaskId {
    TaskId::v7(*NOW, number)
}

fn text(text: &str) -> Body {
    Body::Inline(Bytes::copy_from_slice(text.as_bytes()))
}

async fn run(records: &PostgresRecords, spec: Spec, ending: Ending) {
    let task = spec.id;
    for command in [submit(spec), claim(task, 0)] {
        let batch = Batch {
            now: *NOW,
            commands: vec![command],
        };
        done(&records.apply(batch).await.unwrap().outcomes[0]);
    }
    let (found, _) = records.load(&[task]).await.unwrap();
    let fence = tareas_core::ledger::fence(found[0].as_ref().unwrap()).unwrap();
    let settle = Command::Settle {
        task,
        fence,
        ending,
        jitter: Jitter(0),
    };
    let batch = Batch {
        now: *NOW,
        commands: vec![settle],
    };
    done(&records.apply(batch).await.unwrap().outcomes[0]);
}

async fn fill(records: &PostgresRecords) {
    for (number, (payload, result, _, _)) in (0..).zip(CASES) {
        let payload = text(payload);
        let spec = Spec {
            payload,
            ..submission(id(number))
        };
        run(records, spec, Ending::Succeeded(text(result))).await;
    }
    let kind = Kind::new("dividir").unwrap();
    let payload = text(r#""1 0""#);
    let failure = Failure {
        cause: Cause::Handler,
        name: None,
        message: "division by zero".to_owned(),
        backtrace: None,
        ran_by: None,
        process_end: None,
    };
    let failed = Ending::Failed {
        failure: failure.into(),
        retryable: false,
        retry_after: None,
    };
    let spec = submission(id(100));
    run(
        records,
        Spec {
            kind,
            payload,
            ..spec
        },
        failed,
    )
    .await;
    let blob = Body::Blob(Box::new(Blob {
        key: "t/x/out/1-00000000".into(),
        bytes: 70_000,
        sha256: [7; 32],
    }));
    run(records, submission(id(101)), Ending::Succeeded(blob)).await;
}

#[test]
fn the_view_shows_every_ended_task_in_words() {
    if is_missing(Service::Postgres) {
        return;
    }
    let postgres = Postgres::shared();
    let url = postgres.database();
    runtime().block_on(async {
        let records = open(&url, 1).await;
        fill(&records).await;
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let sql = "SELECT id, tarea_texto, resultado_texto, archivo_s3_key, procesado_en \
            FROM tareas_resultados ORDER BY id";
        let rows = client.query(sql, &[]).await.unwrap();
        assert_eq!(rows.len(), CASES.len() + 2);
        for (number, (_, _, task, result)) in (0..).zip(CASES) {
            let row = &rows[number as usize];
            assert_eq!(row.get::<_, String>(0), id(number).to_string());
            assert_eq!((row.get(1), row.get(2)), (task, result), "{number}");
            assert_eq!(row.get::<_, String>(4).len(), "2027-01-15 08:00:00".len());
        }
        let [failed, blob] = &rows[rows.len() - 2..] else {
            panic!("two more")
        };
        let shown = (failed.get(1), failed.get(2));
        assert_eq!(shown, ("dividir 1 0", "error: division by zero"));
        let shown = (blob.get(2), blob.get(3));
        assert_eq!(shown, ("", Some("t/x/out/1-00000000")));
    });
}

/// What PostgreSQL acknowledges without the disk is not good enough, unless somebody says so.
#[test]
fn a_server_that_does_not_wait_for_the_disk_is_refused() {
    if is_missing(Service::Postgres) {
        return;
    }
    let postgres = Postgres::start_with(&["fsync=off", "synchronous_commit=off"]);
    let url = postgres.database();
    runtime().block_on(async {
        let mut options = PostgresOptions::new(&url, 1).unwrap();
        let refused = PostgresRecords::open(options.clone()).await.unwrap_err();
        assert!(refused.to_string().contains("fsync"), "{refused}");
        options.accept_unsafe = true;
        let records = PostgresRecords::open(options).await.unwrap();
        let warnings = records.warnings().join("\n");
        for named in ["fsync", "synchronous_commit"] {
            assert!(warnings.contains(named), "{warnings}");
        }
    });
}
