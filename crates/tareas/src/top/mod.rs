//! The live view on a terminal: what `GET /v1/topology` says, drawn once a second.
//!
//! One thread asks the server, one reads keys and draws; they share the newest answer and nothing
//! else. A server that is gone leaves the last picture with a word that it is old.

mod draw;
mod picture;
mod state;

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use tareas_client::http::{HttpClient, escape};
use tareas_client::{Error, Result};
use tareas_protocol::Lang;

use picture::Failed;
pub(crate) use picture::Picture;
use state::{Ask, State};

/// Time between two pictures.
const EVERY: Duration = Duration::from_secs(1);
/// How often the failures are asked for: every so many pictures.
const FAILURES_EVERY: u32 = 5;
/// Failed tasks that are looked at.
const FAILURES_MAX: u32 = 50;
/// How long a key may wait.
const KEYS_EVERY: Duration = Duration::from_millis(100);

/// What the thread that asks has found.
enum News {
    Picture(Box<Picture>),
    Gone(String),
}

/// The newest topology, as JSON.
pub(crate) fn ask(http: &HttpClient) -> Result<String> {
    let response = http
        .get("/v1/topology")
        .and_then(|response| response.accepted());
    Ok(response?.text())
}

/// What has failed lately, by kind and code; nothing when that cannot be had.
pub(crate) fn failures(http: &HttpClient) -> Vec<Failed> {
    let path = format!("/v1/tasks?state=failed&limit={FAILURES_MAX}");
    let response = http.get(&path).and_then(|response| response.accepted());
    response.map_or_else(|_| Vec::new(), |response| picture::failed(&response.text()))
}

/// One frame as text.
pub(crate) fn still(picture: Picture, server: &str, lang: Lang, size: (u16, u16)) -> String {
    let mut state = State::new(server, lang);
    state.see(picture);
    let backend = TestBackend::new(size.0, size.1);
    // Drawing into memory cannot fail.
    let Ok(mut terminal) = Terminal::new(backend);
    let Ok(_) = terminal.draw(|frame| draw::draw(frame, &mut state));
    let buffer = terminal.backend().buffer().clone();
    let lines = buffer.content.chunks(usize::from(size.0)).map(|line| {
        let text: String = line.iter().map(ratatui::buffer::Cell::symbol).collect();
        text.trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Shows the system until somebody leaves.
///
/// # Errors
/// When there is no terminal.
pub(crate) fn watch(http: &HttpClient, server: &str, lang: Lang) -> io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let (tell, news) = channel();
    let (ask_for, asked) = channel();
    let asking = http.clone();
    // It ends with the first thing that nobody hears any more.
    std::thread::spawn(move || keep_asking(&asking, &tell, &asked));
    let mut state = State::new(server, lang);
    let ended = show(&mut terminal, &mut state, &news, &ask_for);
    ratatui::restore();
    ended
}

fn show(
    terminal: &mut ratatui::DefaultTerminal,
    state: &mut State,
    news: &Receiver<News>,
    ask_for: &Sender<Ask>,
) -> io::Result<()> {
    let mut has_changed = true;
    loop {
        for news in news.try_iter() {
            has_changed = true;
            match news {
                News::Picture(picture) => state.see(*picture),
                News::Gone(why) => state.miss(why),
            }
        }
        // What stays the same is not sent: it may go over a slow line.
        if std::mem::take(&mut has_changed) {
            terminal.draw(|frame| draw::draw(frame, state))?;
        }
        if !event::poll(KEYS_EVERY)? {
            continue;
        }
        // A key, or another size.
        has_changed = true;
        if let Event::Key(key) = event::read()?
            && key.kind == KeyEventKind::Press
        {
            match state.press(key) {
                Some(Ask::Leave) => return Ok(()),
                // A server that is gone is told of by the next picture.
                Some(ask) => drop(ask_for.send(ask)),
                None => {}
            }
        }
    }
}

/// Asks once a second, and at once for what somebody wants done.
fn keep_asking(http: &HttpClient, tell: &Sender<News>, asked: &Receiver<Ask>) {
    let mut last = Vec::new();
    for turn in 0_u32.. {
        if turn.is_multiple_of(FAILURES_EVERY) {
            last = failures(http);
        }
        let news = match ask(http) {
            Ok(json) => News::Picture(Box::new(Picture::read(&json, last.clone()))),
            Err(error) => News::Gone(error.to_string()),
        };
        if tell.send(news).is_err() || !serve_until_next(http, tell, asked) {
            return;
        }
    }
}

/// Waits for the next turn, or for something to do; whether to go on.
fn serve_until_next(http: &HttpClient, tell: &Sender<News>, asked: &Receiver<Ask>) -> bool {
    match asked.recv_timeout(EVERY) {
        Ok(Ask::SetPaused(queue, paused)) => {
            let verb = if paused { "pause" } else { "resume" };
            if let Err(error) = set(http, &queue, verb) {
                drop(tell.send(News::Gone(error.to_string())));
            }
            // What came of it is to be seen at once.
            true
        }
        Ok(Ask::Leave) | Err(RecvTimeoutError::Disconnected) => false,
        Err(RecvTimeoutError::Timeout) => true,
    }
}

fn set(http: &HttpClient, queue: &str, verb: &str) -> std::result::Result<(), Error> {
    let response = http.post(&format!("/v1/queues/{}/{verb}", escape(queue)), "{}");
    response
        .and_then(|response| response.accepted())
        .map(|_| ())
}
