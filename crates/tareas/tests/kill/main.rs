//! Nothing lost: the real binary is killed with SIGKILL at random moments under load, restarted,
//! and its answers are checked against what clients and handlers saw.
//!
//! Clients write down what they were told about each submission; a test handler appends every
//! start to a file of its own, the ground truth outside the system. At the end:
//! - every acknowledged task has ended in exactly one recorded outcome, with the right result;
//! - no result that was once told has changed;
//! - attempt numbers never repeat, and every start beyond the first has a recorded cause.
//!
//! A control run that tells before the disk has it must be caught.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod chance;
mod checker;
mod client;
mod history;
mod server;

use std::sync::Arc;
use std::time::Duration;

use chance::Chance;
use checker::Verdict;
use client::Load;
use history::History;
use server::{Folder, Server};

struct Plan {
    kills: u32,
    fold: bool,
    failpoint: Option<&'static str>,
    careful: bool,
}

fn seed() -> u64 {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()) << 20 ^ 0xA5A5);
    eprintln!("SEED={seed}");
    seed
}

fn kills(short: u32) -> u32 {
    if std::env::var_os("TAREAS_TEST_LONG").is_some() {
        short * 20
    } else {
        short
    }
}

/// Runs the load, kills the server again and again, and judges what is left.
fn run(plan: &Plan) -> Verdict {
    let mut chance = Chance::new(seed());
    let folder = Folder::new();
    let history = Arc::new(History::default());
    let mut server = Server::start(&folder, plan.careful, plan.failpoint);
    let load = Load::start(
        server.port(),
        3,
        plan.fold,
        chance.next(),
        Arc::clone(&history),
    );
    for _ in 0..plan.kills {
        let moment = Duration::from_millis(40 + chance.below(360));
        server.run_for(moment);
        server.kill();
        server = server.restart(&folder, plan.careful, plan.failpoint);
    }
    load.stop();
    server.kill();
    let server = server.restart(&folder, plan.careful, None);
    let verdict = checker::judge(&server, &history, &folder, plan.kills + 1);
    server.stop_in_order();
    verdict
}

#[test]
fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let plan = Plan {
        kills: kills(25),
        fold: true,
        failpoint: None,
        careful: false,
    };
    let verdict = run(&plan);
    eprintln!("{verdict}");
    assert!(verdict.is_clean(), "{verdict}");
    assert!(
        verdict.acknowledged > 1_000,
        "the load was too small to tell: {verdict}"
    );
}

#[test]
fn nothing_is_lost_while_the_system_is_careful_after_a_kill() {
    let plan = Plan {
        kills: kills(15),
        fold: false,
        failpoint: None,
        careful: true,
    };
    let verdict = run(&plan);
    eprintln!("{verdict}");
    assert!(verdict.is_clean(), "{verdict}");
    assert!(
        verdict.extra_starts > 0,
        "no kill ever hit a running task: {verdict}"
    );
}

#[test]
fn nothing_is_lost_when_it_dies_around_a_commit() {
    for failpoint in [
        "before_commit:40:abort",
        "after_commit_before_durable:40:abort",
        "after_durable_before_wake:40:abort",
        "mid_statements:400:abort",
    ] {
        let plan = Plan {
            kills: kills(3),
            fold: true,
            failpoint: Some(failpoint),
            careful: false,
        };
        let verdict = run(&plan);
        eprintln!("{failpoint}: {verdict}");
        assert!(verdict.is_clean(), "{failpoint}: {verdict}");
    }
}

#[test]
fn the_checker_catches_a_server_that_tells_before_the_disk_has_it() {
    let mut caught = false;
    for _ in 0..3 {
        let plan = Plan {
            kills: 12,
            fold: true,
            // The disk takes its time, so that a kill finds something that was told too early.
            failpoint: Some("tell_before_durable,before_commit:1:sleep_20"),
            careful: false,
        };
        caught |= !run(&plan).lost.is_empty();
        if caught {
            break;
        }
    }
    assert!(caught, "a server that lies about durability went unnoticed");
}
