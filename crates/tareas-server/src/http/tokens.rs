//! `/v1/tokens`, `/v1/login-links`, `/v1/audit`: tokens, and who did what.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;
use tareas_engine::access::{Access, AuditEntry, CredentialId, Deed};
use tareas_engine::ports::PortError;
use tareas_protocol::Code;

use super::body;
use super::problem::{Answer, Problem};
use super::tasks::json;
use super::visit::{Query, Visit, path_text};
use crate::access::{chances, denied, switched_on};
use crate::tokens::{LinkView, TokenList, TokenRequest, TokenView, shown};

/// Lines of the audit log on a page, if not said, and at most.
const LINES_DEFAULT: u64 = 50;
const LINES_MAX: u64 = 500;

/// `GET /v1/tokens`: all tokens, newest first, without their secrets.
pub(super) async fn list(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let all = on(&visit)?
        .list(&visit.identity.principal)
        .await
        .map_err(|error| away(&visit, error))?;
    let now = visit.server.engine.now();
    written(&visit, StatusCode::OK, &TokenList::of(&all, now))
}

/// `POST /v1/tokens`: makes one; its text is in this answer and nowhere else.
pub(super) async fn create(visit: Visit, request: Request) -> Answer {
    let access = Arc::clone(on(&visit)?);
    let (parts, body) = request.into_parts();
    let text = body::read(&visit, &parts.headers, body).await?;
    let now = visit.server.engine.now();
    let asked =
        TokenRequest::parse(&text, visit.lang).and_then(|asked| asked.wanted(now, visit.lang));
    let wanted = asked.map_err(|error| visit.problem(*error))?;
    let chances = chances(visit.lang).map_err(|error| visit.problem(*error))?;
    let by = &visit.identity.principal;
    let made = access.create_token(wanted, by, &chances).await;
    let (text, made) = made.map_err(|reason| visit.problem(denied(&reason, visit.lang)))?;
    let detail = format!("{} ({}): {}", made.wanted.name, made.id, made.wanted.roles);
    access
        .note(by, visit.peer.ip(), Deed::CreateToken, &detail)
        .await;
    let view = TokenView::of(&made, now, Some(&text));
    written(&visit, StatusCode::CREATED, &view)
}

/// `DELETE /v1/tokens/{id}`: revokes one, and all that came of it.
pub(super) async fn revoke(visit: Visit, request: Request) -> Answer {
    let access = on(&visit)?;
    let (mut parts, _) = request.into_parts();
    let text = path_text(&mut parts, &()).await.unwrap_or_default();
    let id: CredentialId = text.parse().map_err(|_| visit.not_found())?;
    let by = &visit.identity.principal;
    let is_revoked = access.revoke_token(id, by).await;
    if !is_revoked.map_err(|error| away(&visit, error))? {
        return Err(visit.not_found());
    }
    access
        .note(by, visit.peer.ip(), Deed::RevokeToken, id.as_str())
        .await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /v1/login-links`: a link that opens the dashboard once, with the rights of the caller.
pub(super) async fn link(visit: Visit) -> Answer {
    let access = on(&visit)?;
    let chances = chances(visit.lang).map_err(|error| visit.problem(*error))?;
    let by = &visit.identity.principal;
    let made = access.create_link(by, &chances).await;
    let (text, made) = made.map_err(|reason| visit.problem(denied(&reason, visit.lang)))?;
    access
        .note(by, visit.peer.ip(), Deed::CreateLink, made.id.as_str())
        .await;
    let public = visit.server.config.public_url.as_deref();
    let view = LinkView::of(&text, &made, public);
    written(&visit, StatusCode::CREATED, &view)
}

#[derive(Serialize)]
struct LineView<'a> {
    number: u64,
    at: String,
    who: &'a str,
    address: &'a str,
    deed: &'static str,
    detail: &'a str,
}

#[derive(Serialize)]
struct Audit<'a> {
    entries: Vec<LineView<'a>>,
    next_cursor: Option<u64>,
}

/// `GET /v1/audit`: who did what, newest first.
pub(super) async fn audit(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let query = Query::read(&visit, &parts, &["limit", "cursor"])?;
    let limit = query
        .number(&visit, "limit", LINES_MAX)?
        .unwrap_or(LINES_DEFAULT)
        .max(1);
    let limit = usize::try_from(limit).unwrap_or(LINES_MAX as usize);
    let before = query.number(&visit, "cursor", u64::MAX)?;
    let lines = on(&visit)?.audit(before, limit).await;
    let lines = lines.map_err(|error| away(&visit, error))?;
    let next_cursor = lines
        .last()
        .filter(|_| lines.len() == limit)
        .map(|(number, _)| *number);
    let entries = lines.iter().map(line).collect();
    written(
        &visit,
        StatusCode::OK,
        &Audit {
            entries,
            next_cursor,
        },
    )
}

fn line((number, entry): &(u64, AuditEntry)) -> LineView<'_> {
    LineView {
        number: *number,
        at: shown(entry.at),
        who: &entry.who,
        address: &entry.address,
        deed: entry.deed.name(),
        detail: &entry.detail,
    }
}

fn on(visit: &Visit) -> Result<&Arc<Access>, Problem> {
    switched_on(&visit.server, visit.lang).map_err(|error| visit.problem(*error))
}

fn away(visit: &Visit, error: PortError) -> Problem {
    visit.problem(denied(&error.into(), visit.lang))
}

fn written(visit: &Visit, status: StatusCode, view: &impl Serialize) -> Answer {
    let text = serde_json::to_vec(view);
    let text = text.map_err(|_| visit.problem(visit.error(Code::Bug)))?;
    Ok(json(visit, status, text))
}
