//! Kinds that take or make text: `echo`, `procesar`, `wordcount`, `sha256`, `text`.

use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::payload::{Payload, invalid};
use crate::{Context, HandlerError, Registry};

const TEXT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// What `text` repeats; needs no escape in JSON.
const PATTERN: &str = "the quick brown fox jumps over the lazy dog ";

const PROCESAR_USAGE: &str = "procesar takes a text: `procesar datos` or {\"text\":\"datos\"}";
const WORDCOUNT_USAGE: &str = "wordcount takes a text: `wordcount TEXT` or {\"text\":\"TEXT\"}";
const SHA256_USAGE: &str = "sha256 takes a text: `sha256 TEXT` or {\"text\":\"TEXT\"}";
const TEXT_USAGE: &str = "text takes a number of bytes from 0 to 67108864 (64 MiB): \
                          `text 1000` or {\"bytes\":1000}";

pub(super) fn register(registry: &mut Registry) {
    registry
        .register_raw("echo", |_, payload| Ok(payload))
        .describe("Gives back its payload.", "Devuelve lo que recibe.")
        .example("echo hello", r#"{"op":"echo","hello":"world"}"#);
    registry
        .register_raw("procesar", procesar)
        .describe(
            "Says that the text was processed.",
            "Dice que el texto se ha procesado.",
        )
        .example("procesar datos", r#"{"op":"procesar","text":"datos"}"#)
        .not_retryable();
    registry
        .register_raw("wordcount", wordcount)
        .describe(
            "Counts lines, words, characters and bytes.",
            "Cuenta líneas, palabras, caracteres y bytes.",
        )
        .example(
            "wordcount to be or not to be",
            r#"{"op":"wordcount","text":"to be"}"#,
        )
        .not_retryable();
    registry
        .register_raw("sha256", sha256)
        .describe(
            "SHA-256 of the text, in hex.",
            "SHA-256 del texto, en hexadecimal.",
        )
        .example("sha256 hello", r#"{"op":"sha256","text":"hello"}"#)
        .not_retryable();
    registry
        .register_raw("text", text)
        .describe("A text of that many bytes.", "Un texto de esos bytes.")
        .example("text 1000", r#"{"op":"text","bytes":1000}"#)
        .not_retryable();
    registry.alias("texto", "text");
}

fn read_text(payload: &[u8], usage: &str) -> Result<String, HandlerError> {
    Payload::read(payload, usage)?.into_text(&["text", "texto"], usage)
}

fn json(value: &impl Serialize) -> Result<Bytes, HandlerError> {
    Ok(Bytes::from(serde_json::to_vec(value)?))
}

fn procesar(_: &Context, payload: Bytes) -> Result<Bytes, HandlerError> {
    let text = read_text(&payload, PROCESAR_USAGE)?;
    let line = format!("procesar {text}");
    json(&format!(
        "Resultado de '{}' procesado correctamente.",
        line.trim_end()
    ))
}

fn wordcount(_: &Context, payload: Bytes) -> Result<Bytes, HandlerError> {
    #[derive(Serialize)]
    struct Counts {
        lines: usize,
        words: usize,
        characters: usize,
        bytes: usize,
    }
    let text = read_text(&payload, WORDCOUNT_USAGE)?;
    json(&Counts {
        lines: text.lines().count(),
        words: text.split_whitespace().count(),
        characters: text.chars().count(),
        bytes: text.len(),
    })
}

fn sha256(_: &Context, payload: Bytes) -> Result<Bytes, HandlerError> {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digest = Sha256::digest(read_text(&payload, SHA256_USAGE)?.as_bytes());
    let nibbles = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = nibbles.map(|nibble| HEX[usize::from(nibble)]);
    Ok(std::iter::once(b'"').chain(digits).chain([b'"']).collect())
}

fn text(context: &Context, payload: Bytes) -> Result<Bytes, HandlerError> {
    const CHUNK: usize = 1024 * 1024;
    let wanted = Payload::read(&payload, TEXT_USAGE)?.into_number("bytes", TEXT_USAGE)?;
    let length = wanted.to_u64().filter(|bytes| *bytes <= TEXT_BYTES_MAX);
    let length = length.and_then(|bytes| usize::try_from(bytes).ok());
    let length = length.ok_or_else(|| invalid("that is not a length", TEXT_USAGE))?;
    let mut pattern = PATTERN.bytes().cycle();
    let mut json = Vec::with_capacity(length + 2);
    json.push(b'"');
    while json.len() <= length {
        context.check()?;
        let missing = length + 1 - json.len();
        json.extend(pattern.by_ref().take(missing.min(CHUNK)));
    }
    json.push(b'"');
    Ok(Bytes::from(json))
}
