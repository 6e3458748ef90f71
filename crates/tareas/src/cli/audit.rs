//! `tareas audit`: who did what.

use clap::Args;
use serde_json::Value;
use tareas_client::http::HttpClient;
use tareas_protocol::code::exit;

use super::{Outcome, Session};
use crate::output::{Format, Voice, table};
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// How many lines, the newest first
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
}

pub(super) fn run(args: &AuditArgs, session: &Session) -> Outcome {
    let http = HttpClient::new(session.server()?, session.options()?);
    let told = http.get(&format!("/v1/audit?limit={}", args.limit));
    let text = told
        .and_then(|response| response.accepted())
        .map_err(session.failed())?
        .text();
    let log: Value = serde_json::from_str(&text).unwrap_or_default();
    let none = Vec::new();
    let lines = log["entries"].as_array().unwrap_or(&none);
    let voice = &session.voice;
    match voice.format {
        Format::Json => voice.result(&text),
        Format::Jsonl => lines
            .iter()
            .for_each(|line| voice.result(&line.to_string())),
        Format::Id => lines
            .iter()
            .for_each(|line| voice.result(&line["number"].to_string())),
        Format::Table => voice.result(&laid_out(lines, voice)),
    }
    Ok(exit::OK)
}

fn laid_out(lines: &[Value], voice: &Voice) -> String {
    let header = [
        Text::ColumnWhen,
        Text::ColumnWho,
        Text::ColumnFrom,
        Text::ColumnDeed,
        Text::ColumnDetail,
    ];
    let header = header.map(|text| text.plain(voice.lang).to_owned());
    let cells = |line: &Value| {
        let members = ["at", "who", "address", "deed", "detail"];
        members
            .map(|member| line[member].as_str().unwrap_or_default().to_owned())
            .to_vec()
    };
    let rows: Vec<Vec<String>> = lines.iter().map(cells).collect();
    table(&header, &rows)
}
