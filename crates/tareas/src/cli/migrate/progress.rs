//! How far a migration is: a bar for whoever watches, else one line each second.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tareas_engine::migration::{Report, Step, Watch};

use crate::output::Voice;
use crate::text::Text;

/// How often a line is written where nobody watches.
const LINE_EVERY: Duration = Duration::from_secs(1);
/// How often the bar is drawn.
const DRAWS_PER_SECOND: u8 = 10;
const TEMPLATE: &str = "{msg:12} {bar:32} {human_pos}/{human_len}  {per_sec}  {eta}";

/// Tells of the progress on stderr.
#[derive(Debug)]
pub(super) struct Told {
    voice: Voice,
    /// Where a person watches.
    bar: Option<ProgressBar>,
    pace: Mutex<Option<Pace>>,
}

/// When the step began, and when a line was last written.
#[derive(Debug)]
struct Pace {
    step: Step,
    began: Instant,
    /// Tasks that were done when it began.
    before: u64,
    told: Instant,
}

impl Told {
    /// Silent for a voice that does not talk.
    pub(super) fn new(voice: &Voice) -> Self {
        let is_watched = io::stderr().is_terminal() && !voice.quiet;
        Self {
            voice: *voice,
            bar: is_watched.then(bar),
            pace: Mutex::default(),
        }
    }

    /// Nothing more comes.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn draw(&self, bar: &ProgressBar, report: Report, has_begun: bool) {
        if has_begun {
            bar.set_message(word(report.step).plain(self.voice.lang));
            bar.reset();
        }
        bar.set_length(report.of.max(report.tasks));
        bar.set_position(report.tasks);
    }

    fn line(&self, report: Report, pace: &Pace) {
        let seconds = pace.began.elapsed().as_secs_f64().max(1e-3);
        let rate = report.tasks.saturating_sub(pace.before) as f64 / seconds;
        let line = self.voice.text(
            Text::MigrateProgress,
            &[
                ("step", &word(report.step).plain(self.voice.lang)),
                ("tasks", &report.tasks),
                ("of", &report.of),
                ("rate", &format!("{rate:.0}")),
                (
                    "megabytes",
                    &format!("{:.1}", report.blob_bytes as f64 / 1e6),
                ),
            ],
        );
        self.voice.say(&line);
    }
}

impl Watch for Told {
    fn report(&self, report: Report) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let has_begun = pace.as_ref().is_none_or(|pace| pace.step != report.step);
        if has_begun {
            let now = Instant::now();
            *pace = Some(Pace {
                step: report.step,
                began: now,
                before: report.tasks,
                told: now,
            });
        }
        if let Some(bar) = &self.bar {
            return self.draw(bar, report, has_begun);
        }
        if let Some(pace) = &mut *pace
            && pace.told.elapsed() >= LINE_EVERY
        {
            pace.told = Instant::now();
            self.line(report, pace);
        }
    }
}

fn bar() -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
    let bar = ProgressBar::with_draw_target(Some(0), target);
    match ProgressStyle::with_template(TEMPLATE) {
        Ok(style) => bar.with_style(style),
        // The template is ours; without it the bar looks as it does by itself.
        Err(_) => bar,
    }
}

fn word(step: Step) -> Text {
    match step {
        Step::Copy => Text::MigrateCopying,
        Step::Prove => Text::MigrateProving,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_of_the_bar_is_one() {
        ProgressStyle::with_template(TEMPLATE).unwrap();
    }
}
