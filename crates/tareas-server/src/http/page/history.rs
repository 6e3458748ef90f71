//! What this process did in the last minutes, hour or day: charts that need nothing beside the
//! server and survive its restart.

use axum::extract::Request;
use axum::response::IntoResponse;
use maud::{Markup, html};
use tareas_core::{QueueName, Timestamp};
use tareas_engine::history::{Sample, Step};
use tareas_protocol::Lang;

use super::frame::problem_page;
use super::graph::{Series, Stretch, graph};
use super::numbers::{clock, count, duration, rate};
use super::{Scene, Sheet, Tab, document};
use crate::http::history::asked_queue;
use crate::http::live::View;
use crate::http::problem::{Answer, Problem};
use crate::http::visit::{Query, Visit};

/// Points along a chart: more would be finer than a pixel.
const POINTS_MAX: usize = 180;
/// Steps that the table below the charts names.
const ROWS: usize = 30;

/// The spans one can choose, by their names in URLs, with what they are made of.
const SPANS: [(&str, Step, [&str; 2]); 3] = [
    ("5m", Step::Second, ["5 minutes", "5 minutos"]),
    ("1h", Step::TenSeconds, ["1 hour", "1 hora"]),
    ("24h", Step::Minute, ["24 hours", "24 horas"]),
];

/// What is looked at.
struct Asked {
    queue: Option<QueueName>,
    span: &'static str,
    step: Step,
}

/// `GET /history`.
pub(in crate::http) async fn history(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let asked = match Query::read(&visit, &parts, &["span", "queue"])
        .and_then(|query| Asked::read(&visit, &query))
    {
        Ok(asked) => asked,
        Err(problem) => return Ok(problem_page(&visit, &problem).await),
    };
    let scene = Scene::of(&visit).await;
    let title = visit.lang.pick("History", "Historia");
    let body = html! {
        h1 { (title) }
        (chips(&scene, &asked))
        (charts(&scene, &asked))
    };
    let sheet = Sheet {
        title,
        tab: Tab::None,
        view: View::Frame,
        body,
    };
    Ok(document(&visit, &scene, &sheet).into_response())
}

impl Asked {
    fn read(visit: &Visit, query: &Query) -> Result<Self, Problem> {
        let name = query.get("span").unwrap_or("1h");
        let known = SPANS.iter().find(|(known, ..)| *known == name);
        let (span, step, _) =
            known.ok_or_else(|| visit.invalid("span", "5m, 1h or 24h", "5m, 1h o 24h"))?;
        Ok(Self {
            queue: asked_queue(visit, query)?,
            span,
            step: *step,
        })
    }

    fn path(&self, span: &str, queue: Option<&str>) -> String {
        match queue {
            None => format!("/history?span={span}"),
            Some(queue) => format!("/history?span={span}&queue={queue}"),
        }
    }
}

fn chips(scene: &Scene<'_>, asked: &Asked) -> Markup {
    let lang = scene.lang;
    let chosen = asked.queue.as_ref().map(QueueName::as_str);
    let queues = scene.server.engine.history().queues();
    let is_here = |here: bool| here.then_some("true");
    html! {
        nav.chips aria-label=(lang.pick("Span", "Periodo")) {
            @for (span, _, [en, es]) in SPANS {
                a href=(asked.path(span, chosen)) aria-current=[is_here(span == asked.span)] { (lang.pick(en, es)) }
            }
        }
        @if !queues.is_empty() {
            nav.chips aria-label=(lang.pick("Queue", "Cola")) {
                a href=(asked.path(asked.span, None)) aria-current=[is_here(chosen.is_none())] {
                    (lang.pick("all queues", "todas las colas"))
                }
                @for queue in &queues {
                    @let name = queue.as_str();
                    a href=(asked.path(asked.span, Some(name))) aria-current=[is_here(chosen == Some(name))] { (name) }
                }
            }
        }
    }
}

fn charts(scene: &Scene<'_>, asked: &Asked) -> Markup {
    let (lang, engine) = (scene.lang, &scene.server.engine);
    let now = engine.now();
    let known = engine
        .history()
        .steps(asked.queue.as_ref(), asked.step, now);
    if known.is_empty() {
        return html! { section.panel { p.empty {
            (lang.pick("Nothing is known of this time yet: the server writes down what it does once a second.",
                       "Todavía no se sabe nada de este tiempo: el servidor anota lo que hace una vez por segundo."))
        } } };
    }
    let (steps, step) = thinned(&known, asked.step);
    let length = i64::from(asked.step.seconds()) * asked.step.kept() as i64 * 1_000;
    let stretch = Stretch {
        from: Timestamp::from_millis(now.as_millis() - length),
        to: now,
        step,
        steps: &steps,
    };
    let per_second = |value: f64| rate(lang, Some(value));
    let tasks = |value: f64| count(lang, value.round() as u64);
    let time = |millis: f64| duration(lang, std::time::Duration::from_secs_f64(millis / 1e3));
    html! {
        div.columns.even {
            (graph(lang, lang.pick("Per second", "Por segundo"), &stretch, &flow(lang), per_second))
            (graph(lang, lang.pick("Tasks at a time", "Tareas a la vez"), &stretch, &depth(lang), tasks))
            (graph(lang, lang.pick("Mean times of tasks that ended", "Tiempos medios de las que terminaron"), &stretch, &times(lang), time))
            (graph(lang, lang.pick("Failed per second", "Fallidas por segundo"), &stretch, &failures(lang), per_second))
        }
        p.fine-print {
            @if scene.server.config.backends.are_shared() {
                (lang.pick("Rates and times are those of this process, depths those of all. ",
                           "Los ritmos y tiempos son de este proceso; las tareas a la vez, de todos. "))
            }
            (clock(stretch.from)) " – " (clock(now)) " UTC · "
            a href=(in_api(asked)) { "JSON" }
        }
        (numbers(lang, &steps, step))
    }
}

fn in_api(asked: &Asked) -> String {
    let step = asked.step.seconds();
    match &asked.queue {
        None => format!("/v1/history?step={step}"),
        Some(queue) => format!("/v1/history?step={step}&queue={queue}"),
    }
}

/// The same in fewer steps when there are more than a chart can show.
fn thinned(known: &[(Timestamp, Sample)], step: Step) -> (Vec<(Timestamp, Sample)>, u32) {
    let by = step.kept().div_ceil(POINTS_MAX) as u32;
    let length = step.seconds() * by;
    let mut thin: Vec<(Timestamp, Sample)> = Vec::new();
    for (at, sample) in known {
        let millis = i64::from(length) * 1_000;
        let place = Timestamp::from_millis(at.as_millis().div_euclid(millis) * millis);
        match thin.last_mut() {
            Some((newest, sum)) if *newest == place => *sum = sum.and(*sample),
            _ => thin.push((place, *sample)),
        }
    }
    (thin, length)
}

fn flow(lang: Lang) -> [Series; 2] {
    [
        Series {
            class: "accepted",
            name: lang.pick("in", "entran"),
            value: |sample, step| f64::from(sample.accepted) / f64::from(step),
        },
        Series {
            class: "ended",
            name: lang.pick("out", "salen"),
            value: |sample, step| f64::from(sample.ended) / f64::from(step),
        },
    ]
}

fn depth(lang: Lang) -> [Series; 2] {
    [
        Series {
            class: "waiting",
            name: lang.pick("waiting", "en espera"),
            value: |sample, _| f64::from(sample.waiting),
        },
        Series {
            class: "accepted",
            name: lang.pick("running", "en curso"),
            value: |sample, _| f64::from(sample.running),
        },
    ]
}

fn times(lang: Lang) -> [Series; 2] {
    [
        Series {
            class: "waiting",
            name: lang.pick("waited", "esperaron"),
            value: |sample, _| f64::from(sample.wait_ms),
        },
        Series {
            class: "accepted",
            name: lang.pick("ran", "duraron"),
            value: |sample, _| f64::from(sample.run_ms),
        },
    ]
}

fn failures(lang: Lang) -> [Series; 1] {
    [Series {
        class: "failed",
        name: lang.pick("failed", "fallidas"),
        value: |sample, step| f64::from(sample.failed) / f64::from(step),
    }]
}

/// The newest steps as a table, for those who do not see lines.
fn numbers(lang: Lang, steps: &[(Timestamp, Sample)], step: u32) -> Markup {
    let millis = |millis: f32| {
        duration(
            lang,
            std::time::Duration::from_secs_f32(millis.max(0.0) / 1e3),
        )
    };
    let number = |number: u32| count(lang, number.into());
    let heads = [
        lang.pick("from (UTC)", "desde (UTC)"),
        lang.pick("in", "entran"),
        lang.pick("out", "salen"),
        lang.pick("failed", "fallidas"),
        lang.pick("waiting", "en espera"),
        lang.pick("running", "en curso"),
        lang.pick("waited", "esperaron"),
        lang.pick("ran", "duraron"),
    ];
    html! {
        details.panel.numbers {
            summary { (lang.pick("Show numbers", "Mostrar números")) " · " (step) " s" }
            div.wide tabindex="0" { table {
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody { @for (at, sample) in steps.iter().rev().take(ROWS) { tr {
                    td { (clock(*at)) }
                    @for value in [sample.accepted, sample.ended, sample.failed, sample.waiting, sample.running] {
                        td { (number(value)) }
                    }
                    td { (millis(sample.wait_ms)) } td { (millis(sample.run_ms)) }
                } } }
            } }
        }
    }
}
