//! One frame: rates, queues, workers with a cell for each thread, what runs longest, failures.

use std::collections::VecDeque;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph, Row, Table};

use super::picture::{Trouble, Worker};
use super::state::State;
use crate::text::Text;

/// Threads of a worker that have a cell each; beyond it the cells stand for shares.
const CELLS: u64 = 16;
/// From the lowest to the highest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

const MUTED: Style = Style::new().fg(Color::DarkGray);
const GOOD: Style = Style::new().fg(Color::Green);
const BAD: Style = Style::new().fg(Color::Red);
const WARNING: Style = Style::new().fg(Color::Yellow);

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &mut State) {
    let queues = (state.picture.queues.len() as u16).clamp(1, 6) + 2;
    let workers = (state.picture.workers.len() as u16).clamp(1, 5) + 1;
    let [head, rates, queue_area, worker_area, running, failed, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(2),
        Constraint::Length(queues),
        Constraint::Length(workers),
        Constraint::Min(2),
        Constraint::Min(2),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    draw_head(frame, head, state);
    draw_rates(frame, rates, state);
    draw_queues(frame, queue_area, state);
    draw_workers(frame, worker_area, state);
    draw_running(frame, running, state);
    draw_failed(frame, failed, state);
    frame.render_widget(Line::styled(word(state, Text::TopKeys), MUTED), keys);
    if state.shows_keys {
        draw_keys(frame, state);
    }
}

fn word(state: &State, text: Text) -> &'static str {
    text.plain(state.lang)
}

fn draw_head(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let picture = &state.picture;
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let mut parts = vec![
        Span::styled("tareas top", bold),
        Span::raw(format!(
            "  {}  {} UTC  {}  ",
            state.server, picture.clock, picture.version
        )),
    ];
    let trouble = picture.trouble.iter().map(|trouble| match trouble {
        Trouble::Draining => Text::TopDraining,
        Trouble::StoreDown => Text::TopStoreDown,
        Trouble::StorageFull => Text::TopFull,
    });
    parts.extend(trouble.map(|text| Span::styled(format!("{} ", word(state, text)), BAD)));
    if state.is_held() {
        parts.push(Span::styled(word(state, Text::TopHeld), WARNING));
    }
    if let Some(why) = &state.missing {
        parts.push(Span::styled(
            format!("{}: {why}", word(state, Text::TopGone)),
            BAD,
        ));
    }
    frame.render_widget(Line::from(parts), area);
}

fn draw_rates(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let picture = &state.picture;
    let [accepted, ended, failed] = picture.rates.unwrap_or_default();
    let (busy, threads) = picture.threads();
    let first = Line::from(vec![
        Span::raw(format!(" {} {accepted:.0}/s ", word(state, Text::TopIn))),
        Span::styled(bars(&state.accepted), GOOD),
        Span::raw(format!("  {} {ended:.0}/s ", word(state, Text::TopOut))),
        Span::styled(bars(&state.ended), GOOD),
    ]);
    let failing = if failed > 0.0 { BAD } else { MUTED };
    let second = Line::from(vec![
        Span::raw(format!(
            " {} {}  {} {}  ",
            word(state, Text::TopWaiting),
            picture.sum(|queue| queue.waiting),
            word(state, Text::TopRunning),
            picture.sum(|queue| queue.running),
        )),
        Span::styled(
            format!("{} {failed:.1}/s  ", word(state, Text::TopFailing)),
            failing,
        ),
        Span::raw(format!(
            "{} {busy}/{threads}",
            word(state, Text::TopThreads)
        )),
    ]);
    frame.render_widget(Paragraph::new(vec![first, second]), area);
}

/// The last rates as bars, the highest as high as a line.
fn bars(beats: &VecDeque<f64>) -> String {
    let highest = beats.iter().copied().fold(0.0, f64::max);
    let bar = |beat: &f64| {
        let share = if highest > 0.0 { beat / highest } else { 0.0 };
        BARS[((share * 7.0).round() as usize).min(7)]
    };
    beats.iter().map(bar).collect()
}

fn panel(title: &'static str) -> Block<'static> {
    Block::new()
        .borders(Borders::TOP)
        .border_style(MUTED)
        .title(title)
}

fn draw_queues(frame: &mut Frame<'_>, area: Rect, state: &mut State) {
    let header = [
        Text::ColumnQueue,
        Text::ColumnWaiting,
        Text::ColumnRunning,
        Text::ColumnScheduled,
        Text::ColumnFailed,
        Text::ColumnState,
    ];
    let header = Row::new(header.map(|text| word(state, text))).style(MUTED);
    let rows = state.picture.queues.iter().map(|queue| {
        let (text, style) = match queue.is_paused {
            true => (Text::Paused, WARNING),
            false => (Text::Active, GOOD),
        };
        Row::new([
            Span::raw(queue.name.clone()),
            Span::raw(queue.waiting.to_string()),
            Span::raw(queue.running.to_string()),
            Span::raw(queue.scheduled.to_string()),
            Span::raw(queue.failed.to_string()),
            Span::styled(word(state, text), style),
        ])
    });
    let widths = [
        Constraint::Min(18),
        Constraint::Length(11),
        Constraint::Length(10),
        Constraint::Length(12),
        Constraint::Length(10),
        Constraint::Length(10),
    ];
    let table = Table::new(rows.collect::<Vec<_>>(), widths)
        .header(header)
        .block(panel(word(state, Text::TopQueues)))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    frame.render_stateful_widget(table, area, &mut state.selected);
}

fn draw_workers(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let rows = state.picture.workers.iter().map(|worker| {
        let share = format!("{}/{}", worker.busy, worker.threads);
        Row::new([
            Span::raw(worker.name.clone()),
            Span::styled(cells(worker), GOOD),
            Span::raw(share),
            Span::raw(worker.state.clone()),
            Span::styled(worker.address.clone(), MUTED),
        ])
    });
    let widths = [
        Constraint::Min(12),
        Constraint::Length(CELLS as u16 + 1),
        Constraint::Length(9),
        Constraint::Length(11),
        Constraint::Length(22),
    ];
    let table = Table::new(rows.collect::<Vec<_>>(), widths);
    let title = word(state, Text::TopWorkers);
    if state.picture.workers.is_empty() {
        let none = Paragraph::new(Line::styled(word(state, Text::TopNoWorkers), BAD));
        frame.render_widget(none.block(panel(title)), area);
    } else {
        frame.render_widget(table.block(panel(title)), area);
    }
}

/// A cell for each thread, full when it is busy.
fn cells(worker: &Worker) -> String {
    let cells = worker.threads.min(CELLS);
    let full = match worker.threads {
        0 => 0,
        threads if threads <= CELLS => worker.busy.min(threads),
        threads => (worker.busy * CELLS).div_ceil(threads).min(CELLS),
    };
    let cell = |index| if index < full { '▮' } else { '▯' };
    (0..cells).map(cell).collect()
}

fn draw_running(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let rows = state.picture.running.iter().map(|running| {
        let id = running.task.get(28..).unwrap_or_default();
        Row::new([
            format!("…{id}"),
            running.kind.clone(),
            running.place.clone(),
            format!("{:.1} s", running.millis as f64 / 1e3),
        ])
    });
    let widths = [
        Constraint::Length(11),
        Constraint::Min(20),
        Constraint::Length(16),
        Constraint::Length(12),
    ];
    let table = Table::new(rows.collect::<Vec<_>>(), widths);
    frame.render_widget(table.block(panel(word(state, Text::TopLongest))), area);
}

fn draw_failed(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let rows = state.picture.failed.iter().map(|failed| {
        Row::new([
            Span::styled(format!("{} ×", failed.tasks), BAD),
            Span::raw(failed.code.clone()),
            Span::raw(failed.kind.clone()),
            Span::styled(failed.message.clone(), MUTED),
        ])
    });
    let widths = [
        Constraint::Length(6),
        Constraint::Length(9),
        Constraint::Length(16),
        Constraint::Min(20),
    ];
    let table = Table::new(rows.collect::<Vec<_>>(), widths);
    frame.render_widget(table.block(panel(word(state, Text::TopFailures))), area);
}

fn draw_keys(frame: &mut Frame<'_>, state: &State) {
    let text = word(state, Text::TopAllKeys);
    let (wide, high) = (46, text.lines().count() as u16 + 2);
    let area = frame.area();
    let area = Rect {
        x: area.width.saturating_sub(wide) / 2,
        y: area.height.saturating_sub(high) / 2,
        width: wide.min(area.width),
        height: high.min(area.height),
    };
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(text).block(Block::bordered()), area);
}

#[cfg(test)]
mod tests {
    use tareas_protocol::Lang;

    use super::super::picture::Picture;
    use super::*;
    use crate::top::picture::tests::TOPOLOGY;
    use crate::top::still;

    fn frame(lang: Lang, size: (u16, u16)) -> String {
        let failed = r#"{"tasks":[{"kind":"calc","error":{"code":"TAR-3004","message":"no"}}]}"#;
        let failed = super::super::picture::failed(failed);
        still(Picture::read(TOPOLOGY, failed), "tcp://x:5000", lang, size)
    }

    #[test]
    fn a_frame_of_80_by_24_shows_what_there_is() {
        let shown = frame(Lang::En, (80, 24));
        assert_eq!(shown.lines().count(), 24);
        for part in [
            "tareas top  tcp://x:5000  14:02:48 UTC  0.1.0",
            "in 1284/s",
            "waiting 1245",
            "threads 9/12",
            "mail",
            "paused",
            "▮▯▯▯",
            "▮▮▮▮▮▮▮▮",
            "…0000beef",
            "3.4 s",
            "1 ×",
            "TAR-3004",
        ] {
            assert!(shown.contains(part), "{part} in\n{shown}");
        }
        assert!(frame(Lang::Es, (80, 24)).contains("Colas"));
    }

    #[test]
    fn no_size_and_no_server_is_too_small() {
        for size in [(1, 1), (20, 5), (300, 100)] {
            frame(Lang::Es, size);
            still(Picture::default(), "", Lang::En, size);
        }
    }

    #[test]
    fn cells_and_bars_are_in_proportion() {
        let worker = |threads, busy| Worker {
            threads,
            busy,
            ..Worker::default()
        };
        assert_eq!(cells(&worker(4, 1)), "▮▯▯▯");
        assert_eq!(cells(&worker(0, 0)), "");
        assert_eq!(
            cells(&worker(96, 1)).chars().filter(|c| *c == '▮').count(),
            1
        );
        assert_eq!(
            cells(&worker(96, 96)).chars().filter(|c| *c == '▮').count(),
            16
        );
        assert_eq!(bars(&VecDeque::from([0.0, 5.0, 10.0])), "▁▅█");
        assert_eq!(bars(&VecDeque::from([0.0])), "▁");
    }
}
