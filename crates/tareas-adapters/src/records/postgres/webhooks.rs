//! `PostgresWebhooks`: webhooks and their deliveries, on a connection of their own.
//!
//! Deliveries are claimed with `FOR UPDATE SKIP LOCKED`: of several servers each gets others. A
//! statement whose outcome is unknown is not repeated: the caller tries again, and nothing here is
//! done twice by that.

use async_trait::async_trait;
use tareas_core::Timestamp;
use tareas_engine::ports::{EndMark, PortError, WebhookRecords};
use tareas_engine::webhooks::{
    Delivery, DeliveryQuery, NewDelivery, Settlement, Webhook, WebhookId,
};
use tokio_postgres::Row;

use super::fault::{Fault, OpenError};
use super::link::Value;
use super::seldom::SeldomLink;
use super::{PostgresOptions, row};
use crate::webhooks::row::{
    DeliveryRow, SettledRow, WebhookRow, delivery_columns, number, webhook_columns,
};

const ALL: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    " FROM tareas.webhooks ORDER BY id"
);
const ADD: &str = concat!(
    "INSERT INTO tareas.webhooks (",
    webhook_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
     ON CONFLICT (id) DO NOTHING RETURNING id"
);
const REPLACE: &str = "UPDATE tareas.webhooks SET version = $2::int8, name = $3, url = $4, queues = $5, \
    kinds = $6, ends = $7, secret = $8, old_secret = $9, old_until = $10, created_at = $11, \
    created_by = $12, changed_at = $13, since = $14, disabled = $15, disabled_at = $16, \
    failing_since = $17, last_error = $18 WHERE id = $1 AND version = $2::int8 - 1 RETURNING id";
const REMOVE: &str = "WITH d AS (DELETE FROM tareas.deliveries WHERE webhook = $1) \
    DELETE FROM tareas.webhooks WHERE id = $1 RETURNING id";
const RECORD: &str = "INSERT INTO tareas.deliveries (webhook, message, event, task, body, \
    made_at, phase, due_at, tries) SELECT webhook, message, event, task, body, at, 0, at, 0 \
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::int8[]) \
    AS u (webhook, message, event, task, body, at) \
    ON CONFLICT (webhook, message) DO NOTHING RETURNING number";
const CLAIM: &str = concat!(
    "UPDATE tareas.deliveries SET due_at = $3 WHERE number IN (SELECT number \
     FROM tareas.deliveries WHERE webhook = $1 AND phase = 0 AND due_at <= $2 \
     ORDER BY due_at, number LIMIT $4 FOR UPDATE SKIP LOCKED) RETURNING ",
    delivery_columns!()
);
const SETTLE: &str = "UPDATE tareas.deliveries d SET phase = u.phase, due_at = u.next_at, \
    tries = d.tries + (u.tried_at IS NOT NULL)::int::int8, tried_at = coalesce(u.tried_at, d.tried_at), \
    took_us = CASE WHEN u.tried_at IS NULL THEN d.took_us ELSE u.took_us END, \
    status = CASE WHEN u.tried_at IS NULL THEN d.status ELSE u.status END, \
    answer = CASE WHEN u.tried_at IS NULL THEN d.answer ELSE u.answer END \
    FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], \
    $7::int8[], $8::text[]) \
    AS u (number, fence, phase, next_at, tried_at, took_us, status, answer) \
    WHERE d.number = u.number AND d.due_at = u.fence AND d.phase = 0";
const LIST: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM tareas.deliveries WHERE number < $1 AND ($2::text IS NULL OR webhook = $2) \
     AND ($3::int8 IS NULL OR phase = $3) ORDER BY number DESC LIMIT $4"
);
const REPLAY: &str = "UPDATE tareas.deliveries SET phase = 0, due_at = $2, tries = 0 \
    WHERE number = $1 AND phase > 0 RETURNING number";
const IS_BEHIND: &str = "SELECT number FROM tareas.deliveries WHERE webhook = $1 AND phase = 0 \
    LIMIT 1 OFFSET $2";
const PRUNE: &str = "DELETE FROM tareas.deliveries WHERE number IN (SELECT number \
    FROM tareas.deliveries WHERE phase > 0 AND (made_at < $1 OR number <= coalesce((SELECT number \
    FROM tareas.deliveries WHERE phase > 0 ORDER BY number DESC LIMIT 1 OFFSET $2), 0)) \
    ORDER BY number LIMIT $3) RETURNING number";
const MARKS: &str = "SELECT owner, upto, beat_at FROM tareas.end_marks";
const SET_MARK: &str = "INSERT INTO tareas.end_marks (owner, upto, beat_at) VALUES ($1, $2, $3) \
    ON CONFLICT (owner) DO UPDATE SET upto = excluded.upto, beat_at = excluded.beat_at";
const REMOVE_MARK: &str =
    "DELETE FROM tareas.end_marks WHERE owner = $1 AND upto = $2 AND beat_at = $3";

/// See the module's documentation.
#[derive(Debug)]
pub struct PostgresWebhooks(SeldomLink);

impl PostgresWebhooks {
    /// Connects, and makes the schema where it is missing.
    ///
    /// # Errors
    /// When the server cannot be reached, or its schema cannot be made.
    pub async fn open(options: PostgresOptions) -> Result<Self, OpenError> {
        SeldomLink::open(options).await.map(Self)
    }
}

#[async_trait]
impl WebhookRecords for PostgresWebhooks {
    async fn webhooks(&self) -> Result<Vec<Webhook>, PortError> {
        let rows = self.0.rows(ALL, &[]).await?;
        let read = |row: &Row| webhook_row(row).map_err(Fault::into_port_error)?.read();
        rows.iter().map(read).collect()
    }

    async fn add(&self, webhook: &Webhook) -> Result<(), PortError> {
        let row = WebhookRow::of(webhook);
        match self.0.rows(ADD, &values(&row)).await?.is_empty() {
            true => Err(PortError::Conflict {
                what: format!("the webhook {}", row.id),
            }),
            false => Ok(()),
        }
    }

    async fn replace(&self, webhook: &Webhook) -> Result<bool, PortError> {
        let row = WebhookRow::of(webhook);
        Ok(!self.0.rows(REPLACE, &values(&row)).await?.is_empty())
    }

    async fn remove(&self, id: &WebhookId) -> Result<bool, PortError> {
        Ok(!self.0.rows(REMOVE, &[&id.as_str()]).await?.is_empty())
    }

    async fn record(&self, deliveries: &[NewDelivery]) -> Result<usize, PortError> {
        let texts = |of: fn(&NewDelivery) -> &str| deliveries.iter().map(of).collect::<Vec<&str>>();
        let (webhooks, ids) = (
            texts(|one| one.webhook.as_str()),
            texts(|one| &one.message.id),
        );
        let (events, bodies) = (
            texts(|one| &one.message.event),
            texts(|one| &one.message.body),
        );
        let tasks: Vec<Option<&[u8]>> = deliveries
            .iter()
            .map(|one| {
                one.message
                    .task
                    .as_ref()
                    .map(|task| task.as_bytes().as_slice())
            })
            .collect();
        let ats: Vec<i64> = deliveries
            .iter()
            .map(|one| one.made_at.as_micros())
            .collect();
        let values: [Value<'_>; 6] = [&webhooks, &ids, &events, &tasks, &bodies, &ats];
        Ok(self.0.rows(RECORD, &values).await?.len())
    }

    async fn claim(
        &self,
        webhook: &WebhookId,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>, PortError> {
        let (now, until, limit) = (now.as_micros(), until.as_micros(), number(limit as u64));
        let values: [Value<'_>; 4] = [&webhook.as_str(), &now, &until, &limit];
        let mut claimed = deliveries(&self.0.rows(CLAIM, &values).await?)?;
        claimed.sort_by_key(|delivery| delivery.number);
        Ok(claimed)
    }

    async fn settle(&self, settlements: &[Settlement]) -> Result<(), PortError> {
        let rows: Vec<SettledRow> = settlements
            .iter()
            .map(|one| SettledRow::of(&one.settled))
            .collect();
        let numbers: Vec<i64> = settlements.iter().map(|one| number(one.number)).collect();
        let fences: Vec<i64> = settlements
            .iter()
            .map(|one| one.due_at.as_micros())
            .collect();
        let phases: Vec<i64> = rows.iter().map(|row| row.phase as i64).collect();
        let next: Vec<i64> = rows.iter().map(|row| row.due_at).collect();
        let made = || rows.iter().map(|row| row.made.as_ref());
        let tried: Vec<Option<i64>> = made().map(|made| Some(made?.at.as_micros())).collect();
        let took: Vec<Option<i64>> = rows.iter().map(SettledRow::took_us).collect();
        let status: Vec<Option<i64>> = made().map(|made| made?.status.map(i64::from)).collect();
        let answers: Vec<Option<&str>> = made().map(|made| Some(&*made?.answer)).collect();
        let values: [Value<'_>; 8] = [
            &numbers, &fences, &phases, &next, &tried, &took, &status, &answers,
        ];
        self.0.rows(SETTLE, &values).await.map(drop)
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<Delivery>, PortError> {
        let before = query.before.map_or(i64::MAX, number);
        let webhook = query.webhook.as_ref().map(WebhookId::as_str);
        let phase = query.phase.map(|phase| phase as i64);
        let limit = number(query.limit as u64);
        let values: [Value<'_>; 4] = [&before, &webhook, &phase, &limit];
        deliveries(&self.0.rows(LIST, &values).await?)
    }

    async fn replay(&self, of: u64, now: Timestamp) -> Result<bool, PortError> {
        let replayed = self
            .0
            .rows(REPLAY, &[&number(of), &now.as_micros()])
            .await?;
        Ok(!replayed.is_empty())
    }

    async fn is_behind(&self, webhook: &WebhookId, most: usize) -> Result<bool, PortError> {
        let values: [Value<'_>; 2] = [&webhook.as_str(), &number(most as u64)];
        Ok(!self.0.rows(IS_BEHIND, &values).await?.is_empty())
    }

    async fn prune(
        &self,
        before: Timestamp,
        kept: usize,
        limit: usize,
    ) -> Result<usize, PortError> {
        let (kept, limit) = (number(kept as u64), number(limit as u64));
        let values: [Value<'_>; 3] = [&before.as_micros(), &kept, &limit];
        Ok(self.0.rows(PRUNE, &values).await?.len())
    }

    async fn marks(&self) -> Result<Vec<EndMark>, PortError> {
        let rows = self.0.rows(MARKS, &[]).await?;
        let marks: Result<Vec<EndMark>, Fault> = rows.iter().map(mark).collect();
        marks.map_err(Fault::into_port_error)
    }

    async fn set_mark(&self, mark: EndMark) -> Result<(), PortError> {
        let [owner, upto, beat_at] = mark_values(mark);
        let values: [Value<'_>; 3] = [&owner, &upto, &beat_at];
        self.0.rows(SET_MARK, &values).await.map(drop)
    }

    async fn remove_mark(&self, mark: EndMark) -> Result<(), PortError> {
        let [owner, upto, beat_at] = mark_values(mark);
        let values: [Value<'_>; 3] = [&owner, &upto, &beat_at];
        self.0.rows(REMOVE_MARK, &values).await.map(drop)
    }
}

fn mark_values(mark: EndMark) -> [i64; 3] {
    let (upto, beat_at) = (mark.upto.as_micros(), mark.beat_at.as_micros());
    [number(mark.owner), upto, beat_at]
}

fn mark(from: &Row) -> Result<EndMark, Fault> {
    Ok(EndMark {
        owner: row::get::<i64>(from, 0)?.unsigned_abs(),
        upto: Timestamp::from_micros(row::get(from, 1)?),
        beat_at: Timestamp::from_micros(row::get(from, 2)?),
    })
}

fn values(row: &WebhookRow) -> [Value<'_>; 18] {
    [
        &row.id,
        &row.version,
        &row.name,
        &row.url,
        &row.queues,
        &row.kinds,
        &row.ends,
        &row.secret,
        &row.old_secret,
        &row.old_until,
        &row.created_at,
        &row.created_by,
        &row.changed_at,
        &row.since,
        &row.disabled,
        &row.disabled_at,
        &row.failing_since,
        &row.last_error,
    ]
}

fn webhook_row(from: &Row) -> Result<WebhookRow, Fault> {
    Ok(WebhookRow {
        id: row::get(from, 0)?,
        version: row::get(from, 1)?,
        name: row::get(from, 2)?,
        url: row::get(from, 3)?,
        queues: row::get(from, 4)?,
        kinds: row::get(from, 5)?,
        ends: row::get(from, 6)?,
        secret: row::get(from, 7)?,
        old_secret: row::get(from, 8)?,
        old_until: row::get(from, 9)?,
        created_at: row::get(from, 10)?,
        created_by: row::get(from, 11)?,
        changed_at: row::get(from, 12)?,
        since: row::get(from, 13)?,
        disabled: row::get(from, 14)?,
        disabled_at: row::get(from, 15)?,
        failing_since: row::get(from, 16)?,
        last_error: row::get(from, 17)?,
    })
}

fn deliveries(rows: &[Row]) -> Result<Vec<Delivery>, PortError> {
    let read = |row: &Row| delivery_row(row).map_err(Fault::into_port_error)?.read();
    rows.iter().map(read).collect()
}

fn delivery_row(from: &Row) -> Result<DeliveryRow, Fault> {
    Ok(DeliveryRow {
        number: row::get(from, 0)?,
        webhook: row::get(from, 1)?,
        message: row::get(from, 2)?,
        event: row::get(from, 3)?,
        task: row::get(from, 4)?,
        body: row::get(from, 5)?,
        made_at: row::get(from, 6)?,
        phase: row::get(from, 7)?,
        due_at: row::get(from, 8)?,
        tries: row::get(from, 9)?,
        tried_at: row::get(from, 10)?,
        took_us: row::get(from, 11)?,
        status: row::get(from, 12)?,
        answer: row::get(from, 13)?,
    })
}
