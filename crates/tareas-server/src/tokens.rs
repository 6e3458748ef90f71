//! Tokens as JSON: what is asked for, and what is shown of them. The same for the HTTP face and for
//! the command line, which also works without a server.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use tareas_core::Timestamp;
use tareas_engine::access::{Credential, Networks, QueueScope, Roles, TokenText, Wanted};
use tareas_protocol::request::is_name;
use tareas_protocol::time::append_instant;
use tareas_protocol::{Code, ErrorObject, Lang};

/// The longest life of a token that is not for ever.
const LIFE_MAX: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// What a token is to be, as it is asked for.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// Which program or person it is for.
    pub name: String,
    /// The words for its roles.
    pub roles: Vec<String>,
    /// Patterns of its queues; all if not said.
    #[serde(default = "every")]
    pub queues: Vec<String>,
    /// Networks that it may be used from; all if not said.
    #[serde(default)]
    pub from: Vec<String>,
    /// How long it lives; for ever if not said.
    #[serde(default)]
    pub expires_in_ms: Option<u64>,
}

fn every() -> Vec<String> {
    vec!["*".to_owned()]
}

impl TokenRequest {
    /// Reads one.
    ///
    /// # Errors
    /// The error to tell when it is none.
    pub fn parse(json: &[u8], lang: Lang) -> Result<Self, Box<ErrorObject>> {
        serde_json::from_slice(json).map_err(|error| {
            let told = ErrorObject::new(Code::Malformed, lang);
            Box::new(told.message(error.to_string()))
        })
    }

    /// The token that is asked for.
    ///
    /// # Errors
    /// The error to tell, with the name of the member that is wrong.
    pub fn wanted(&self, now: Timestamp, lang: Lang) -> Result<Wanted, Box<ErrorObject>> {
        if !is_name(&self.name) {
            let en = "at most 128 characters of A-Z a-z 0-9 . _ : -";
            let es = "hasta 128 caracteres entre A-Z a-z 0-9 . _ : -";
            return Err(wrong("name", lang.pick(en, es), lang));
        }
        let roles = Roles::parse(&self.roles.join(",")).ok();
        let roles = roles.filter(|roles| !roles.is_empty());
        let names = "submit, read, work, operate, admin";
        let queues = QueueScope::parse(&self.queues.join(",")).map_err(|_| {
            let en = "names of queues, with * at the end for all that begin so";
            let es = "nombres de colas, con * al final para todas las que empiezan así";
            wrong("queues", lang.pick(en, es), lang)
        })?;
        let from = Networks::parse(self.from.iter().map(String::as_str)).map_err(|_| {
            let en = "addresses or networks such as 10.0.0.0/8";
            let es = "direcciones o redes como 10.0.0.0/8";
            wrong("from", lang.pick(en, es), lang)
        })?;
        let life = self.expires_in_ms.map(Duration::from_millis);
        if life.is_some_and(|life| life.is_zero() || life > LIFE_MAX) {
            let text = lang.pick("at most ten years", "diez años como mucho");
            return Err(wrong("expires_in_ms", text, lang));
        }
        Ok(Wanted {
            name: SmolStr::new(&self.name),
            roles: roles.ok_or_else(|| wrong("roles", names, lang))?,
            queues,
            from,
            expires_at: life.map(|life| now + life),
        })
    }
}

fn wrong(member: &str, expected: &str, lang: Lang) -> Box<ErrorObject> {
    let message = match lang {
        Lang::En => format!("`{member}` should be {expected}"),
        Lang::Es => format!("`{member}` debe ser {expected}"),
    };
    let mut error = ErrorObject::new(Code::InvalidValue, lang).message(message);
    error.pointer = Some(member.to_owned());
    Box::new(error)
}

/// A token, without its secret unless it was just made.
#[derive(Debug, Serialize)]
pub struct TokenView {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    name: String,
    roles: Vec<&'static str>,
    queues: Vec<String>,
    from: Vec<String>,
    created_at: String,
    created_by: String,
    expires_at: Option<String>,
    used_at: Option<String>,
    revoked_at: Option<String>,
    valid: bool,
}

impl TokenView {
    /// The token as it is now; `text` when this is the one time that it is shown.
    pub fn of(credential: &Credential, now: Timestamp, text: Option<&TokenText>) -> Self {
        let wanted = &credential.wanted;
        let words = |text: String| -> Vec<String> {
            let words = text.split(',').filter(|word| !word.is_empty());
            words.map(str::to_owned).collect()
        };
        Self {
            id: credential.id.to_string(),
            token: text.map(TokenText::reveal),
            name: wanted.name.to_string(),
            roles: wanted.roles.iter().map(|role| role.name()).collect(),
            queues: words(wanted.queues.to_string()),
            from: words(wanted.from.to_string()),
            created_at: shown(credential.created_at),
            created_by: credential.created_by.to_string(),
            expires_at: wanted.expires_at.map(shown),
            used_at: credential.used_at.map(shown),
            revoked_at: credential.revoked_at.map(shown),
            valid: credential.is_valid(now),
        }
    }
}

/// A list of tokens.
#[derive(Debug, Serialize)]
pub struct TokenList {
    tokens: Vec<TokenView>,
}

impl TokenList {
    /// These tokens.
    pub fn of(all: &[Credential], now: Timestamp) -> Self {
        let tokens = all.iter().map(|known| TokenView::of(known, now, None));
        Self {
            tokens: tokens.collect(),
        }
    }
}

/// A login link.
#[derive(Debug, Serialize)]
pub struct LinkView {
    path: String,
    url: Option<String>,
    expires_at: Option<String>,
}

impl LinkView {
    /// The link that this text makes; `public` is the address of the server for people.
    pub fn of(text: &TokenText, made: &Credential, public: Option<&str>) -> Self {
        let path = format!("/login?link={}", text.reveal());
        Self {
            url: public.map(|url| format!("{}{path}", url.trim_end_matches('/'))),
            path,
            expires_at: made.wanted.expires_at.map(shown),
        }
    }
}

/// An instant as the wire has it.
pub fn shown(at: Timestamp) -> String {
    let mut quoted = Vec::new();
    append_instant(&mut quoted, at.as_micros());
    String::from_utf8_lossy(&quoted)
        .trim_matches('"')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(json: &str) -> Result<Wanted, Box<ErrorObject>> {
        let asked = TokenRequest::parse(json.as_bytes(), Lang::En)?;
        asked.wanted(Timestamp::EPOCH, Lang::En)
    }

    #[test]
    fn what_is_not_said_is_every_queue_from_anywhere_for_ever() {
        let wanted = wanted(r#"{"name":"web","roles":["submit","read"]}"#).unwrap();
        assert_eq!(wanted.roles.to_string(), "submit,read");
        assert!(wanted.queues.is_every() && wanted.from.is_empty());
        assert_eq!(wanted.expires_at, None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (json, member) in [
            (r#"{"name":"a b","roles":["read"]}"#, "name"),
            (r#"{"name":"a","roles":[]}"#, "roles"),
            (r#"{"name":"a","roles":["root"]}"#, "roles"),
            (
                r#"{"name":"a","roles":["read"],"queues":["a*b"]}"#,
                "queues",
            ),
            (r#"{"name":"a","roles":["read"],"from":["home"]}"#, "from"),
            (
                r#"{"name":"a","roles":["read"],"expires_in_ms":0}"#,
                "expires_in_ms",
            ),
        ] {
            let error = wanted(json).unwrap_err();
            assert_eq!(error.pointer.as_deref(), Some(member), "{json}");
        }
        let unknown = r#"{"name":"a","roles":["read"],"admin":true}"#;
        assert_eq!(wanted(unknown).unwrap_err().code(), Some(Code::Malformed));
    }
}
