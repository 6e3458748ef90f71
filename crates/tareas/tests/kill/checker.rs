//! What is left at the end, against what was told and what was started.

use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::end_of;
use super::history::{History, Known};
use super::server::{Folder, Server};

/// Everything must have ended this long after the last restart.
const HEALED_WITHIN: Duration = Duration::from_secs(60);

/// What the checker found.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) submitted: usize,
    pub(crate) acknowledged: usize,
    pub(crate) extra_starts: usize,
    pub(crate) kills: u32,
    pub(crate) lost: Vec<String>,
    pub(crate) changed: Vec<String>,
    pub(crate) wrong: Vec<String>,
    pub(crate) unended: Vec<String>,
    pub(crate) started_twice: Vec<String>,
    pub(crate) unexplained: Vec<String>,
    pub(crate) started_though_refused: Vec<String>,
}

impl Verdict {
    pub(crate) fn is_clean(&self) -> bool {
        self.findings().iter().all(|(_, found)| found.is_empty())
    }

    fn findings(&self) -> [(&'static str, &Vec<String>); 7] {
        [
            ("lost", &self.lost),
            ("changed", &self.changed),
            ("wrong", &self.wrong),
            ("unended", &self.unended),
            ("started twice", &self.started_twice),
            ("unexplained", &self.unexplained),
            ("started though refused", &self.started_though_refused),
        ]
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} submitted, {} acknowledged, {} kills, {} extra starts",
            self.submitted, self.acknowledged, self.kills, self.extra_starts
        )?;
        for (what, found) in self.findings() {
            write!(f, "; {} {what}", found.len())?;
            if let Some(first) = found.first() {
                write!(f, " (first: {first})")?;
            }
        }
        Ok(())
    }
}

struct Asker {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Asker {
    fn new(server: &Server) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        stream.set_read_timeout(Some(HEALED_WITHIN)).unwrap();
        let reader = BufReader::new(stream.try_clone().unwrap());
        Self { stream, reader }
    }

    fn ask(&mut self, question: &Value) -> Value {
        self.stream
            .write_all(format!("{question}\n").as_bytes())
            .unwrap();
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

/// Asks the healed server about every task that was ever sent.
pub(crate) fn judge(server: &Server, history: &History, folder: &Folder, kills: u32) -> Verdict {
    let starts = read_starts(folder);
    let mut verdict = Verdict {
        kills,
        ..Verdict::default()
    };
    let mut asker = Asker::new(server);
    let healed_by = Instant::now() + HEALED_WITHIN;
    for (id, known) in history.all() {
        verdict.submitted += 1;
        verdict.acknowledged += usize::from(known.acknowledged);
        let task = ask_until_ended(&mut asker, &id, healed_by);
        judge_task(&mut verdict, &id, &known, &task);
        judge_starts(&mut verdict, &id, &known, &task, starts.get(&id));
    }
    verdict
}

fn ask_until_ended(asker: &mut Asker, id: &str, until: Instant) -> Value {
    loop {
        let task = asker.ask(&json!({"cmd": "status", "task_id": id}));
        let has_ended = matches!(
            task["status"].as_str(),
            None | Some("succeeded" | "failed" | "cancelled")
        );
        if has_ended || Instant::now() > until {
            return task;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn judge_task(verdict: &mut Verdict, id: &str, known: &Known, task: &Value) {
    let Some(status) = task["status"].as_str() else {
        if known.acknowledged {
            verdict.lost.push(format!("{id} {}", known.line.trim()));
        }
        return;
    };
    if !matches!(status, "succeeded" | "failed" | "cancelled") {
        verdict.unended.push(format!("{id} {task}"));
        return;
    }
    let end = end_of(task);
    let has_changed = known.told.as_ref().is_some_and(|told| *told != end);
    if has_changed || !known.changed.is_empty() {
        verdict
            .changed
            .push(format!("{id} told {:?}, is {end}", known.told));
    }
    let poisoned = task["reason"] == "poison";
    let result = task["result"].to_string();
    if let Some(expected) = &known.expected
        && result != *expected
        && !poisoned
    {
        verdict
            .wrong
            .push(format!("{id} expected {expected}, is {task}"));
    }
}

fn judge_starts(
    verdict: &mut Verdict,
    id: &str,
    known: &Known,
    task: &Value,
    starts: Option<&Vec<u64>>,
) {
    let Some(starts) = starts else { return };
    if known.refused && task["status"].is_null() {
        verdict.started_though_refused.push(id.to_owned());
    }
    if starts.windows(2).any(|pair| pair[0] >= pair[1]) {
        verdict.started_twice.push(format!("{id} {starts:?}"));
    }
    verdict.extra_starts += starts.len() - 1;
    // A number without a recorded end is one that was left out: its start was not on disk when
    // the process died. A number above the last recorded one would be a start without a cause.
    let last = task["attempt"].as_u64().unwrap_or_default();
    for start in starts.iter().filter(|start| **start > last) {
        verdict
            .unexplained
            .push(format!("{id} attempt {start}: {task}"));
    }
}

/// What the test handler wrote: a line "task attempt" for each start.
fn read_starts(folder: &Folder) -> HashMap<String, Vec<u64>> {
    let text = std::fs::read_to_string(folder.starts()).unwrap_or_default();
    let mut starts: HashMap<String, Vec<u64>> = HashMap::new();
    for line in text.lines() {
        let (id, attempt) = line.split_once(' ').unwrap();
        starts
            .entry(id.to_owned())
            .or_default()
            .push(attempt.parse().unwrap());
    }
    starts
}
