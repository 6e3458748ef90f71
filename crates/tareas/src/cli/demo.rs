//! `tareas demo`: the whole system in one process, real tasks over a real socket.

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use tareas_client::{Client, Submit};
use tareas_protocol::Code;
use tareas_protocol::code::exit;

use super::{Outcome, Session, end};
use crate::bench;
use crate::config::{Configuration, Flags, ServeConfig};
use crate::output::Failure;
use crate::serve::{self, Role, Signals, System};
use crate::text::Text;

/// Tasks of the burst at the end.
const BURST: u64 = 20_000;
/// How long any task of the demonstration may take.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Stay up afterwards, until Ctrl-C
    #[arg(long)]
    keep: bool,
}

pub(super) fn run(args: &DemoArgs, session: &Session) -> Outcome {
    let lang = session.lang();
    let folder = tempfile::Builder::new()
        .prefix("tareas-demo-")
        .tempdir()
        .map_err(|error| {
            Failure::new(
                Code::StorageFull,
                lang,
                Text::CannotWrite,
                &[("path", &"TMPDIR")],
            )
            .because(error.to_string())
        })?;
    let config = config(folder.path(), session)?;
    let runtime = serve::runtime(&session.voice)?;
    let system = runtime.block_on(System::start(&config, Role::Server))?;
    let shown = show(&system, folder.path(), args.keep, session);
    if args.keep && shown.is_ok() {
        runtime.block_on(async {
            Signals::listen(&session.voice)?.next().await;
            Ok(())
        })?;
    }
    // The folder goes away; what could not be written to it no longer matters.
    let _ = runtime.block_on(system.stop(Duration::from_secs(2)));
    shown?;
    let parting = if args.keep {
        Text::Stopped
    } else {
        Text::DemoNext
    };
    session.voice.say(parting.plain(lang));
    Ok(exit::OK)
}

fn config(folder: &Path, session: &Session) -> Result<ServeConfig, Failure> {
    let data = folder.join("data").display().to_string();
    let flags: Flags = vec![
        ("bind", vec!["127.0.0.1:0".to_owned()]),
        ("data", vec![data]),
    ];
    let empty = folder.join("tareas.toml");
    // No file that lies about is used; one that cannot be made is told by what reads it.
    let _ = std::fs::write(&empty, "");
    let none = |_: &str| None;
    let configuration = Configuration::load(&flags, none, Some(&empty), session.lang())?;
    ServeConfig::of(&configuration, session.lang())
}

fn show(system: &System, folder: &Path, keep: bool, session: &Session) -> Result<(), Failure> {
    let voice = &session.voice;
    let address = system
        .addresses()
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    let path = folder.display();
    voice.say(&voice.text(Text::DemoStart, &[("address", &address), ("path", &path)]));
    let client = Client::connect(&address, session.options()?).map_err(session.failed())?;
    for (line, submit) in tasks() {
        one(&client, line, submit, session)?;
    }
    burst(&client, session)?;
    let url = format!("http://{address}");
    let last = if keep {
        Text::DemoKeep
    } else {
        Text::DemoDashboard
    };
    voice.say(&voice.text(last, &[("url", &url)]));
    if !keep {
        voice.say(Text::DemoEnd.plain(session.lang()));
    }
    Ok(())
}

/// What is shown, as it would be typed, and as it is sent.
fn tasks() -> Vec<(&'static str, Submit)> {
    let quick_retry = tareas_client::Backoff {
        initial_ms: Some(50),
        max_ms: Some(100),
        factor: Some(1.0),
    };
    let fail = r#"{"message":"no luck yet","retryable":true,"times":2}"#;
    let book = "to be or not to be that is the question";
    vec![
        ("sumar 2 + 2", Submit::words("sumar", "2 + 2")),
        (
            r#"{"op":"square","n":5}"#,
            Submit::new("square", r#"{"n":5}"#),
        ),
        ("procesar datos", Submit::words("procesar", "datos")),
        ("primes 5000000", Submit::words("primes", "5000000")),
        (
            "wordcount to be or not to be…",
            Submit::words("wordcount", book),
        ),
        (
            r#"fail {"times":2}"#,
            Submit {
                backoff: Some(quick_retry),
                ..Submit::new("fail", fail)
            },
        ),
    ]
}

fn one(client: &Client, line: &str, submit: Submit, session: &Session) -> Result<(), Failure> {
    let voice = &session.voice;
    let is_retried = submit.kind == "fail";
    let began = Instant::now();
    let ticket = client.submit_with(submit).map_err(session.failed())?;
    let accepted = began.elapsed();
    let ended = ticket.wait(Some(PATIENCE)).map_err(session.failed())?;
    let total = began.elapsed();
    if voice.format.is_json() {
        voice.result(&end::json(ticket.task_id(), &ended));
        return Ok(());
    }
    let result = end::plain(ticket.task_id(), &ended, session.lang());
    let timing = format!("{:.1} / {:.1} ms", millis(accepted), millis(total));
    let (mark, timing) = (voice.paint.green("✓"), voice.paint.dim(&timing));
    voice.result(&format!("{mark} {line:<30} → {result}  {timing}"));
    if is_retried {
        let text = voice.text(Text::DemoRetried, &[("count", &2)]);
        voice.result(&voice.paint.dim(&format!("  {text}")));
    }
    Ok(())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn burst(client: &Client, session: &Session) -> Result<(), Failure> {
    let run = bench::burst(client.address(), BURST).map_err(session.failed())?;
    bench::verdict(std::slice::from_ref(&run), session)?;
    let rate = format!("{:.0}", run.rate());
    let voice = &session.voice;
    let text = voice.text(Text::DemoBurst, &[("count", &BURST), ("rate", &rate)]);
    let line = match voice.format.is_json() {
        true => format!(r#"{{"burst":{BURST},"rate":{rate}}}"#),
        false => format!("{} {text}", voice.paint.green("✓")),
    };
    voice.result(&line);
    Ok(())
}
