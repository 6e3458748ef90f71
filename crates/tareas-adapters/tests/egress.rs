//! The guard in front of webhooks: names that lead elsewhere at every look, lists that hide a bad
//! address, redirects, and answers without end.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tareas_adapters::GuardedEgress;
use tareas_adapters::egress::Resolver;
use tareas_engine::access::Networks;
use tareas_engine::ports::{Answered, Egress, EgressFault, WebhookLetter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Gives other addresses each time that it is asked; the last ones from then on.
#[derive(Debug)]
struct Rebinding {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Rebinding {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let read = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().map(read).collect()),
            asked: AtomicUsize::new(0),
        })
    }
}

#[async_trait]
impl Resolver for Rebinding {
    async fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, EgressFault> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        Ok(match answers.len() {
            1 => answers[0].clone(),
            _ => answers.remove(0),
        })
    }
}

fn networks(words: &[&str]) -> Networks {
    Networks::parse(words.iter().copied()).unwrap()
}

fn guard(allowed: &[&str], resolver: &Arc<Rebinding>) -> GuardedEgress {
    GuardedEgress::with_resolver(networks(allowed), "0", Arc::clone(resolver) as _)
}

fn letter(url: &str) -> WebhookLetter {
    WebhookLetter {
        url: url.to_owned(),
        headers: vec![("webhook-id", "msg_1".to_owned())],
        body: r#"{"type":"webhook.test"}"#.to_owned(),
    }
}

async fn forbidden(egress: &GuardedEgress, url: &str) -> IpAddr {
    match egress.post(letter(url)).await {
        Err(EgressFault::Forbidden(address)) => address,
        other => panic!("{url}: {other:?}"),
    }
}

/// Answers every connection with this; what was asked of it, as text.
async fn serve(answer: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = vec![0; 4_096];
            let read = stream.read(&mut bytes).await.unwrap_or(0);
            let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
            noted.lock().unwrap().push(text);
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, asked)
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_leads_where_it_was_checked() {
    let (port, asked) = serve("HTTP/1.1 204 No Content\r\n\r\n").await;
    let resolver = Rebinding::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let egress = guard(&["loopback"], &resolver);
    let url = format!("http://rebind.example:{port}/x?y");
    let answered = egress.post(letter(&url)).await.unwrap();
    assert_eq!(
        (answered.status, resolver.asked.load(Ordering::SeqCst)),
        (204, 1)
    );
    let request = asked.lock().unwrap().remove(0);
    assert!(request.starts_with("POST /x?y HTTP/1.1\r\n"), "{request}");
    assert!(
        request.contains(&format!("host: rebind.example:{port}\r\n")),
        "{request}"
    );
    assert!(request.contains("webhook-id: msg_1\r\n"), "{request}");
    // The next one is judged by what the name says then.
    assert_eq!(
        forbidden(&egress, &url).await.to_string(),
        "169.254.169.254"
    );
}

#[tokio::test]
async fn one_bad_address_among_good_ones_is_enough() {
    for bad in [
        "10.0.0.1",
        "127.0.0.1",
        "::1",
        "fd00::1",
        "64:ff9b::a00:1",
        "::ffff:169.254.169.254",
    ] {
        let resolver = Rebinding::new(&[&["8.8.8.8", "2606:4700::1111", bad]]);
        let found = forbidden(&guard(&[], &resolver), "https://mixed.example/").await;
        assert_eq!(found, bad.parse::<IpAddr>().unwrap().to_canonical());
    }
    let many: Vec<String> = (0..40).map(|n| format!("8.8.8.{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let egress = guard(&[], &Rebinding::new(&[&many]));
    let refused = egress.post(letter("https://many.example/")).await;
    assert!(matches!(refused, Err(EgressFault::Name(_))), "{refused:?}");
}

#[tokio::test]
async fn http_is_for_this_machine_alone_where_that_is_allowed() {
    let resolver = Rebinding::new(&[&["10.0.0.1"]]);
    let wide = guard(&["loopback", "10.0.0.0/8"], &resolver);
    assert_eq!(
        forbidden(&wide, "http://inside.example/").await.to_string(),
        "10.0.0.1"
    );
    assert!(wide.check("https://10.0.0.1/").is_ok());
    assert!(wide.check("http://10.0.0.1/").is_err());
    assert!(wide.check("http://127.0.0.1:81/").is_ok());
    let strict = guard(&[], &resolver);
    for url in [
        "http://example.org/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://10.0.0.1:8443/",
    ] {
        // A number without dots is a name, which is judged by where it leads.
        let is_name = url.contains("2130706433") || url.contains("0x7f");
        assert_eq!(strict.check(url).is_ok(), is_name, "{url}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_nothing_more() {
    let (inner, inner_asked) = serve("HTTP/1.1 200 OK\r\n\r\n").await;
    let text =
        format!("HTTP/1.1 307 X\r\nlocation: http://127.0.0.1:{inner}/\r\nretry-after: 7\r\n\r\n");
    let (port, _) = serve(text.leak()).await;
    let egress = GuardedEgress::new(networks(&["loopback"]), "0");
    let answered = egress
        .post(letter(&format!("http://127.0.0.1:{port}/")))
        .await
        .unwrap();
    assert_eq!(answered.status, 307);
    assert_eq!(answered.retry_after.map(|wait| wait.as_secs()), Some(7));
    assert!(inner_asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn of_an_answer_the_beginning_is_kept_as_one_line_of_text() {
    let long = format!("HTTP/1.1 500 X\r\n\r\na\u{7}b\nc{}", "x".repeat(200_000));
    let (port, _) = serve(long.leak()).await;
    let egress = GuardedEgress::new(networks(&["loopback"]), "0");
    let Answered { status, start, .. } = egress
        .post(letter(&format!("http://127.0.0.1:{port}/")))
        .await
        .unwrap();
    assert_eq!(status, 500);
    assert!(
        start.starts_with("a b c") && start.len() <= 1_024,
        "{}",
        start.len()
    );
}

#[tokio::test]
async fn who_does_not_answer_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let egress = GuardedEgress::new(networks(&["loopback"]), "0");
    let answer = egress
        .post(letter(&format!("http://127.0.0.1:{port}/")))
        .await;
    assert!(matches!(answer, Err(EgressFault::TooSlow(_))), "{answer:?}");
}
