//! `GET /v1/kinds`: what a task may be, with an example and the schema of its payload.

use serde::Serialize;
use serde_json::Value;
use tareas_core::Kind;
use tareas_engine::KindRules;
use tareas_protocol::Lang;

use super::operate::written;
use super::problem::Answer;
use super::visit::Visit;

#[derive(Serialize)]
struct Kinds {
    kinds: Vec<KindView>,
}

#[derive(Serialize)]
struct KindView {
    kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    example: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    example_json: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Value>,
}

impl KindView {
    fn of(kind: &Kind, rules: &KindRules, lang: Lang) -> Self {
        let [english, spanish] = &rules.description;
        let check = rules.payload.as_ref();
        let json = |text: &str| serde_json::from_str(text).ok();
        Self {
            kind: kind.to_string(),
            description: lang.pick(english, spanish).clone(),
            example: rules.example.clone(),
            example_json: json(&rules.example_json),
            schema: check.and_then(|check| check.schema()).and_then(json),
        }
    }
}

/// The kinds that a task may have.
pub(super) async fn kinds(visit: Visit) -> Answer {
    let all = visit.server.engine.kinds().all_with_rules();
    let kinds = all
        .iter()
        .map(|(kind, rules)| KindView::of(kind, rules, visit.lang))
        .collect();
    written(&visit, &Kinds { kinds })
}
