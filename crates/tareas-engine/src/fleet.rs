//! The fleet: the processes that serve on the same records, as people see them.

use std::time::Duration;

use tareas_core::{Kind, Timestamp};

use crate::Engine;
use crate::ports::{MemberReport, MemberView, RunningReport};
use crate::refusal::Refusal;

impl Engine {
    /// The other processes on the same records; none where this one is alone.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn other_members(&self) -> Result<Vec<MemberView>, Refusal> {
        match &self.config.membership {
            Some(membership) => Ok(membership.members.others().await?),
            None => Ok(Vec::new()),
        }
    }

    /// What this process says of itself.
    pub(crate) fn own_report(&self) -> MemberReport {
        let now = self.now();
        let identity = self.config.membership.as_ref();
        let [accepted, ended, failed] = self.tally.totals();
        let slots = self.slots();
        let running = slots.iter().filter_map(|slot| {
            let running = slot.running.as_ref()?;
            Some(RunningReport {
                slot: slot.slot,
                task: running.task,
                attempt: running.attempt,
                kind: Kind::new(&running.kind).ok()?,
                since: before(now, running.since),
            })
        });
        MemberReport {
            identity: identity.map(|own| own.identity.clone()).unwrap_or_default(),
            started_at: self.started_at,
            threads: self.threads(),
            busy: slots.iter().filter(|slot| slot.running.is_some()).count(),
            running: running.take(MemberReport::RUNNING_MAX).collect(),
            workers: self.workers_connected(),
            accepted,
            ended,
            failed,
            is_draining: self.is_draining(),
        }
    }
}

fn before(now: Timestamp, passed: Duration) -> Timestamp {
    let passed = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.as_micros().saturating_sub(passed))
}
