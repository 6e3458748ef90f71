//! `tareas config`.

use crate::run::{config_file, finish, program, tareas};

#[test]
fn check_is_0_or_78_and_points_at_the_place() {
    let (_folder, path) = config_file("threads = 2\n");
    let ran = tareas(&["config", "check", "--config", &path]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "the configuration is valid\n")
    );
    let (_folder, path) = config_file("data = \"x\"\nthread = 4\n");
    let ran = tareas(&["config", "check", "--config", &path]);
    assert_eq!((ran.code, ran.stdout.as_str()), (78, ""));
    let expected = format!(
        "error: unknown key `thread` in {path}  [TAR-1502]\n  {path}:2:1\n  2 | thread = 4\n      \
         ^^^^^^ did you mean `threads`?\n  hint: `tareas config default` lists the keys\n"
    );
    assert_eq!(ran.stderr, expected);
    let (_folder, path) = config_file("threads = \"many\n");
    assert_eq!(tareas(&["config", "check", "--config", &path]).code, 78);
    assert_eq!(
        tareas(&["config", "check", "--config", "/does/not/exist.toml"]).code,
        78
    );
}

#[test]
fn show_names_the_origin_and_hides_secrets() {
    let (_folder, path) = config_file("threads = 2\nqueue = \"amqp://ana:hidden@host/v\"\n");
    let mut command = program();
    command
        .env("TAREAS_DATA", "/srv/tareas")
        .env("TAREAS_WHATEVER", "ignored");
    command.args(["config", "show", "--origin", "--config", &path]);
    let ran = finish(command, "");
    assert_eq!(ran.code, 0, "{ran:?}");
    let line = |key: &str| {
        let found = ran
            .stdout
            .lines()
            .find(|line| line.starts_with(&format!("{key} = ")));
        found.unwrap_or_default().to_owned()
    };
    assert!(line("data").starts_with("data = \"/srv/tareas\""));
    assert!(
        line("data").ends_with("# env TAREAS_DATA"),
        "{}",
        line("data")
    );
    assert!(
        line("threads").ends_with(&format!("# {path}:1")),
        "{}",
        line("threads")
    );
    assert!(line("bind").ends_with("# default"));
    assert!(line("queue").contains("amqp://ana:***@host/v"));
    assert!(!ran.stdout.contains("hidden"));
}

#[test]
fn the_defaults_are_a_valid_file() {
    let ran = tareas(&["config", "default"]);
    assert_eq!(ran.code, 0);
    let real: String = ran
        .stdout
        .lines()
        .filter_map(|line| {
            line.strip_prefix("# ").filter(|rest| {
                rest.split_once(" = ")
                    .is_some_and(|(key, _)| !key.contains(' '))
            })
        })
        .fold(String::new(), |text, line| text + line + "\n");
    assert!(real.contains("bind = [\"127.0.0.1:5000\"]\n"), "{real}");
    let (_folder, path) = config_file(&real);
    let checked = tareas(&["config", "check", "--config", &path]);
    assert_eq!(checked.code, 0, "{checked:?}");
}
