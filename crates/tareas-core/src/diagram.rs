//! The life cycle as data: what `docs/lifecycle.md` is generated from.
//!
//! [`TRANSITIONS`] says of each transition where it starts, where it ends, who brings it about
//! and on what condition. It decides nothing: [`crate::lifecycle`] does, and a test tries every
//! event on every state to show that the two agree.

use std::fmt::Write;

use crate::Phase;
use crate::Phase::{Cancelled, Failed, Queued, Running, Scheduled, Succeeded};

/// One way in which a task may change.
#[derive(Clone, Copy, Debug)]
pub struct Transition {
    /// 1 to 14, for T1 to T14.
    pub number: u8,
    /// Where it may start; empty when the task does not exist before.
    pub from: &'static [Phase],
    /// Where it may end; empty when the task does not exist afterwards.
    pub to: &'static [Phase],
    /// Who brings it about.
    pub who: &'static str,
    /// What must hold, beside the state it starts in.
    pub condition: &'static str,
    /// What it does beside the change of state.
    pub effect: &'static str,
    /// The function of [`crate::lifecycle`] that decides it.
    pub function: &'static str,
    /// The word on the arrows of the diagram.
    pub label: &'static str,
}

/// All of them, T1 first.
pub const TRANSITIONS: [Transition; 14] = [
    Transition {
        number: 1,
        from: &[],
        to: &[Scheduled, Queued],
        who: "a client",
        condition: "id and idempotency key are free",
        effect: "scheduled when it is due later, else queued at a fresh place",
        function: "submit",
        label: "submit",
    },
    Transition {
        number: 2,
        from: &[Scheduled],
        to: &[Queued],
        who: "the scheduler",
        condition: "its time has come",
        effect: "fresh place in line",
        function: "due",
        label: "due",
    },
    Transition {
        number: 3,
        from: &[Queued],
        to: &[Running],
        who: "a pool with a free slot",
        condition: "the attempt number is the expected one; not paused, not expired",
        effect: "attempt + 1; a lease with session, token, deadline; the place is remembered",
        function: "claim",
        label: "claim",
    },
    Transition {
        number: 4,
        from: &[Running],
        to: &[Succeeded],
        who: "the holder of the lease",
        condition: "attempt and token are those of the lease",
        effect: "the result is recorded",
        function: "settle",
        label: "complete",
    },
    Transition {
        number: 5,
        from: &[Running],
        to: &[Scheduled],
        who: "the holder of the lease",
        condition: "attempt and token are those of the lease; the failure can be retried",
        effect: "charged + 1; due after the back-off, or when the handler asked for",
        function: "settle",
        label: "fail, retry left",
    },
    Transition {
        number: 6,
        from: &[Running],
        to: &[Failed, Cancelled],
        who: "the holder of the lease",
        condition: "attempt and token are those of the lease; no retry is left, or none can help",
        effect: "charged + 1; reason `attempts_exhausted` or `rejected`; a cancel request is \
                 granted",
        function: "settle",
        label: "fail, none left",
    },
    Transition {
        number: 7,
        from: &[Running],
        to: &[Queued, Scheduled, Failed, Cancelled],
        who: "the reclaimer",
        condition: "the session of the lease is gone",
        effect: "crashes + 1 and a short delay, or `poison` after three; a claim that never \
                 reached a thread goes back as by T9; a cancel request is granted",
        function: "lose",
        label: "lost",
    },
    Transition {
        number: 8,
        from: &[Running],
        to: &[Scheduled, Failed, Cancelled],
        who: "the host of the attempt",
        condition: "the attempt number is the running one; it is over its limit",
        effect: "charged + 1; retried, or reason `timeout`; a cancel request is granted",
        function: "overdue",
        label: "overdue",
    },
    Transition {
        number: 9,
        from: &[Running],
        to: &[Queued, Cancelled],
        who: "the holder of the lease",
        condition: "attempt and token are those of the lease",
        effect: "nothing is charged, the old place in line; a cancel request is granted",
        function: "settle",
        label: "release",
    },
    Transition {
        number: 10,
        from: &[Scheduled, Queued, Running],
        to: &[Cancelled, Running],
        who: "a client or an operator",
        condition: "",
        effect: "waiting: reason `requested`; running: it is asked to stop, and is cancelled when \
                 its handler heeds that",
        function: "cancel",
        label: "cancel",
    },
    Transition {
        number: 11,
        from: &[Scheduled, Queued],
        to: &[Cancelled],
        who: "the scheduler; also decided inside T3",
        condition: "it was to be started before now",
        effect: "reason `expired`",
        function: "expire",
        label: "expire",
    },
    Transition {
        number: 12,
        from: &[Failed, Cancelled],
        to: &[Queued],
        who: "an operator",
        condition: "",
        effect: "charged and crashes start again at 0, the attempt number goes on",
        function: "requeue",
        label: "requeue",
    },
    Transition {
        number: 13,
        from: &[Succeeded, Failed, Cancelled],
        to: &[],
        who: "the pruner",
        condition: "its retention is over, and its identity cannot be sent again",
        effect: "removed with its attempts and its key",
        function: "may_prune",
        label: "prune",
    },
    Transition {
        number: 14,
        from: &[Succeeded, Failed, Cancelled],
        to: &[],
        who: "an operator",
        condition: "",
        effect: "removed with its attempts and its key",
        function: "delete",
        label: "delete",
    },
];

impl Transition {
    /// `T1` to `T14`.
    pub fn name(&self) -> String {
        format!("T{}", self.number)
    }
}

/// Whether there is an arrow between these two: only a running task can be asked to stop.
fn is_drawn(transition: &Transition, from: Phase, to: Phase) -> bool {
    transition.number != 10 || from == Running || to != Running
}

/// The diagram, in Mermaid's notation.
pub fn mermaid() -> String {
    let mut text = String::from("stateDiagram-v2\n");
    for transition in &TRANSITIONS {
        for (from, to) in arrows(transition) {
            let (number, label) = (transition.number, transition.label);
            // Writing to a String cannot fail.
            let _ = writeln!(text, "    {from} --> {to}: T{number} {label}");
        }
    }
    text
}

/// The ends of each arrow; `[*]` where the task does not exist.
fn arrows(transition: &Transition) -> Vec<(&'static str, &'static str)> {
    let ends = |phases: &'static [Phase]| -> Vec<Option<Phase>> {
        if phases.is_empty() {
            vec![None]
        } else {
            phases.iter().copied().map(Some).collect()
        }
    };
    let word = |end: Option<Phase>| end.map_or("[*]", Phase::name);
    let mut arrows = Vec::new();
    for from in ends(transition.from) {
        for to in ends(transition.to) {
            let is_drawn = match (from, to) {
                (Some(from), Some(to)) => is_drawn(transition, from, to),
                _ => true,
            };
            if is_drawn {
                arrows.push((word(from), word(to)));
            }
        }
    }
    arrows
}

/// The table, in Markdown.
pub fn table() -> String {
    let mut text = String::from(
        "| # | from → to | who | condition | effect | decided by |\n|---|---|---|---|---|---|\n",
    );
    for transition in &TRANSITIONS {
        let Transition {
            number,
            from,
            to,
            who,
            condition,
            effect,
            function,
            ..
        } = transition;
        let condition = if condition.is_empty() {
            "–"
        } else {
            condition
        };
        let (from, to) = (words(from), words(to));
        let _ = writeln!(
            text,
            "| T{number} | {from} → {to} | {who} | {condition} | {effect} | `{function}` |"
        );
    }
    text
}

fn words(phases: &[Phase]) -> String {
    if phases.is_empty() {
        return "–".to_owned();
    }
    phases
        .iter()
        .map(|phase| phase.name())
        .collect::<Vec<_>>()
        .join(", ")
}

/// The whole of `docs/lifecycle.md`.
pub fn document() -> String {
    format!(
        "{INTRODUCTION}\n```mermaid\n{}```\n\n{}{NOTES}",
        mermaid(),
        table()
    )
}

const INTRODUCTION: &str = "\
# The life cycle of a task

Generated from `crates/tareas-core/src/diagram.rs`: change that file, then run
`UPDATE_DOCS=1 cargo test -p tareas-core --test diagram`.

A task is in one of six states. Three of them are places where it waits or works, and it is in
exactly one: *scheduled* has a due time, *queued* has a place in line, *running* has a lease.
The other three are ends: *succeeded*, *failed* and *cancelled*, the last two with a reason.
";

const NOTES: &str = "
What the table cannot say:

- **A refusal changes nothing.** Every transition raises the version of the task by one, and
  stores write it only over the version that it was decided on.
- **The fence is two values.** `attempt` goes up at every claim and never down, not even by a
  requeue; the token is random and made at each claim. Whoever settles must show both.
- **Three counters.** `attempt` counts starts. `charged` counts failures and time-outs, against
  `max_attempts`. `crashes` counts deaths of the executor, against a limit of three: then the
  task is `failed` with reason `poison`. A release counts nowhere.
- **An end is an end.** Only an operator's requeue (T12) and a removal (T13, T14) leave it.
- **The same command twice** is answered as the first time where that can be told: a submission
  by its id or key, a claim or a settlement by its token, the others by the state they left.
";
