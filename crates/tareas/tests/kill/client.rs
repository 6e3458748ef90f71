//! Clients that submit without pause, note every answer, and try again what was not answered.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::Chance;
use super::history::History;

/// Submissions without an answer per client.
const WINDOW: usize = 128;

pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    pub(crate) fn start(
        port: u16,
        clients: u64,
        fold: bool,
        seed: u64,
        history: Arc<History>,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let start = |n: u64| {
            let mut client = Client {
                port,
                fold,
                chance: Chance::new(seed ^ n.wrapping_mul(0xABCD_EF01)),
                history: Arc::clone(&history),
                stop: Arc::clone(&stop),
                unanswered: Vec::new(),
            };
            std::thread::spawn(move || client.run())
        };
        let clients = (0..clients).map(start).collect();
        Self { stop, clients }
    }

    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            client.join().unwrap();
        }
    }
}

struct Client {
    port: u16,
    fold: bool,
    chance: Chance,
    history: Arc<History>,
    stop: Arc<AtomicBool>,
    /// Ids whose acknowledgement was not seen before the connection went.
    unanswered: Vec<String>,
}

static COUNTER: AtomicU64 = AtomicU64::new(1);

/// A version 7 UUID made by a client.
#[expect(clippy::disallowed_methods, reason = "a client has a clock of its own")]
pub(crate) fn fresh_id(chance: &mut Chance) -> String {
    let millis = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64;
    let counter = COUNTER.fetch_add(1, Ordering::Relaxed);
    let (high, low) = (millis << 16 | 0x7000 | (counter & 0xFFF), chance.next());
    let low = low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000;
    let hex = format!("{high:016x}{low:016x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

impl Client {
    fn run(&mut self) {
        while !self.stop.load(Ordering::SeqCst) {
            let Ok(stream) = TcpStream::connect(("127.0.0.1", self.port)) else {
                std::thread::sleep(Duration::from_millis(3));
                continue;
            };
            stream.set_nodelay(true).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
            self.talk(stream);
            // A server that refuses everything for a while is not asked as fast as it can refuse.
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Sends and reads in turns until the connection goes or the load ends.
    fn talk(&mut self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut open: HashSet<String> = HashSet::new();
        let mut acks_owed: HashSet<String> = HashSet::new();
        while !self.stop.load(Ordering::SeqCst) {
            let mut text = String::new();
            while open.len() < WINDOW {
                let id = self.next_line(&mut text);
                acks_owed.insert(id.clone());
                open.insert(id);
            }
            if stream.write_all(text.as_bytes()).is_err() {
                break;
            }
            let read =
                (0..16).take_while(|_| self.read_answer(&mut reader, &mut open, &mut acks_owed));
            if read.count() < 16 {
                break;
            }
        }
        self.unanswered.extend(acks_owed);
    }

    /// One line to send: first what was not answered before, with the same identity.
    fn next_line(&mut self, text: &mut String) -> String {
        if let Some(id) = self.unanswered.pop()
            && let Some(known) = self.history.all_line(&id)
        {
            text.push_str(&known);
            return id;
        }
        let id = fresh_id(&mut self.chance);
        let n = self.chance.below(1_000_000);
        let choice = self.chance.below(if self.fold { 12 } else { 4 });
        let (what, expected) = match choice {
            0 => (r#""kind":"sleep","payload":{"ms":6}"#.to_owned(), Some("6".to_owned())),
            1 => (
                r#""kind":"fail","payload":{"message":"once","times":1},"backoff":{"initial_ms":1,"max_ms":2}"#
                    .to_owned(),
                None,
            ),
            2 | 3 => (format!(r#""kind":"starts","payload":{n}"#), Some(n.to_string())),
            _ => (format!(r#""kind":"square","payload":{{"n":{n}}}"#), Some((n * n).to_string())),
        };
        let line = format!("{{\"cmd\":\"submit\",\"task_id\":\"{id}\",{what}}}\n");
        self.history.sent(&id, &line, expected);
        text.push_str(&line);
        id
    }

    /// Reads one line; `false` when the connection is gone.
    fn read_answer(
        &self,
        reader: &mut BufReader<TcpStream>,
        open: &mut HashSet<String>,
        acks_owed: &mut HashSet<String>,
    ) -> bool {
        let mut line = String::new();
        match reader.read_line(&mut line) {
            Ok(n) if n > 0 && line.ends_with('\n') => {}
            _ => return false,
        }
        let answer: Value = serde_json::from_str(&line).unwrap();
        let Some(id) = answer["task_id"].as_str() else {
            // Whatever it was about is asked again, over another connection.
            assert_eq!(
                answer["error"]["retryable"], true,
                "not about a task: {line}"
            );
            return false;
        };
        if answer["status"].is_null() {
            assert_eq!(
                answer["error"]["retryable"], true,
                "a definite refusal: {line}"
            );
            acks_owed.remove(id);
            open.remove(id);
            self.history.refused(id);
        } else if acks_owed.remove(id) {
            self.history.acknowledged(id);
        } else {
            open.remove(id);
            self.history.told(id, &end_of(&answer));
        }
        true
    }
}

/// The part of an end that may never change.
pub(crate) fn end_of(answer: &Value) -> String {
    format!(
        "{} {} {}",
        answer["status"], answer["reason"], answer["result"]
    )
}
