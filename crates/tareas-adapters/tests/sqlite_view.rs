//! `tareas_resultados`, as people and old tools read it: with any SQLite from 3.38 on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod sqlite_support;

use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use sqlite_support::{
    all_durable, claim, config, done, failure, id, run, settle, spec, submit, success, text,
};
use tareas_adapters::SqliteRecords;
use tareas_core::{Blob, Body, Ending, Kind, Spec};

const SELECT: &str = "SELECT id, tarea_texto, resultado_texto, archivo_s3_key, procesado_en \
    FROM tareas_resultados ORDER BY id";

/// Payload, result, and what the view makes of them (`None`: not compared word by word).
fn cases() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    vec![
        (r#""2 + 2""#, "4", "square 2 + 2", "4"),
        (
            r#"{"n":5}"#,
            r#""un texto""#,
            r#"square {"n":5}"#,
            "un texto",
        ),
        (r#""""#, r#""""#, "square", ""),
        ("null", "null", "square null", "null"),
        (
            "1e999",
            "123456789012345678901234567890",
            "square 1e999",
            "123456789012345678901234567890",
        ),
        (
            r#""ñ \"q\" \\ \n""#,
            r#"{"a":[1,2.50]}"#,
            "square ñ \"q\" \\ \n",
            r#"{"a":[1,2.50]}"#,
        ),
        (r#""\ud83d\ude00""#, r#"[true]"#, "square 😀", "[true]"),
    ]
}

/// Values that must not make the view fail, whatever it shows.
const ODD: [&str; 5] = [
    r#""a\u0000b""#,
    r#"{"k":"\u0000"}"#,
    "-0.0",
    "\"unclosed",
    "not json",
];

async fn fill(folder: &Path) -> SqliteRecords {
    let records = SqliteRecords::open(config(folder)).unwrap();
    let mut number = 0;
    for (payload, result, _, _) in cases() {
        run(
            &records,
            Spec {
                payload: text(payload),
                ..spec(number)
            },
            success(result),
        )
        .await;
        number += 1;
    }
    for odd in ODD {
        run(
            &records,
            Spec {
                payload: text(odd),
                ..spec(number)
            },
            success(odd),
        )
        .await;
        number += 1;
    }
    let deep = "[".repeat(5_000);
    let new = Spec {
        payload: text(&deep),
        ..spec(number)
    };
    run(&records, new, success(&deep)).await;
    fill_rare(&records).await;
    all_durable(&records).await;
    records
}

/// A failure, blobs, a payload that has a row of its own, and a task that has not ended.
async fn fill_rare(records: &SqliteRecords) {
    let kind = Kind::new("dividir").unwrap();
    let divided = Spec {
        kind,
        payload: text(r#""1 0""#),
        ..spec(100)
    };
    run(records, divided, failure("division by zero", false)).await;
    let blob = |key: &str| {
        Body::Blob(Box::new(Blob {
            key: key.into(),
            bytes: 70_000,
            sha256: [7; 32],
        }))
    };
    let large = Spec {
        payload: blob("t/x/in"),
        ..spec(101)
    };
    run(
        records,
        large,
        Ending::Succeeded(blob("t/x/out/1-00000000")),
    )
    .await;
    // Written before it ended, so its payload has a row of its own.
    let middle = Body::Inline(Bytes::from(format!("\"{}\"", "x".repeat(10_000))));
    done(
        records,
        submit(Spec {
            payload: middle,
            ..spec(102)
        }),
    )
    .await;
    all_durable(records).await;
    done(records, claim(id(102), 0)).await;
    done(records, settle(id(102), 1, success("1"))).await;
    done(records, submit(spec(103))).await;
}

#[tokio::test]
async fn the_view_shows_every_ended_task_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let _records = fill(folder.path()).await;
    let reader = rusqlite::Connection::open(folder.path().join("tareas.db")).unwrap();
    type Shown = (String, String, String, Option<String>, String);
    let mut statement = reader.prepare(SELECT).unwrap();
    let rows = statement.query_map([], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
        ))
    });
    let rows: Vec<Shown> = rows.unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows.len(), cases().len() + ODD.len() + 4);
    for (number, (_, _, task, result)) in (0_u128..).zip(cases()) {
        let shown = &rows[number as usize];
        assert_eq!(shown.0, id(number).to_string());
        assert_eq!((shown.1.as_str(), shown.2.as_str()), (task, result));
        assert_eq!(shown.4, "2027-01-15 08:00:00");
    }
    let last = &rows[rows.len() - 3..];
    assert_eq!(
        (last[0].1.as_str(), last[0].2.as_str()),
        ("dividir 1 0", "error: division by zero")
    );
    assert_eq!((last[1].1.as_str(), last[1].2.as_str()), ("square", ""));
    assert_eq!(last[1].3.as_deref(), Some("t/x/out/1-00000000"));
    assert_eq!(last[2].1.len(), "square ".len() + 10_000);
}

#[tokio::test]
async fn the_sqlite3_of_the_system_reads_the_view() {
    let folder = tempfile::tempdir().unwrap();
    let records = fill(folder.path()).await;
    records.close().await.unwrap();
    let shell = Command::new("sqlite3")
        .arg("-readonly")
        .arg(folder.path().join("tareas.db"))
        .arg(
            "SELECT count(*), sum(length(tarea_texto) >= 6) FROM tareas_resultados; \
              SELECT resultado_texto FROM tareas_resultados WHERE tarea_texto = 'square 2 + 2'; \
              PRAGMA integrity_check;",
        )
        .output();
    let Ok(output) = shell else {
        eprintln!("SKIPPED: there is no sqlite3 command here");
        return;
    };
    let (told, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success() && errors.is_empty(), "{errors}");
    let all = cases().len() + ODD.len() + 4;
    assert_eq!(told.trim(), format!("{all}|{all}\n4\nok"));
}
