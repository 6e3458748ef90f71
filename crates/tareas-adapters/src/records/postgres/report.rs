//! What a process says of itself, as JSON text in its row. A newer process may say more, an older
//! one less: what is not understood is left out.

use serde_json::{Value, json};
use tareas_core::{Kind, TaskId, Timestamp};
use tareas_engine::ports::{Identity, MemberReport, MemberRole, RunningReport};

pub(super) fn write(report: &MemberReport) -> String {
    let identity = &report.identity;
    let running = report.running.iter().map(|running| {
        json!({
            "slot": running.slot, "task": running.task.to_string(), "attempt": running.attempt,
            "kind": running.kind.as_str(), "since": running.since.as_micros(),
        })
    });
    json!({
        "name": identity.name, "role": identity.role.name(), "address": identity.address,
        "started_at": report.started_at.as_micros(), "threads": report.threads,
        "busy": report.busy, "running": running.collect::<Vec<_>>(),
        "workers": report.workers.0, "worker_slots": report.workers.1,
        "accepted": report.accepted, "ended": report.ended, "failed": report.failed,
        "draining": report.is_draining,
    })
    .to_string()
}

pub(super) fn read(text: &str) -> MemberReport {
    let said: Value = serde_json::from_str(text).unwrap_or_default();
    let number = |member: &str| said[member].as_u64().unwrap_or_default();
    let text = |member: &str| said[member].as_str().unwrap_or_default().to_owned();
    let role = text("role");
    let of_role = |known: &MemberRole| known.name() == role;
    let running = said["running"].as_array().into_iter().flatten();
    MemberReport {
        identity: Identity {
            name: text("name"),
            role: MemberRole::ALL
                .into_iter()
                .find(of_role)
                .unwrap_or_default(),
            address: text("address"),
        },
        started_at: instant(&said["started_at"]),
        threads: u16::try_from(number("threads")).unwrap_or(u16::MAX),
        busy: usize::try_from(number("busy")).unwrap_or(usize::MAX),
        running: running
            .filter_map(running_report)
            .take(MemberReport::RUNNING_MAX)
            .collect(),
        workers: (number("workers"), number("worker_slots")),
        accepted: number("accepted"),
        ended: number("ended"),
        failed: number("failed"),
        is_draining: said["draining"].as_bool().unwrap_or_default(),
    }
}

fn running_report(said: &Value) -> Option<RunningReport> {
    Some(RunningReport {
        slot: usize::try_from(said["slot"].as_u64()?).ok()?,
        task: said["task"].as_str()?.parse::<TaskId>().ok()?,
        attempt: said["attempt"].as_u64()?,
        kind: Kind::new(said["kind"].as_str()?).ok()?,
        since: instant(&said["since"]),
    })
}

fn instant(said: &Value) -> Timestamp {
    Timestamp::from_micros(said.as_i64().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let report = MemberReport {
            identity: Identity {
                name: "host-\"7\"".to_owned(),
                role: MemberRole::Node,
                address: String::new(),
            },
            started_at: Timestamp::from_micros(12),
            threads: 4,
            busy: 1,
            running: vec![RunningReport {
                slot: 2,
                task: TaskId::from_u128(77),
                attempt: 3,
                kind: Kind::new("square").unwrap(),
                since: Timestamp::from_micros(99),
            }],
            workers: (2, 16),
            accepted: 5,
            ended: 4,
            failed: 1,
            is_draining: true,
        };
        assert_eq!(read(&write(&report)), report);
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        for text in ["", "[]", "{\"running\":[{}],\"role\":\"oracle\"}"] {
            assert_eq!(read(text), MemberReport::default());
        }
    }
}
