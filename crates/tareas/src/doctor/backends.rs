//! What the three ports are pointed at: PostgreSQL, RabbitMQ, a bucket. Backends inside the
//! process have nothing to be checked but the data folder.

use tareas_protocol::Lang;

use super::Finding;
use crate::config::{BlobStore, HintQueue, RecordStore, ServeConfig};

/// Connections that a server takes.
#[cfg(feature = "postgres")]
const CONNECTIONS_OF_A_SERVER: i64 = 8;

pub(super) async fn records(config: &ServeConfig, lang: Lang) -> Finding {
    match &config.records {
        RecordStore::Memory => Finding::warning(
            "memory:",
            lang.pick(
                "tasks do not survive the server: use sqlite: or postgres://",
                "las tareas no sobreviven al servidor: use sqlite: o postgres://",
            ),
        ),
        RecordStore::Sqlite(_) => Finding::fine(lang.pick(
            "SQLite, in the data folder",
            "SQLite, en la carpeta de datos",
        )),
        #[cfg(feature = "postgres")]
        RecordStore::Postgres(url) => postgres(url, lang).await,
    }
}

pub(super) async fn queue(config: &ServeConfig, lang: Lang) -> Finding {
    match &config.queue {
        HintQueue::Memory => Finding::fine(lang.pick("in memory", "en memoria")),
        #[cfg(feature = "rabbitmq")]
        HintQueue::Rabbitmq(config) => rabbitmq(config, lang).await,
    }
}

pub(super) async fn blobs(config: &ServeConfig, lang: Lang) -> Finding {
    match &config.blobs {
        BlobStore::Folder(folder) => {
            let is_shared = !matches!(config.queue, HintQueue::Memory);
            match is_shared {
                true => Finding::warning(
                    folder.display().to_string(),
                    lang.pick(
                        "other servers cannot read this folder: use s3:// with several of them",
                        "otros servidores no pueden leer esta carpeta: use s3:// si hay varios",
                    ),
                ),
                false => Finding::fine(folder.display().to_string()),
            }
        }
        #[cfg(feature = "s3")]
        BlobStore::S3(bucket) => s3(bucket, lang).await,
    }
}

#[cfg(feature = "postgres")]
async fn postgres(url: &crate::config::SecretUrl, lang: Lang) -> Finding {
    use tareas_adapters::records::postgres::{PostgresOptions, survey};

    let asked = match PostgresOptions::new(url.reveal(), 0) {
        Ok(options) => survey(&options).await,
        Err(error) => Err(error),
    };
    let survey = match asked {
        Ok(survey) => survey,
        Err(error) => {
            let remedy = crate::text::Text::RecordsNotUsableHint.plain(lang);
            return Finding::failed(crate::serve::with_sources(&error), remedy);
        }
    };
    let found = format!(
        "PostgreSQL {} ({}), {} {}",
        survey.version,
        survey.at,
        survey.connections_free,
        lang.pick("connections free", "conexiones libres"),
    );
    if !survey.may_migrate {
        return Finding::failed(
            found,
            lang.pick(
                "this account may not make the schema: GRANT CREATE ON DATABASE … TO …",
                "esta cuenta no puede crear el esquema: GRANT CREATE ON DATABASE … TO …",
            ),
        );
    }
    if survey.connections_free < CONNECTIONS_OF_A_SERVER {
        let (en, es) = (
            "a server takes eight connections: raise max_connections",
            "un servidor toma ocho conexiones: aumente max_connections",
        );
        return Finding::warning(found, lang.pick(en, es));
    }
    match survey.warnings.is_empty() {
        true => Finding::fine(found),
        false => Finding::warning(found, survey.warnings.join("; ")),
    }
}

#[cfg(feature = "rabbitmq")]
async fn rabbitmq(
    config: &tareas_adapters::queue::rabbitmq::RabbitmqConfig,
    lang: Lang,
) -> Finding {
    use tareas_adapters::queue::rabbitmq::{Tried, survey};

    let survey = match survey(config).await {
        Ok(survey) => survey,
        Err(error) => {
            let (en, es) = (
                "see that it runs, and to name, password and virtual host in the URL",
                "vea que funcione, y el nombre, la contraseña y el host virtual de la URL",
            );
            return Finding::failed(format!("RabbitMQ: {error}"), lang.pick(en, es));
        }
    };
    let version = survey.version.unwrap_or_default();
    let found = format!("RabbitMQ {version} ({})", survey.place);
    match survey.queue {
        Tried::Fine => Finding::fine(found),
        Tried::NotMade(why) => Finding::warning(
            format!("{found}: {why}"),
            lang.pick(
                "no quorum queue could be made: allow the account to configure, or make the queues for it",
                "no se pudo crear una cola quorum: permita a la cuenta configurar, o cree las colas para ella",
            ),
        ),
        Tried::Blocked => Finding::failed(
            found,
            lang.pick(
                "it confirms nothing: an alarm for memory or disk holds (rabbitmq-diagnostics alarms)",
                "no confirma nada: hay una alarma de memoria o disco (rabbitmq-diagnostics alarms)",
            ),
        ),
    }
}

#[cfg(feature = "s3")]
async fn s3(bucket: &tareas_adapters::blobs::s3::S3Config, lang: Lang) -> Finding {
    use tareas_adapters::blobs::s3::survey;

    let keys = match crate::config::s3_keys(lang) {
        Ok(keys) => keys,
        Err(failure) => return Finding::of(&failure),
    };
    match survey(bucket, &keys).await {
        Ok(survey) if survey.creates_exclusively => Finding::fine(format!("s3://{}", survey.bucket)),
        Ok(survey) => Finding::warning(
            format!("s3://{}", survey.bucket),
            lang.pick(
                "the store ignores If-None-Match: names are kept apart by chance alone",
                "el almacén ignora If-None-Match: solo el azar separa los nombres",
            ),
        ),
        Err(fault) => Finding::failed(
            format!("{}: {}", fault.step, fault.why),
            lang.pick(
                "the bucket must exist, and the keys must allow to put, get and delete objects in it",
                "el bucket debe existir, y las claves permitir poner, leer y borrar objetos en él",
            ),
        ),
    }
}
