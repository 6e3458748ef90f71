//! What `GET /v1/topology` says, as far as it is drawn. Members that are missing are zero: an
//! older or newer server is shown as far as it is understood.

use std::collections::BTreeMap;

use serde_json::Value;

/// The system at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Picture {
    pub(super) clock: String,
    pub(super) version: String,
    pub(super) rates: Option<[f64; 3]>,
    pub(super) queues: Vec<Queue>,
    pub(super) workers: Vec<Worker>,
    pub(super) running: Vec<Running>,
    pub(super) failed: Vec<Failed>,
    pub(super) trouble: Vec<Trouble>,
}

/// One queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) is_paused: bool,
    pub(super) waiting: u64,
    pub(super) running: u64,
    pub(super) scheduled: u64,
    pub(super) failed: u64,
    pub(super) ended: u64,
}

/// One pool of threads.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Worker {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) state: String,
    pub(super) threads: u64,
    pub(super) busy: u64,
}

/// What one thread runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Running {
    pub(super) task: String,
    pub(super) kind: String,
    pub(super) place: String,
    pub(super) millis: u64,
}

/// Tasks that failed alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(super) tasks: usize,
    pub(super) kind: String,
    pub(super) code: String,
    pub(super) message: String,
}

/// What is wrong with the server as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Draining,
    StoreDown,
    StorageFull,
}

impl Picture {
    /// Reads a topology.
    pub(crate) fn read(json: &str, failed: Vec<Failed>) -> Self {
        let all: Value = serde_json::from_str(json).unwrap_or_default();
        let workers = list(&all, "workers");
        let mut running: Vec<Running> = workers.iter().flat_map(running_of).collect();
        running.sort_by_key(|running| std::cmp::Reverse(running.millis));
        let rates = all["per_second"].as_object().map(|rates| {
            ["accepted", "ended", "failed"]
                .map(|name| rates.get(name).and_then(Value::as_f64).unwrap_or_default())
        });
        Self {
            clock: text(&all, "at").get(11..19).unwrap_or_default().to_owned(),
            version: text(&all, "version"),
            rates,
            queues: list(&all, "queues").iter().map(queue).collect(),
            workers: workers.iter().map(worker).collect(),
            running,
            failed,
            trouble: trouble(&all),
        }
    }

    /// The sum over all queues.
    pub(super) fn sum(&self, of: impl Fn(&Queue) -> u64) -> u64 {
        self.queues.iter().map(of).sum()
    }

    /// Busy threads, and all threads.
    pub(super) fn threads(&self) -> (u64, u64) {
        let sum = |of: fn(&Worker) -> u64| self.workers.iter().map(of).sum();
        (sum(|worker| worker.busy), sum(|worker| worker.threads))
    }
}

/// Groups of failed tasks, the largest first.
pub(super) fn failed(json: &str) -> Vec<Failed> {
    let all: Value = serde_json::from_str(json).unwrap_or_default();
    let mut groups: BTreeMap<(String, String), Failed> = BTreeMap::new();
    for task in list(&all, "tasks") {
        let error = &task["error"];
        let (kind, code) = (text(&task, "kind"), text(error, "code"));
        let group = groups.entry((kind.clone(), code.clone())).or_default();
        group.tasks += 1;
        (group.kind, group.code) = (kind, code);
        if group.message.is_empty() {
            group.message = text(error, "message");
        }
    }
    let mut groups: Vec<Failed> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.tasks));
    groups
}

fn list(of: &Value, name: &str) -> Vec<Value> {
    of[name].as_array().cloned().unwrap_or_default()
}

/// Nothing that would steer the terminal.
fn text(of: &Value, name: &str) -> String {
    let text = of[name].as_str().unwrap_or_default();
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn number(of: &Value, name: &str) -> u64 {
    of[name].as_u64().unwrap_or_default()
}

fn queue(of: &Value) -> Queue {
    Queue {
        name: text(of, "name"),
        is_paused: of["paused"] == true,
        waiting: number(of, "queued"),
        running: number(of, "running"),
        scheduled: number(of, "scheduled"),
        failed: number(of, "failed"),
        ended: number(of, "succeeded"),
    }
}

fn worker(of: &Value) -> Worker {
    Worker {
        name: text(of, "name"),
        address: text(of, "address"),
        state: text(of, "state"),
        threads: number(of, "threads"),
        busy: number(of, "busy"),
    }
}

fn running_of(worker: &Value) -> Vec<Running> {
    let busy = list(worker, "slots").into_iter();
    let busy = busy.filter(|slot| slot["task_id"].is_string());
    busy.map(|slot| Running {
        task: text(&slot, "task_id"),
        kind: text(&slot, "kind"),
        place: format!("{}/{}", text(worker, "name"), number(&slot, "slot")),
        millis: number(&slot, "running_ms"),
    })
    .collect()
}

fn trouble(all: &Value) -> Vec<Trouble> {
    let known = [
        (all["draining"] == true, Trouble::Draining),
        (all["store_up"] == false, Trouble::StoreDown),
        (all["storage_full"] == true, Trouble::StorageFull),
    ];
    let there = known.into_iter().filter(|(is_so, _)| *is_so);
    there.map(|(_, trouble)| trouble).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A server with something of everything.
    pub(crate) const TOPOLOGY: &str = r#"{"at":"2026-11-21T14:02:48.100Z","version":"0.1.0",
        "per_second":{"accepted":1284.2,"ended":1279.0,"failed":2.5},"draining":false,
        "store_up":true,"storage_full":true,"queues":[
        {"name":"default","paused":false,"queued":41,"running":2,"scheduled":1,"failed":3,"succeeded":9},
        {"name":"mail","paused":true,"queued":1204,"running":0,"scheduled":0,"failed":0,"succeeded":0}],
        "workers":[{"name":"local","threads":4,"busy":1,"slots":[{"slot":0},
        {"slot":1,"task_id":"0190a0a0-0000-7000-8000-00000000beef","attempt":1,"kind":"primes","running_ms":3400}]},
        {"name":"w2","address":"10.0.0.2:40000","state":"draining","threads":8,"busy":8}]}"#;

    #[test]
    fn a_topology_is_read_and_what_steers_is_not() {
        let picture = Picture::read(TOPOLOGY, Vec::new());
        assert_eq!(
            (picture.clock.as_str(), picture.threads()),
            ("14:02:48", (9, 12))
        );
        assert_eq!(picture.sum(|queue| queue.waiting), 1_245);
        assert_eq!(picture.running[0].place, "local/1");
        assert_eq!(picture.trouble, [Trouble::StorageFull]);
        assert_eq!(Picture::read("no JSON", Vec::new()), Picture::default());
        assert_eq!(text(&serde_json::json!({"a": "x\u{1b}[2J"}), "a"), "x [2J");
    }

    #[test]
    fn failures_are_grouped() {
        let task = r#"{"kind":"calc","error":{"code":"TAR-3004","message":"no"}}"#;
        let other = r#"{"kind":"mail","error":{"code":"TAR-3002","message":"late"}}"#;
        let groups = failed(&format!(r#"{{"tasks":[{other},{task},{task}]}}"#));
        assert_eq!((groups.len(), groups[0].tasks), (2, 2));
        assert_eq!(
            (groups[0].kind.as_str(), groups[1].code.as_str()),
            ("calc", "TAR-3002")
        );
    }
}
