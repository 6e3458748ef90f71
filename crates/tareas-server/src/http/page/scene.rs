//! What a page is drawn from: the newest picture of the system, seen in one language.

use std::sync::Arc;

use tareas_protocol::Lang;

use crate::ServerState;
use crate::http::pulse::Picture;
use crate::http::visit::Visit;

/// The newest picture of the system, seen in one language.
#[derive(Debug)]
pub(in crate::http) struct Scene<'a> {
    /// What does not change.
    pub(in crate::http) server: &'a ServerState,
    /// The language of the reader.
    pub(in crate::http) lang: Lang,
    /// What changes.
    pub(in crate::http) picture: Arc<Picture>,
    /// What proves that a form is ours.
    pub(in crate::http) form_token: &'a str,
}

impl<'a> Scene<'a> {
    /// What this visitor sees now.
    pub(in crate::http) async fn of(visit: &'a Visit) -> Self {
        Self {
            server: &visit.server,
            lang: visit.lang,
            picture: visit.server.http.pulse.picture(&visit.server).await,
            form_token: visit.form_token(),
        }
    }

    /// The one of two texts that is in the reader's language.
    pub(super) fn pick<T>(&self, en: T, es: T) -> T {
        self.lang.pick(en, es)
    }

    /// The token for a form.
    pub(super) fn token(&self) -> &str {
        self.form_token
    }
}
