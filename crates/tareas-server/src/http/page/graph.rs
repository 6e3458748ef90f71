//! A chart of one or two series over time: drawn once by the server, with its numbers beside it.

use maud::{Markup, html};
use tareas_core::Timestamp;
use tareas_engine::history::Sample;
use tareas_protocol::Lang;

const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 120.0;

/// What is drawn: the steps of a stretch of time, and how long each of them is.
pub(super) struct Stretch<'a> {
    /// Where it begins.
    pub(super) from: Timestamp,
    /// Where it ends.
    pub(super) to: Timestamp,
    /// The length of a step, in seconds.
    pub(super) step: u32,
    /// The steps that are known.
    pub(super) steps: &'a [(Timestamp, Sample)],
}

/// One line: its class and name, and its value in a step.
pub(super) struct Series {
    /// The class that gives it its colour.
    pub(super) class: &'static str,
    /// What people call it.
    pub(super) name: &'static str,
    /// Its value in a step.
    pub(super) value: fn(&Sample, u32) -> f64,
}

/// The chart, its title, and for each series the newest and the highest value.
pub(super) fn graph(
    lang: Lang,
    title: &str,
    stretch: &Stretch<'_>,
    series: &[Series],
    shown: impl Fn(f64) -> String,
) -> Markup {
    let highest = |one: &Series| values(stretch, one).fold(0.0, f64::max);
    let top = round_up(series.iter().map(highest).fold(0.0, f64::max));
    html! {
        section.panel.graph {
            h2 { (title) }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(title) {
                line.axis x1="0" x2=(WIDTH) y1=(HEIGHT - 1.0) y2=(HEIGHT - 1.0) {}
                line.axis.faint x1="0" x2=(WIDTH) y1=(HEIGHT / 2.0) y2=(HEIGHT / 2.0) {}
                @for one in series { @for points in pieces(stretch, one, top) {
                    polyline class=(one.class) points=(points) {}
                } }
            }
            p.legend {
                @for one in series { span class=(one.class) {
                    (one.name) " " b { (shown(values(stretch, one).last().unwrap_or(0.0))) }
                    " · " (lang.pick("most ", "máx. ")) (shown(highest(one)))
                } }
                span.peak { (lang.pick("top ", "tope ")) b { (shown(top)) } }
            }
        }
    }
}

fn values(stretch: &Stretch<'_>, series: &Series) -> impl Iterator<Item = f64> {
    let (value, step) = (series.value, stretch.step);
    stretch
        .steps
        .iter()
        .map(move |(_, sample)| value(sample, step))
}

/// The line in pieces: where nothing is known there is none.
fn pieces(stretch: &Stretch<'_>, series: &Series, top: f64) -> Vec<String> {
    let length = stretch.to.since(stretch.from).as_secs_f64().max(1.0);
    let mut pieces: Vec<String> = Vec::new();
    let mut before: Option<Timestamp> = None;
    for (at, sample) in stretch.steps {
        let x = WIDTH * at.since(stretch.from).as_secs_f64() / length;
        let share = (series.value)(sample, stretch.step) / top;
        let y = (HEIGHT - 1.0) * (1.0 - share).max(0.0) + 0.5;
        let is_next = before
            .is_some_and(|before| at.since(before).as_secs_f64() < f64::from(stretch.step) * 1.5);
        before = Some(*at);
        match pieces.last_mut().filter(|_| is_next) {
            Some(piece) => piece.push_str(&format!(" {x:.1},{y:.1}")),
            // A point alone is seen as a short line.
            None => pieces.push(format!("{x:.1},{y:.1} {:.1},{y:.1}", x + 1.0)),
        }
    }
    pieces
}

/// 1, 2 or 5 times a power of ten, at least as high, and at least 1.
pub(super) fn round_up(highest: f64) -> f64 {
    let highest = highest.max(1.0);
    let power = 10_f64.powf(highest.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let found = steps.into_iter().find(|step| *step >= highest);
    found.unwrap_or(highest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_stays_a_gap() {
        let at = |second: i64| Timestamp::from_millis(second * 1_000);
        let sample = Sample {
            ended: 2,
            ..Sample::default()
        };
        let steps = [10, 11, 20].map(|second| (at(second), sample));
        let stretch = Stretch {
            from: at(0),
            to: at(60),
            step: 1,
            steps: &steps,
        };
        let series = Series {
            class: "ended",
            name: "out",
            value: |sample, step| f64::from(sample.ended) / f64::from(step),
        };
        let pieces = pieces(&stretch, &series, 2.0);
        assert_eq!(
            pieces,
            ["100.0,0.5 101.0,0.5 110.0,0.5", "200.0,0.5 201.0,0.5"]
        );
    }
}
