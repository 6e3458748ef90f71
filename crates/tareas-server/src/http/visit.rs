//! One request, as far as every handler needs it: the server, the caller, the language.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::Uri;
use axum::http::request::Parts;
use tareas_core::{Actor, QueueName, TaskId, TraceContext};
use tareas_engine::Refusal;
use tareas_engine::access::{Action, Object};
use tareas_protocol::nearest::nearest;
use tareas_protocol::{Code, ErrorObject, Lang};
use tokio_util::sync::CancellationToken;

use super::access::Identity;
use super::look::Theme;
use super::problem::Problem;
use super::tasks;
use crate::ServerState;
use crate::access::judge;

/// Whose request it is and how to answer it. The connection puts it into every request.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// What is asked.
    pub(super) server: Arc<ServerState>,
    /// Who asks.
    pub(super) peer: SocketAddr,
    /// Cancelled when the server stops: whoever waits answers what is true then.
    pub(super) stop: CancellationToken,
    /// The language of what a person will read.
    pub(super) lang: Lang,
    /// The colours of the dashboard.
    pub(super) theme: Theme,
    /// Where in a trace it belongs, if it said so.
    pub(super) trace: Option<TraceContext>,
    /// What was asked for.
    pub(super) uri: Uri,
    /// Whether the browser and the server, or a balancer in front of it, speak TLS.
    pub(super) is_encrypted: bool,
    /// Who asks, as far as it was shown.
    pub(super) identity: Identity,
}

impl Visit {
    /// The caller, for the records: the name of the token, or the address.
    pub(super) fn actor(&self) -> Actor {
        let name = self.identity.principal.name().cloned();
        Actor::Client(name.unwrap_or_else(|| self.peer.ip().to_string().into()))
    }

    /// Refuses what the caller may not do.
    pub(super) fn may(&self, action: Action, object: Object<'_>) -> Result<(), Problem> {
        let judged = judge(&self.identity.principal, action, object, self.lang);
        judged.map_err(|error| self.problem(*error))
    }

    /// Whether tasks of this queue are there for the caller.
    pub(super) fn sees(&self, queue: &QueueName) -> bool {
        self.identity.principal.sees(queue)
    }

    /// What proves that a form is ours: bound to the session, where there is one.
    pub(super) fn form_token(&self) -> &str {
        let own = self.identity.form_token.as_deref();
        own.unwrap_or_else(|| self.server.http.form_token.text())
    }

    /// An error of this code.
    pub(super) fn error(&self, code: Code) -> ErrorObject {
        ErrorObject::new(code, self.lang)
    }

    /// The answer to a request of which something is wrong.
    pub(super) fn problem(&self, error: ErrorObject) -> Problem {
        let trace = self.trace.as_ref().map(|trace| trace.trace_id);
        Problem::new(error, self.lang).of_trace(trace)
    }

    /// The answer to a request that the engine refused.
    pub(super) fn refused(&self, refusal: &Refusal) -> Problem {
        self.problem(crate::codes::error(refusal, self.lang))
    }

    /// The answer to a request about something that does not exist.
    pub(super) fn not_found(&self) -> Problem {
        self.problem(self.error(Code::NotFound))
    }

    /// A parameter or header that is not what it should be.
    pub(super) fn invalid(&self, name: &str, en: &str, es: &str) -> Problem {
        let message = match self.lang {
            Lang::En => format!("`{name}` should be {en}"),
            Lang::Es => format!("`{name}` debe ser {es}"),
        };
        let mut error = self.error(Code::InvalidValue).message(message);
        error.pointer = Some(name.to_owned());
        self.problem(error)
    }

    /// Runs something that must not stop halfway when the caller hangs up.
    ///
    /// A request is dropped with its connection; a change that has begun goes on to its end.
    pub(super) async fn uncut<T: Send + 'static>(
        &self,
        change: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Problem> {
        let ended = tokio::spawn(change).await;
        ended.map_err(|error| {
            tracing::error!(%error, "a request ended in a panic");
            self.problem(self.error(Code::Bug))
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let visit = parts.extensions.get::<Self>().cloned();
        visit.ok_or_else(|| Problem::new(ErrorObject::new(Code::Bug, Lang::En), Lang::En))
    }
}

/// The task that the path names.
pub(super) struct TaskPath(pub(super) TaskId);

impl<S: Send + Sync> FromRequestParts<S> for TaskPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let visit = Visit::from_request_parts(parts, state).await?;
        let text = path_text(parts, state)
            .await
            .ok_or_else(|| visit.not_found())?;
        let id = text.parse().map_err(|_| {
            let (en, es) = ("is not the id of a task", "no es el id de una tarea");
            let shown: String = text.chars().take(64).collect();
            let message = format!("`{shown}` {}", visit.lang.pick(en, es));
            visit.problem(visit.error(Code::NotFound).message(message))
        })?;
        // Whoever sees all queues sees every task; for others one of another queue is not there.
        if !visit.identity.principal.sees_every_queue() {
            tasks::find(&visit, id).await?;
        }
        Ok(Self(id))
    }
}

/// The one text that the path holds.
pub(super) async fn path_text<S: Send + Sync>(parts: &mut Parts, state: &S) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, state).await.ok()?;
    params.iter().next().map(|(_, text)| text.to_owned())
}

/// The parameters after the `?`, all of them known and none twice.
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads the query. `lang` is known everywhere.
    pub(super) fn read(visit: &Visit, parts: &Parts, known: &[&str]) -> Result<Self, Problem> {
        let mut found = BTreeMap::new();
        let query = parts.uri.query().unwrap_or_default();
        for (name, text) in form_urlencoded::parse(query.as_bytes()) {
            if name != "lang" && !known.contains(&&*name) {
                return Err(unknown(visit, &name, known));
            }
            if found
                .insert(name.clone().into_owned(), text.into_owned())
                .is_some()
            {
                return Err(visit.invalid(&name, "there once", "único"));
            }
        }
        Ok(Self(found))
    }

    /// The parameter of this name, if it is there.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The number of this name, if it is there; within bounds.
    pub(super) fn number(
        &self,
        visit: &Visit,
        name: &str,
        max: u64,
    ) -> Result<Option<u64>, Problem> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let number = text.parse().ok().filter(|number| *number <= max);
        let wrong = || {
            let (en, es) = (
                format!("an integer from 0 to {max}"),
                format!("un entero de 0 a {max}"),
            );
            visit.invalid(name, &en, &es)
        };
        number.map(Some).ok_or_else(wrong)
    }
}

fn unknown(visit: &Visit, name: &str, known: &[&str]) -> Problem {
    let shown: String = name.chars().take(64).collect();
    let message = match visit.lang {
        Lang::En => format!("there is no parameter `{shown}` here"),
        Lang::Es => format!("aquí no existe el parámetro `{shown}`"),
    };
    let mut error = visit.error(Code::UnknownMember).message(message);
    error.pointer = Some(shown);
    if let Some(nearest) = nearest(name, known.iter().copied()) {
        let (en, es) = ("did you mean", "¿quiso decir");
        error = error.hint(format!("{} `{nearest}`?", visit.lang.pick(en, es)));
    }
    visit.problem(error)
}
