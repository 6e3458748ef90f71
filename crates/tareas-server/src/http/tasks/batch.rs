//! `POST /v1/tasks/batch`: many tasks, each accepted or refused by itself.

use axum::extract::Request;
use axum::http::StatusCode;
use tareas_engine::access::{Action, Object};
use tareas_engine::{Accepted, Refusal, Submission};
use tareas_protocol::request::{self, Decoder};
use tareas_protocol::response::{Acknowledgement, append_batch};
use tareas_protocol::{Code, ErrorObject};

use super::submit::below;
use super::{accept, json};
use crate::access::judge;
use crate::http::body;
use crate::http::guard::media_type;
use crate::http::problem::{Answer, Problem};
use crate::http::visit::{Query, Visit};
use crate::{codes, intake, view};

/// One of a batch: to be asked of the engine, or refused already.
type Item = Result<Submission, Box<ErrorObject>>;
/// What is told of one of a batch.
type Told = Result<Accepted, Box<ErrorObject>>;

/// Accepts the tasks of a JSON array or of lines of JSON (NDJSON), in their order.
pub(in crate::http) async fn batch(visit: Visit, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let text = body::read(&visit, &parts.headers, body).await?;
    let is_lines = media_type(&parts.headers).ends_with("ndjson");
    let mut refusals = Vec::new();
    let mut submissions = Vec::new();
    for item in decode(&visit, &text, is_lines)? {
        refusals.push(item.map(|submission| submissions.push(submission)).err());
    }
    let submitted = accept(&visit, submissions).await?;
    let told = merge(&visit, refusals, submitted.outcomes);
    Ok(json(&visit, StatusCode::OK, written(&visit, &told)))
}

fn decode(visit: &Visit, text: &[u8], is_lines: bool) -> Result<Vec<Item>, Problem> {
    let mut decoder = Decoder::new();
    let decoded = match is_lines {
        true => decoder.submission_lines(text),
        false => decoder.submissions(text),
    };
    let decoded = decoded.map_err(|refusal| visit.problem(refusal.to_error(visit.lang)))?;
    let taken = |item: Result<request::Submission<'_>, _>| {
        item.and_then(|decoded| {
            let kind = intake::kind(&decoded.kind)?;
            intake::submission(&decoded, kind, decoded.payload.to_bytes(), None)
        })
    };
    let item = |item| {
        let mut taken = taken(item).map_err(|refusal| Box::new(refusal.to_error(visit.lang)))?;
        let (who, object) = (&visit.identity.principal, Object::Queue(&taken.queue));
        judge(who, Action::Submit, object, visit.lang)?;
        below(visit, &mut taken);
        Ok(taken)
    };
    Ok(decoded.into_iter().map(item).collect())
}

/// Puts what the engine said between what was refused before.
fn merge(
    visit: &Visit,
    refusals: Vec<Option<Box<ErrorObject>>>,
    outcomes: Vec<Result<Accepted, Refusal>>,
) -> Vec<Told> {
    let mut outcomes = outcomes.into_iter();
    let mut next = || match outcomes.next() {
        Some(outcome) => outcome.map_err(|refusal| Box::new(codes::error(&refusal, visit.lang))),
        None => Err(Box::new(visit.error(Code::Bug))),
    };
    refusals
        .into_iter()
        .map(|refused| refused.map_or_else(&mut next, Err))
        .collect()
}

fn written(visit: &Visit, told: &[Told]) -> Vec<u8> {
    let mut out = Vec::with_capacity(96 * told.len() + 16);
    let durability = visit.server.config.durability;
    let items = told.iter().map(|told| match told {
        Ok(accepted) => Ok(Acknowledgement {
            task_id: view::id_of(&accepted.task),
            status: view::status_of(accepted.task.phase()),
            duplicate: accepted.is_duplicate,
            durability,
            reference: None,
        }),
        Err(error) => Err(&**error),
    });
    append_batch(&mut out, items, None);
    out
}
