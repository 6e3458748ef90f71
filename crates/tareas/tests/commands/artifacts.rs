//! Files that a program leaves: kept with the result, served, and gone with the task.

use std::path::{Path, PathBuf};

use crate::server::{Server, until};

const CONFIG: &str = r#"
[kinds.leaves]
command = ["sh", "-c", "cat > $TAREAS_OUT/in.json; printf 'a,b\n1,2\n' > \"$TAREAS_OUT/the sum.csv\"; echo $TAREAS_OUT"]

[kinds.fails]
command = ["sh", "-c", "echo x > $TAREAS_OUT/x; exit 65"]

[kinds.tricks]
command = ["sh", "-c", "ln -s /etc/passwd $TAREAS_OUT/passwd; mkdir $TAREAS_OUT/folder; echo x > $TAREAS_OUT/x; echo done"]

[kinds.heaps]
command = ["sh", "-c", "for n in $(seq 70); do echo $n > $TAREAS_OUT/$n; done"]
retry = { attempts = 1 }

[kinds.stays]
command = ["/usr/bin/env", "python3", "stays.py"]
mode = "persistent"
concurrency = 1
"#;

const STAYS: &str = r#"
import json, os, sys
for line in sys.stdin:
    name = json.loads(line)["payload"]
    if name:
        open(os.path.join(os.environ["TAREAS_OUT"], name), "w").write(name)
    print(json.dumps({"result": os.environ["TAREAS_OUT"]}), flush=True)
"#;

fn files_in(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.path() {
            path if path.is_dir() => files_in(&path),
            _ => 1,
        })
        .sum()
}

#[test]
fn files_are_kept_with_the_result_and_go_with_the_task() {
    let server = Server::start(CONFIG);
    let id = server.submit("leaves");
    let task = server.ended(&id);
    assert_eq!(
        (&task["status"], &task["artifacts"]),
        (&"succeeded".into(), &2.into())
    );
    let folder = PathBuf::from(task["result"].as_str().unwrap());
    until("the folder is gone", || !folder.exists());
    let list = server.get(&format!("/v1/tasks/{id}/artifacts"));
    let list = list.split("\r\n\r\n").nth(1).unwrap();
    assert!(
        list.contains(r#"{"name":"in.json","type":"application/json","bytes":3,"#),
        "{list}"
    );
    let url = format!("/v1/tasks/{id}/artifacts/the%20sum.csv");
    assert!(list.contains(&url), "{list}");
    let file = server.get(&url).to_lowercase();
    for wanted in [
        "content-type: text/csv",
        "content-disposition: attachment; filename*=utf-8''the%20sum.csv\r\n",
        "x-content-type-options: nosniff\r\n",
        "\r\n\r\na,b\n1,2\n",
    ] {
        assert!(file.contains(wanted), "{wanted}: {file}");
    }
    let absent = server.get(&format!("/v1/tasks/{id}/artifacts/..%2F..%2Fetc"));
    assert!(absent.starts_with("HTTP/1.1 404 "), "{absent}");
    let page = server.get(&format!("/tasks/{id}"));
    assert!(page.contains(&format!("href=\"{url}\"")), "{page}");
    let shown = server.tareas(&["show", &id]).stdout;
    assert!(shown.contains("artifacts"), "{shown}");

    let blobs = server.path("tareas-data/blobs");
    assert_eq!(files_in(&blobs), 4, "a result, a list and two files");
    assert_eq!(server.tareas(&["delete", &id]).code, 0);
    until("the files are gone", || files_in(&blobs) == 0);
}

#[test]
fn an_attempt_without_a_result_keeps_nothing() {
    let server = Server::start(CONFIG);
    let id = server.submit("fails");
    assert!(server.ended(&id).get("artifacts").is_none());
    assert_eq!(files_in(&server.path("tareas-data/blobs")), 0);
}

#[test]
fn links_and_folders_are_not_followed_and_there_is_an_end_to_it() {
    let server = Server::start(CONFIG);
    let id = server.submit("tricks");
    let task = server.ended(&id);
    assert_eq!(
        (&task["result"], &task["artifacts"]),
        (&"done".into(), &1.into())
    );
    let said = server.tareas(&["logs", &id]).stdout;
    assert!(
        said.contains("passwd is no plain file and is not kept"),
        "{said}"
    );
    let task = server.ended(&server.submit("heaps"));
    assert_eq!(task["reason"], "rejected", "{task}");
}

#[test]
fn a_program_that_stays_leaves_files_for_each_task() {
    let server = Server::start(CONFIG);
    server.write("stays.py", STAYS);
    for (name, count) in [("one.txt", Some(1)), ("", None), ("two.txt", Some(1))] {
        let id = server
            .tareas(&["submit", "stays", name])
            .stdout
            .trim()
            .to_owned();
        let task = server.ended(&id);
        assert_eq!(task["status"], "succeeded", "{task}");
        let found = task.get("artifacts").and_then(serde_json::Value::as_u64);
        assert_eq!(found, count, "{task}");
        if count.is_some() {
            let file = server.get(&format!("/v1/tasks/{id}/artifacts/{name}"));
            assert!(file.ends_with(&format!("\r\n\r\n{name}")), "{file}");
        }
    }
}

#[test]
fn the_folder_goes_also_when_the_server_is_killed() {
    let script =
        "[kinds.waits]\ncommand = [\"sh\", \"-c\", \"echo $TAREAS_OUT > out; sleep 1000\"]\n";
    let mut server = Server::start(script);
    server.submit("waits");
    let read = || std::fs::read_to_string(server.path("out")).unwrap_or_default();
    until("it runs", || read().ends_with('\n'));
    let folder = PathBuf::from(read().trim());
    assert!(folder.is_dir());
    server.signal(nix::sys::signal::Signal::SIGKILL);
    server.wait();
    until("the folder is gone", || !folder.exists());
}
