//! Messages as letters, and letters as messages for the queue of the dead.

use std::time::Duration;

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use tareas_engine::ports::{Letter, LetterReceipt, Reason, ReplyAddress};

/// The delivery mode of messages that survive a restart.
const PERSISTENT: u8 = 2;
/// Headers of messages that were put aside.
const CODE: &str = "x-tareas-code";
const REASON: &str = "x-tareas-reason";

/// What a message says. `message_id`, else `correlation_id`, is its identity.
pub(super) fn read(delivery: Delivery, life: u64) -> Letter {
    let properties = &delivery.properties;
    let text = |value: &Option<ShortString>| {
        let text = value.as_ref().map(ShortString::as_str);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let correlation = text(properties.correlation_id());
    let to = text(properties.reply_to());
    let expires_in = text(properties.expiration()).and_then(|millis| millis.parse().ok());
    Letter {
        receipt: LetterReceipt {
            life,
            tag: delivery.delivery_tag,
        },
        identity: text(properties.message_id()).or_else(|| correlation.clone()),
        priority: *properties.priority(),
        expires_in: expires_in.map(Duration::from_millis),
        reply_to: to.map(|to| ReplyAddress { to, correlation }),
        body: delivery.data.into(),
    }
}

/// The properties of a letter that is put aside: its own, and why.
pub(super) fn dead(letter: &Letter, reason: &Reason) -> BasicProperties {
    let mut headers = FieldTable::default();
    let text = |text: &str| AMQPValue::LongString(text.into());
    headers.insert(CODE.into(), text(&reason.code));
    headers.insert(REASON.into(), text(&reason.message));
    let mut properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("application/json".into())
        .with_headers(headers);
    if let Some(identity) = &letter.identity {
        properties = properties.with_message_id(identity.as_str().into());
    }
    let Some(reply) = &letter.reply_to else {
        return properties;
    };
    properties = properties.with_reply_to(reply.to.as_str().into());
    match &reply.correlation {
        Some(id) => properties.with_correlation_id(id.as_str().into()),
        None => properties,
    }
}

/// The properties of an answer.
pub(super) fn answer(to: &ReplyAddress) -> BasicProperties {
    let properties = BasicProperties::default().with_content_type("application/json".into());
    match &to.correlation {
        Some(id) => properties.with_correlation_id(id.as_str().into()),
        None => properties,
    }
}
