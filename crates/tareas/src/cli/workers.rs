//! `tareas workers`: who is connected, and what they can run.

use clap::Args;
use tareas_protocol::code::exit;

use super::task_object::Members;
use super::{Outcome, Session};
use crate::output::{Format, Voice, table};
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct WorkersArgs {}

pub(super) fn run(_args: &WorkersArgs, session: &Session) -> Outcome {
    let http = session.connect()?.http();
    let response = http
        .get("/v1/workers")
        .and_then(|response| response.accepted());
    let json = response.map_err(session.failed())?.text();
    let workers = Members::read(&json, session.lang())?.objects("workers");
    let voice = &session.voice;
    match voice.format {
        Format::Json | Format::Jsonl => voice.result(&json),
        Format::Id => workers
            .iter()
            .for_each(|worker| voice.result(&worker.shown("name"))),
        Format::Table => voice.result(&laid_out(&workers, voice)),
    }
    Ok(exit::OK)
}

fn laid_out(workers: &[Members], voice: &Voice) -> String {
    let header = [
        Text::ColumnName,
        Text::ColumnAddress,
        Text::ColumnState,
        Text::ColumnBusy,
        Text::ColumnQueues,
        Text::ColumnKinds,
        Text::ColumnLabels,
        Text::ColumnSilent,
    ];
    let header = header.map(|text| text.plain(voice.lang).to_owned());
    let list = |worker: &Members, name: &str| {
        let names: Vec<String> = worker
            .raw(name)
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default();
        match names.len() {
            0 => "-".to_owned(),
            1..=6 => names.join(","),
            more => format!("{},… ({more})", names[..5].join(",")),
        }
    };
    let rows: Vec<Vec<String>> = workers
        .iter()
        .map(|worker| {
            let silent = worker
                .text("silent_ms")
                .map_or_else(String::new, |ms| format!("{ms} ms"));
            vec![
                worker.shown("name"),
                worker.text("address").unwrap_or_else(|| "-".to_owned()),
                worker.text("state").unwrap_or_else(|| "-".to_owned()),
                format!("{}/{}", worker.shown("busy"), worker.shown("threads")),
                list(worker, "queues"),
                list(worker, "kinds"),
                list(worker, "labels"),
                silent,
            ]
        })
        .collect();
    table(&header, &rows)
}
