//! `tareas submit`: one task.

use std::time::Duration;

use clap::Args;
use jiff::Zoned;
use tareas_client::{Acknowledged, Submit, TraceParent, parse_traceparent};
use tareas_protocol::code::exit;
use tareas_protocol::response::{Acknowledgement, Durability};
use tareas_protocol::trace::is_tracestate;

use super::{Outcome, Session, args, end, payload, when};
use crate::output::{Failure, Format};
use crate::text::Text;

const EXAMPLES: &str = "\
Examples:
  tareas submit sumar 2 + 2 --wait
  tareas submit square '{\"n\":5}' --wait -o json
  tareas submit wordcount @book.txt --queue slow --priority 2
  tareas submit procesar datos --delay 10m --key report-7";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, allow_negative_numbers = true)]
pub(crate) struct SubmitArgs {
    /// What is to be done
    kind: String,
    /// With what: words, one JSON object or array, @FILE, or - for stdin
    args: Vec<String>,
    /// The payload as JSON text, whatever it is
    #[arg(long, value_name = "TEXT", conflicts_with = "args")]
    json: Option<String>,
    /// Wait and print the result
    #[arg(short, long, overrides_with = "no_wait")]
    wait: bool,
    /// Print the id and return; the default
    #[arg(long, overrides_with = "wait")]
    no_wait: bool,
    /// The queue
    #[arg(long)]
    queue: Option<String>,
    /// 0 (last) to 9 (first)
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=9))]
    priority: Option<u8>,
    /// Not before so long from now
    #[arg(long, value_name = "TIME", value_parser = args::duration, conflicts_with = "at")]
    delay: Option<Duration>,
    /// Not before this instant: 2026-01-31T09:00:00Z, 09:00, `tomorrow 09:00`
    #[arg(long, value_name = "INSTANT")]
    at: Option<String>,
    /// Idempotency key: submissions with one key are one task
    #[arg(long)]
    key: Option<String>,
    /// How many attempts there may be
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    attempts: Option<u32>,
    /// How long one attempt may take
    #[arg(long, value_name = "TIME", value_parser = args::duration)]
    attempt_timeout: Option<Duration>,
    /// A word for people and programs; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    meta: Vec<(String, String)>,
    /// The span that submits it, in a trace across programs [default: $TRACEPARENT]
    #[arg(long, value_name = "TEXT", value_parser = traceparent)]
    traceparent: Option<TraceParent>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("KEY=VALUE is expected")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn traceparent(text: &str) -> Result<TraceParent, String> {
    let wanted = "00-, 32 hexadecimal digits, -, 16 of them, -01 is expected";
    parse_traceparent(text).ok_or_else(|| wanted.to_owned())
}

/// What whoever called this program says of its span. What cannot be read is no reason to stop.
fn surrounding_span() -> (Option<TraceParent>, Option<String>) {
    let said = |name| std::env::var(name).ok();
    let parent = said("TRACEPARENT").and_then(|text| parse_traceparent(&text));
    let state = said("TRACESTATE").filter(|state| parent.is_some() && is_tracestate(state));
    (parent, state)
}

pub(super) fn run(args: SubmitArgs, session: &Session) -> Outcome {
    let (wait, submit) = (args.wait, submission(args, session)?);
    let client = session.connect()?;
    if !wait {
        let acknowledged = client.submit_and_forget(submit).map_err(session.failed())?;
        tell_accepted(session, acknowledged);
        return Ok(exit::OK);
    }
    let ticket = client.submit_with(submit).map_err(session.failed())?;
    session.voice.detail(&ticket.task_id().to_string());
    let ended = ticket.wait(session.timeout()).map_err(session.failed())?;
    Ok(end::tell(&session.voice, ticket.task_id(), &ended))
}

fn submission(args: SubmitArgs, session: &Session) -> Result<Submit, Failure> {
    let lang = session.lang();
    let payload = payload::submission(&args.kind, &args.args, args.json.as_deref(), lang)?;
    let due_at = args
        .at
        .as_deref()
        .map(|text| instant(text, session))
        .transpose()?;
    let (traceparent, tracestate) = match args.traceparent {
        Some(parent) => (Some(parent), None),
        None => surrounding_span(),
    };
    Ok(Submit {
        traceparent,
        tracestate,
        queue: args.queue,
        priority: args.priority,
        delay: args.delay,
        due_at: due_at.map(when::system_time),
        idempotency_key: args.key,
        max_attempts: args.attempts,
        timeout: args.attempt_timeout,
        metadata: args.meta,
        ..payload
    })
}

/// Reads `--at` and says how it was understood.
fn instant(text: &str, session: &Session) -> Result<jiff::Timestamp, Failure> {
    let now = Zoned::now();
    let instant = when::parse(text, &now).ok_or_else(|| {
        Failure::usage(session.lang(), Text::UsageTime, &[("text", &text)])
            .with_hint(Text::UsageTimeHint.plain(session.lang()))
    })?;
    let at = when::spoken(instant, &now);
    session
        .voice
        .say(&session.voice.text(Text::DueAt, &[("at", &at)]));
    Ok(instant)
}

/// Tells an acknowledgement: the id, or the line of the wire.
pub(super) fn tell_accepted(session: &Session, acknowledged: Acknowledged) {
    let line = match session.voice.format {
        Format::Table | Format::Id => acknowledged.task_id.to_string(),
        Format::Json | Format::Jsonl => {
            let mut out = Vec::new();
            let answer = Acknowledgement {
                task_id: *acknowledged.task_id.as_bytes(),
                status: acknowledged.status,
                duplicate: acknowledged.is_duplicate,
                durability: Durability::Full,
                reference: None,
            };
            answer.append_to(&mut out);
            String::from_utf8_lossy(&out).into_owned()
        }
    };
    session.voice.result(&line);
}
