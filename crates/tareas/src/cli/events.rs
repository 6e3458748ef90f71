//! `tareas events`: what the system does, second by second, as it changes.

use std::ops::ControlFlow;
use std::time::Duration;

use clap::Args;
use tareas_client::Error;
use tareas_client::http::{Event, HttpClient};
use tareas_protocol::code::exit;

use super::task_object::Members;
use super::{Outcome, Session};
use crate::output::{Format, Voice};
use crate::text::Text;

/// How long to wait before coming back to a stream that broke.
const PAUSE: Duration = Duration::from_secs(2);
/// Where the events are.
const PATH: &str = "/v1/events?view=numbers";

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// End after so many events
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

pub(super) fn run(args: &EventsArgs, session: &Session) -> Outcome {
    let http = session.connect()?.http();
    let mut follower = Follower {
        voice: &session.voice,
        left: args.count.unwrap_or(u64::MAX),
        seen: String::new(),
    };
    loop {
        match follower.follow(&http) {
            Ok(()) => {}
            Err(error @ (Error::Unreachable { .. } | Error::Refused(_)))
                if follower.seen.is_empty() =>
            {
                return Err(session.failed()(error));
            }
            Err(_) => {}
        }
        if follower.left == 0 {
            return Ok(exit::OK);
        }
        session.voice.say(Text::EventsLost.plain(session.lang()));
        std::thread::sleep(PAUSE);
    }
}

/// Somebody who listens, and comes back after what was heard last.
struct Follower<'v> {
    voice: &'v Voice,
    left: u64,
    seen: String,
}

impl Follower<'_> {
    fn follow(&mut self, http: &HttpClient) -> Result<(), Error> {
        let after = Some(self.seen.as_str()).filter(|seen| !seen.is_empty());
        let mut events = http.events(PATH, after)?;
        // A stream that breaks is come back to, whatever broke it.
        while let Ok(Some(event)) = events.next_event() {
            if !event.data.is_empty() && self.hear(event).is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn hear(&mut self, event: Event) -> ControlFlow<()> {
        match self.voice.format {
            Format::Json | Format::Jsonl => self.voice.result(&event.data),
            Format::Id => self.voice.result(event.id.as_deref().unwrap_or_default()),
            Format::Table => {
                if let Ok(numbers) = Members::read(&event.data, self.voice.lang) {
                    self.voice.result(&in_words(&numbers, self.voice));
                }
            }
        }
        self.seen = event.id.unwrap_or_default();
        self.left -= 1;
        match self.left {
            0 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// One line for a person.
fn in_words(numbers: &Members, voice: &Voice) -> String {
    let rates = numbers.object("per_second");
    let rate = |name: &str| {
        let rate = rates.as_ref().and_then(|rates| rates.text(name));
        let rate = rate.and_then(|rate| rate.parse::<f64>().ok());
        rate.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.0}"))
    };
    let queues = numbers.objects("queues");
    let sum = |state: &str| {
        let each = queues
            .iter()
            .filter_map(|queue| queue.shown(state).parse::<u64>().ok());
        each.sum::<u64>()
    };
    let values: [(&str, &dyn std::fmt::Display); 6] = [
        ("in", &rate("accepted")),
        ("out", &rate("ended")),
        ("failing", &rate("failed")),
        ("waiting", &sum("queued")),
        ("running", &sum("running")),
        ("ended", &numbers.shown("ended")),
    ];
    voice.text(Text::EventLine, &values)
}
