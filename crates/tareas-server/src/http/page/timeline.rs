//! The life of a task, to scale: waits and attempts one after the other.

use maud::{Markup, html};
use tareas_core::{Attempt, Phase, Task, Timestamp};
use tareas_protocol::Lang;

use super::numbers::{clock, duration};

/// Width of the drawing, in its own units.
const WIDTH: f64 = 1_000.0;
/// A stretch is at least this wide, so that a quick attempt can be seen.
const WIDTH_MIN: f64 = 8.0;

/// One stretch of a life.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stretch {
    from: Timestamp,
    to: Timestamp,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// It was in line, or not due.
    Wait,
    /// An attempt, and the word for how it stands or ended.
    Attempt(u64, &'static str),
}

impl What {
    fn class(&self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Attempt(_, word) => word,
        }
    }
}

/// The drawing, and the same in words.
pub(super) fn timeline(task: &Task, attempts: &[Attempt], now: Timestamp, lang: Lang) -> Markup {
    let stretches = stretches(task, attempts, now);
    let title = lang.pick("Its life, to scale", "Su vida, a escala");
    html! {
        section.panel.timeline {
            h2 { (title) }
            svg viewBox={ "0 0 " (WIDTH) " 24" } preserveAspectRatio="none" role="img" aria-label=(title) {
                @for (stretch, (x, width)) in stretches.iter().zip(places(&stretches)) {
                    rect class=(stretch.what.class()) x=(format!("{x:.1}")) y="2" height="20"
                        width=(format!("{width:.1}")) {}
                }
            }
            ol {
                @for stretch in &stretches { (in_words(stretch, lang)) }
                @if let Some(finished) = task.finished_at {
                    li { time { (clock(finished)) } " " (super::states::badge(task.phase(), lang)) }
                }
            }
        }
    }
}

fn in_words(stretch: &Stretch, lang: Lang) -> Markup {
    html! {
        li {
            time { (clock(stretch.from)) } " "
            span class={ "swatch " (stretch.what.class()) } aria-hidden="true" {}
            @match &stretch.what {
                What::Wait => (lang.pick("waited", "esperó")),
                What::Attempt(number, word) => {
                    (lang.pick("attempt ", "intento ")) (number) ": " (outcome(word, lang))
                }
            }
            " " b { (duration(lang, stretch.to.since(stretch.from))) }
        }
    }
}

/// The word for how an attempt stands or ended.
pub(super) fn outcome(word: &'static str, lang: Lang) -> &'static str {
    match word {
        "succeeded" => lang.pick("succeeded", "terminó"),
        "failed" => lang.pick("failed", "falló"),
        "timed_out" => lang.pick("timed out", "superó su tiempo"),
        "lost" => lang.pick("lost", "se perdió"),
        "released" => lang.pick("given back", "se devolvió"),
        "cancelled" => lang.pick("cancelled", "cancelado"),
        "running" => lang.pick("running", "en curso"),
        other => other,
    }
}

/// Waits and attempts, gaplessly from acceptance to the end or to now. Never backwards: clocks
/// of several machines may differ.
fn stretches(task: &Task, attempts: &[Attempt], now: Timestamp) -> Vec<Stretch> {
    let mut line = Line {
        at: task.spec.submitted_at,
        stretches: Vec::new(),
    };
    for attempt in attempts {
        let started = attempt.started_at.unwrap_or(attempt.ended_at);
        line.wait_until(started);
        line.run_until(attempt.ended_at, attempt.attempt, attempt.outcome.name());
    }
    let is_told = attempts
        .iter()
        .any(|attempt| attempt.attempt == task.attempt);
    let phase = task.phase();
    if let Some(started) = task.started_at
        && !is_told
        && (phase.is_terminal() || phase == Phase::Running)
    {
        line.wait_until(started);
        line.run_until(task.finished_at.unwrap_or(now), task.attempt, phase.name());
    } else {
        line.wait_until(task.finished_at.unwrap_or(now));
    }
    line.stretches
}

struct Line {
    at: Timestamp,
    stretches: Vec<Stretch>,
}

impl Line {
    fn wait_until(&mut self, to: Timestamp) {
        if to > self.at {
            self.push(to, What::Wait);
        }
    }

    fn run_until(&mut self, to: Timestamp, attempt: u64, word: &'static str) {
        self.push(to.max(self.at), What::Attempt(attempt, word));
    }

    fn push(&mut self, to: Timestamp, what: What) {
        let from = self.at;
        self.stretches.push(Stretch { from, to, what });
        self.at = to;
    }
}

/// Where each stretch begins in the drawing, and how wide it is.
fn places(stretches: &[Stretch]) -> Vec<(f64, f64)> {
    let length = |stretch: &Stretch| stretch.to.since(stretch.from).as_secs_f64();
    let total: f64 = stretches.iter().map(length).sum::<f64>().max(1e-9);
    let spare = (WIDTH - WIDTH_MIN * stretches.len() as f64).max(0.0);
    let mut x = 0.0;
    let place = |stretch| {
        let width = WIDTH_MIN + spare * length(stretch) / total;
        let begin = x;
        x += width;
        (begin, width)
    };
    stretches.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_fill_the_drawing() {
        let at = Timestamp::from_millis;
        let stretch = |from, to, what| Stretch {
            from: at(from),
            to: at(to),
            what,
        };
        let life = [
            stretch(0, 10, What::Wait),
            stretch(10, 10, What::Attempt(1, "failed")),
            stretch(10, 1_000, What::Attempt(2, "succeeded")),
        ];
        let places = places(&life);
        let last = places.last().unwrap();
        assert!((last.0 + last.1 - WIDTH).abs() < 1e-6);
        assert!(places.iter().all(|(_, width)| *width >= WIDTH_MIN));
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_negative_stretch() {
        let mut line = Line {
            at: Timestamp::from_millis(100),
            stretches: Vec::new(),
        };
        line.wait_until(Timestamp::from_millis(50));
        line.run_until(Timestamp::from_millis(60), 1, "failed");
        assert_eq!(line.stretches.len(), 1);
        assert_eq!(line.stretches[0].from, line.stretches[0].to);
    }
}
