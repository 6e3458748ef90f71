//! Commands: JSON lines named by `cmd`.

use super::decode::Decoder;
use super::fault::echo;
use super::field::{Field, Fields};
use super::{Batch, Expected, Fault, Logs, Refusal, Request, Submission, Token, worker};
use crate::id::TaskIdBytes;
use crate::json::ValueKind;
use crate::lang::Lang;
use crate::limits::{PLACE_BYTES_MAX, TOKEN_BYTES_MAX, WAIT_MS_MAX};
use crate::nearest::nearest;

const COMMANDS: [&str; 21] = [
    "submit", "batch", "status", "result", "wait", "cancel", "requeue", "logs", "ping", "hello",
    "auth", // Those of remote workers.
    "work", "done", "fail", "release", "progress", "log", "output", "artifact", "beat", "many",
];

type Refused<T> = Result<T, Box<Refusal>>;

/// Whether the line holds several requests, which are counted and decoded each by itself.
pub(super) fn is_several(fields: &Fields<'_, '_>) -> bool {
    let is_several = |text| matches!(text, "\"batch\"" | "\"many\"");
    !fields.has_op() && fields.cmd().is_some_and(|cmd| is_several(cmd.text))
}

/// Decodes a line without `op`.
pub(super) fn decode<'a>(
    fields: &Fields<'_, 'a>,
    reference: Option<&'a str>,
) -> Refused<Request<'a>> {
    let Some(cmd) = fields.cmd() else {
        return Err(Refusal::of(Fault::NoCommand));
    };
    let command = cmd.string()?;
    match &*command {
        "submit" => Submission::full(fields, reference).map(Request::Submit),
        "batch" => batch(fields).map(Request::Batch),
        "status" => about(fields).map(|task_id| Request::Status { task_id }),
        "result" => about(fields).map(|task_id| Request::Result { task_id }),
        "cancel" => about(fields).map(|task_id| Request::Cancel { task_id }),
        "requeue" => about(fields).map(|task_id| Request::Requeue { task_id }),
        "wait" => wait(fields),
        "logs" => logs(fields).map(Request::Logs),
        "ping" => fields.only(&["cmd", "ref"]).map(|()| Request::Ping),
        "hello" => hello(fields),
        "auth" => auth(fields),
        "work" => worker::work(fields),
        "beat" => worker::beat(fields),
        "many" => worker::many(fields),
        about if worker::is_report(about) => worker::report(about, fields).map(Request::Report),
        unknown => Err(Refusal::of(refused(unknown)).at("/cmd".to_owned())),
    }
}

fn refused(command: &str) -> Fault {
    let nearest = nearest(command, COMMANDS);
    let command = echo(command);
    Fault::UnknownCommand { command, nearest }
}

/// A command whose one argument is a task.
fn about(fields: &Fields<'_, '_>) -> Refused<TaskIdBytes> {
    fields.only(&["cmd", "ref", "task_id"])?;
    task_id(fields)
}

fn task_id(fields: &Fields<'_, '_>) -> Refused<TaskIdBytes> {
    let missing = || Refusal::of(Fault::Missing { member: "task_id" });
    fields.task_id()?.ok_or_else(missing)
}

fn wait<'a>(fields: &Fields<'_, 'a>) -> Refused<Request<'a>> {
    fields.only(&["cmd", "ref", "task_id", "timeout_ms"])?;
    let timeout_ms = match fields.find("timeout_ms") {
        Some(field) => field.integer(0, WAIT_MS_MAX)?,
        None => WAIT_MS_MAX,
    };
    let task_id = task_id(fields)?;
    Ok(Request::Wait {
        task_id,
        timeout_ms,
    })
}

fn logs<'a>(fields: &Fields<'_, 'a>) -> Refused<Logs<'a>> {
    fields.only(&["cmd", "ref", "task_id", "follow", "after"])?;
    let follow = match fields.find("follow") {
        Some(field) => field.boolean()?,
        None => false,
    };
    let after = fields.find("after");
    let after = after.map(|field| field.string_within(PLACE_BYTES_MAX));
    Ok(Logs {
        task_id: task_id(fields)?,
        follow,
        after: after.transpose()?,
    })
}

fn hello<'a>(fields: &Fields<'_, 'a>) -> Refused<Request<'a>> {
    fields.only(&["cmd", "ref", "lang"])?;
    let lang = fields.find("lang").map(Field::string).transpose()?;
    let lang = lang.map(|tag| Lang::parse(&tag));
    Ok(Request::Hello { lang })
}

fn auth<'a>(fields: &Fields<'_, 'a>) -> Refused<Request<'a>> {
    fields.only(&["cmd", "ref", "token"])?;
    let Some(token) = fields.find("token") else {
        return Err(Refusal::of(Fault::Missing { member: "token" }));
    };
    let token = Token::of(token.string_within(TOKEN_BYTES_MAX)?);
    Ok(Request::Auth { token })
}

fn batch<'a>(fields: &Fields<'_, 'a>) -> Refused<Batch<'a>> {
    fields.only(&["cmd", "ref", "tasks", "wait"])?;
    let wait = match fields.find("wait") {
        Some(field) => field.boolean()?,
        None => true,
    };
    let Some(tasks) = fields.find("tasks") else {
        return Err(Refusal::of(Fault::Missing { member: "tasks" }));
    };
    if tasks.kind != ValueKind::Array {
        return Err(tasks.expected(Expected::Array));
    }
    // The line's own scanner still holds the members of the envelope.
    let tasks = Decoder::new().array(tasks.text, "/tasks")?;
    Ok(Batch { tasks, wait })
}
