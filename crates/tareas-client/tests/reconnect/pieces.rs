//! A long result goes in pieces, and a server keeps them for their connection only: whenever that
//! is lost before the end was recorded, all of it is said again, and never the end alone.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use serde_json::Value;
use tareas_client::worker::{RemoteWorker, WorkerOptions};
use tareas_worker::Registry;

use crate::fake::{Fake, Line};

/// Three pieces.
const RESULT_BYTES: usize = 600 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);
const HELD: &str = r#""task_id":"0190a3b4-7c00-7000-8000-000000000001","attempt":1,"lease":"000102030405060708090a0b0c0d0e0f""#;

/// What was said on one connection: the pieces, and the end.
#[derive(Default)]
struct Said {
    result: String,
    end: Option<Value>,
}

impl Said {
    /// Takes what a line says; whether it brings the end.
    fn take(&mut self, line: &Value) -> bool {
        for item in line["items"].as_array().unwrap() {
            match item["cmd"].as_str().unwrap() {
                "output" => self.result += item["chunk"].as_str().unwrap(),
                "done" => self.end = Some(item.clone()),
                other => panic!("{other}"),
            }
        }
        self.end.is_some()
    }
}

fn begin(line: &Line<'_>) {
    line.say(r#"{"event":"session","session":"s","resume":"r","beat_ms":5000,"resumed":false,"drop":[]}"#);
    if line.connection() == 0 {
        line.say(&format!(
            r#"{{"event":"assign",{HELD},"kind":"long","queue":"default","deadline_ms":60000,"payload":1}}"#
        ));
    }
}

/// What a worker says after the first connection was lost with one of its lines.
fn said_again(is_lost_with: impl Fn(&Value, bool) -> bool + Send + Sync + 'static) -> Said {
    let (told, heard) = mpsc::channel();
    let on_each = Mutex::new([Said::default(), Said::default()]);
    let fake = Fake::start(move |line| {
        if line.text().contains(r#""cmd":"work""#) {
            return begin(line);
        }
        let said: Value = serde_json::from_str(line.text()).unwrap();
        if said["cmd"] != "many" {
            return;
        }
        let mut on_each = on_each.lock().unwrap();
        let on_this = &mut on_each[line.connection().min(1)];
        let is_end = on_this.take(&said);
        if line.connection() == 0 && is_lost_with(&said, is_end) {
            return line.hang_up();
        }
        line.say(&format!(r#"{{"recorded":1,"ref":{}}}"#, line.reference()));
        if line.connection() > 0 && is_end {
            let _ = told.send(std::mem::take(on_this));
        }
    });
    let mut registry = Registry::new();
    registry.register_raw("long", |_: &_, _| {
        Ok(format!("\"{}\"", "x".repeat(RESULT_BYTES)).into())
    });
    let address = fake.address().parse().unwrap();
    let worker =
        RemoteWorker::start(address, Arc::new(registry), WorkerOptions::default()).unwrap();
    let said = heard.recv_timeout(PATIENCE).unwrap();
    worker.stop(Duration::ZERO);
    said
}

#[test]
fn a_result_whose_connection_is_lost_is_said_again_from_its_beginning() {
    let at_a_piece = |_: &Value, is_end: bool| !is_end;
    let at_the_end = |_: &Value, is_end: bool| is_end;
    for said in [said_again(at_a_piece), said_again(at_the_end)] {
        assert_eq!(said.result.len(), RESULT_BYTES + 2);
        // Without a result of its own: the pieces are the result.
        assert_eq!(said.end.unwrap().get("result"), None);
    }
}
