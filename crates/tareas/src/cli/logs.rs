//! `tareas logs`: what the attempts of a task have said; live with `-f`.

use std::time::{Duration, Instant};

use clap::Args;
use tareas_client::http::{Event, Events, HttpClient};
use tareas_client::{Error, TaskId};
use tareas_protocol::code::exit;

use super::task_object::Members;
use super::{Outcome, Session};
use crate::output::{Failure, Voice};
use crate::text::Text;

/// For how long a stream that broke is opened again.
const COME_BACK_FOR: Duration = Duration::from_secs(30);
/// Pause between two tries.
const COME_BACK_EVERY: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// The task
    id: String,
    /// Go on until the task has ended; the exit code is that of its end
    #[arg(short, long)]
    follow: bool,
}

pub(super) fn run(args: &LogsArgs, session: &Session) -> Outcome {
    let id = session.id(&args.id)?;
    let http = HttpClient::new(session.server()?, session.options()?);
    match args.follow {
        true => Follower::new(id, http, session).run(),
        false => show(id, &http, session),
    }
}

fn path_of(id: TaskId) -> String {
    format!("/v1/tasks/{id}/log")
}

fn show(id: TaskId, http: &HttpClient, session: &Session) -> Outcome {
    let response = http
        .get(&path_of(id))
        .and_then(|response| response.accepted());
    let json = response.map_err(session.failed())?.text();
    let voice = &session.voice;
    if voice.format.is_json() {
        voice.result(&json);
        return Ok(exit::OK);
    }
    let attempts = Members::read(&json, voice.lang)?.objects("attempts");
    for attempt in &attempts {
        if attempts.len() > 1 {
            begin_attempt(&attempt.shown("attempt"), voice);
        }
        let lines = attempt
            .raw("lines")
            .and_then(|json| serde_json::from_str(json).ok());
        let lines: Vec<String> = lines.unwrap_or_default();
        lines.iter().for_each(|line| voice.result(&harmless(line)));
        if attempt.raw("truncated") == Some("true") {
            voice.say(Text::LogTruncated.plain(voice.lang));
        }
    }
    Ok(exit::OK)
}

fn begin_attempt(attempt: &str, voice: &Voice) {
    voice.say(&voice.text(Text::LogOfAttempt, &[("attempt", &attempt)]));
}

/// What a task has said, without what a terminal would take as an order.
fn harmless(line: &str) -> String {
    line.replace(|c: char| c.is_control() && c != '\t', "\u{FFFD}")
}

/// Follows one task, across lost connections.
struct Follower<'a> {
    id: TaskId,
    http: HttpClient,
    session: &'a Session,
    /// The last line that was shown.
    last: Option<String>,
    attempt: Option<String>,
}

impl<'a> Follower<'a> {
    fn new(id: TaskId, http: HttpClient, session: &'a Session) -> Self {
        Self {
            id,
            http,
            session,
            last: None,
            attempt: None,
        }
    }

    fn run(mut self) -> Outcome {
        let mut heard_at: Option<Instant> = None;
        loop {
            match self.http.events(&path_of(self.id), self.last.as_deref()) {
                Ok(events) => {
                    heard_at = Some(Instant::now());
                    if let Some(code) = self.until_broken(events)? {
                        return Ok(code);
                    }
                }
                // Not on the first try: then there is nothing to come back to.
                Err(error) if may_come_back(&error, heard_at) => {}
                Err(error) => return Err(self.session.failed()(error)),
            }
            std::thread::sleep(COME_BACK_EVERY);
        }
    }

    /// Shows what comes; the exit code at the end of the task, nothing when the stream broke.
    fn until_broken(&mut self, mut events: Events) -> Result<Option<u8>, Failure> {
        while let Ok(Some(event)) = events.next_event() {
            if let Some(code) = self.show(event)? {
                return Ok(Some(code));
            }
        }
        Ok(None)
    }

    fn show(&mut self, event: Event) -> Result<Option<u8>, Failure> {
        let voice = &self.session.voice;
        let said = Members::read(&event.data, voice.lang)?;
        if voice.format.is_json() {
            voice.result(&event.data);
        }
        if event.id.is_some() {
            self.last = event.id;
        }
        match event.name.as_str() {
            "end" => return Ok(Some(end(&said, voice))),
            "log" if !voice.format.is_json() => {
                let attempt = said.text("attempt");
                if attempt != self.attempt {
                    begin_attempt(attempt.as_deref().unwrap_or_default(), voice);
                    self.attempt = attempt;
                }
                voice.result(&harmless(&said.shown("line")));
            }
            "progress" => {
                let told = format!("{} % {}", said.shown("percent"), said.shown("message"));
                voice.say(harmless(told.trim()).as_str());
            }
            "output" if !voice.format.is_json() => {
                let text = said.shown("text");
                voice.result(&harmless(text.trim_end_matches('\n')));
            }
            "truncated" => voice.say(Text::LogTruncated.plain(voice.lang)),
            _ => {}
        }
        Ok(None)
    }
}

/// Whether the stream is to be opened again: a server that restarts is back soon.
fn may_come_back(error: &Error, heard_at: Option<Instant>) -> bool {
    let is_away = !matches!(error, Error::Refused(_) | Error::Malformed { .. });
    is_away && heard_at.is_some_and(|at| at.elapsed() < COME_BACK_FOR)
}

fn end(said: &Members, voice: &Voice) -> u8 {
    let status = said.shown("status");
    voice.say(&voice.text(Text::Ended, &[("status", &status)]));
    match status.as_str() {
        "succeeded" => exit::OK,
        "cancelled" => exit::CANCELLED,
        _ => exit::TASK_FAILED,
    }
}
