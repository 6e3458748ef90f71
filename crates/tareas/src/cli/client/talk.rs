//! The conversation itself, the same for prompt, pipe and single task: a line in, what is said
//! about it out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tareas_client::{Client, End, Error, Event, OnEvent, Options, TaskId, Ticket};
use tareas_protocol::{ErrorObject, Lang};

use super::interrupt::Interrupt;
use super::printer::Printer;
use super::request::Task;
use crate::cli::{Session, end};
use crate::output::{Failure, Format};
use crate::text::Text;

/// How often a waiting client looks whether Ctrl-C was pressed.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A person's client goes on trying to reach a lost server for so long.
const RECONNECT_FOR: Duration = Duration::from_secs(3_600);

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// The full texts.
    Full,
    /// Bare results, one line each.
    Bare,
}

/// A connected client that talks.
#[derive(Debug)]
pub(super) struct Talk {
    client: Client,
    pub(super) printer: Printer,
    manner: Manner,
    lang: Lang,
    format: Format,
    timeout: Option<Duration>,
    interrupt: Interrupt,
    background: Vec<std::thread::JoinHandle<u8>>,
}

impl Talk {
    /// Connects.
    pub(super) fn open(
        session: &Session,
        manner: Manner,
        interrupt: Interrupt,
    ) -> Result<Self, Failure> {
        let printer = Printer::default();
        let options = match manner {
            Manner::Full => Options {
                reconnect_for: RECONNECT_FOR,
                on_event: Some(events(printer.clone(), session.lang())),
                ..session.options()?
            },
            Manner::Bare => session.options()?,
        };
        let client = Client::connect_to(session.server()?, options).map_err(session.failed())?;
        Ok(Self {
            client,
            printer,
            manner,
            lang: session.lang(),
            format: session.voice.format,
            timeout: session.timeout(),
            interrupt,
            background: Vec::new(),
        })
    }

    /// `Connected to the server at …`.
    pub(super) fn greeting(&self) -> String {
        Text::Greeting.fill(
            self.lang,
            &[("address", &self.client.address().authority())],
        )
    }

    /// Submits a task and tells what comes of it; the exit code for that.
    pub(super) fn task(&mut self, task: &Task) -> u8 {
        let ticket = match self.client.submit_with(task.submit.clone()) {
            Ok(ticket) => ticket,
            Err(error) => return self.trouble(error),
        };
        if task.is_json && self.manner == Manner::Full {
            let id = ticket.task_id();
            self.printer
                .plain(&Text::TaskQueued.fill(self.lang, &[("id", &id)]));
        }
        if task.in_background {
            self.send_off(task, ticket);
            return 0;
        }
        match self.wait(&ticket) {
            Ok(Some(ended)) => self.told(ticket.task_id(), &ended),
            Ok(None) => {
                let id = ticket.task_id();
                self.printer
                    .plain(&Text::StillRunning.fill(self.lang, &[("id", &id)]));
                0
            }
            Err(error) => self.trouble(error),
        }
    }

    /// Sends a line as it is and prints every line of the answer.
    pub(super) fn line(&self, line: &str) -> u8 {
        match self.client.send_text(line, self.timeout) {
            Ok(answer) => {
                answer.iter().for_each(|line| self.printer.plain(line));
                0
            }
            Err(error) => self.trouble(error),
        }
    }

    /// Tells an error that was found before anything was sent.
    pub(super) fn wrong(&self, error: &ErrorObject) -> u8 {
        self.answer(&error_text(error), &error_json(error));
        error.exit_code()
    }

    /// Waits for what was sent with `&`; the first exit code that is not 0.
    pub(super) fn wait_for_background(&mut self) -> u8 {
        let codes = self
            .background
            .drain(..)
            .map(|thread| thread.join().unwrap_or(0));
        // All of them are waited for, whatever the first one says.
        codes.fold(0, |first, code| if first == 0 { code } else { first })
    }

    fn wait(&self, ticket: &Ticket) -> Result<Option<End>, Error> {
        let until = self.timeout.map(|timeout| Instant::now() + timeout);
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let slice = left.map_or(LOOK_EVERY, |left| left.min(LOOK_EVERY));
            match ticket.wait(Some(slice)) {
                Err(Error::WaitTimedOut { .. }) if left.is_none_or(|left| left > LOOK_EVERY) => {}
                ended => return ended.map(Some),
            }
            if self.interrupt.was_pressed() {
                return Ok(None);
            }
        }
    }

    fn send_off(&mut self, task: &Task, ticket: Ticket) {
        if self.manner == Manner::Full {
            let sent = Text::SentToQueue.fill(self.lang, &[("task", &task.text)]);
            self.printer.plain(&self.framed(&sent));
        }
        let (printer, lang, manner, format) =
            (self.printer.clone(), self.lang, self.manner, self.format);
        self.background.push(std::thread::spawn(move || {
            let Ok(ended) = ticket.wait(None) else {
                return 1;
            };
            let id = ticket.task_id();
            printer.line(&shown(id, &ended, manner, format, lang));
            end::exit_code(&ended, lang)
        }));
    }

    fn told(&self, id: TaskId, ended: &End) -> u8 {
        self.printer
            .plain(&shown(id, ended, self.manner, self.format, self.lang));
        end::exit_code(ended, self.lang)
    }

    /// An error of the client or a refusal of the server, told as an answer; the exit code.
    fn trouble(&self, error: Error) -> u8 {
        let failure = Failure::of(error, self.lang);
        self.answer(&failure.line(), &failure.json());
        failure.exit_code()
    }

    fn answer(&self, text: &str, json: &str) {
        let line = match self.format.is_json() {
            true => json.to_owned(),
            false => self.framed(text),
        };
        self.printer.plain(&line);
    }

    fn framed(&self, answer: &str) -> String {
        framed(answer, self.manner, self.lang)
    }
}

fn framed(answer: &str, manner: Manner, lang: Lang) -> String {
    match manner {
        Manner::Full => Text::Answer.fill(lang, &[("answer", &answer)]),
        Manner::Bare => answer.to_owned(),
    }
}

fn shown(id: TaskId, ended: &End, manner: Manner, format: Format, lang: Lang) -> String {
    match format {
        Format::Json | Format::Jsonl => end::json(id, ended),
        Format::Id => id.to_string(),
        Format::Table => framed(&end::plain(id, ended, lang), manner, lang),
    }
}

fn error_text(error: &ErrorObject) -> String {
    let mut out = Vec::new();
    error.append_text(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn error_json(error: &ErrorObject) -> String {
    let mut out = Vec::new();
    error.append_answer(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Says when the server is lost and when it is back.
fn events(printer: Printer, lang: Lang) -> OnEvent {
    Arc::new(move |event| match event {
        Event::Lost { pending } => {
            printer.line(&Text::Lost.fill(lang, &[("pending", pending)]));
        }
        Event::Reconnected { address } => {
            printer.line(&Text::Reconnected.fill(lang, &[("address", &address.authority())]));
        }
        Event::Retrying { .. } => {}
    })
}
