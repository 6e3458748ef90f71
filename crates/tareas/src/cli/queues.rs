//! `tareas queues`: what waits where; pause and resume.

use clap::{Args, Subcommand};
use tareas_client::http::{HttpClient, escape};
use tareas_protocol::code::exit;

use super::task_object::Members;
use super::{Outcome, Session};
use crate::output::{Format, Voice, table};
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct QueuesArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the queues; the default
    Ls,
    /// Start no more tasks of a queue
    Pause {
        /// The queue
        queue: String,
    },
    /// Start tasks of a queue again
    Resume {
        /// The queue
        queue: String,
    },
}

pub(super) fn run(args: &QueuesArgs, session: &Session) -> Outcome {
    let http = session.connect()?.http();
    match args.action.as_ref().unwrap_or(&Action::Ls) {
        Action::Ls => list(&http, session),
        Action::Pause { queue } => switch(&http, queue, "pause", Text::QueuePaused, session),
        Action::Resume { queue } => switch(&http, queue, "resume", Text::QueueResumed, session),
    }
}

fn list(http: &HttpClient, session: &Session) -> Outcome {
    let response = http
        .get("/v1/queues")
        .and_then(|response| response.accepted());
    let json = response.map_err(session.failed())?.text();
    let queues = Members::read(&json, session.lang())?.objects("queues");
    let voice = &session.voice;
    match voice.format {
        Format::Json | Format::Jsonl => voice.result(&json),
        Format::Id => queues
            .iter()
            .for_each(|queue| voice.result(&queue.shown("name"))),
        Format::Table => voice.result(&laid_out(&queues, voice)),
    }
    Ok(exit::OK)
}

fn switch(http: &HttpClient, queue: &str, verb: &str, text: Text, session: &Session) -> Outcome {
    let response = http.post(&format!("/v1/queues/{}/{verb}", escape(queue)), "{}");
    let response = response
        .and_then(|response| response.accepted())
        .map_err(session.failed())?;
    match session.voice.format {
        Format::Table => session
            .voice
            .result(&session.voice.text(text, &[("queue", &queue)])),
        Format::Id => session.voice.result(queue),
        Format::Json | Format::Jsonl => session.voice.result(&response.text()),
    }
    Ok(exit::OK)
}

fn laid_out(queues: &[Members], voice: &Voice) -> String {
    let header = [
        Text::ColumnQueue,
        Text::ColumnWaiting,
        Text::ColumnScheduled,
        Text::ColumnRunning,
        Text::ColumnFailed,
        Text::ColumnState,
    ];
    let header = header.map(|text| text.plain(voice.lang).to_owned());
    let rows: Vec<Vec<String>> = queues
        .iter()
        .map(|queue| {
            let is_paused = queue.raw("paused") == Some("true");
            let state = if is_paused {
                Text::Paused
            } else {
                Text::Active
            };
            vec![
                queue.shown("name"),
                queue.shown("queued"),
                queue.shown("scheduled"),
                queue.shown("running"),
                queue.shown("failed"),
                state.plain(voice.lang).to_owned(),
            ]
        })
        .collect();
    table(&header, &rows)
}
