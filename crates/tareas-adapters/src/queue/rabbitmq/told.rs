//! News as messages: a byte 2, then for each task its id, the length of what follows, and the task
//! itself, or nothing.
//!
//! A task is fields in a fixed order: numbers in big endian, texts and bytes after their length. A
//! message of another version, or one that does not read to its end, is dropped by whoever hears
//! it: the records are looked into then.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes};
use tareas_core::{Body, Kind, Priority, QueueName, Spec, State, Task, TaskId, Timestamp, Token};
use tareas_engine::ports::Ended;

use crate::records::row::{blob, blob_column, options, options_column};

/// The first byte of every message.
const VERSION: u8 = 2;
/// Tasks in one message.
pub(super) const TOLD_MAX: usize = 1_000;
/// About as many bytes go into one message.
const MESSAGE_BYTES: usize = 256 * 1024;
/// A message may be no longer: what is full but for one byte takes one task more.
const MESSAGE_BYTES_MAX: usize = 2 * MESSAGE_BYTES;
/// What a small task takes: room for so much is made at once.
const TASK_BYTES: usize = 160;
/// What an absent number of bytes is written as.
const ABSENT: u32 = u32::MAX;

/// These tasks, in as many messages as it takes.
pub(super) fn messages(ended: &[Ended]) -> Vec<Vec<u8>> {
    let (mut messages, mut body, mut told) = (Vec::new(), Vec::new(), 0);
    for (number, one) in ended.iter().enumerate() {
        if told == 0 {
            let room = (ended.len() - number).min(TOLD_MAX) * TASK_BYTES;
            body.reserve(room.min(MESSAGE_BYTES));
            body.push(VERSION);
        }
        write(&mut body, one);
        told += 1;
        if told == TOLD_MAX || body.len() >= MESSAGE_BYTES {
            messages.push(std::mem::take(&mut body));
            told = 0;
        }
    }
    messages.extend(Some(body).filter(|body| !body.is_empty()));
    messages
}

fn write(body: &mut Vec<u8>, ended: &Ended) {
    body.put_u128(ended.id.as_u128());
    let length_at = body.len();
    body.put_u32(0);
    if let Some(task) = &ended.task {
        write_task(body, task);
    }
    let length = (body.len() - length_at - size_of::<u32>()) as u32;
    body[length_at..length_at + size_of::<u32>()].copy_from_slice(&length.to_be_bytes());
}

fn write_task(to: &mut Vec<u8>, task: &Task) {
    let spec = &*task.spec;
    put(to, Some(spec.queue.as_str().as_bytes()));
    put(to, Some(spec.kind.as_str().as_bytes()));
    to.put_u8(spec.priority.level());
    to.put_i64(spec.submitted_at.as_micros());
    put(to, options_column(task).as_deref());
    put_body(to, Some(&spec.payload));
    to.put_u64(task.version);
    to.put_u64(task.attempt);
    to.put_u32(task.charged);
    to.put_u32(task.crashes);
    to.put_u8(task.cancel_requested.into());
    for at in [task.started_at, task.finished_at] {
        let micros = at.map(|at| at.as_micros().to_be_bytes());
        put(to, micros.as_ref().map(<[u8; 8]>::as_slice));
    }
    let token = task.last_token.map(|token| token.bits().to_be_bytes());
    put(to, token.as_ref().map(<[u8; 16]>::as_slice));
    put_body(to, task.result.as_ref());
}

fn put(to: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            to.put_u32(bytes.len() as u32);
            to.put_slice(bytes);
        }
        None => to.put_u32(ABSENT),
    }
}

/// The text that is here, then the reference to one that is not.
fn put_body(to: &mut Vec<u8>, body: Option<&Body>) {
    let inline = match body {
        Some(Body::Inline(text)) => Some(&text[..]),
        Some(Body::Blob(_)) | None => None,
    };
    put(to, inline);
    put(to, body.and_then(blob_column).as_deref().map(str::as_bytes));
}

/// What a message tells; `None` when it is none.
pub(super) fn decode(message: &[u8]) -> Option<Vec<Ended>> {
    let mut rest = message.strip_prefix(&[VERSION])?;
    if message.len() > MESSAGE_BYTES_MAX {
        return None;
    }
    let mut told = Vec::with_capacity((rest.len() / TASK_BYTES).min(TOLD_MAX));
    while !rest.is_empty() {
        let id = TaskId::from_u128(rest.try_get_u128().ok()?);
        let length = rest.try_get_u32().ok()? as usize;
        let (mut task, after) = rest.split_at_checked(length)?;
        rest = after;
        let task = match task.is_empty() {
            true => None,
            false => Some(read_task(id, &mut task).filter(|_| task.is_empty())?),
        };
        told.push(Ended { id, task });
        if told.len() > TOLD_MAX {
            return None;
        }
    }
    Some(told)
}

fn read_task(id: TaskId, from: &mut &[u8]) -> Option<Task> {
    let queue = QueueName::new(text(from)?).ok()?;
    let kind = Kind::new(text(from)?).ok()?;
    let priority = Priority::new(from.try_get_u8().ok()?)?;
    let submitted_at = Timestamp::from_micros(from.try_get_i64().ok()?);
    let options = match take(from)? {
        Some(text) => Some(Box::new(options(text).ok()?)),
        None => None,
    };
    let spec = Spec {
        id,
        kind,
        queue,
        priority,
        payload: take_body(from)??,
        submitted_at,
        options,
    };
    Some(Task {
        spec: Arc::new(spec),
        state: State::Succeeded,
        version: from.try_get_u64().ok()?,
        attempt: from.try_get_u64().ok()?,
        charged: from.try_get_u32().ok()?,
        crashes: from.try_get_u32().ok()?,
        cancel_requested: from.try_get_u8().ok()? != 0,
        started_at: instant(from)?,
        finished_at: instant(from)?,
        last_token: match take(from)? {
            Some(bits) => Some(Token::new(u128::from_be_bytes(bits.try_into().ok()?))),
            None => None,
        },
        result: take_body(from)?,
        failure: None,
    })
}

/// Bytes after their length; the inner `None` when they are absent.
#[expect(clippy::option_option, reason = "cannot be read, or is absent")]
fn take<'a>(from: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = from.try_get_u32().ok()?;
    if length == ABSENT {
        return Some(None);
    }
    let (bytes, rest) = from.split_at_checked(length as usize)?;
    *from = rest;
    Some(Some(bytes))
}

fn text<'a>(from: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(take(from)??).ok()
}

#[expect(clippy::option_option, reason = "cannot be read, or is absent")]
fn instant(from: &mut &[u8]) -> Option<Option<Timestamp>> {
    Some(match take(from)? {
        Some(micros) => Some(Timestamp::from_micros(i64::from_be_bytes(
            micros.try_into().ok()?,
        ))),
        None => None,
    })
}

#[expect(clippy::option_option, reason = "cannot be read, or is absent")]
fn take_body(from: &mut &[u8]) -> Option<Option<Body>> {
    let inline = take(from)?.map(|text| Body::Inline(Bytes::copy_from_slice(text)));
    let elsewhere = match take(from)? {
        Some(text) => Some(blob(std::str::from_utf8(text).ok()?)?),
        None => None,
    };
    Some(inline.or(elsewhere))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tareas_core::{Blob, Options, RetryPolicy};

    use super::*;

    fn task(id: u128, result: &[u8]) -> Task {
        let at = |micros| Some(Timestamp::from_micros(micros));
        Task {
            spec: Arc::new(Spec {
                id: TaskId::from_u128(id),
                kind: Kind::new("square").unwrap(),
                queue: QueueName::new("blue").unwrap(),
                priority: Priority::new(9).unwrap(),
                payload: Body::Inline(Bytes::from_static(b"5")),
                submitted_at: Timestamp::from_micros(7),
                options: None,
            }),
            version: 3,
            state: State::Succeeded,
            attempt: 1,
            charged: 0,
            crashes: 2,
            cancel_requested: true,
            started_at: at(8),
            finished_at: at(9),
            last_token: None,
            result: Some(Body::Inline(Bytes::copy_from_slice(result))),
            failure: None,
        }
    }

    /// A success with all that a task can have.
    fn rich() -> Task {
        let mut rich = task(2, b"");
        let spec = Arc::make_mut(&mut rich.spec);
        spec.payload = Body::Blob(Box::new(Blob {
            key: "p/1|2".into(),
            bytes: 70_000,
            sha256: [7; 32],
        }));
        spec.options = Some(Box::new(Options {
            timeout: Some(Duration::from_secs(3)),
            retry: Some(RetryPolicy::default()),
            idempotency_key: Some("one".into()),
            ..Options::default()
        }));
        rich.last_token = Some(Token::new(u128::MAX));
        rich.started_at = None;
        rich.result = None;
        rich
    }

    #[test]
    fn what_is_told_is_heard() {
        let of = |task: Task| Ended::of(&task);
        let unknown = Ended {
            id: TaskId::from_u128(u128::MAX),
            task: None,
        };
        let told = [of(task(1, b"25")), of(rich()), unknown];
        assert!(told[1].task.is_some());
        let messages = messages(&told);
        assert_eq!(messages.len(), 1);
        assert_eq!(decode(&messages[0]).unwrap(), told);
    }

    #[test]
    fn many_and_large_ones_take_several_messages() {
        let many: Vec<Ended> = (1..2_500).map(|id| Ended::of(&task(id, b"25"))).collect();
        let large: Vec<Ended> = (1..200)
            .map(|id| Ended::of(&task(id, &[b'1'; 3_000])))
            .collect();
        for (told, count) in [(many, 3), (large, 3), (Vec::new(), 0)] {
            let messages = messages(&told);
            assert_eq!(messages.len(), count);
            let heard = messages.iter().flat_map(|message| decode(message).unwrap());
            assert!(heard.eq(told));
        }
    }

    #[test]
    fn a_message_that_is_cut_or_of_another_version_is_none() {
        let whole = messages(&[Ended::of(&rich())]).remove(0);
        for end in 2..whole.len() {
            assert!(decode(&whole[..end]).is_none(), "{end} bytes");
        }
        assert!(decode(b"").is_none());
        assert!(decode(b"\x01").is_none());
        assert_eq!(decode(&[VERSION]), Some(Vec::new()));
        let mut longer = whole;
        longer.push(0);
        assert!(decode(&longer).is_none());
        let mut too_many = vec![VERSION];
        too_many.extend(std::iter::repeat_n(0, (TOLD_MAX + 1) * 20));
        assert!(decode(&too_many).is_none());
    }
}
