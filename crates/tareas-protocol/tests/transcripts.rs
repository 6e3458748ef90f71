//! The transcripts of `docs/protocol.md` speak the protocol. That a server answers so is tested
//! where there is one.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::PathBuf;
use tareas_protocol::json::Scanner;
use tareas_protocol::request::{Decoder, Face};

const ID_TEXT: &str = "019abcde-f012-7345-8678-9abcdef012ff";

/// The lines of every fenced block marked `transcript`.
fn transcripts() -> Vec<Vec<String>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/protocol.md");
    let page = fs::read_to_string(path).unwrap();
    let blocks = page.split("```transcript\n").skip(1);
    blocks
        .map(|block| {
            block
                .split("```")
                .next()
                .unwrap_or("")
                .lines()
                .map(str::to_owned)
                .collect()
        })
        .collect()
}

#[test]
fn what_the_client_says_is_accepted_or_refused_as_shown() {
    let blocks = transcripts();
    assert!(blocks.len() >= 8);
    for block in blocks {
        for (index, line) in block.iter().enumerate() {
            let Some(sent) = line.strip_prefix("> ") else {
                assert!(line.starts_with("< "), "{line}");
                continue;
            };
            let sent = sent.replace('…', ID_TEXT).replace("LEASE", &"0".repeat(32));
            let decoded = Decoder::new().line(sent.as_bytes());
            let answer = block
                .get(index + 1)
                .map_or("", |line| line.trim_start_matches("< "));
            assert_eq!(decoded.face == Face::Json, sent.starts_with('{'));
            if let Err(refusal) = decoded.request {
                let code = refusal.fault.code().to_string();
                assert!(answer.contains(&code), "{sent}: {refusal}");
                assert!(answer.contains(&refusal.to_string()), "{sent}: {refusal}");
            }
        }
    }
}

#[test]
fn what_the_server_says_in_json_is_json() {
    for line in transcripts().concat() {
        let Some(said) = line.strip_prefix("< {") else {
            continue;
        };
        if said.ends_with('…') {
            continue;
        }
        let said = format!("{{{said}")
            .replace(":…", ":0")
            .replace(",…", "")
            .replace("[…]", "[]");
        let said = said.replace("{…}", "{}");
        assert!(Scanner::check(&said).is_ok(), "{line}");
    }
}
