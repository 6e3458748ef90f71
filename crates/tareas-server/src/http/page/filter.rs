//! The filter of a list as links and one field: each chip leads to the list with one condition
//! exchanged or taken away, the field takes whatever the filter language can say.

use maud::{Markup, html};
use tareas_core::{Kind, Phase};

use super::numbers::count;
use super::{Scene, states};
use crate::filter::{CONDITIONS, Words};

/// Queues that have a chip; others are reached by their name.
const QUEUE_CHIPS: usize = 12;
/// Conditions that are parameters of their own in links, when they stand once.
const ALONE: [&str; 3] = ["state", "queue", "kind"];

/// Chips, and the field.
pub(super) fn draw(scene: &Scene<'_>, words: &Words) -> Markup {
    html! {
        (state_chips(scene, words))
        (queue_chips(scene, words))
        (field(scene, words))
    }
}

fn state_chips(scene: &Scene<'_>, words: &Words) -> Markup {
    let lang = scene.lang;
    let chosen = words.value("state");
    let is_any = !words.iter().any(|word| word.name == "state");
    let with = |phase: Option<Phase>| path(&words.with("state", phase.map(Phase::name)), None);
    html! {
        nav.chips aria-label=(lang.pick("State", "Estado")) {
            a href=(with(None)) aria-current=[is_any.then_some("true")] {
                (lang.pick("all", "todas"))
            }
            @for phase in Phase::ALL {
                @let is_it = chosen == Some(phase.name());
                a href=(with(Some(phase))) aria-current=[is_it.then_some("true")] {
                    (states::badge(phase, lang)) " " (count(lang, in_phase(scene, words, phase)))
                }
            }
        }
    }
}

/// Counted in all queues, or in the one that is looked at.
fn in_phase(scene: &Scene<'_>, words: &Words, phase: Phase) -> u64 {
    let queue = words.value("queue");
    let lines = scene.picture.queues.iter();
    let chosen = lines.filter(|line| queue.is_none_or(|queue| line.name.as_str() == queue));
    chosen.map(|line| line.of(phase)).sum()
}

fn queue_chips(scene: &Scene<'_>, words: &Words) -> Markup {
    let queues = &scene.picture.queues;
    let chosen = words.value("queue");
    let with = |queue| path(&words.with("queue", queue), None);
    html! {
        @if queues.len() > 1 {
            nav.chips aria-label=(scene.pick("Queue", "Cola")) {
                a href=(with(None)) aria-current=[chosen.is_none().then_some("true")] {
                    (scene.pick("all queues", "todas las colas"))
                }
                @for line in queues.iter().take(QUEUE_CHIPS) {
                    @let name = line.name.as_str();
                    a href=(with(Some(name))) aria-current=[(chosen == Some(name)).then_some("true")] {
                        (name)
                    }
                }
            }
        }
    }
}

/// All of it as text, and each condition to be taken away.
fn field(scene: &Scene<'_>, words: &Words) -> Markup {
    let lang = scene.lang;
    html! {
        form.filter method="get" action="/tasks" role="search" {
            label for="filter" { (lang.pick("Filter", "Filtro")) }
            input #filter type="text" name="filter" list="conditions" value=(words) maxlength="2000"
                placeholder="kind:resize since:1h" autocomplete="off" autocapitalize="none"
                spellcheck="false";
            button type="submit" { (lang.pick("Show", "Mostrar")) }
            datalist #conditions {
                @for condition in &CONDITIONS {
                    option value=(format!("{}:{}", condition.name, condition.example)) {
                        (lang.pick(condition.about[0], condition.about[1]))
                    }
                }
                @for kind in scene.server.engine.kinds().all() {
                    option value=(format!("kind:{}", Kind::as_str(&kind))) {}
                }
            }
        }
        @if !words.is_empty() {
            p.chips {
                @for (index, word) in words.iter().enumerate() {
                    span.chosen { (word) " "
                        a href=(path(&words.without(index), None))
                            aria-label=(format!("{} {word}", lang.pick("without", "sin"))) { "✕" } }
                }
            }
        }
    }
}

/// The list under this filter, from this cursor on.
pub(super) fn path(words: &Words, cursor: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let mut rest = words.clone();
    for name in ALONE {
        if let Some(value) = words.value(name) {
            query.append_pair(name, value);
            rest = rest.with(name, None);
        }
    }
    if !rest.is_empty() {
        query.append_pair("filter", &rest.to_string());
    }
    if let Some(cursor) = cursor {
        query.append_pair("cursor", cursor);
    }
    let query = query.finish();
    if query.is_empty() {
        "/tasks".to_owned()
    } else {
        format!("/tasks?{query}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_back_as_its_filter() {
        let words = Words::split("state:failed,cancelled kind:a.b queue:mail since:1h").unwrap();
        assert_eq!(
            path(&words, Some("c1")),
            "/tasks?state=failed%2Ccancelled&queue=mail&kind=a.b&filter=since%3A1h&cursor=c1"
        );
        assert_eq!(path(&Words::default(), None), "/tasks");
        let negated = Words::split("-kind:a").unwrap();
        assert_eq!(path(&negated, None), "/tasks?filter=-kind%3Aa");
    }
}
