//! `tareas token`: makes, lists and revokes tokens, and makes links that log in.
//!
//! Through the server, with the token of an administrator; or with `--local` on the store itself,
//! for whoever is in charge of it anyway.

mod registry;

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::Value;
use tareas_protocol::code::exit;
use tareas_server::tokens::TokenRequest;

use super::args::duration;
use super::{Outcome, Session};
use crate::output::{Format, Voice, qr_code, stderr_is_seen, table};
use crate::text::Text;
use registry::Registry;

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    action: Action,
    /// On the store itself, without a server and without a token
    #[arg(long, global = true)]
    local: bool,
    /// The data folder of the store [default: ./tareas-data]
    #[arg(long, global = true, value_name = "DIR", requires = "local")]
    data: Option<String>,
    /// The records of the store [default: sqlite:]
    #[arg(long, global = true, value_name = "URL", requires = "local")]
    records: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token; its text is shown once
    Create(CreateArgs),
    /// List the tokens, newest first
    #[command(alias = "ls")]
    List,
    /// Revoke a token, and every session that came of it
    Revoke {
        /// The eight letters after `tr_`
        id: String,
    },
    /// Make a link that opens the dashboard, once, within half an hour
    LoginLink {
        /// Also as a QR code for a phone, where it would not be shown [default: on a terminal]
        #[arg(long)]
        qr: bool,
    },
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// Which program or person it is for
    name: String,
    /// What it may do: submit, read, work, operate, admin; separated by commas
    #[arg(long, value_name = "ROLES", required = true, value_delimiter = ',')]
    role: Vec<String>,
    /// For which queues: names, or names with * at the end [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    queues: Vec<String>,
    /// How long it lives: 30d [default: for ever]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    expires: Option<Duration>,
    /// From which networks it may be used; repeatable [default: from anywhere]
    #[arg(long, value_name = "NETWORK")]
    from: Vec<String>,
}

pub(super) fn run(args: &TokenArgs, session: &Session) -> Outcome {
    let registry = match args.local {
        true => Registry::local(args.data.clone(), args.records.clone(), session)?,
        false => Registry::server(session)?,
    };
    match &args.action {
        Action::Create(wanted) => create(wanted, &registry, session),
        Action::List => list(&registry, &session.voice),
        Action::Revoke { id } => revoke(id, &registry, &session.voice),
        Action::LoginLink { qr } => link(*qr, &registry, session),
    }
}

fn create(args: &CreateArgs, registry: &Registry, session: &Session) -> Outcome {
    let queues = match args.queues.is_empty() {
        true => vec!["*".to_owned()],
        false => args.queues.clone(),
    };
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let made = registry.create(&TokenRequest {
        name: args.name.clone(),
        roles: args.role.clone(),
        queues,
        from: args.from.clone(),
        expires_in_ms: args.expires.map(millis),
    })?;
    let voice = &session.voice;
    match voice.format {
        Format::Json | Format::Jsonl => voice.result(&made.to_string()),
        Format::Id => voice.result(text(&made, "id")),
        Format::Table => {
            voice.result(text(&made, "token"));
            voice.say(Text::TokenShownOnce.plain(voice.lang));
        }
    }
    Ok(exit::OK)
}

fn list(registry: &Registry, voice: &Voice) -> Outcome {
    let list = registry.list()?;
    let none = Vec::new();
    let tokens = list["tokens"].as_array().unwrap_or(&none);
    match voice.format {
        Format::Json => voice.result(&list.to_string()),
        Format::Jsonl => tokens
            .iter()
            .for_each(|token| voice.result(&token.to_string())),
        Format::Id => tokens
            .iter()
            .for_each(|token| voice.result(text(token, "id"))),
        Format::Table => voice.result(&laid_out(tokens, voice)),
    }
    Ok(exit::OK)
}

fn laid_out(tokens: &[Value], voice: &Voice) -> String {
    let header = [
        Text::ColumnId,
        Text::ColumnName,
        Text::ColumnRoles,
        Text::ColumnQueues,
        Text::ColumnExpires,
        Text::ColumnUsed,
        Text::ColumnState,
    ];
    let header = header.map(|text| text.plain(voice.lang).to_owned());
    let words = |value: &Value| {
        let words = value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        words.collect::<Vec<_>>().join(",")
    };
    let rows: Vec<Vec<String>> = tokens
        .iter()
        .map(|token| {
            let state = match token["valid"].as_bool() {
                Some(true) => Text::Valid,
                _ => Text::NotValid,
            };
            vec![
                text(token, "id").to_owned(),
                text(token, "name").to_owned(),
                words(&token["roles"]),
                words(&token["queues"]),
                text(token, "expires_at").to_owned(),
                text(token, "used_at").to_owned(),
                state.plain(voice.lang).to_owned(),
            ]
        })
        .collect();
    table(&header, &rows)
}

fn revoke(id: &str, registry: &Registry, voice: &Voice) -> Outcome {
    registry.revoke(id)?;
    match voice.format {
        Format::Json | Format::Jsonl => {
            let told = serde_json::json!({ "id": id, "revoked": true });
            voice.result(&told.to_string());
        }
        Format::Id => voice.result(id),
        Format::Table => voice.result(&voice.text(Text::TokenRevoked, &[("id", &id)])),
    }
    Ok(exit::OK)
}

fn link(with_qr: bool, registry: &Registry, session: &Session) -> Outcome {
    let mut made = registry.link()?;
    if made["url"].is_null() {
        let url = format!("{}{}", registry.web(session)?, text(&made, "path"));
        made["url"] = url.into();
    }
    let voice = &session.voice;
    match voice.format {
        Format::Json | Format::Jsonl => voice.result(&made.to_string()),
        Format::Id | Format::Table => {
            let url = text(&made, "url");
            voice.result(url);
            if with_qr || stderr_is_seen() {
                show_to_a_phone(url, voice);
            }
            let until = text(&made, "expires_at");
            voice.say(&voice.text(Text::LinkOpensOnce, &[("until", &until)]));
        }
    }
    Ok(exit::OK)
}

/// A phone reads the link from the screen, and is told when it leads nowhere for it.
fn show_to_a_phone(url: &str, voice: &Voice) {
    if let Some(code) = qr_code(url, voice.paint_stderr) {
        voice.say(&code);
    }
    let is_here = ["//127.", "//localhost", "//[::1]"];
    if is_here.iter().any(|host| url.contains(host)) {
        voice.say(Text::LinkIsOfThisMachine.plain(voice.lang));
    }
}

/// A member as text; nothing when it is not there.
fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}
