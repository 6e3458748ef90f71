//! What one task costs the ledger, in nanoseconds: `cargo bench -p tareas-core`.
//!
//! Batches of 256 tasks are accepted, claimed and settled, then cut and forgotten, as a store
//! does it between two commits. The live state holds 1,000 or 50,000 other tasks meanwhile.
//! Everything but `drop` is what a store does while it holds the ledger's lock.
//!
//! `cargo bench -p tareas-core --bench ledger -- ROUNDS` runs so many rounds and measures
//! nothing, for counting instructions.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tareas_core::{
    Applied, Batch, Body, Command, Ending, Fence, Jitter, Kind, Ledger, NewTask, Priority,
    QueueName, SessionId, Spec, TaskId, Timestamp, ledger,
};

const BATCH: usize = 256;
const ROUNDS: usize = 4_000;
const SESSION: SessionId = SessionId(7);
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

const STEPS: [&str; 6] = ["submit", "claim", "settle", "cut", "forget", "drop"];

fn main() {
    let rounds: Option<usize> = std::env::args().find_map(|word| word.parse().ok());
    if let Some(rounds) = rounds {
        let mut bench = Bench::new(1_000);
        for _ in 0..rounds {
            black_box(bench.round());
        }
        return;
    }
    say(format!(
        "ns per task, median of {ROUNDS} rounds; all but drop happen under the lock"
    ));
    say(format!(
        "{:>8}{}{:>8}",
        "live",
        STEPS.map(|step| format!("{step:>8}")).concat(),
        "sum"
    ));
    for live in [1_000, 50_000] {
        let mut bench = Bench::new(live);
        let rounds: Vec<Round> = (0..ROUNDS).map(|_| bench.round()).collect();
        let medians = (0..STEPS.len()).map(|step| median(&rounds, |round| round[step]));
        let medians: String = medians.map(|nanos| format!("{nanos:>8}")).collect();
        let sum = median(&rounds, |round| round.iter().take(5).sum());
        say(format!("{live:>8}{medians}{sum:>8}"));
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark is read by people")]
fn say(line: String) {
    println!("{line}");
}

/// What the steps of one round took, in nanoseconds.
type Round = [u64; STEPS.len()];

/// The middle of what was measured, per task.
fn median(rounds: &[Round], of: impl Fn(&Round) -> u64) -> u64 {
    let mut found: Vec<u64> = rounds.iter().map(of).collect();
    found.sort_unstable();
    found[found.len() / 2] / BATCH as u64
}

struct Bench {
    ledger: Ledger,
    made: u128,
}

impl Bench {
    /// A ledger in which `live` tasks wait.
    fn new(live: usize) -> Self {
        let config = ledger::Config {
            live_max: live + 4 * BATCH,
            ..ledger::Config::default()
        };
        let mut bench = Self {
            ledger: Ledger::new(config),
            made: 0,
        };
        let waiting = QueueName::new("waiting").expect("a valid name");
        for _ in 0..live {
            let task = bench.new_task(&waiting);
            bench.decide(vec![Command::Submit(task)]);
        }
        let cut = bench.ledger.cut(usize::MAX, usize::MAX);
        bench.ledger.committed(&cut, NOW);
        bench
    }

    /// One life of `BATCH` tasks; what each of its steps took.
    fn round(&mut self) -> Round {
        let queue = QueueName::default();
        let tasks: Vec<NewTask> = (0..BATCH).map(|_| self.new_task(&queue)).collect();
        let ids: Vec<TaskId> = tasks.iter().map(|new| new.spec.id).collect();
        let submits = tasks.into_iter().map(Command::Submit).collect();
        let claims = ids.iter().map(|id| claim(*id)).collect();
        let settles = ids.iter().map(|id| settle(*id)).collect();
        let (submitted, submit) = timed(|| self.decide(submits));
        let (claimed, claim) = timed(|| self.decide(claims));
        let (settled, settle) = timed(|| self.decide(settles));
        let (made, cut) = timed(|| self.ledger.cut(usize::MAX, usize::MAX));
        let ((), forget) = timed(|| self.ledger.committed(&made, NOW));
        let ((), dropped) = timed(|| drop((submitted, claimed, settled, made)));
        [submit, claim, settle, cut, forget, dropped]
    }

    fn decide(&mut self, commands: Vec<Command>) -> Applied {
        self.ledger.decide(&Batch { now: NOW, commands })
    }

    fn new_task(&mut self, queue: &QueueName) -> NewTask {
        self.made += 1;
        let spec = Spec {
            id: TaskId::v7(NOW, self.made),
            kind: Kind::new("square").expect("a valid name"),
            queue: queue.clone(),
            priority: Priority::default(),
            payload: Body::Inline(Bytes::from(br#"{"n":5}"#.to_vec())),
            submitted_at: NOW,
            options: None,
        };
        NewTask {
            spec: Arc::new(spec),
            due_at: None,
            id_is_fresh: true,
            quick: true,
        }
    }
}

fn timed<T>(step: impl FnOnce() -> T) -> (T, u64) {
    let start = Instant::now();
    let made = black_box(step());
    (
        made,
        u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX),
    )
}

fn claim(task: TaskId) -> Command {
    Command::Claim {
        task,
        expected_attempt: 0,
        session: SESSION,
        token: None,
    }
}

fn settle(task: TaskId) -> Command {
    let fence = Fence {
        attempt: 1,
        token: None,
    };
    let ending = Ending::Succeeded(Body::Inline(Bytes::from(b"25".to_vec())));
    Command::Settle {
        task,
        fence,
        ending,
        jitter: Jitter(0),
    }
}
