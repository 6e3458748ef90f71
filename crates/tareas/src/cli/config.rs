//! `tareas config`: check it, show what holds and why, print the defaults.

use clap::{Args, Subcommand};
use tareas_protocol::code::exit;

use super::{Outcome, Session};
use crate::config::{Configuration, Flags, KEYS, ServeConfig, Setting, masked};
use crate::output::Format;
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check file, environment and flags; ends with 78 when something is wrong
    Check,
    /// Show the value of every key; secrets are masked
    Show {
        /// Say where each value came from
        #[arg(long)]
        origin: bool,
    },
    /// Print a file with every default
    Default,
}

pub(super) fn run(args: &ConfigArgs, session: &Session) -> Outcome {
    match args.action {
        Action::Check => check(session),
        Action::Show { origin } => show(&session.configuration(Flags::new())?, origin, session),
        Action::Default => default(session),
    }
    .map(|()| exit::OK)
}

fn check(session: &Session) -> Result<(), crate::output::Failure> {
    let configuration = session.configuration(Flags::new())?;
    ServeConfig::of(&configuration, session.lang())?;
    session.server()?;
    let voice = &session.voice;
    voice.say(&match &configuration.file {
        Some(path) => voice.text(Text::FileUsed, &[("path", path)]),
        None => voice.text(Text::NoFile, &[]),
    });
    voice.result(Text::ConfigFine.plain(session.lang()));
    Ok(())
}

fn show(
    configuration: &Configuration,
    with_origin: bool,
    session: &Session,
) -> Result<(), crate::output::Failure> {
    let (voice, lang) = (&session.voice, session.lang());
    let origin = |setting: &Setting| setting.origin.spoken(lang);
    if voice.format.is_json() {
        let members = configuration.settings.iter().map(|setting| {
            let (name, value) = (setting.key.name.to_owned(), shown(setting));
            let value = match with_origin {
                true => serde_json::json!({"value": value, "origin": origin(setting)}),
                false => serde_json::Value::String(value),
            };
            (name, value)
        });
        voice.result(&serde_json::Value::Object(members.collect()).to_string());
        return Ok(());
    }
    for setting in &configuration.settings {
        let line = format!("{} = {:?}", setting.key.name, shown(setting));
        voice.result(&match (voice.format, with_origin) {
            (Format::Id, _) => setting.key.name.to_owned(),
            (_, true) => format!("{line:<48} # {}", origin(setting)),
            (_, false) => line,
        });
    }
    Ok(())
}

fn shown(setting: &Setting) -> String {
    let values: Vec<String> = setting.values.iter().map(|value| masked(value)).collect();
    values.join(",")
}

/// A file that changes nothing: every key with what it is and its default, as comments.
fn default(session: &Session) -> Result<(), crate::output::Failure> {
    for key in KEYS {
        let about = session.lang().pick(key.about[0], key.about[1]);
        session.voice.result(&format!(
            "# {about}\n# {} = {}\n",
            key.name,
            key.default_as_toml()
        ));
    }
    Ok(())
}
