//! The server through its address, as clients come to it: through the balancer, if there is one.

use std::time::{Duration, Instant};

use tareas_client::Client;
use tareas_client::http::HttpClient;
use tareas_core::Timestamp;
use tareas_engine::ports::{Clock, SystemClock};
use tareas_protocol::Lang;

use super::Finding;
use crate::cli::Session;
use crate::config::Flags;
use crate::output::Failure;

/// Clocks that are further apart make times in lists hard to believe.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(2);

pub(super) fn look(session: &Session) -> Finding {
    let lang = session.lang();
    match ask(session) {
        Ok(answer) => judge(&answer, lang),
        Err(failure) => {
            let finding = Finding::of(&failure);
            let remedy = finding.remedy.unwrap_or_default();
            match was_named(session) {
                true => Finding::failed(finding.found, remedy),
                // Nobody said that there is one.
                false => Finding::warning(finding.found, remedy),
            }
        }
    }
}

/// What was answered over lines and over HTTP.
struct Answer {
    address: String,
    lines: Duration,
    http: Duration,
    version: String,
    /// How far the clocks are apart.
    apart: Duration,
    is_ready: bool,
    state: String,
}

fn ask(session: &Session) -> Result<Answer, Failure> {
    let (address, failed) = (session.server()?, session.failed());
    let client = Client::connect_to(address.clone(), session.options()?).map_err(&failed)?;
    // The first answer pays for the connection.
    client.ping().map_err(&failed)?;
    let began = Instant::now();
    client.ping().map_err(&failed)?;
    let lines = began.elapsed();
    let hello: serde_json::Value =
        serde_json::from_str(&client.hello().map_err(&failed)?).unwrap_or_default();
    let now = SystemClock.now();
    let theirs = hello["now"].as_str().and_then(instant).unwrap_or(now);
    let began = Instant::now();
    let ready = HttpClient::new(address.clone(), session.options()?)
        .get("/readyz")
        .map_err(&failed)?;
    Ok(Answer {
        address: address.to_string(),
        lines,
        http: began.elapsed(),
        version: hello["version"].as_str().unwrap_or("?").to_owned(),
        apart: theirs.since(now).max(now.since(theirs)),
        is_ready: ready.status == 200,
        state: ready.text().trim().chars().take(64).collect(),
    })
}

fn judge(answer: &Answer, lang: Lang) -> Finding {
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    let found = format!(
        "{}: tareas {}, tcp {:.1} ms, http {:.1} ms",
        answer.address,
        answer.version,
        millis(answer.lines),
        millis(answer.http),
    );
    if !answer.is_ready {
        let (en, es) = (
            "it is not ready: it drains, or its store has stopped; see its log",
            "no está listo: se está vaciando, o su almacén se detuvo; vea su registro",
        );
        return Finding::failed(format!("{found}, {}", answer.state), lang.pick(en, es));
    }
    if answer.version != env!("CARGO_PKG_VERSION") {
        let (en, es) = (
            "this program is of another version",
            "este programa es de otra versión",
        );
        return Finding::warning(found, lang.pick(en, es));
    }
    if answer.apart > CLOCKS_APART_MAX {
        let found = format!("{found}, {:.1} s", answer.apart.as_secs_f64());
        let (en, es) = (
            "the clocks of the two machines are that far apart: let both be set by NTP",
            "los relojes de las dos máquinas difieren en eso: ajústelos por NTP",
        );
        return Finding::warning(found, lang.pick(en, es));
    }
    Finding::fine(found)
}

/// Whether somebody said where the server is.
fn was_named(session: &Session) -> bool {
    session
        .configuration(Flags::new())
        .is_ok_and(|layers| !layers.setting_of("server").is_default())
}

fn instant(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_millis(at.as_millisecond()))
}
