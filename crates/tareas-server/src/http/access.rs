//! Who asks over HTTP, and whether they may.
//!
//! A program shows a token (`Authorization: Bearer`), a browser the cookie of a session. A cookie
//! counts for reading, and for the forms of the dashboard, which carry a token of their session; it
//! counts for nothing else, so that no page can make a browser change things through the API.

use std::future::Future;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tareas_engine::access::{
    Action, CredentialId, CredentialKind, Deed, Object, Principal, TokenText,
};
use tareas_protocol::{Code, ErrorObject, Lang};

use super::look::cookie;
use super::page;
use super::problem::Problem;
use super::visit::Visit;
use crate::ServerState;
use crate::access::{authenticate, stranger};

/// The cookie of a session. Browsers take the prefix from encrypted connections only, and then
/// from this very host only.
const COOKIE_ENCRYPTED: &str = "__Host-tareas";
/// The same on this machine, without encryption.
const COOKIE_PLAIN: &str = "tareas_session";
/// What the token of a form is derived for.
const FORM: &str = "tareas form";

/// Who asks, and how they have shown it.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// Who asks.
    pub(super) principal: Principal,
    /// What forms of this session carry; `None` where no session asks.
    pub(super) form_token: Option<Arc<str>>,
    /// Why what was shown was not taken.
    denied: Option<Arc<ErrorObject>>,
}

impl Identity {
    fn of(principal: Principal) -> Self {
        Self {
            principal,
            form_token: None,
            denied: None,
        }
    }

    /// The session that asks, where one does.
    pub(super) fn session(&self) -> Option<CredentialId> {
        self.form_token.as_ref().and(self.principal.id())
    }

    /// Whoever sends this request.
    pub(super) async fn of_request<B>(
        server: &ServerState,
        request: &axum::http::Request<B>,
        peer: std::net::IpAddr,
        is_encrypted: bool,
        lang: Lang,
    ) -> Self {
        let nobody = Self::of(stranger(server));
        let Some(access) = &server.config.access else {
            return nobody;
        };
        let headers = request.headers();
        if let Some(shown) = bearer(headers) {
            let kind = CredentialKind::Token;
            return match authenticate(access, shown, kind, peer, lang).await {
                Ok(principal) => Self::of(principal),
                Err(error) => Self {
                    denied: Some((*error).into()),
                    ..nobody
                },
            };
        }
        let (method, path) = (request.method(), request.uri().path());
        let Some(shown) = session_cookie(headers, is_encrypted) else {
            return nobody;
        };
        if !is_safe(method) && !page::takes_form(path) {
            return nobody;
        }
        let kind = CredentialKind::Session;
        let Ok(principal) = authenticate(access, shown, kind, peer, lang).await else {
            return nobody;
        };
        let form_token = TokenText::parse(shown).map(|text| text.derive(FORM).into());
        Self {
            principal,
            form_token,
            denied: None,
        }
    }
}

/// Has the request handled if it may be, and writes down what was done.
pub(super) async fn pass(action: Action, visit: Visit, request: Request, next: Next) -> Response {
    if let Err(problem) = admit(action, &visit, &request) {
        return turn_away(&visit, &request, problem);
    }
    if visit.server.config.access.is_none() {
        return next.run(request).await;
    }
    if is_safe(request.method()) || action == Action::Submit {
        return while_allowed(&visit, next.run(request)).await;
    }
    // Whoever hangs up does not keep what they did from being written down.
    let (own, told) = (visit.clone(), visit);
    let done = async move {
        let mut response = next.run(request).await;
        let did = response.extensions_mut().remove();
        write_down(action, &own, response.status(), did).await;
        response
    };
    let done = told.uncut(done).await;
    done.unwrap_or_else(IntoResponse::into_response)
}

/// What looks or waits is cut short when the right to it ends.
async fn while_allowed(visit: &Visit, answer: impl Future<Output = Response>) -> Response {
    tokio::select! {
        biased;
        response = answer => response,
        () = visit.identity.principal.ended() => {
            visit.problem(visit.error(Code::Unauthenticated)).into_response()
        }
    }
}

async fn write_down(action: Action, visit: &Visit, status: StatusCode, did: Option<Did>) {
    let is_done = status.is_success() || status.is_redirection();
    let (Some(deed), Some(access), true) = (Deed::of(action), &visit.server.config.access, is_done)
    else {
        return;
    };
    let mut detail = visit.uri.path().to_owned();
    if let Some(Did(what)) = did {
        detail += " ";
        detail += &what;
    }
    let who = &visit.identity.principal;
    access.note(who, visit.peer.ip(), deed, &detail).await;
}

/// What exactly was done, for the audit log, where the path does not say it.
#[derive(Clone, Debug)]
pub(super) struct Did(pub(super) String);

fn admit(action: Action, visit: &Visit, request: &Request) -> Result<(), Problem> {
    if let Some(denied) = &visit.identity.denied {
        return Err(visit.problem((**denied).clone()));
    }
    let is_session = visit.identity.form_token.is_some();
    if is_session && !is_safe(request.method()) && !says_where_from(request.headers()) {
        return Err(visit.problem(visit.error(Code::CrossOrigin)));
    }
    visit.may(action, Object::Unnamed)
}

/// A form of ours always says from which page it was sent; that the page is ours was checked.
fn says_where_from(headers: &HeaderMap) -> bool {
    headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN)
}

/// Leads people to the login, and tells programs what is needed.
fn turn_away(visit: &Visit, request: &Request, problem: Problem) -> Response {
    let is_unknown = problem.status() == StatusCode::UNAUTHORIZED;
    if is_unknown && is_safe(request.method()) && wants_page(request.headers()) {
        return page::lead_to_login(visit);
    }
    let mut response = problem.into_response();
    if is_unknown {
        let scheme = HeaderValue::from_static("Bearer realm=\"tareas\"");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let shown = headers.get(header::AUTHORIZATION)?;
    // Whoever shows something that is no text shows something wrong.
    let (scheme, token) = shown
        .to_str()
        .unwrap_or_default()
        .split_once(' ')
        .unwrap_or_default();
    Some(if scheme.eq_ignore_ascii_case("bearer") {
        token.trim()
    } else {
        ""
    })
}

/// The session that the browser shows.
fn session_cookie(headers: &HeaderMap, is_encrypted: bool) -> Option<&str> {
    cookie(headers, cookie_name(is_encrypted)).filter(|text| !text.is_empty())
}

/// Has the browser show this session from now on; none when empty.
pub(super) fn keep_session(headers: &mut HeaderMap, session: &str, is_encrypted: bool) {
    let name = cookie_name(is_encrypted);
    let secure = if is_encrypted { "; Secure" } else { "" };
    let life = if session.is_empty() {
        "; Max-Age=0"
    } else {
        ""
    };
    let cookie = format!("{name}={session}; Path=/; HttpOnly; SameSite=Strict{secure}{life}");
    if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
        cookie.set_sensitive(true);
        headers.append(header::SET_COOKIE, cookie);
    }
}

const fn cookie_name(is_encrypted: bool) -> &'static str {
    if is_encrypted {
        COOKIE_ENCRYPTED
    } else {
        COOKIE_PLAIN
    }
}
