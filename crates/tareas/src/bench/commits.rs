//! How the store worked meanwhile, as far as the server's metrics tell.

use tareas_client::Address;
use tareas_client::http::HttpClient;

use crate::cli::Session;

/// Counters of a server; `None` for those that it does not tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Commits {
    /// `full` or `os`, or as the server calls it.
    pub(crate) durability: Option<String>,
    /// Commits.
    pub(crate) commits: Option<f64>,
    /// Rows of tasks.
    pub(crate) rows: Option<f64>,
    /// Of them, whole lives in one row.
    pub(crate) folded: Option<f64>,
}

/// Reads the counters now.
pub(super) fn read(address: &Address, session: &Session) -> Commits {
    let Ok(options) = session.options() else {
        return Commits::default();
    };
    let http = HttpClient::new(address.clone(), options);
    match http.get("/metrics") {
        Ok(response) if response.status == 200 => parse(&response.text()),
        _ => Commits::default(),
    }
}

fn parse(text: &str) -> Commits {
    Commits {
        durability: label(text, "tareas_build_info", "durability"),
        commits: sample(text, "tareas_store_commits_total"),
        rows: sample(text, "tareas_store_rows_total"),
        folded: sample(text, "tareas_store_folded_rows_total"),
    }
}

fn sample(text: &str, name: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.rsplit(' ').next()?.parse().ok()
}

fn label(text: &str, name: &str, label: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    let (_, rest) = line.split_once(&format!("{label}=\""))?;
    Some(rest.split('"').next()?.to_owned())
}

impl Commits {
    /// What happened since `before`.
    pub(super) fn since(self, before: &Self) -> Self {
        let diff = |now: Option<f64>, then: Option<f64>| Some(now? - then.unwrap_or(0.0));
        Self {
            commits: diff(self.commits, before.commits),
            rows: diff(self.rows, before.rows),
            folded: diff(self.folded, before.folded),
            durability: self.durability,
        }
    }

    /// Rows per commit.
    pub(crate) fn rows_per_commit(&self) -> Option<f64> {
        Some(self.rows? / self.commits.filter(|commits| *commits > 0.0)?)
    }

    /// The share of rows that are whole lives.
    pub(crate) fn folded_share(&self) -> Option<f64> {
        Some(self.folded? / self.rows.filter(|rows| *rows > 0.0)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_where_they_are_told() {
        let text = "# HELP x y\ntareas_build_info{version=\"1\",durability=\"os\"} 1\n\
                    tareas_store_commits_total 10\ntareas_store_rows_total 400\n# EOF\n";
        let commits = parse(text).since(&Commits::default());
        assert_eq!(commits.durability.as_deref(), Some("os"));
        assert_eq!(commits.rows_per_commit(), Some(40.0));
        assert_eq!(commits.folded_share(), None);
    }
}
