//! `/v1/bulk`: one thing done to every task that a filter finds, as a resource with progress.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use tareas_core::Timestamp;
use tareas_engine::bulk::{BulkAction, BulkId, BulkOrder, BulkView};
use tareas_protocol::json::Scanner;
use tareas_protocol::nearest::nearest;
use tareas_protocol::{Code, Lang};

use super::access::Did;
use super::body;
use super::prefer::{self, WAIT_SECONDS_MAX, Wait};
use super::problem::{Answer, Problem};
use super::tasks::{instant, json, meaning};
use super::visit::{Query, Visit, path_text};
use crate::filter::Words;

/// The members of an order.
const MEMBERS: [&str; 4] = ["action", "filter", "dry_run", "limit"];

/// A bulk action as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    id: String,
    action: &'a str,
    filter: &'a str,
    dry_run: bool,
    limit: Option<u64>,
    state: &'a str,
    matched: u64,
    done: u64,
    skipped: u64,
    kinds: Vec<KindCount<'a>>,
    samples: Vec<String>,
    oldest: Option<String>,
    newest: Option<String>,
    asked_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
}

#[derive(Serialize)]
struct KindCount<'a> {
    kind: Option<&'a str>,
    tasks: u64,
}

impl<'a> Shown<'a> {
    fn of(view: &'a BulkView) -> Self {
        let at = |at: Option<Timestamp>| at.map(instant);
        let kinds = view.kinds.iter().map(|(kind, tasks)| KindCount {
            kind: kind.as_ref().map(|kind| kind.as_str()),
            tasks: *tasks,
        });
        Self {
            id: view.id.to_string(),
            action: view.action.name(),
            filter: &view.filter,
            dry_run: view.is_dry_run,
            limit: view.most,
            state: view.state.name(),
            matched: view.matched,
            done: view.done,
            skipped: view.skipped,
            kinds: kinds.collect(),
            samples: view.samples.iter().map(ToString::to_string).collect(),
            oldest: at(view.oldest),
            newest: at(view.newest),
            asked_at: instant(view.asked_at),
            started_at: at(view.started_at),
            finished_at: at(view.ended_at),
        }
    }
}

/// Orders one: 202 with its place, or 200 when it has ended within `Prefer: wait`.
pub(super) async fn create(visit: Visit, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let text = body::read(&visit, &parts.headers, body).await?;
    let view = order(&visit, read(&visit, &text)?)?;
    let wait = Wait::of(&parts.headers);
    let view = match wait {
        Some(wait) => ended(&visit, view, wait.duration()).await,
        None => view,
    };
    let status = match view.state.has_ended() {
        true => StatusCode::OK,
        false => StatusCode::ACCEPTED,
    };
    let mut response = shown(&visit, &view, status)?;
    let place = HeaderValue::from_str(&format!("/v1/bulk/{}", view.id));
    if let Ok(place) = place {
        response.headers_mut().insert(header::LOCATION, place);
    }
    if let Some(wait) = wait {
        response
            .headers_mut()
            .insert(prefer::APPLIED, wait.applied());
    }
    response.extensions_mut().insert(did(&view));
    Ok(response)
}

/// What was ordered, for the audit log.
pub(super) fn did(view: &BulkView) -> Did {
    let count = if view.is_dry_run { "count for " } else { "" };
    let (action, filter) = (view.action.name(), &view.filter);
    Did(format!("{count}{action} {filter} ({})", view.id))
}

/// Those that are remembered, newest first.
pub(super) async fn list(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let views = visit.server.engine.bulks();
    let all: Vec<Shown<'_>> = views.iter().map(Shown::of).collect();
    written(&visit, &BTreeMap::from([("bulk", all)]), StatusCode::OK)
}

/// One; `?wait=N` answers when it has ended, or after so many seconds.
pub(super) async fn show(visit: Visit, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let query = Query::read(&visit, &parts, &["wait"])?;
    let view = find(&visit, path_text(&mut parts, &()).await)?;
    let view = match query.number(&visit, "wait", WAIT_SECONDS_MAX)? {
        Some(seconds) => ended(&visit, view, Duration::from_secs(seconds)).await,
        None => view,
    };
    shown(&visit, &view, StatusCode::OK)
}

/// Stops one before its next page.
pub(super) async fn stop(visit: Visit, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let view = find(&visit, path_text(&mut parts, &()).await)?;
    tracing::info!(bulk = %view.id, peer = %visit.peer, "stop");
    let view = visit.server.engine.stop_bulk(view.id).unwrap_or(view);
    shown(&visit, &view, StatusCode::OK)
}

/// What is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    /// The word for what is to be done.
    pub(super) action: String,
    /// The filter, as it was written.
    pub(super) filter: String,
    /// Only counts.
    pub(super) is_dry_run: bool,
    /// At most so many tasks.
    pub(super) most: Option<u64>,
}

/// Orders what is asked for.
pub(super) fn order(visit: &Visit, asked: Asked) -> Result<BulkView, Problem> {
    let names = BulkAction::ALL.map(BulkAction::name).join(", ");
    let action = BulkAction::from_name(&asked.action);
    let action = action.ok_or_else(|| visit.invalid("action", &names, &names))?;
    let words = Words::split(&asked.filter);
    let words = words.map_err(|wrong| visit.problem(wrong.error(visit.lang)))?;
    if words.is_empty() {
        return Err(everything(visit));
    }
    let order = BulkOrder {
        action,
        filter: meaning(visit, &words)?,
        written: words.to_string(),
        is_dry_run: asked.is_dry_run,
        most: asked.most,
        by: visit.actor(),
    };
    let view = visit.server.engine.order_bulk(order);
    let view = view.map_err(|refusal| visit.refused(&refusal))?;
    let (bulk, filter, dry_run) = (view.id, &view.filter, view.is_dry_run);
    tracing::info!(%bulk, peer = %visit.peer, action = action.name(), filter, dry_run, "bulk");
    Ok(view)
}

/// Nobody should mean every task by leaving the filter out.
fn everything(visit: &Visit) -> Problem {
    let (en, es) = ("a filter", "un filtro");
    let problem = visit.invalid("filter", en, es);
    let hint = visit.lang.pick(
        "`age:0s` means every task that there is now",
        "`age:0s` significa todas las tareas que hay ahora",
    );
    visit.problem(problem.error().clone().hint(hint))
}

/// The bulk action of this name.
pub(super) fn find(visit: &Visit, name: Option<String>) -> Result<BulkView, Problem> {
    let name = name.unwrap_or_default();
    let id: Option<BulkId> = name.parse().ok();
    let found = id.and_then(|id| visit.server.engine.bulk(id));
    found.ok_or_else(|| {
        let shown: String = name.chars().take(64).collect();
        let message = match visit.lang {
            Lang::En => format!("this server knows no bulk action {shown}"),
            Lang::Es => format!("este servidor no conoce la acción masiva {shown}"),
        };
        let hint = visit.lang.pick(
            "a bulk action ends with the server that carries it out: what it had done stays done, and \
             the same filter does the rest",
            "una acción masiva termina con el servidor que la ejecuta: lo que hizo queda hecho, y el \
             mismo filtro hace el resto",
        );
        visit.problem(visit.error(Code::NotFound).message(message).hint(hint))
    })
}

/// The same when it has ended, when the time is over, or when the server stops.
async fn ended(visit: &Visit, view: BulkView, within: Duration) -> BulkView {
    let Some(mut watch) = visit.server.engine.watch_bulk(view.id) else {
        return view;
    };
    tokio::select! {
        // Whatever wakes first: what is true then is shown.
        _ = tokio::time::timeout(within, watch.wait_for(|view| view.state.has_ended())) => {}
        () = visit.stop.cancelled() => {}
        () = visit.identity.principal.ended() => {}
    }
    watch.borrow().clone()
}

fn read(visit: &Visit, text: &[u8]) -> Result<Asked, Problem> {
    let malformed = || visit.problem(visit.error(Code::Malformed));
    let text = std::str::from_utf8(text).map_err(|_| malformed())?;
    let mut scanner = Scanner::new();
    let object = scanner.object(text).map_err(|_| malformed())?;
    if object.duplicate().is_some() {
        return Err(malformed());
    }
    let mut members: BTreeMap<String, Value> =
        serde_json::from_str(text).map_err(|_| malformed())?;
    let action = text_of(visit, &mut members, "action", "cancel, requeue, delete")?;
    let filter = text_of(visit, &mut members, "filter", "state:failed")?;
    let is_dry_run = match members.remove("dry_run") {
        None => false,
        Some(Value::Bool(is_dry_run)) => is_dry_run,
        Some(_) => return Err(visit.invalid("dry_run", "true or false", "true o false")),
    };
    let most = match members.remove("limit") {
        None | Some(Value::Null) => None,
        Some(limit) => {
            let limit = limit.as_u64().filter(|limit| *limit > 0);
            let (en, es) = ("an integer of 1 or more", "un entero de 1 o más");
            Some(limit.ok_or_else(|| visit.invalid("limit", en, es))?)
        }
    };
    match members.keys().next() {
        Some(other) => Err(unknown(visit, other)),
        None => Ok(Asked {
            action,
            filter,
            is_dry_run,
            most,
        }),
    }
}

fn text_of(
    visit: &Visit,
    members: &mut BTreeMap<String, Value>,
    name: &str,
    example: &str,
) -> Result<String, Problem> {
    match members.remove(name) {
        Some(Value::String(text)) => Ok(text),
        _ => {
            let en = format!("a text such as `{example}`");
            let es = format!("un texto como `{example}`");
            Err(visit.invalid(name, &en, &es))
        }
    }
}

fn unknown(visit: &Visit, member: &str) -> Problem {
    let shown: String = member.chars().take(64).collect();
    let message = match visit.lang {
        Lang::En => format!("there is no member `{shown}` here"),
        Lang::Es => format!("aquí no existe el miembro `{shown}`"),
    };
    let mut error = visit.error(Code::UnknownMember).message(message);
    if let Some(near) = nearest(member, MEMBERS) {
        let question = visit.lang.pick("did you mean", "¿quiso decir");
        error = error.hint(format!("{question} `{near}`?"));
    }
    error.pointer = Some(format!("/{shown}"));
    visit.problem(error)
}

fn shown(visit: &Visit, view: &BulkView, status: StatusCode) -> Result<Response, Problem> {
    written(visit, &Shown::of(view), status)
}

fn written(visit: &Visit, value: &impl Serialize, status: StatusCode) -> Answer {
    let text = serde_json::to_vec(value);
    let text = text.map_err(|_| visit.problem(visit.error(Code::Bug)))?;
    Ok(json(visit, status, text))
}
