//! In which order answers come, and whose they are.

use tokio::io::AsyncWriteExt;

use super::support::Server;

#[tokio::test(flavor = "multi_thread")]
async fn text_answers_come_in_the_order_of_the_lines() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client
        .send("sleep 120\nsquare 3\nnonsense 1\nhelp\nsquare 4\n")
        .await;
    client.expect("120").await;
    client.expect("9").await;
    assert!(client.line().await.unwrap().contains("[TAR-1204]"));
    assert!(client.line().await.unwrap().contains("sumar 2 + 2"));
    client.expect("16").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_acknowledgements_keep_the_order_and_precede_the_ends() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let count = 5_000;
    let mut lines = String::new();
    for n in 0..count {
        let kind = if n % 10 == 9 {
            "no_such_kind"
        } else {
            "square"
        };
        lines += &format!("{{\"op\":\"{kind}\",\"n\":{n},\"ref\":{n}}}\n");
    }
    client
        .send(lines + "{\"cmd\":\"ping\",\"ref\":\"last\"}\n")
        .await;
    let (mut next, mut ended) = (0, vec![false; count]);
    let mut left = count - count / 10;
    while left > 0 || next <= count {
        let said = client.json().await;
        if said["status"] == "succeeded" {
            let n = said["ref"].as_u64().unwrap() as usize;
            assert!(n < next && !ended[n], "an end before its acknowledgement");
            assert_eq!(said["result"], n * n);
            ended[n] = true;
            left -= 1;
        } else if next == count {
            assert_eq!(said["ref"], "last");
            next += 1;
        } else {
            assert_eq!(said["ref"], next, "{said}");
            assert_eq!(said["error"].is_object(), next % 10 == 9);
            next += 1;
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_get_their_own_answers() {
    let server = Server::start().await;
    let talk = |from: u64| {
        let connecting = server.client();
        async move {
            let mut client = connecting.await;
            for n in from..from + 300 {
                client.send(format!("square {n}\n")).await;
            }
            for n in from..from + 300 {
                client.expect(&(n * n).to_string()).await;
            }
        }
    };
    tokio::join!(talk(0), talk(1_000), talk(2_000));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_json_lines_are_answered_in_any_number() {
    let server = Server::start().await;
    let client = server.client().await;
    let count: u64 = 60_000;
    let lines: String = (0..count)
        .map(|n| format!("{{\"op\":\"square\",\"n\":{n}}}\n"))
        .collect();
    let (mut answers, mut writer) = client.split();
    let sending = tokio::spawn(async move {
        writer.write_all(lines.as_bytes()).await.unwrap();
        writer
    });
    let (mut acknowledged, mut ended, mut sum) = (0, 0, 0_u64);
    while ended < count {
        let said = answers.json().await;
        match said["status"].as_str() {
            Some("queued") => acknowledged += 1,
            Some("succeeded") => {
                ended += 1;
                sum += said["result"].as_u64().unwrap();
            }
            _ => panic!("{said}"),
        }
    }
    drop(sending.await.unwrap());
    assert_eq!(acknowledged, count);
    assert_eq!(sum, (0..count).map(|n| n * n).sum::<u64>());
    drop(answers);
    server.stop().await;
}
