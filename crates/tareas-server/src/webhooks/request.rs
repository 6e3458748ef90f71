//! What is asked for: a webhook, a change of one, another secret.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use tareas_core::{Kind, Phase};
use tareas_engine::access::QueueScope;
use tareas_engine::webhooks::{Webhook, Wish};
use tareas_protocol::request::is_name;
use tareas_protocol::{Code, ErrorObject, Lang};

/// Kinds that one webhook may name.
const KINDS_MAX: usize = 64;
/// How long the old secret signs besides, if not said.
pub const OVERLAP_DEFAULT: Duration = Duration::from_secs(24 * 60 * 60);
/// At most.
const OVERLAP_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const ENDS: [Phase; 3] = [Phase::Succeeded, Phase::Failed, Phase::Cancelled];

/// A webhook, as it is asked for.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookRequest {
    /// Its name for people.
    pub name: String,
    /// Where deliveries go.
    pub url: String,
    /// Patterns of queues; all if not said.
    #[serde(default = "every")]
    pub queues: Vec<String>,
    /// Kinds; all if not said.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Of which ends it is told; of all if not said.
    #[serde(default = "all_ends")]
    pub ends: Vec<String>,
}

/// A change of a webhook: what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookChange {
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where deliveries go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Patterns of queues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queues: Option<Vec<String>>,
    /// Kinds; all when empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<String>>,
    /// Of which ends it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<Vec<String>>,
    /// Whether anything is delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// Another secret.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RotateRequest {
    /// How long the old one signs besides.
    #[serde(default)]
    pub overlap_ms: Option<u64>,
}

fn every() -> Vec<String> {
    vec!["*".to_owned()]
}

fn all_ends() -> Vec<String> {
    ENDS.iter().map(|phase| phase.name().to_owned()).collect()
}

type Refused = Box<ErrorObject>;

/// Reads one of them; nothing is one that says nothing.
///
/// # Errors
/// The error to tell when it is none.
pub(crate) fn parse<'j, T: Deserialize<'j>>(json: &'j [u8], lang: Lang) -> Result<T, Refused> {
    let json = if json.is_empty() { b"{}" } else { json };
    serde_json::from_slice(json).map_err(|error| {
        let told = ErrorObject::new(Code::Malformed, lang);
        Box::new(told.message(error.to_string()))
    })
}

impl WebhookRequest {
    /// The webhook that is asked for. Its URL is judged by whoever makes requests to it.
    ///
    /// # Errors
    /// The error to tell, with the name of the member that is wrong.
    pub fn wish(&self, lang: Lang) -> Result<Wish, Refused> {
        if !is_name(&self.name) {
            let en = "at most 128 characters of A-Z a-z 0-9 . _ : -";
            let es = "hasta 128 caracteres entre A-Z a-z 0-9 . _ : -";
            return Err(wrong("name", lang.pick(en, es), lang));
        }
        let queues = QueueScope::parse(&self.queues.join(",")).ok();
        let queues = queues.filter(|_| !self.queues.is_empty()).ok_or_else(|| {
            let en = "names of queues, with * at the end for all that begin so";
            let es = "nombres de colas, con * al final para todas las que empiezan así";
            wrong("queues", lang.pick(en, es), lang)
        })?;
        let kinds: Result<Vec<Kind>, _> = self.kinds.iter().map(|kind| Kind::new(kind)).collect();
        let kinds = kinds.ok().filter(|kinds| kinds.len() <= KINDS_MAX);
        let kinds = kinds.ok_or_else(|| {
            let text = lang.pick("at most 64 names of kinds", "hasta 64 nombres de tipos");
            wrong("kinds", text, lang)
        })?;
        Ok(Wish {
            name: SmolStr::new(&self.name),
            url: SmolStr::new(&self.url),
            queues,
            kinds,
            ends: self.phases(lang)?,
        })
    }

    fn phases(&self, lang: Lang) -> Result<Vec<Phase>, Refused> {
        let asked = |phase: &Phase| self.ends.iter().any(|end| end == phase.name());
        let phases: Vec<Phase> = ENDS.into_iter().filter(asked).collect();
        let is_known = |end: &String| ENDS.iter().any(|phase| phase.name() == end);
        match !phases.is_empty() && self.ends.iter().all(is_known) {
            true => Ok(phases),
            false => Err(wrong("ends", "succeeded, failed, cancelled", lang)),
        }
    }
}

impl WebhookChange {
    /// The wish that a webhook has afterwards.
    ///
    /// # Errors
    /// As [`WebhookRequest::wish`].
    pub fn wish(&self, webhook: &Webhook, lang: Lang) -> Result<Wish, Refused> {
        let now = &webhook.wish;
        let words = |text: String| text.split(',').map(str::to_owned).collect();
        let queues = || words(now.queues.to_string());
        let kinds = || now.kinds.iter().map(ToString::to_string).collect();
        let ends = || now.ends.iter().map(|end| end.name().to_owned()).collect();
        let asked = WebhookRequest {
            name: self.name.clone().unwrap_or_else(|| now.name.to_string()),
            url: self.url.clone().unwrap_or_else(|| now.url.to_string()),
            queues: self.queues.clone().unwrap_or_else(queues),
            kinds: self.kinds.clone().unwrap_or_else(kinds),
            ends: self.ends.clone().unwrap_or_else(ends),
        };
        asked.wish(lang)
    }
}

impl RotateRequest {
    /// How long the old secret signs besides.
    ///
    /// # Errors
    /// The error to tell when that is too long.
    pub fn overlap(self, lang: Lang) -> Result<Duration, Refused> {
        let overlap = self.overlap_ms.map(Duration::from_millis);
        match overlap.unwrap_or(OVERLAP_DEFAULT) {
            overlap if overlap <= OVERLAP_MAX => Ok(overlap),
            _ => {
                let text = lang.pick("at most thirty days", "treinta días como mucho");
                Err(wrong("overlap_ms", text, lang))
            }
        }
    }
}

/// A member that is not what it should be.
pub(crate) fn wrong(member: &str, expected: &str, lang: Lang) -> Refused {
    let message = match lang {
        Lang::En => format!("`{member}` should be {expected}"),
        Lang::Es => format!("`{member}` debe ser {expected}"),
    };
    let mut error = ErrorObject::new(Code::InvalidValue, lang).message(message);
    error.pointer = Some(member.to_owned());
    Box::new(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(json: &str) -> Result<Wish, Refused> {
        parse::<WebhookRequest>(json.as_bytes(), Lang::En)?.wish(Lang::En)
    }

    #[test]
    fn what_is_not_said_is_every_end_of_every_kind_in_every_queue() {
        let wish = wish(r#"{"name":"shop","url":"https://example.org"}"#).unwrap();
        assert!(wish.queues.is_every() && wish.kinds.is_empty());
        assert_eq!(wish.ends, ENDS);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (member, json) in [
            ("name", r#"{"name":"a b","url":"x"}"#),
            ("queues", r#"{"name":"a","url":"x","queues":["a*b"]}"#),
            ("queues", r#"{"name":"a","url":"x","queues":[]}"#),
            ("kinds", r#"{"name":"a","url":"x","kinds":["ñ"]}"#),
            ("ends", r#"{"name":"a","url":"x","ends":["running"]}"#),
            ("ends", r#"{"name":"a","url":"x","ends":[]}"#),
        ] {
            let error = wish(json).unwrap_err();
            assert_eq!(error.pointer.as_deref(), Some(member), "{json}");
        }
        let unknown = wish(r#"{"name":"a","url":"x","secret":"y"}"#).unwrap_err();
        assert_eq!(unknown.code(), Some(Code::Malformed));
    }
}
