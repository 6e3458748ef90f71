//! `tareas webhook`: who is told of ended tasks, and what was told. Through the server, with the
//! token of an administrator where access control is on.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::Value;
use tareas_client::http::{HttpClient, Response, escape};
use tareas_protocol::code::exit;
use tareas_server::webhooks::{RotateRequest, WebhookChange, WebhookRequest};

use super::args::duration;
use super::{Outcome, Session};
use crate::output::{Failure, Format, Voice, table};
use crate::text::{Text, Values};

#[derive(Debug, Args)]
pub(crate) struct WebhookArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a webhook; its secret is shown once
    Create(CreateArgs),
    /// List the webhooks
    #[command(alias = "ls")]
    List,
    /// Show everything about a webhook
    Show {
        /// Its id, or its name
        #[arg(value_name = "WEBHOOK")]
        id: String,
    },
    /// Sign with another secret, which is shown once
    Rotate {
        /// Its id, or its name
        #[arg(value_name = "WEBHOOK")]
        id: String,
        /// How long the old secret signs besides: 1h [default: 1d]
        #[arg(long, value_name = "TIME", value_parser = duration)]
        overlap: Option<Duration>,
    },
    /// Send a message that tells of no task
    Test {
        /// Its id, or its name
        #[arg(value_name = "WEBHOOK")]
        id: String,
    },
    /// Deliver again, from the tasks that end now on
    Enable {
        /// Its id, or its name
        #[arg(value_name = "WEBHOOK")]
        id: String,
    },
    /// Deliver nothing until it is enabled
    Disable {
        /// Its id, or its name
        #[arg(value_name = "WEBHOOK")]
        id: String,
    },
    /// Remove a webhook and its deliveries
    #[command(alias = "rm")]
    Delete {
        /// Its id, or its name
        #[arg(value_name = "WEBHOOK")]
        id: String,
    },
    /// List what was delivered, newest first
    Deliveries {
        /// Its id, or its name
        #[arg(value_name = "WEBHOOK")]
        id: String,
        /// How many
        #[arg(long, short = 'n', value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
        /// In this state alone
        #[arg(long, value_name = "STATE", value_parser = ["waiting", "delivered", "given_up"])]
        state: Option<String>,
    },
    /// Deliver once more what was delivered or given up
    Replay {
        /// Its id, or its name
        #[arg(value_name = "WEBHOOK")]
        id: String,
        /// The number of the delivery
        number: u64,
    },
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// Its name for people
    name: String,
    /// Where deliveries go
    url: String,
    /// Of which queues: names, or names with * at the end [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    queues: Vec<String>,
    /// Of which kinds [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    kinds: Vec<String>,
    /// Of which ends: succeeded, failed, cancelled [default: all]
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    ends: Vec<String>,
}

/// The server, and how to tell what it says.
struct Desk<'s> {
    http: HttpClient,
    session: &'s Session,
}

pub(super) fn run(args: &WebhookArgs, session: &Session) -> Outcome {
    let http = HttpClient::new(session.server()?, session.options()?);
    let desk = Desk { http, session };
    match &args.action {
        Action::Create(wanted) => desk.create(wanted),
        Action::List => desk.list(),
        Action::Show { id } => desk.show(&desk.id_of(id)?),
        Action::Rotate { id, overlap } => desk.rotate(&desk.id_of(id)?, *overlap),
        Action::Test { id } => desk.test(&desk.id_of(id)?),
        Action::Enable { id } => desk.enable(&desk.id_of(id)?, true),
        Action::Disable { id } => desk.enable(&desk.id_of(id)?, false),
        Action::Delete { id } => desk.delete(&desk.id_of(id)?),
        Action::Deliveries { id, limit, state } => {
            desk.deliveries(&desk.id_of(id)?, *limit, state.as_deref())
        }
        Action::Replay { id, number } => desk.replay(&desk.id_of(id)?, *number),
    }
}

impl Desk<'_> {
    /// The id of the webhook that somebody means by its id or its name; as it is said when there is
    /// none, of which the server tells.
    fn id_of(&self, said: &str) -> Result<String, Failure> {
        let list = self.get("/v1/webhooks")?;
        let all: Vec<&Value> = list["webhooks"].as_array().into_iter().flatten().collect();
        let ids = |member: &str| -> Vec<&str> {
            let meant = all.iter().filter(|webhook| text(webhook, member) == said);
            meant.map(|webhook| text(webhook, "id")).collect()
        };
        match (&*ids("id"), &*ids("name")) {
            ([id], _) | ([], [id]) => Ok((*id).to_owned()),
            (_, []) => Ok(said.to_owned()),
            (_, several) => {
                let values: Values<'_> = &[("name", &said), ("ids", &several.join(", "))];
                Err(Failure::usage(
                    self.voice().lang,
                    Text::WebhookNames,
                    values,
                ))
            }
        }
    }

    fn create(&self, args: &CreateArgs) -> Outcome {
        let or = |words: &[String], all: &[&str]| match words.is_empty() {
            true => all.iter().map(|word| (*word).to_owned()).collect(),
            false => words.to_vec(),
        };
        let wanted = WebhookRequest {
            name: args.name.clone(),
            url: args.url.clone(),
            queues: or(&args.queues, &["*"]),
            kinds: args.kinds.clone(),
            ends: or(&args.ends, &["succeeded", "failed", "cancelled"]),
        };
        let made = self.post("/v1/webhooks", &serde_json::json!(wanted))?;
        self.tell_secret(&made)
    }

    fn rotate(&self, id: &str, overlap: Option<Duration>) -> Outcome {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let overlap_ms = overlap.map(millis);
        let asked = serde_json::json!(RotateRequest { overlap_ms });
        let made = self.post(&place(id, "/rotate"), &asked)?;
        self.tell_secret(&made)
    }

    /// The id and the secret, which is shown this once.
    fn tell_secret(&self, made: &Value) -> Outcome {
        let voice = self.voice();
        match voice.format {
            Format::Json | Format::Jsonl => voice.result(&made.to_string()),
            Format::Id => voice.result(text(made, "id")),
            Format::Table => {
                voice.result(&format!("{} {}", text(made, "id"), text(made, "secret")));
                voice.say(Text::TokenShownOnce.plain(voice.lang));
            }
        }
        Ok(exit::OK)
    }

    fn list(&self) -> Outcome {
        let list = self.get("/v1/webhooks")?;
        let row = |webhook: &Value| {
            vec![
                text(webhook, "id").to_owned(),
                text(webhook, "name").to_owned(),
                text(webhook, "url").to_owned(),
                words(&webhook["queues"]),
                words(&webhook["kinds"]),
                words(&webhook["ends"]),
                state(webhook, self.voice()),
            ]
        };
        let header = [
            Text::ColumnId,
            Text::ColumnName,
            Text::ColumnUrl,
            Text::ColumnQueues,
            Text::ColumnKinds,
            Text::ColumnEnds,
            Text::ColumnState,
        ];
        self.tell_list(&list, "webhooks", "id", &header, row)
    }

    fn show(&self, id: &str) -> Outcome {
        let webhook = self.get(&place(id, ""))?;
        let voice = self.voice();
        match voice.format {
            Format::Id => voice.result(text(&webhook, "id")),
            Format::Json | Format::Jsonl => voice.result(&webhook.to_string()),
            Format::Table => {
                let members = webhook.as_object().into_iter().flatten();
                for (name, value) in members.filter(|(_, value)| !value.is_null()) {
                    let value = match value {
                        Value::String(text) => text.clone(),
                        Value::Array(_) => words(value),
                        other => other.to_string(),
                    };
                    voice.result(&format!("{name}: {value}"));
                }
            }
        }
        Ok(exit::OK)
    }

    fn test(&self, id: &str) -> Outcome {
        self.order(&place(id, "/test"))?;
        let done = serde_json::json!({ "id": id, "tested": true });
        self.tell_done(id, &done, Text::WebhookTested)
    }

    fn enable(&self, id: &str, enabled: bool) -> Outcome {
        let change = WebhookChange {
            enabled: Some(enabled),
            ..WebhookChange::default()
        };
        let changed = self.post(&place(id, ""), &serde_json::json!(change))?;
        let text = match enabled {
            true => Text::WebhookEnabled,
            false => Text::WebhookDisabled,
        };
        self.tell_done(id, &changed, text)
    }

    fn delete(&self, id: &str) -> Outcome {
        let told = self.http.delete(&place(id, ""));
        told.and_then(Response::accepted)
            .map_err(self.session.failed())?;
        let done = serde_json::json!({ "id": id, "deleted": true });
        self.tell_done(id, &done, Text::WebhookDeleted)
    }

    fn deliveries(&self, id: &str, limit: u16, state: Option<&str>) -> Outcome {
        let state = state.map_or(String::new(), |state| format!("&state={state}"));
        let list = self.get(&place(id, &format!("/deliveries?limit={limit}{state}")))?;
        let row = |delivery: &Value| {
            let number = |member: &str| match &delivery[member] {
                Value::Null => String::new(),
                number => number.to_string(),
            };
            vec![
                number("number"),
                text(delivery, "made_at").to_owned(),
                text(delivery, "event").to_owned(),
                text(delivery, "state").to_owned(),
                number("tries"),
                number("status"),
                text(delivery, "answer").chars().take(40).collect(),
            ]
        };
        let header = [
            Text::ColumnNumber,
            Text::ColumnWhen,
            Text::ColumnDeed,
            Text::ColumnState,
            Text::ColumnTries,
            Text::ColumnStatus,
            Text::ColumnAnswer,
        ];
        self.tell_list(&list, "deliveries", "number", &header, row)
    }

    fn replay(&self, id: &str, number: u64) -> Outcome {
        self.order(&place(id, &format!("/deliveries/{number}/replay")))?;
        let done = serde_json::json!({ "id": id, "number": number });
        self.tell_done(id, &done, Text::WebhookReplayed)
    }

    fn tell_done(&self, id: &str, done: &Value, told: Text) -> Outcome {
        let voice = self.voice();
        match voice.format {
            Format::Json | Format::Jsonl => voice.result(&done.to_string()),
            Format::Id => voice.result(id),
            Format::Table => voice.result(&voice.text(told, &[("id", &id)])),
        }
        Ok(exit::OK)
    }

    fn tell_list(
        &self,
        list: &Value,
        member: &str,
        id: &str,
        header: &[Text],
        row: impl Fn(&Value) -> Vec<String>,
    ) -> Outcome {
        let none = Vec::new();
        let all = list[member].as_array().unwrap_or(&none);
        let voice = self.voice();
        match voice.format {
            Format::Json => voice.result(&list.to_string()),
            Format::Jsonl => all.iter().for_each(|one| voice.result(&one.to_string())),
            Format::Id => all.iter().for_each(|one| {
                voice.result(one[id].to_string().trim_matches('"'));
            }),
            Format::Table => {
                let header: Vec<String> = header
                    .iter()
                    .map(|text| text.plain(voice.lang).to_owned())
                    .collect();
                let rows: Vec<Vec<String>> = all.iter().map(row).collect();
                voice.result(&table(&header, &rows));
            }
        }
        Ok(exit::OK)
    }

    fn voice(&self) -> &Voice {
        &self.session.voice
    }

    fn get(&self, path: &str) -> Result<Value, Failure> {
        self.read(self.http.get(path))
    }

    fn post(&self, path: &str, json: &Value) -> Result<Value, Failure> {
        self.read(self.http.post(path, &json.to_string()))
    }

    /// Asks for something that has no answer but that it will be done.
    fn order(&self, path: &str) -> Result<(), Failure> {
        let told = self.http.post(path, "{}").and_then(Response::accepted);
        told.map(drop).map_err(self.session.failed())
    }

    fn read(&self, told: tareas_client::Result<Response>) -> Result<Value, Failure> {
        let text = told
            .and_then(Response::accepted)
            .map_err(self.session.failed())?
            .text();
        serde_json::from_str(&text).map_err(|error| {
            let what = error.to_string();
            self.session.failed()(tareas_client::Error::Malformed { what })
        })
    }
}

fn place(id: &str, rest: &str) -> String {
    format!("/v1/webhooks/{}{rest}", escape(id))
}

fn state(webhook: &Value, voice: &Voice) -> String {
    match (text(webhook, "disabled"), &webhook["failing_since"]) {
        ("", Value::Null) => Text::WebhookIsWell.plain(voice.lang).to_owned(),
        ("", _) => Text::WebhookFails.plain(voice.lang).to_owned(),
        (why, _) => why.to_owned(),
    }
}

fn words(value: &Value) -> String {
    let words = value.as_array().into_iter().flatten();
    let words: Vec<&str> = words.filter_map(Value::as_str).collect();
    words.join(",")
}

/// A member as text; nothing when it is not there.
fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}
