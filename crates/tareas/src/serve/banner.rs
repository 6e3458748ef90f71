//! What a server says on stderr when it is ready.

use crate::config::{Durability, RecordStore, ServeConfig};
use crate::output::Voice;
use crate::serve::{Role, System};
use crate::text::Text;

/// Tells where to find it, where its data is, and what to try.
pub(super) fn tell(config: &ServeConfig, role: Role, system: &System, voice: &Voice) {
    if role == Role::Node {
        return voice.say(&voice.paint_stderr.bold(&node(config, system, voice)));
    }
    for line in lines(config, system, voice) {
        voice.say(&line);
    }
    if config.insecure && !config.access {
        let bind = config.listen.spoken();
        let warning = voice.text(Text::InsecureWarning, &[("bind", &bind)]);
        voice.warn(&voice.paint_stderr.red(&warning));
    }
}

fn node(config: &ServeConfig, system: &System, voice: &Voice) -> String {
    voice.text(
        Text::BannerNode,
        &[
            ("version", &env!("CARGO_PKG_VERSION")),
            ("ms", &system.started_in.as_millis()),
            ("threads", &config.threads),
        ],
    )
}

fn lines(config: &ServeConfig, system: &System, voice: &Voice) -> Vec<String> {
    let text = |text: Text| text.plain(voice.lang);
    let address = system
        .addresses()
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    let access = match (config.access, config.insecure) {
        (true, _) => Text::BannerTokens,
        (false, true) => Text::BannerOpen,
        (false, false) => Text::BannerLocalOnly,
    };
    let [web, tcp] = match config.tls {
        Some(_) => ["https", "tls"],
        None => ["http", "tcp"],
    };
    let ready = voice.text(
        Text::BannerReady,
        &[
            ("version", &env!("CARGO_PKG_VERSION")),
            ("ms", &system.started_in.as_millis()),
        ],
    );
    let dashboard = format!("{:<28} {}", format!("{web}://{address}"), text(access));
    let kept = match &config.records {
        RecordStore::Memory => "memory:".to_owned(),
        RecordStore::Sqlite(_) => text(Text::BannerSqlite).to_owned(),
        #[cfg(feature = "postgres")]
        RecordStore::Postgres(url) => url.to_string(),
    };
    let data = format!("{:<28} {kept}", config.data.display());
    let rows = [
        (Text::BannerDashboard, dashboard),
        (Text::BannerApi, format!("{web}://{address}/v1")),
        (Text::BannerLines, format!("{tcp}://{address}")),
        (Text::BannerData, data),
        (Text::BannerWorker, worker(config, voice)),
    ];
    let mut lines = vec![voice.paint_stderr.bold(&ready)];
    let last = rows.len() - 1;
    for (index, (name, value)) in rows.into_iter().enumerate() {
        let branch = if index == last { "└─" } else { "├─" };
        lines.push(format!("{branch} {:<10} {value}", text(name)));
    }
    lines.extend(remarks(config, system, voice));
    lines.push(format!(
        "{}  tareas submit sumar 2 + 2 --wait",
        text(Text::BannerTry)
    ));
    lines
}

fn worker(config: &ServeConfig, voice: &Voice) -> String {
    match config.threads {
        0 => Text::BannerNoThreads.plain(voice.lang).to_owned(),
        threads => voice.text(Text::BannerThreads, &[("threads", &threads)]),
    }
}

/// What was unusual about this start.
fn remarks(config: &ServeConfig, system: &System, voice: &Voice) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(path) = &system.guard.first_token {
        remarks.push(voice.text(Text::FirstToken, &[("path", &path.display())]));
    }
    if config.durability == Durability::Os {
        remarks.push(Text::BannerDurabilityOs.plain(voice.lang).to_owned());
    }
    if system.boot().is_some_and(|boot| boot.unclean) {
        remarks.push(Text::UncleanStart.plain(voice.lang).to_owned());
    }
    if system.recovered > 0 {
        remarks.push(voice.text(Text::Recovered, &[("count", &system.recovered)]));
    }
    remarks
}
