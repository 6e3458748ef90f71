//! The chart of the last minute: tasks accepted and ended per second.

use maud::{Markup, html};

use super::Scene;
use super::numbers::rate;
use crate::http::pulse::Beat;

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 72.0;
/// Points along the chart, one a second.
const POINTS: usize = 60;

/// Both lines, with their present values.
pub(super) fn rates(scene: &Scene<'_>) -> Markup {
    let (lang, picture) = (scene.lang, &scene.picture);
    let peak = peak(&picture.beats);
    let title = lang.pick("Per second, last minute", "Por segundo, último minuto");
    let now = |of: fn(&Beat) -> f64| rate(lang, picture.rate.as_ref().map(of));
    html! {
        section.panel.rates #rates data-live {
            h2 { (title) }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img"
                aria-label=(title) {
                line.axis x1="0" x2=(WIDTH) y1=(HEIGHT - 1.0) y2=(HEIGHT - 1.0) {}
                line.axis.faint x1="0" x2=(WIDTH) y1=(HEIGHT / 2.0) y2=(HEIGHT / 2.0) {}
                polyline.accepted points=(points(&picture.beats, peak, |beat| beat.accepted)) {}
                polyline.ended points=(points(&picture.beats, peak, |beat| beat.ended)) {}
            }
            p.legend {
                span.accepted { (lang.pick("in ", "entran ")) b { (now(|beat| beat.accepted)) } }
                span.ended { (lang.pick("out ", "salen ")) b { (now(|beat| beat.ended)) } }
                span.peak { (lang.pick("top ", "tope ")) b { (rate(lang, Some(peak))) } }
            }
            p { a href="/history" { (lang.pick("Longer back →", "Más atrás →")) } }
        }
    }
}

/// What the top of the chart stands for: 1, 2 or 5 times a power of ten, at least 1.
fn peak(beats: &[Beat]) -> f64 {
    let highest = beats
        .iter()
        .map(|beat| beat.accepted.max(beat.ended))
        .fold(1.0, f64::max);
    super::graph::round_up(highest)
}

fn points(beats: &[Beat], peak: f64, of: impl Fn(&Beat) -> f64) -> String {
    let step = WIDTH / (POINTS - 1) as f64;
    let first = POINTS.saturating_sub(beats.len());
    let point = |(index, beat): (usize, &Beat)| {
        let x = (first + index) as f64 * step;
        let y = (HEIGHT - 1.0) * (1.0 - of(beat) / peak).max(0.0) + 0.5;
        format!("{x:.1},{y:.1}")
    };
    let points: Vec<String> = beats.iter().enumerate().map(point).collect();
    points.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_a_round_number_above_all() {
        let beat = |accepted| Beat {
            accepted,
            ..Beat::default()
        };
        for (highest, top) in [
            (0.0, 1.0),
            (1.5, 2.0),
            (5.0, 5.0),
            (78.0, 100.0),
            (1_300.0, 2_000.0),
        ] {
            assert!((peak(&[beat(highest)]) - top).abs() < 1e-9, "{highest}");
        }
    }

    #[test]
    fn the_newest_point_is_at_the_right() {
        let beats = [Beat {
            accepted: 1.0,
            ..Beat::default()
        }; 2];
        assert_eq!(
            points(&beats, 1.0, |beat| beat.accepted),
            "294.9,0.5 300.0,0.5"
        );
        assert_eq!(points(&[], 1.0, |beat| beat.accepted), "");
    }
}
