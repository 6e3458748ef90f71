//! `tareas list`: tasks, newest first.

use clap::Args;
use tareas_client::http::escape;
use tareas_protocol::code::exit;

use super::task_object::Members;
use super::{Outcome, Session};
use crate::output::{Format, Voice, stdout_is_seen, table};
use crate::text::Text;

const EXAMPLES: &str = "\
Examples:
  tareas list
  tareas list state:failed queue:mail since:1h
  tareas list kind:resize -o id --limit 500 | xargs tareas requeue";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ListArgs {
    /// Conditions: state:failed kind:resize since:1h error:timeout; see /docs
    filter: Vec<String>,
    /// How many at most
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: u32,
    /// Go on where an earlier list ended
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

pub(super) fn run(args: &ListArgs, session: &Session) -> Outcome {
    let http = session.connect()?.http();
    let response = http
        .get(&path(args))
        .and_then(|response| response.accepted());
    let json = response.map_err(session.failed())?.text();
    let page = Members::read(&json, session.lang())?;
    tell(&json, &page, &session.voice);
    Ok(exit::OK)
}

fn path(args: &ListArgs) -> String {
    let mut path = format!("/v1/tasks?limit={}", args.limit);
    if !args.filter.is_empty() {
        path += &format!("&filter={}", escape(&args.filter.join(" ")));
    }
    if let Some(cursor) = &args.cursor {
        path += &format!("&cursor={}", escape(cursor));
    }
    path
}

fn tell(json: &str, page: &Members, voice: &Voice) {
    let tasks = page.objects("tasks");
    match voice.format {
        Format::Json => voice.result(json),
        Format::Jsonl => raw_tasks(page).iter().for_each(|task| voice.result(task)),
        Format::Id => tasks
            .iter()
            .for_each(|task| voice.result(&task.shown("task_id"))),
        Format::Table if tasks.is_empty() => voice.say(Text::NoTasks.plain(voice.lang)),
        Format::Table => {
            voice.result(&laid_out(&tasks, voice));
            if let Some(cursor) = page.text("next_cursor").filter(|_| stdout_is_seen()) {
                voice.say(&voice.text(Text::MoreTasks, &[("cursor", &cursor)]));
            }
        }
    }
}

fn raw_tasks(page: &Members) -> Vec<String> {
    let array = page.raw("tasks").unwrap_or("[]");
    let tasks: Vec<Box<serde_json::value::RawValue>> =
        serde_json::from_str(array).unwrap_or_default();
    tasks.iter().map(|task| task.get().to_owned()).collect()
}

fn laid_out(tasks: &[Members], voice: &Voice) -> String {
    let header = [
        Text::ColumnId,
        Text::ColumnStatus,
        Text::ColumnKind,
        Text::ColumnQueue,
        Text::ColumnAttempt,
        Text::ColumnSubmitted,
    ];
    let header = header.map(|text| text.plain(voice.lang).to_owned());
    let rows: Vec<Vec<String>> = tasks
        .iter()
        .map(|task| {
            vec![
                task.shown("task_id"),
                task.shown("status"),
                task.shown("kind"),
                task.shown("queue"),
                format!("{}/{}", task.shown("attempt"), task.shown("max_attempts")),
                task.shown("submitted_at"),
            ]
        })
        .collect();
    table(&header, &rows)
}
