//! A webhook of several servers, and its receiver: who was told of which end, and how often.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::world::World;

/// For each task the ids of the messages that told of its end, in the order in which they came.
type Told = BTreeMap<String, Vec<String>>;

/// A receiver that takes everything, for as long as the process lives.
pub(crate) struct Receiver {
    told: Arc<Mutex<Told>>,
}

impl Receiver {
    /// A receiver that is told of every end, and that both servers know of.
    pub(crate) fn of_all_ends(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = Arc::new(Mutex::default());
        let noted = Arc::clone(&told);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let noted = Arc::clone(&noted);
                std::thread::spawn(move || while take(&stream, &noted).is_some() {});
            }
        });
        let url = format!("http://127.0.0.1:{port}/");
        tareas(world, 0, &["webhook", "create", "all", &url]);
        // Whoever is asked looks at the records.
        let known = tareas(world, 1, &["webhook", "list"]);
        assert!(known.contains(&url), "{known}");
        Self { told }
    }

    /// Waits until so many ends were told, and holds that each was told once.
    pub(crate) fn was_told_once_of(&self, world: &World, ends: usize) {
        world.until("all are told", || self.told.lock().unwrap().len() >= ends);
        let told = self.told.lock().unwrap().clone();
        assert_eq!(told.len(), ends);
        let more = told.iter().find(|(_, messages)| messages.len() > 1);
        assert_eq!(more, None, "told more than once");
    }
}

/// Takes one request; nothing when the connection has ended.
fn take(stream: &TcpStream, told: &Mutex<Told>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut id, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line == "\r\n" {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "webhook-id" => id = value.to_owned(),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    let task = body["data"]["task_id"].as_str()?.to_owned();
    told.lock().unwrap().entry(task).or_default().push(id);
    let answer = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n";
    (&*stream).write_all(answer).ok()
}

fn tareas(world: &World, server: usize, arguments: &[&str]) -> String {
    let place = format!("127.0.0.1:{}", world.servers[server].port());
    let ran = Command::new(env!("CARGO_BIN_EXE_tareas"))
        .args(["-s", &place])
        .args(arguments)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{arguments:?}: {ran:?}");
    String::from_utf8(ran.stdout).unwrap()
}
