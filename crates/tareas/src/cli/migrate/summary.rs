//! What came of a migration, or would: for people and for programs.

use std::time::Duration;

use serde_json::{Value, json};
use tareas_core::Phase;
use tareas_engine::migration::{Copied, Whole};

use super::stores::Target;
use crate::output::{Format, Voice};
use crate::text::{Text, Values};

/// Both sides are the same.
#[derive(Debug)]
pub(super) struct Summary<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) whole: &'a Whole,
    /// What this run brought over, and how long that took; nothing when it only compared.
    pub(super) copied: Option<(Copied, Duration)>,
}

impl Summary<'_> {
    /// Says it.
    pub(super) fn tell(&self, voice: &Voice) {
        match voice.format {
            Format::Json | Format::Jsonl => voice.result(&self.object().to_string()),
            Format::Id => voice.result(&self.whole.fingerprint.to_string()),
            Format::Table => {
                if let Some((copied, took)) = self.copied {
                    voice.result(&brought(copied, took, self.to, voice));
                }
                tell_whole(self.whole, voice);
                let print = self.whole.fingerprint;
                let values: Values<'_> = &[("fingerprint", &print)];
                voice.result(&voice.text(Text::MigrateProved, values));
                voice.say(Text::MigrateNext.plain(voice.lang));
            }
        }
    }

    /// Members are the same in every language.
    fn object(&self) -> Value {
        let mut object = members(self.from, self.to, self.whole);
        object["verified"] = json!(true);
        if let Some((copied, took)) = self.copied {
            object["copied"] = json!(copied.tasks);
            object["copied_before"] = json!(copied.before);
            object["copied_blob_bytes"] = json!(copied.blob_bytes);
            object["took_ms"] = json!(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
            object["tasks_per_second"] = json!(rate(copied, took));
        }
        object
    }
}

fn brought(copied: Copied, took: Duration, to: &str, voice: &Voice) -> String {
    voice.text(
        Text::Migrated,
        &[
            ("tasks", &copied.tasks),
            ("to", &to),
            ("seconds", &format!("{:.1}", took.as_secs_f64())),
            ("rate", &rate(copied, took)),
        ],
    )
}

fn rate(copied: Copied, took: Duration) -> u64 {
    (copied.tasks as f64 / took.as_secs_f64().max(1e-3)) as u64
}

/// What would be brought over.
#[derive(Debug)]
pub(super) struct Planned<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) whole: &'a Whole,
    pub(super) target: Target,
}

impl Planned<'_> {
    /// Says it.
    pub(super) fn tell(&self, voice: &Voice) {
        match voice.format {
            Format::Json | Format::Jsonl => {
                let mut object = members(self.from, self.to, self.whole);
                object["dry_run"] = json!(true);
                object["target"] = json!(self.word());
                voice.result(&object.to_string());
            }
            Format::Id => voice.result(&self.whole.fingerprint.to_string()),
            Format::Table => {
                let tasks = self.whole.tasks();
                let values: Values<'_> =
                    &[("tasks", &tasks), ("from", &self.from), ("to", &self.to)];
                voice.result(&voice.text(Text::MigratePlanned, values));
                tell_whole(self.whole, voice);
                if self.target == Target::Unfinished {
                    voice.say(Text::MigrateWillGoOn.plain(voice.lang));
                }
            }
        }
    }

    fn word(&self) -> &'static str {
        match self.target {
            Target::Empty => "empty",
            Target::Unfinished => "unfinished",
            Target::Occupied => "occupied",
        }
    }
}

fn members(from: &str, to: &str, whole: &Whole) -> Value {
    let phases = whole.phases();
    let states: serde_json::Map<String, Value> = Phase::ALL
        .into_iter()
        .map(|phase| (phase.name().to_owned(), json!(phases[phase as usize])))
        .collect();
    json!({
        "from": from,
        "to": to,
        "tasks": whole.tasks(),
        "states": states,
        "attempts": whole.attempts,
        "idempotency_keys": whole.keys,
        "blobs": whole.blobs,
        "blob_bytes": whole.blob_bytes,
        "fingerprint": whole.fingerprint.to_string(),
    })
}

/// Tasks by state, and what hangs on them.
fn tell_whole(whole: &Whole, voice: &Voice) {
    let phases = whole.phases();
    for phase in Phase::ALL {
        let count = phases[phase as usize];
        if count > 0 {
            voice.result(&format!("  {:<10} {count}", phase.name()));
        }
    }
    let megabytes = format!("{:.1}", whole.blob_bytes as f64 / 1e6);
    let values: Values<'_> = &[
        ("attempts", &whole.attempts),
        ("keys", &whole.keys),
        ("blobs", &whole.blobs),
        ("megabytes", &megabytes),
    ];
    voice.result(&voice.text(Text::MigrateHangs, values));
}
