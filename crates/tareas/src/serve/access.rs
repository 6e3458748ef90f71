//! Access control as a configuration asks for it: its store, its first token, its certificate.

use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tareas_adapters::{MemoryAccess, SqliteAccess};
use tareas_engine::access::{
    Access, AccessKeeper, CHANCE, Chances, Deed, Limits, Principal, TokenText,
};
use tareas_engine::ports::{AccessRecords, Clock};
use tareas_engine::services::Supervisor;
use tareas_protocol::{Code, Lang};
use tareas_server::ServerConfig;
use tareas_server::listener::{Tls, TlsError};

use super::{Role, trouble};
use crate::config::{RecordStore, ServeConfig};
use crate::output::Failure;
use crate::text::Text;

/// In the data folder: the token that is made when access control is first switched on.
const FIRST_TOKEN: &str = "admin-token";

/// Who is let in, and through what.
#[derive(Debug)]
pub(crate) struct Guard {
    access: Option<Arc<Access>>,
    tls: Option<Arc<Tls>>,
    /// Where the first token was written, if this start has made it.
    pub(crate) first_token: Option<PathBuf>,
}

impl Guard {
    /// As the configuration asks for it. A node lets nobody in.
    pub(super) async fn open(
        config: &ServeConfig,
        role: Role,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let mut guard = Self {
            access: None,
            tls: None,
            first_token: None,
        };
        if role == Role::Server {
            guard.tls = tls(config)?;
            if config.access {
                let access = open(config, clock).await?;
                guard.first_token = make_first(&access, config).await?;
                guard.access = Some(access);
            }
        }
        Ok(guard)
    }

    /// Puts it in front of a server.
    pub(super) fn protect(&self, server: &mut ServerConfig) {
        server.access.clone_from(&self.access);
        server.tls.clone_from(&self.tls);
    }

    /// Keeps it up to date.
    pub(super) fn keep(&self, supervisor: &Supervisor) {
        if let Some(access) = &self.access {
            supervisor.spawn(Box::new(AccessKeeper(Arc::clone(access))));
        }
    }

    /// Has connections that begin from now on get the certificate that is in the files now.
    pub(super) fn reload_tls(&self) -> Result<(), TlsError> {
        self.tls.as_ref().map_or(Ok(()), |tls| tls.reload())
    }

    /// Writes down that the configuration was read again.
    pub(super) async fn note_reload(&self) {
        if let Some(access) = &self.access {
            let (who, here) = (Principal::everyone(), IpAddr::from([127, 0, 0, 1]));
            access.note(&who, here, Deed::Reload, "SIGHUP").await;
        }
    }
}

/// Opens the store of tokens that belongs to the records.
pub(crate) async fn open(
    config: &ServeConfig,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<Access>, Failure> {
    let lang = config.lang;
    let store = open_store(config).await?;
    let limits = Limits {
        audit_kept: config.audit_retention,
        ..Limits::default()
    };
    let access = Access::open(store, Arc::clone(clock), limits).await;
    access.map_err(|error| trouble::cannot_start(&error, lang))
}

async fn open_store(config: &ServeConfig) -> Result<Arc<dyn AccessRecords>, Failure> {
    match &config.records {
        RecordStore::Memory => Ok(Arc::new(MemoryAccess::default())),
        RecordStore::Sqlite(folder) => match SqliteAccess::open(folder) {
            Ok(store) => Ok(Arc::new(store)),
            Err(error) => Err(trouble::data(folder, &error, config.lang)),
        },
        #[cfg(feature = "postgres")]
        RecordStore::Postgres(url) => {
            use tareas_adapters::records::postgres::{PostgresAccess, PostgresOptions};

            let trouble = |error| trouble::postgres(&error, url, config.lang);
            // The identity counts for records alone.
            let options = PostgresOptions::new(url.reveal(), 0).map_err(trouble)?;
            let store = PostgresAccess::open(options).await.map_err(trouble)?;
            Ok(Arc::new(store))
        }
    }
}

/// Makes the first token where there is none, and writes it to a file for this user alone;
/// where it was written.
pub(super) async fn make_first(
    access: &Access,
    config: &ServeConfig,
) -> Result<Option<PathBuf>, Failure> {
    let made = access.create_first(&chances(config.lang)?).await;
    let made = made.map_err(|error| trouble::cannot_start(&error, config.lang))?;
    let Some(token) = made else {
        return Ok(None);
    };
    let path = config.data.join(FIRST_TOKEN);
    match write_private(&path, &token) {
        Ok(()) => Ok(Some(path)),
        Err(error) => {
            // Nobody has it: the next start makes another one.
            if let Err(error) = access.forget(token.id()).await {
                tracing::error!(%error, "a token that nobody has was not removed");
            }
            Err(trouble::data(&config.data, &error, config.lang))
        }
    }
}

fn write_private(path: &Path, token: &TokenText) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // One of an earlier life may be there, readable for others.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{}", token.reveal())?;
    file.sync_all()
}

/// Chance for one token.
pub(crate) fn chances(lang: Lang) -> Result<Chances, Failure> {
    let mut chances = [0; CHANCE];
    for chance in &mut chances {
        *chance = getrandom::u32().map_err(|error| {
            let error = std::io::Error::other(error.to_string());
            trouble::cannot_start(&error, lang)
        })?;
    }
    Ok(chances)
}

/// Certificate and key, where the configuration names them.
pub(super) fn tls(config: &ServeConfig) -> Result<Option<Arc<Tls>>, Failure> {
    let Some([certificate, key]) = &config.tls else {
        return Ok(None);
    };
    let loaded = Tls::load(certificate, key).map_err(|error| {
        let values: crate::text::Values<'_> = &[("what", &error)];
        let code = Code::InvalidConfiguration;
        Failure::new(code, config.lang, Text::TlsNotUsable, values)
            .with_hint(Text::TlsNotUsableHint.plain(config.lang))
    });
    Ok(Some(Arc::new(loaded?)))
}
