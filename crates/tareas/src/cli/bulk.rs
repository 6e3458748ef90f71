//! `--filter`: the same command for every task that a filter finds. Counted first, then asked,
//! then done by the server while progress is shown; Ctrl-C here leaves it going on there.

use std::io::{self, BufRead, IsTerminal, Write};

use clap::Args;
use serde_json::json;
use tareas_client::http::HttpClient;
use tareas_protocol::code::exit;

use super::task_object::Members;
use super::{Outcome, Session};
use crate::output::{Failure, Format};
use crate::text::Text;

/// How long one look at the progress waits for the end, in seconds.
const LOOK_SECONDS: u32 = 1;

#[derive(Debug, Args)]
pub(super) struct ManyArgs {
    /// Every task that this finds instead: state:failed kind:resize since:1h
    #[arg(long, value_name = "FILTER", conflicts_with = "ids")]
    filter: Option<String>,
    /// Only count them
    #[arg(long, requires = "filter")]
    dry_run: bool,
    /// Do it without asking
    #[arg(short, long, requires = "filter")]
    yes: bool,
    /// So many of them at most, the newest
    #[arg(long, requires = "filter", value_name = "N")]
    limit: Option<u64>,
}

/// What is done, and its words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Action {
    pub(super) name: &'static str,
    pub(super) question: Text,
    pub(super) done: Text,
}

impl ManyArgs {
    /// Does it to many, if that was asked.
    pub(super) fn run(&self, action: Action, session: &Session) -> Option<Outcome> {
        let filter = self.filter.as_deref()?;
        Some(self.act(action, filter, session))
    }

    fn act(&self, action: Action, filter: &str, session: &Session) -> Outcome {
        let http = session.connect()?.http();
        let order = |is_dry_run: bool| {
            let order = json!({
                "action": action.name, "filter": filter, "dry_run": is_dry_run,
                "limit": self.limit,
            });
            order.to_string()
        };
        if self.dry_run || !self.yes {
            let counted = follow(&http, &order(true), session)?;
            if self.dry_run {
                tell(&counted, Text::BulkMatches, session);
                return Ok(exit_of(&counted));
            }
            if counted.shown("matched") == "0" {
                session.voice.say(Text::BulkNothing.plain(session.lang()));
                return Ok(exit::OK);
            }
            if !agrees(action, &counted, session)? {
                return Ok(exit::REFUSED);
            }
        }
        let done = follow(&http, &order(false), session)?;
        tell(&done, action.done, session);
        Ok(exit_of(&done))
    }
}

/// Orders it and waits for its end, saying how far it is.
fn follow(http: &HttpClient, order: &str, session: &Session) -> Result<Members, Failure> {
    let response = http.post("/v1/bulk", order);
    let response = response.and_then(|response| response.accepted());
    let mut bulk = Members::read(&response.map_err(session.failed())?.text(), session.lang())?;
    let path = format!("/v1/bulk/{}?wait={LOOK_SECONDS}", bulk.shown("id"));
    while matches!(bulk.shown("state").as_str(), "waiting" | "running") {
        let response = http.get(&path).and_then(|response| response.accepted());
        bulk = Members::read(&response.map_err(session.failed())?.text(), session.lang())?;
        if session.voice.format == Format::Table {
            let values: [(&str, &dyn std::fmt::Display); 3] = [
                ("matched", &bulk.shown("matched")),
                ("done", &bulk.shown("done")),
                ("id", &bulk.shown("id")),
            ];
            let progress = session.voice.text(Text::BulkProgress, &values);
            session.voice.detail(&progress);
        }
    }
    Ok(bulk)
}

fn tell(bulk: &Members, text: Text, session: &Session) {
    let voice = &session.voice;
    match voice.format {
        Format::Json | Format::Jsonl => voice.result(&bulk.to_json()),
        Format::Id => voice.result(&bulk.shown("id")),
        Format::Table => {
            let values: [(&str, &dyn std::fmt::Display); 3] = [
                ("matched", &bulk.shown("matched")),
                ("done", &bulk.shown("done")),
                ("skipped", &bulk.shown("skipped")),
            ];
            voice.result(&voice.text(text, &values));
            if bulk.shown("dry_run") == "true" {
                tell_kinds(bulk, session);
            }
            if bulk.shown("state") != "finished" {
                voice.warn(&voice.text(Text::BulkEnded, &[("state", &bulk.shown("state"))]));
            }
        }
    }
}

fn tell_kinds(bulk: &Members, session: &Session) {
    for kind in bulk.objects("kinds") {
        let name = kind.text("kind").unwrap_or_else(|| "…".to_owned());
        session
            .voice
            .result(&format!("{:>10}  {name}", kind.shown("tasks")));
    }
}

/// Asks a person; nobody else can agree.
fn agrees(action: Action, counted: &Members, session: &Session) -> Result<bool, Failure> {
    let lang = session.lang();
    let matched = counted.shown("matched");
    if !io::stdin().is_terminal() {
        let values: [(&str, &dyn std::fmt::Display); 1] = [("matched", &matched)];
        return Err(Failure::usage(lang, Text::BulkNeedsYes, &values));
    }
    let question = action.question.fill(lang, &[("matched", &matched)]);
    let mut stderr = io::stderr().lock();
    // Without an answer nothing is done, whether the question was seen or not.
    let _ = write!(stderr, "{question}").and_then(|()| stderr.flush());
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    let word = answer.trim().to_lowercase();
    Ok(read.is_ok() && matches!(word.as_str(), "y" | "yes" | "s" | "si" | "sí"))
}

fn exit_of(bulk: &Members) -> u8 {
    match bulk.shown("state").as_str() {
        "finished" => exit::OK,
        "stopped" => exit::CANCELLED,
        _ => exit::UNREACHABLE,
    }
}
