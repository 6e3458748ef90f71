//! Every conversation of `docs/protocol.md`, held with a real server.

use super::support::{Client, Server};

const PAGE: &str = include_str!("../../../../docs/protocol.md");

fn transcripts() -> Vec<Vec<&'static str>> {
    let mut blocks = Vec::new();
    let mut lines = PAGE.lines();
    while lines.any(|line| line == "```transcript") {
        blocks.push(lines.by_ref().take_while(|line| *line != "```").collect());
    }
    blocks
}

/// Whether `line` is `pattern`, in which `…` is any text.
fn matches(line: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(rest) = line.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    let mut rest = rest;
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn task_id(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(r#""task_id":""#)?;
    rest.get(..36).map(str::to_owned)
}

async fn hold(client: &mut Client, transcript: &[&str]) {
    let (mut last_id, mut lease) = (String::new(), String::new());
    for line in transcript {
        if let Some(sent) = line.strip_prefix("> ") {
            client
                .send(format!(
                    "{}\n",
                    sent.replace('…', &last_id).replace("LEASE", &lease)
                ))
                .await;
        } else if let Some(pattern) = line.strip_prefix("< ") {
            let said = client.line().await.expect("the server has closed");
            assert!(matches(&said, pattern), "said    {said}\nwanted  {pattern}");
            last_id = task_id(&said).unwrap_or(last_id);
            if let Some((_, rest)) = said.split_once(r#""lease":""#) {
                lease = rest.chars().take(32).collect();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_protocol_page_is_true() {
    let transcripts = transcripts();
    assert!(transcripts.len() >= 8);
    let server = Server::start().await;
    for transcript in transcripts {
        hold(&mut server.client().await, &transcript).await;
    }
    server.stop().await;
}
