//! Login and logout: a token that is pasted, or a link that opens once, begins a session.
//!
//! A link shows a button and nothing else: what only looks at pages (a scanner of mails, a preview)
//! does not use it up.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tareas_engine::access::{
    Access, Action, Credential, CredentialId, CredentialKind, Deed, Object, Principal, TokenText,
};
use tareas_protocol::{Code, ErrorObject};

use super::forms::{Form, is_here, lead_to, token_field};
use super::frame::bare;
use super::words::alert;
use crate::access::{authenticate, chances, denied, switched_on};
use crate::http::access::keep_session;
use crate::http::problem::{Answer, Problem};
use crate::http::visit::{Query, Visit};

/// Longest text of what is asked for after the login.
const NEXT_BYTES_MAX: usize = 1_024;

type Refused<T> = Result<T, Box<ErrorObject>>;
type Begun = (TokenText, Credential);

/// Leads to the login, and from there back to what was asked for.
pub(in crate::http) fn lead_to_login(visit: &Visit) -> Response {
    let next = visit.uri.path_and_query().map_or("/", |next| next.as_str());
    let next = Some(next).filter(|next| next.len() <= NEXT_BYTES_MAX && is_here(next));
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", next.unwrap_or("/"));
    lead_to(&format!("/login?{}", query.finish()))
}

/// `GET /login`: the form, or the button of a link.
pub(in crate::http) async fn login(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let query = Query::read(&visit, &parts, &["next", "link"])?;
    if visit.server.config.access.is_none() {
        return Ok(lead_to("/"));
    }
    let asked = Asked {
        next: query.get("next").unwrap_or("/"),
        link: query.get("link").unwrap_or_default(),
    };
    Ok(page(&visit, &asked, None).into_response())
}

/// What the form keeps.
struct Asked<'a> {
    next: &'a str,
    link: &'a str,
}

/// `POST /login`: begins a session and leads to what was asked for.
pub(in crate::http) async fn log_in(visit: Visit, request: Request) -> Answer {
    let form = Form::read(&visit, request).await?;
    let asked = Asked {
        next: form.get("next"),
        link: "",
    };
    let access = switched_on(&visit.server, visit.lang).map_err(|error| visit.problem(*error))?;
    match begin(&visit, access, &form).await {
        Ok((text, session)) => {
            // The browser forgets the session that it had.
            if let Some(old) = visit.identity.session() {
                end(&visit, access, old).await?;
            }
            let next = Some(asked.next).filter(|next| is_here(next));
            let mut response = lead_to(next.unwrap_or("/"));
            keep_session(response.headers_mut(), &text.reveal(), visit.is_encrypted);
            note(&visit, access, Deed::LogIn, session.wanted.name.as_str()).await;
            Ok(response)
        }
        Err(error) => {
            // The audit log does not grow as fast as somebody guesses.
            if error.code() != Some(Code::TooManyFailures) {
                note(&visit, access, Deed::Fail, error.name.as_ref()).await;
            }
            let problem = visit.problem((*error).clone());
            let page = page(&visit, &asked, Some(problem.error()));
            Ok((problem.status(), page).into_response())
        }
    }
}

async fn begin(visit: &Visit, access: &Access, form: &Form) -> Refused<Begun> {
    let (address, lang) = (visit.peer.ip(), visit.lang);
    let chances = chances(lang)?;
    let told = |reason| Box::new(denied(&reason, lang));
    let (kind, shown) = match form.get("link") {
        "" => (CredentialKind::Token, form.get("secret")),
        link => (CredentialKind::Link, link),
    };
    let who = authenticate(access, shown, kind, address, lang).await?;
    may_look(&who, visit)?;
    let begun = match kind {
        CredentialKind::Link => access.redeem_link(shown, address, &chances).await,
        _ => access.create_session(&who, &chances).await,
    };
    begun.map_err(told)
}

/// The dashboard shows all queues: whoever may not see them all has no use for it.
fn may_look(who: &Principal, visit: &Visit) -> Refused<()> {
    let judged = crate::access::judge(who, Action::ViewSystem, Object::Unnamed, visit.lang);
    judged.map_err(|error| {
        let hint = visit.lang.pick(
            "the dashboard needs a token with the role read, operate or admin and all queues",
            "el panel necesita un token con el rol read, operate o admin y todas las colas",
        );
        Box::new(error.hint(hint))
    })
}

/// `POST /logout`: ends the session.
pub(in crate::http) async fn log_out(visit: Visit, request: Request) -> Answer {
    let form = Form::read(&visit, request).await?;
    form.check(&visit)?;
    let access = switched_on(&visit.server, visit.lang).map_err(|error| visit.problem(*error))?;
    // The one that was proved: a cookie may name any id.
    if let Some(session) = visit.identity.session() {
        note(&visit, access, Deed::LogOut, "").await;
        end(&visit, access, session).await?;
    }
    let mut response = lead_to("/login");
    keep_session(response.headers_mut(), "", visit.is_encrypted);
    Ok(response)
}

async fn end(visit: &Visit, access: &Access, session: CredentialId) -> Result<(), Problem> {
    let ended = access.revoke(session).await;
    ended.map(drop).map_err(|error| {
        tracing::warn!(%error, "a session was not ended");
        visit.problem(visit.error(Code::Unavailable))
    })
}

async fn note(visit: &Visit, access: &Access, deed: Deed, detail: &str) {
    let who = &visit.identity.principal;
    access.note(who, visit.peer.ip(), deed, detail).await;
}

fn page(visit: &Visit, asked: &Asked<'_>, error: Option<&ErrorObject>) -> Markup {
    let lang = visit.lang;
    let title = lang.pick("Log in", "Entrar");
    let body = html! {
        form.panel.login method="post" action="/login" {
            h1 { (title) }
            @if let Some(error) = error { (alert(error, lang)) }
            input type="hidden" name="next" value=(asked.next);
            @if asked.link.is_empty() {
                p { label for="secret" { (lang.pick("Paste a token", "Pegue un token")) } }
                div.field {
                    input #secret type="password" name="secret" required autofocus
                        autocomplete="current-password" spellcheck="false" placeholder="tr_…";
                    button.primary type="submit" { (title) }
                }
                p.fine-print {
                    (lang.pick("Or have a link made that opens once:",
                               "O pida un enlace que se abre una vez:"))
                    " " code { "tareas token login-link" }
                }
            } @else {
                input type="hidden" name="link" value=(asked.link);
                p { (lang.pick("This link opens the dashboard, once.",
                               "Este enlace abre el panel, una sola vez.")) }
                div.field { button.primary type="submit" autofocus { (title) } }
            }
        }
    };
    bare(visit, title, &body)
}

/// Who is logged in, and the way out; nothing where nobody is.
pub(super) fn way_out(visit: &Visit) -> Markup {
    let name = visit.identity.principal.name();
    let is_session = visit.identity.form_token.is_some();
    html! {
        @if let Some(name) = name.filter(|_| is_session) {
            form.logout method="post" action="/logout" {
                (token_field(visit.form_token()))
                button type="submit" title=(name) {
                    (visit.lang.pick("Log out", "Salir"))
                }
            }
        }
    }
}
