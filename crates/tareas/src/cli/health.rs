//! `tareas health`: whether the server is ready; for containers and scripts.

use tareas_client::http::HttpClient;
use tareas_protocol::code::exit;

use super::{Outcome, Session};
use crate::text::Text;

pub(super) fn run(session: &Session) -> Outcome {
    let address = session.server()?;
    let http = HttpClient::new(address.clone(), session.options()?);
    let response = http.get("/readyz").map_err(session.failed())?;
    let state = response.text().trim().to_owned();
    let is_ready = response.status == 200;
    let voice = &session.voice;
    voice.result(&match (voice.format.is_json(), is_ready) {
        (true, _) => format!(r#"{{"ready":{is_ready},"state":"{}"}}"#, plain(&state)),
        (false, true) => voice.text(Text::Healthy, &[("address", &address)]),
        (false, false) => voice.text(
            Text::Unhealthy,
            &[("address", &address), ("state", &plain(&state))],
        ),
    });
    Ok(if is_ready {
        exit::OK
    } else {
        exit::TASK_FAILED
    })
}

/// The first word: what a probe says is one.
fn plain(state: &str) -> String {
    state
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect()
}
