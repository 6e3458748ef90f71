//! The OpenMetrics text format, as far as it is needed.

use std::fmt::{Display, Write};

use tareas_engine::tally::{BUCKETS_MICROS, Histogram};

/// What is said of a metric before its samples.
pub(super) struct Family {
    name: &'static str,
    kind: &'static str,
    unit: Option<&'static str>,
    help: &'static str,
}

impl Family {
    /// A number that only grows; its samples end in `_total`.
    pub(super) fn counter(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: "counter",
            unit: None,
            help,
        }
    }

    /// A number that goes up and down.
    pub(super) fn gauge(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: "gauge",
            unit: None,
            help,
        }
    }

    /// How often values fell between bounds.
    pub(super) fn histogram(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: "histogram",
            unit: None,
            help,
        }
    }

    /// Words; its sample ends in `_info`.
    pub(super) fn info(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: "info",
            unit: None,
            help,
        }
    }

    /// With a unit, which the name must end in.
    pub(super) fn unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }
}

/// The text that grows.
#[derive(Default)]
pub(super) struct Exposition {
    text: String,
    name: &'static str,
}

impl Exposition {
    /// Begins a metric; the samples that follow are its own.
    pub(super) fn family(&mut self, family: Family) {
        let Family {
            name,
            kind,
            unit,
            help,
        } = family;
        self.name = name;
        self.push(format_args!("# TYPE {name} {kind}\n"));
        if let Some(unit) = unit {
            self.push(format_args!("# UNIT {name} {unit}\n"));
        }
        self.push(format_args!("# HELP {name} {help}\n"));
    }

    /// One sample.
    pub(super) fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let name = self.name;
        self.push(format_args!("{name}{suffix}"));
        for (index, (label, text)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            self.push(format_args!("{before}{label}=\"{}\"", escaped(text)));
        }
        let after = if labels.is_empty() { "" } else { "}" };
        self.push(format_args!("{after} {value}\n"));
    }

    /// The samples of a histogram of microseconds, in seconds.
    pub(super) fn histogram(&mut self, histogram: &Histogram) {
        let mut below = 0;
        for (bound, count) in BUCKETS_MICROS.iter().zip(&histogram.buckets) {
            below += count;
            let le = format!("{:?}", seconds(*bound));
            self.sample("_bucket", &[("le", &le)], below);
        }
        self.sample("_bucket", &[("le", "+Inf")], histogram.count);
        self.sample("_sum", &[], seconds(histogram.sum_micros));
        self.sample("_count", &[], histogram.count);
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        self.text.push_str("# EOF\n");
        self.text
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        self.text
            .write_fmt(text)
            .expect("writing to a String cannot fail");
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_written_with_its_labels() {
        let mut out = Exposition::default();
        out.family(Family::counter("tareas_x", "Some."));
        out.sample("_total", &[("queue", "a\"b"), ("kind", "k")], 3_u64);
        let text = out.finish();
        let expected = "# TYPE tareas_x counter\n# HELP tareas_x Some.\n\
                        tareas_x_total{queue=\"a\\\"b\",kind=\"k\"} 3\n# EOF\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn buckets_of_a_histogram_add_up() {
        let mut histogram = Histogram::default();
        histogram.buckets[0] = 2;
        histogram.buckets[4] = 1;
        (histogram.count, histogram.sum_micros) = (3, 1_100);
        let mut out = Exposition::default();
        out.family(Family::histogram("t_seconds", "Time.").unit("seconds"));
        out.histogram(&histogram);
        let text = out.finish();
        assert!(text.contains("t_seconds_bucket{le=\"5e-5\"} 2\n"), "{text}");
        assert!(
            text.contains("t_seconds_bucket{le=\"0.001\"} 3\n"),
            "{text}"
        );
        assert!(
            text.contains("t_seconds_bucket{le=\"600.0\"} 3\n"),
            "{text}"
        );
        assert!(text.contains("t_seconds_bucket{le=\"+Inf\"} 3\n"), "{text}");
        assert!(
            text.contains("t_seconds_sum 0.0011\nt_seconds_count 3\n"),
            "{text}"
        );
    }
}
