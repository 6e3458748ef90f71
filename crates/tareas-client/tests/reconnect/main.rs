//! What the client does when its connection is lost: the same ids, never a second task.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod fake;
mod pieces;

use std::sync::mpsc;
use std::time::Duration;

use fake::Fake;
use tareas_client::{Cancel, Client, End, Error, Event, Looked, Options, Status, Submit, TaskId};

fn options() -> Options {
    Options {
        connect_tries: 1,
        answer_timeout: Duration::from_secs(5),
        reconnect_for: Duration::from_secs(5),
        ..Options::default()
    }
}

fn connect(fake: &Fake) -> Client {
    Client::connect(&fake.address(), options()).unwrap()
}

#[test]
fn a_task_is_acknowledged_and_ends() {
    let fake = Fake::start(|line| {
        let (id, reference) = (line.id(), line.reference());
        line.say(&format!(
            r#"{{"task_id":"{id}","status":"queued","ref":{reference}}}"#
        ));
        line.say(&format!(
            r#"{{"task_id":"{id}","status":"succeeded","result":25,"ref":{reference}}}"#
        ));
    });
    let ticket = connect(&fake).submit("square", r#"{"n":5}"#).unwrap();
    assert_eq!(ticket.acknowledged().status, Status::Queued);
    assert_eq!(ticket.wait(None).unwrap(), End::Succeeded("25".into()));
    assert_eq!(
        ticket.wait(None).unwrap(),
        End::Succeeded("25".into()),
        "as often as asked"
    );
}

#[test]
fn after_a_loss_the_same_line_is_sent_again() {
    let (lines, sent) = mpsc::channel();
    let fake = Fake::start(move |line| {
        lines.send(line.text().to_owned()).unwrap();
        match line.connection() {
            // The first connection ends after the acknowledgement.
            0 => {
                let (id, reference) = (line.id(), line.reference());
                line.say(&format!(
                    r#"{{"task_id":"{id}","status":"queued","ref":{reference}}}"#
                ));
                line.hang_up();
            }
            _ => {
                let (id, reference) = (line.id(), line.reference());
                line.say(&format!(
                    r#"{{"task_id":"{id}","status":"running","duplicate":true,"ref":{reference}}}"#
                ));
                line.say(&format!(
                    r#"{{"task_id":"{id}","status":"succeeded","result":4,"ref":{reference}}}"#
                ));
            }
        }
    });
    let (events, told) = mpsc::channel();
    let on_event = std::sync::Arc::new(move |event: &Event| events.send(event.clone()).unwrap());
    let client = Client::connect(
        &fake.address(),
        Options {
            on_event: Some(on_event),
            ..options()
        },
    )
    .unwrap();
    let ticket = client.submit_with(Submit::words("sumar", "2 + 2")).unwrap();
    assert_eq!(
        ticket.wait(Some(Duration::from_secs(5))).unwrap(),
        End::Succeeded("4".into())
    );
    let (first, second) = (sent.recv().unwrap(), sent.recv().unwrap());
    assert_eq!(first, second, "the same id, so no second task");
    assert!(first.contains(&ticket.task_id().to_string()));
    assert_eq!(told.recv().unwrap(), Event::Lost { pending: 1 });
    assert!(matches!(told.recv().unwrap(), Event::Reconnected { .. }));
}

#[test]
fn an_unknown_outcome_is_asked_for_again_under_the_same_id() {
    let (ids, seen) = mpsc::channel();
    let fake = Fake::start(move |line| {
        let (id, reference) = (line.id(), line.reference());
        let is_first = reference == "1";
        ids.send(id.clone()).unwrap();
        line.say(&match is_first {
            true => format!(
                r#"{{"error":{{"code":"TAR-1402","name":"unknown_outcome","message":"m","hint":"","retryable":true}},"ref":{reference}}}"#
            ),
            false => format!(r#"{{"task_id":"{id}","status":"queued","ref":{reference}}}"#),
        });
    });
    let ticket = connect(&fake).submit("echo", "1").unwrap();
    let (first, second) = (seen.recv().unwrap(), seen.recv().unwrap());
    assert_eq!(first, second);
    assert_eq!(second, ticket.task_id().to_string());
}

#[test]
fn a_refusal_has_the_words_of_the_server() {
    let fake = Fake::start(|line| {
        let reference = line.reference();
        line.say(&format!(
            r#"{{"error":{{"code":"TAR-1204","name":"unknown_kind","message":"no `sqare`","hint":"did you mean `square`?","retryable":false}},"ref":{reference}}}"#
        ));
    });
    match connect(&fake).submit("sqare", "1") {
        Err(Error::Refused(error)) => {
            assert_eq!(
                (error.number, &*error.hint),
                (1204, "did you mean `square`?")
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn commands_ask_and_are_answered() {
    let id = TaskId::new();
    let fake = Fake::start(move |line| {
        let reference = line.reference();
        let said = match line.text() {
            text if text.contains("\"cancel\"") => {
                format!(r#""status":"running","cancel_requested":true,"ref":{reference}"#)
            }
            text if text.contains("\"result\"") => {
                format!(r#""status":"queued","ref":{reference}"#)
            }
            _ => format!(r#""status":"queued","timed_out":true,"ref":{reference}"#),
        };
        line.say(&format!(r#"{{"task_id":"{id}",{said}}}"#));
    });
    let client = connect(&fake);
    assert_eq!(client.cancel(id).unwrap(), Cancel::Requested);
    assert_eq!(
        client.result(id).unwrap(),
        Looked::Unfinished(Status::Queued)
    );
    let waited = client.wait(id, Some(Duration::from_millis(5)));
    assert!(matches!(waited, Err(Error::WaitTimedOut { task_id }) if task_id == id));
}

#[test]
fn nobody_there_is_said_at_once_and_a_silent_server_in_time() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let tried = Client::connect(&nobody.to_string(), options());
    assert!(matches!(tried, Err(Error::Unreachable { tries: 1, .. })));
    let silent = Fake::start(|_| {});
    let quick = Options {
        answer_timeout: Duration::from_millis(20),
        ..options()
    };
    let client = Client::connect(&silent.address(), quick).unwrap();
    assert!(matches!(client.ping(), Err(Error::NoAnswer { .. })));
}

#[test]
fn a_server_that_stays_away_is_given_up_with_the_id_in_hand() {
    let fake = Fake::start_once(|line| line.hang_up());
    let brief = Options {
        reconnect_for: Duration::from_millis(150),
        ..options()
    };
    let client = Client::connect(&fake.address(), brief).unwrap();
    let submit = Submit {
        task_id: Some(TaskId::new()),
        ..Submit::new("echo", "1")
    };
    let id = submit.task_id;
    match client.submit_with(submit) {
        Err(Error::ConnectionLost { task_id, .. }) => assert_eq!(task_id, id),
        other => panic!("{other:?}"),
    }
}

#[test]
fn text_is_sent_as_it_is_and_every_line_of_the_answer_comes_back() {
    let fake = Fake::start(|line| {
        if line.text() == "help" {
            line.say("square 5");
            line.say("sumar 2 + 2");
        } else {
            line.say(r#"{"server":"tareas"}"#);
        }
    });
    // The fake answers `hello` too, which the client skips.
    let answer = connect(&fake)
        .send_text("help", Some(Duration::from_secs(5)))
        .unwrap();
    assert_eq!(answer, ["square 5", "sumar 2 + 2"]);
}
