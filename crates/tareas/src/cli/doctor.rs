//! `tareas doctor`: looks at everything a server needs, and says what to do.

use serde_json::json;
use tareas_protocol::code::exit;

use super::{Outcome, Session};
use crate::doctor::{Check, Verdict, examine};
use crate::output::Format;
use crate::text::Text;

pub(super) fn run(session: &Session) -> Outcome {
    let checks = examine(session)?;
    let count = |verdict| {
        let of_it = |check: &&Check| check.finding.verdict == verdict;
        checks.iter().filter(of_it).count()
    };
    let (errors, warnings) = (count(Verdict::Failed), count(Verdict::Warning));
    let voice = &session.voice;
    match voice.format {
        Format::Json => {
            let checks: Vec<_> = checks.iter().map(object).collect();
            let all = json!({"checks": checks, "errors": errors, "warnings": warnings});
            voice.result(&all.to_string());
        }
        Format::Jsonl => {
            let objects = checks.iter().map(object);
            objects.for_each(|object| voice.result(&object.to_string()));
        }
        Format::Id => {
            let bad = checks
                .iter()
                .filter(|check| check.finding.verdict != Verdict::Fine);
            bad.for_each(|check| voice.result(check.name));
        }
        Format::Table => {
            for check in &checks {
                tell(check, session);
            }
            let values: crate::text::Values<'_> = &[("errors", &errors), ("warnings", &warnings)];
            voice.say(&voice.text(Text::DoctorSum, values));
        }
    }
    Ok(match errors {
        0 => exit::OK,
        _ => exit::TASK_FAILED,
    })
}

fn tell(check: &Check, session: &Session) {
    let (voice, paint) = (&session.voice, &session.voice.paint);
    let mark = match check.finding.verdict {
        Verdict::Fine => paint.green("✓"),
        Verdict::Warning => paint.yellow("!"),
        Verdict::Failed => paint.red("✗"),
    };
    let name = spoken(check.name).plain(voice.lang);
    voice.result(&format!("{mark} {name:<14} {}", check.finding.found));
    if let Some(remedy) = &check.finding.remedy {
        voice.result(&format!("    {remedy}"));
    }
}

fn spoken(name: &str) -> Text {
    match name {
        "configuration" => Text::CheckConfiguration,
        "data" => Text::CheckData,
        "records" => Text::CheckRecords,
        "queue" => Text::CheckQueue,
        "blobs" => Text::CheckBlobs,
        _ => Text::CheckServer,
    }
}

/// The check for programs. Members and words are the same in every language.
fn object(check: &Check) -> serde_json::Value {
    let status = match check.finding.verdict {
        Verdict::Fine => "ok",
        Verdict::Warning => "warning",
        Verdict::Failed => "failed",
    };
    json!({
        "name": check.name,
        "status": status,
        "found": check.finding.found,
        "remedy": check.finding.remedy,
        "took_ms": u64::try_from(check.took.as_millis()).unwrap_or(u64::MAX),
    })
}
