//! Where tokens are kept, seen from the command line: behind a server, or right here.

use std::sync::Arc;

use serde_json::Value;
use tareas_client::http::{HttpClient, Response, escape};
use tareas_engine::access::{Access, CredentialId, Deed, Denied, Principal};
use tareas_engine::ports::{Clock, PortError, SystemClock};
use tareas_protocol::{Code, ErrorObject, Lang};
use tareas_server::tokens::{LinkView, TokenList, TokenRequest, TokenView};
use tokio::runtime::Runtime;

use super::Session;
use crate::config::{Flags, ServeConfig};
use crate::output::Failure;
use crate::serve::{cannot_start, chances, open_access, runtime};

/// See the module's documentation.
pub(super) enum Registry {
    /// The server checks who asks.
    Server {
        http: HttpClient,
        session_failed: Box<dyn Fn(tareas_client::Error) -> Failure>,
    },
    /// Whoever can open the store may do everything.
    Local {
        access: Arc<Access>,
        public_url: Option<String>,
        runtime: Runtime,
        lang: Lang,
    },
}

impl Registry {
    /// Through the server.
    pub(super) fn server(session: &Session) -> Result<Self, Failure> {
        Ok(Self::Server {
            http: HttpClient::new(session.server()?, session.options()?),
            session_failed: Box::new(session.failed()),
        })
    }

    /// On the store that the configuration names.
    pub(super) fn local(
        data: Option<String>,
        records: Option<String>,
        session: &Session,
    ) -> Result<Self, Failure> {
        let flags: Flags = vec![
            ("data", data.into_iter().collect()),
            ("records", records.into_iter().collect()),
        ];
        let configuration = session.configuration(flags)?;
        let config = ServeConfig::of(&configuration, session.lang())?;
        let runtime = runtime(&session.voice)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Ok(Self::Local {
            access: runtime.block_on(open_access(&config, &clock))?,
            public_url: config.public_url,
            runtime,
            lang: config.lang,
        })
    }

    /// Makes a token.
    pub(super) fn create(&self, wanted: &TokenRequest) -> Result<Value, Failure> {
        match self {
            Self::Server { http, .. } => {
                let json = serde_json::json!(wanted).to_string();
                self.read(http.post("/v1/tokens", &json))
            }
            Self::Local {
                access,
                runtime,
                lang,
                ..
            } => {
                let now = SystemClock.now();
                let asked = wanted
                    .wanted(now, *lang)
                    .map_err(|error| Failure::refused(*error))?;
                let chances = chances(*lang)?;
                let by = Principal::everyone();
                let made = access.create_token(asked, &by, &chances);
                let (text, made) = runtime
                    .block_on(made)
                    .map_err(|error| denied(error, *lang))?;
                self.note(Deed::CreateToken, made.id.as_str());
                Ok(serde_json::json!(TokenView::of(&made, now, Some(&text))))
            }
        }
    }

    /// All tokens.
    pub(super) fn list(&self) -> Result<Value, Failure> {
        match self {
            Self::Server { http, .. } => self.read(http.get("/v1/tokens")),
            Self::Local {
                access,
                runtime,
                lang,
                ..
            } => {
                let all = runtime
                    .block_on(access.list(&Principal::everyone()))
                    .map_err(|error| away(&error, *lang))?;
                Ok(serde_json::json!(TokenList::of(&all, SystemClock.now())))
            }
        }
    }

    /// Revokes one.
    pub(super) fn revoke(&self, id: &str) -> Result<(), Failure> {
        match self {
            Self::Server {
                http,
                session_failed,
            } => {
                let told = http.delete(&format!("/v1/tokens/{}", escape(id)));
                told.and_then(Response::accepted).map_err(session_failed)?;
                Ok(())
            }
            Self::Local {
                access,
                runtime,
                lang,
                ..
            } => {
                let not_found = || Failure::refused(ErrorObject::new(Code::NotFound, *lang));
                let id: CredentialId = id.parse().map_err(|_| not_found())?;
                let told = runtime.block_on(access.revoke_token(id, &Principal::everyone()));
                match told.map_err(|error| away(&error, *lang))? {
                    true => self.note(Deed::RevokeToken, id.as_str()),
                    false => return Err(not_found()),
                }
                Ok(())
            }
        }
    }

    /// Makes a login link.
    pub(super) fn link(&self) -> Result<Value, Failure> {
        match self {
            Self::Server { http, .. } => self.read(http.post("/v1/login-links", "{}")),
            Self::Local {
                access,
                runtime,
                lang,
                public_url,
            } => {
                let chances = chances(*lang)?;
                let by = Principal::everyone();
                let made = access.create_link(&by, &chances);
                let (text, made) = runtime
                    .block_on(made)
                    .map_err(|error| denied(error, *lang))?;
                self.note(Deed::CreateLink, made.id.as_str());
                Ok(serde_json::json!(LinkView::of(
                    &text,
                    &made,
                    public_url.as_deref()
                )))
            }
        }
    }

    /// The address of the dashboard, as far as a client knows it.
    pub(super) fn web(&self, session: &Session) -> Result<String, Failure> {
        let address = session.server()?;
        let scheme = if address.is_encrypted() {
            "https"
        } else {
            "http"
        };
        Ok(format!("{scheme}://{}", address.authority()))
    }

    fn read(&self, told: tareas_client::Result<Response>) -> Result<Value, Failure> {
        let Self::Server { session_failed, .. } = self else {
            return Ok(Value::Null);
        };
        let text = told
            .and_then(Response::accepted)
            .map_err(session_failed)?
            .text();
        serde_json::from_str(&text).map_err(|error| {
            let what = error.to_string();
            session_failed(tareas_client::Error::Malformed { what })
        })
    }

    fn note(&self, deed: Deed, detail: &str) {
        if let Self::Local {
            access, runtime, ..
        } = self
        {
            let here = std::net::IpAddr::from([127, 0, 0, 1]);
            runtime.block_on(access.note(&Principal::everyone(), here, deed, detail));
        }
    }
}

fn denied(error: Denied, lang: Lang) -> Failure {
    match error {
        Denied::Store(error) => away(&error, lang),
        other => cannot_start(&other, lang),
    }
}

fn away(error: &PortError, lang: Lang) -> Failure {
    cannot_start(error, lang)
}
