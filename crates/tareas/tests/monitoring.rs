//! What `deploy/` asks of Prometheus is what `/metrics` has: every name, and every label of it.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
/// What Prometheus adds to every sample, or has by itself.
const ADDED: [&str; 4] = ["instance", "job", "le", "__name__"];

struct Server {
    child: Child,
    address: SocketAddr,
    _data: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let data = tempfile::tempdir().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_tareas"))
            .args(["serve", "--bind", &address.to_string(), "--data"])
            .arg(data.path().join("data"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            child,
            address,
            _data: data,
        };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < PATIENCE, "the server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn say(&self, text: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        said
    }

    /// Each name of a sample with its labels.
    fn metrics(&self) -> BTreeMap<String, BTreeSet<String>> {
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in self
            .say(request)
            .lines()
            .filter(|line| line.starts_with("tareas_"))
        {
            let name = line.split(['{', ' ']).next().unwrap();
            let labels = line
                .split_once('{')
                .and_then(|(_, rest)| rest.split_once('}'));
            let labels = labels.map_or("", |(labels, _)| labels);
            let names = labels
                .split("\",")
                .filter_map(|label| label.split('=').next());
            let entry = known.entry(name.to_owned()).or_default();
            entry.extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
        }
        known
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn deploy(file: &str) -> String {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    std::fs::read_to_string(root.join(file)).unwrap()
}

/// The names of metrics in a text, with the labels that are asked of each or that it is summed by.
fn asked(text: &str) -> BTreeSet<(String, String)> {
    let text = text.replace("\\\"", "\"");
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut asked = BTreeSet::new();
    for (at, _) in text.match_indices("tareas_") {
        let rest = &text[at..];
        let name: String = rest.chars().take_while(|c| is_word(*c)).collect();
        let selector = rest[name.len()..]
            .strip_prefix('{')
            .and_then(|rest| rest.split_once('}'));
        asked.insert((name.clone(), String::new()));
        for label in selector.map_or("", |(labels, _)| labels).split(',') {
            let label = label.split(['=', '!']).next().unwrap().trim();
            asked.insert((name.clone(), label.to_owned()));
        }
        // `sum by (queue) (rate(NAME…`: what it is grouped by, when that stands right before.
        let before = &text[at.saturating_sub(60)..at];
        let group = before.rsplit_once("by (").map(|(_, group)| group);
        if let Some((labels, between)) = group.and_then(|group| group.split_once(')'))
            && !between.contains("tareas_")
            && !between.contains(')')
        {
            let labels = labels.split(',').map(|label| label.trim().to_owned());
            asked.extend(labels.map(|label| (name.clone(), label)));
        }
    }
    asked
}

#[test]
fn dashboards_and_alerts_use_what_the_server_tells() {
    let server = Server::start();
    server.say("fail no\nsumar 1 + 1\nsalir\n");
    let known = server.metrics();
    for file in ["grafana/tareas.json", "prometheus/rules.yml"] {
        let asked = asked(&deploy(file));
        assert!(asked.len() > 10, "{file} was read");
        for (name, label) in asked {
            // Counters that are still at nothing have no labels to show.
            let Some(labels) = known.get(&name) else {
                assert_eq!(name, "tareas_retries_total", "{file}: {name}");
                continue;
            };
            let is_known = label.is_empty() || labels.contains(&label) || ADDED.contains(&&*label);
            assert!(
                is_known,
                "{file}: {name} has no label `{label}`, but {labels:?}"
            );
        }
    }
}

#[test]
fn the_dashboard_is_json_and_its_panels_do_not_overlap() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&deploy("grafana/tareas.json")).unwrap();
    let mut cells = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{}", panel["title"]);
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(cells.insert((x, y)), "{} lies over another", panel["title"]);
            }
        }
    }
}
