//! `webhooks.db`: webhooks and their deliveries in a file of the data folder.
//!
//! The file is made with the first webhook: until then nothing is opened and nothing is stored.
//! See `PrivateFile` for what holds of such a file.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::{OptionalExtension, Row, params};
use tareas_core::Timestamp;
use tareas_engine::ports::{EndMark, PortError, WebhookRecords};
use tareas_engine::webhooks::{
    Delivery, DeliveryQuery, NewDelivery, Settlement, Webhook, WebhookId,
};

use super::row::{DeliveryRow, SettledRow, WebhookRow, delivery_columns, number, webhook_columns};
use crate::private_file::{Layout, PrivateFile};

const LAYOUT: Layout = Layout {
    file: "webhooks.db",
    version: 1,
    schema: include_str!("schema.sql"),
};

const ALL: &str = concat!("SELECT ", webhook_columns!(), " FROM webhooks ORDER BY id");
const ADD: &str = concat!(
    "INSERT INTO webhooks (",
    webhook_columns!(),
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) \
     ON CONFLICT (id) DO NOTHING"
);
const REPLACE: &str = "UPDATE webhooks SET version = ?2, name = ?3, url = ?4, queues = ?5, \
    kinds = ?6, ends = ?7, secret = ?8, old_secret = ?9, old_until = ?10, created_at = ?11, \
    created_by = ?12, changed_at = ?13, since = ?14, disabled = ?15, disabled_at = ?16, \
    failing_since = ?17, last_error = ?18 WHERE id = ?1 AND version = ?2 - 1";
const REMOVE: &str = "DELETE FROM webhooks WHERE id = ?1";
const REMOVE_DELIVERIES: &str = "DELETE FROM deliveries WHERE webhook = ?1";
const RECORD: &str = "INSERT INTO deliveries (webhook, message, event, task, body, made_at, \
    phase, due_at, tries) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?6, 0) \
    ON CONFLICT (webhook, message) DO NOTHING";
const CLAIM: &str = concat!(
    "UPDATE deliveries SET due_at = ?3 WHERE number IN (SELECT number FROM deliveries \
     WHERE webhook = ?1 AND phase = 0 AND due_at <= ?2 ORDER BY due_at, number LIMIT ?4) \
     RETURNING ",
    delivery_columns!()
);
const SETTLE: &str = "UPDATE deliveries SET phase = ?3, due_at = ?4, tries = tries + 1, \
    tried_at = ?5, took_us = ?6, status = ?7, answer = ?8 \
    WHERE number = ?1 AND due_at = ?2 AND phase = 0";
const GIVE_BACK: &str =
    "UPDATE deliveries SET due_at = ?3 WHERE number = ?1 AND due_at = ?2 AND phase = 0";
const LIST: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM deliveries WHERE number < ?1 AND (?2 IS NULL OR webhook = ?2) \
     AND (?3 IS NULL OR phase = ?3) ORDER BY number DESC LIMIT ?4"
);
const REPLAY: &str = "UPDATE deliveries SET phase = 0, due_at = ?2, tries = 0 \
    WHERE number = ?1 AND phase > 0";
const IS_BEHIND: &str = "SELECT 1 FROM deliveries WHERE webhook = ?1 AND phase = 0 \
    LIMIT 1 OFFSET ?2";
const PRUNE: &str = "DELETE FROM deliveries WHERE number IN (SELECT number FROM deliveries \
    WHERE phase > 0 AND (made_at < ?1 OR number <= coalesce((SELECT number FROM deliveries \
    WHERE phase > 0 ORDER BY number DESC LIMIT 1 OFFSET ?2), 0)) ORDER BY number LIMIT ?3)";
const MARKS: &str = "SELECT owner, upto, beat_at FROM marks";
const SET_MARK: &str = "INSERT OR REPLACE INTO marks (owner, upto, beat_at) VALUES (?1, ?2, ?3)";
const REMOVE_MARK: &str = "DELETE FROM marks WHERE owner = ?1 AND upto = ?2 AND beat_at = ?3";

/// See the module's documentation.
#[derive(Debug)]
pub struct SqliteWebhooks {
    folder: PathBuf,
    file: Mutex<Option<PrivateFile>>,
}

impl SqliteWebhooks {
    /// Over the file in this folder, whether it is there or not.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            file: Mutex::default(),
        }
    }

    /// The file; `None` when there is none.
    fn there(&self) -> Result<Option<PrivateFile>, PortError> {
        match self.folder.join(LAYOUT.file).exists() {
            true => self.made().map(Some),
            false => Ok(None),
        }
    }

    /// The file, which is made when it is missing.
    fn made(&self) -> Result<PrivateFile, PortError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match &*file {
            Some(open) => Ok(open.clone()),
            None => Ok(file
                .insert(PrivateFile::open(&self.folder, LAYOUT)?)
                .clone()),
        }
    }

    /// Does this, if there is a file; otherwise there is nothing.
    async fn run<T: Default + Send + 'static>(
        &self,
        work: impl FnOnce(&mut rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, PortError> {
        match self.there()? {
            Some(file) => file.run(work).await,
            None => Ok(T::default()),
        }
    }
}

#[async_trait]
impl WebhookRecords for SqliteWebhooks {
    async fn webhooks(&self) -> Result<Vec<Webhook>, PortError> {
        let rows = self.run(|connection| {
            let mut statement = connection.prepare_cached(ALL)?;
            let rows = statement.query_map([], webhook_row)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        rows.await?.into_iter().map(WebhookRow::read).collect()
    }

    async fn add(&self, webhook: &Webhook) -> Result<(), PortError> {
        let row = WebhookRow::of(webhook);
        let file = self.made()?;
        let added = file.run(move |connection| write(connection, ADD, &row));
        match added.await? {
            0 => Err(PortError::Conflict {
                what: format!("the webhook {}", webhook.id),
            }),
            _ => Ok(()),
        }
    }

    async fn replace(&self, webhook: &Webhook) -> Result<bool, PortError> {
        let row = WebhookRow::of(webhook);
        let written = self.run(move |connection| write(connection, REPLACE, &row));
        Ok(written.await? > 0)
    }

    async fn remove(&self, id: &WebhookId) -> Result<bool, PortError> {
        let id = id.to_string();
        let removed = self.run(move |connection| {
            let transaction = connection.transaction()?;
            let removed = transaction.execute(REMOVE, [&id])?;
            transaction.execute(REMOVE_DELIVERIES, [&id])?;
            transaction.commit()?;
            Ok(removed)
        });
        Ok(removed.await? > 0)
    }

    async fn record(&self, deliveries: &[NewDelivery]) -> Result<usize, PortError> {
        let deliveries = deliveries.to_vec();
        let recorded = self.run(move |connection| {
            let transaction = connection.transaction()?;
            let mut new = 0;
            for delivery in deliveries {
                let (message, made_at) = (&delivery.message, delivery.made_at.as_micros());
                let task = message.task.as_ref().map(|task| task.as_bytes().as_slice());
                let values = params![
                    delivery.webhook.as_str(),
                    message.id.as_str(),
                    message.event.as_str(),
                    task,
                    message.body,
                    made_at
                ];
                new += transaction.prepare_cached(RECORD)?.execute(values)?;
            }
            transaction.commit()?;
            Ok(new)
        });
        recorded.await
    }

    async fn claim(
        &self,
        webhook: &WebhookId,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, PortError> {
        let id = webhook.to_string();
        let rows = self.run(move |connection| {
            let mut statement = connection.prepare_cached(CLAIM)?;
            let values = params![id, now.as_micros(), until.as_micros(), number(limit as u64)];
            let rows = statement.query_map(values, delivery_row)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        let mut rows = rows.await?;
        rows.sort_by_key(|row| row.number);
        rows.into_iter().map(DeliveryRow::read).collect()
    }

    async fn settle(&self, settlements: &[Settlement]) -> Result<(), PortError> {
        let settlements = settlements.to_vec();
        let settled = self.run(move |connection| {
            let transaction = connection.transaction()?;
            for one in &settlements {
                settle(&transaction, one)?;
            }
            transaction.commit()
        });
        settled.await
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, PortError> {
        let query = query.clone();
        let rows = self.run(move |connection| {
            let mut statement = connection.prepare_cached(LIST)?;
            let values = params![
                query.before.map_or(i64::MAX, number),
                query.webhook.as_ref().map(WebhookId::as_str),
                query.phase.map(|phase| phase as i64),
                number(query.limit as u64)
            ];
            let rows = statement.query_map(values, delivery_row)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        });
        rows.await?.into_iter().map(DeliveryRow::read).collect()
    }

    async fn replay(&self, of: u64, now: Timestamp) -> Result<bool, PortError> {
        let values = (number(of), now.as_micros());
        let replayed = self.run(move |connection| connection.execute(REPLAY, values));
        Ok(replayed.await? > 0)
    }

    async fn is_behind(&self, webhook: &WebhookId, most: usize) -> Result<bool, PortError> {
        let values = (webhook.to_string(), number(most as u64));
        let found = self.run(move |connection| {
            let found = connection
                .query_row(IS_BEHIND, values, |_| Ok(()))
                .optional();
            found.map(|found| found.is_some())
        });
        found.await
    }

    async fn prune(
        &self,
        before: Timestamp,
        kept: usize,
        limit: usize,
    ) -> Result<usize, PortError> {
        let values = (
            before.as_micros(),
            number(kept as u64),
            number(limit as u64),
        );
        self.run(move |connection| connection.execute(PRUNE, values))
            .await
    }

    async fn marks(&self) -> Result<Vec<EndMark>, PortError> {
        let marks = self.run(|connection| {
            let mut statement = connection.prepare_cached(MARKS)?;
            let rows = statement.query_map([], |row| {
                Ok(EndMark {
                    owner: row.get::<_, i64>(0)?.unsigned_abs(),
                    upto: Timestamp::from_micros(row.get(1)?),
                    beat_at: Timestamp::from_micros(row.get(2)?),
                })
            })?;
            rows.collect()
        });
        marks.await
    }

    async fn set_mark(&self, mark: EndMark) -> Result<(), PortError> {
        let values = mark_values(mark);
        let set = self.run(move |connection| connection.execute(SET_MARK, values));
        set.await.map(drop)
    }

    async fn remove_mark(&self, mark: EndMark) -> Result<(), PortError> {
        let values = mark_values(mark);
        let removed = self.run(move |connection| connection.execute(REMOVE_MARK, values));
        removed.await.map(drop)
    }
}

fn mark_values(mark: EndMark) -> (i64, i64, i64) {
    let (upto, beat_at) = (mark.upto.as_micros(), mark.beat_at.as_micros());
    (number(mark.owner), upto, beat_at)
}

fn write(
    connection: &rusqlite::Connection,
    sql: &str,
    row: &WebhookRow,
) -> rusqlite::Result<usize> {
    let values = params![
        row.id,
        row.version,
        row.name,
        row.url,
        row.queues,
        row.kinds,
        row.ends,
        row.secret,
        row.old_secret,
        row.old_until,
        row.created_at,
        row.created_by,
        row.changed_at,
        row.since,
        row.disabled,
        row.disabled_at,
        row.failing_since,
        row.last_error
    ];
    connection.execute(sql, values)
}

fn settle(connection: &rusqlite::Connection, one: &Settlement) -> rusqlite::Result<()> {
    let row = SettledRow::of(&one.settled);
    let (of, fence) = (number(one.number), one.due_at.as_micros());
    let Some(made) = &row.made else {
        let mut statement = connection.prepare_cached(GIVE_BACK)?;
        return statement.execute((of, fence, row.due_at)).map(drop);
    };
    let values = params![
        of,
        fence,
        row.phase as i64,
        row.due_at,
        made.at.as_micros(),
        row.took_us(),
        made.status,
        made.answer
    ];
    connection.prepare_cached(SETTLE)?.execute(values).map(drop)
}

fn webhook_row(row: &Row<'_>) -> rusqlite::Result<WebhookRow> {
    Ok(WebhookRow {
        id: row.get(0)?,
        version: row.get(1)?,
        name: row.get(2)?,
        url: row.get(3)?,
        queues: row.get(4)?,
        kinds: row.get(5)?,
        ends: row.get(6)?,
        secret: row.get(7)?,
        old_secret: row.get(8)?,
        old_until: row.get(9)?,
        created_at: row.get(10)?,
        created_by: row.get(11)?,
        changed_at: row.get(12)?,
        since: row.get(13)?,
        disabled: row.get(14)?,
        disabled_at: row.get(15)?,
        failing_since: row.get(16)?,
        last_error: row.get(17)?,
    })
}

fn delivery_row(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    Ok(DeliveryRow {
        number: row.get(0)?,
        webhook: row.get(1)?,
        message: row.get(2)?,
        event: row.get(3)?,
        task: row.get(4)?,
        body: row.get(5)?,
        made_at: row.get(6)?,
        phase: row.get(7)?,
        due_at: row.get(8)?,
        tries: row.get(9)?,
        tried_at: row.get(10)?,
        took_us: row.get(11)?,
        status: row.get(12)?,
        answer: row.get(13)?,
    })
}
