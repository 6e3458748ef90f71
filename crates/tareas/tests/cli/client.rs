//! `tareas client` through pipes: the exact texts of both languages.

use crate::run::Server;

#[test]
fn bare_results_through_a_pipe_and_the_greeting_beside() {
    let server = Server::start(&[]);
    let input = "sumar 2 + 2\n\n{\"op\":\"square\",\"n\":5}\nprocesar datos\nsalir\nsquare 9\n";
    let ran = server.with_input(&["client"], input);
    let expected = "4\n25\nResultado de 'procesar datos' procesado correctamente.\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (0, expected));
    let greeting = format!("Connected to the server at {}\n", server.authority());
    assert_eq!(ran.stderr, greeting);
}

#[test]
fn the_whole_conversation_in_english() {
    let server = Server::start(&[]);
    let ran = server.with_input(&["client", "--prompt", "always"], "sumar 2 + 2\nexit\n");
    let expected = format!(
        "Connected to the server at {}\n\
         Enter a task (or 'exit' to leave): Server answered: 4\n\
         Enter a task (or 'exit' to leave): ",
        server.authority()
    );
    assert_eq!((ran.code, ran.stdout), (0, expected));
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_whole_conversation_in_spanish() {
    let server = Server::start(&[]);
    let input = "sumar 2 + 2\nprocesar datos &\n";
    let ran = server.with_input(&["client", "--prompt", "always", "--lang", "es"], input);
    let prompt = "Ingrese una tarea (o 'salir' para terminar): ";
    let beginning = format!(
        "Conectado al servidor en {}\n{prompt}Respuesta del servidor: 4\n{prompt}\
         Respuesta del servidor: Tarea 'procesar datos' enviada a la cola de procesamiento.\n",
        server.authority()
    );
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.starts_with(&beginning), "{}", ran.stdout);
    let later = "Respuesta del servidor: Resultado de 'procesar datos' procesado correctamente.\n";
    assert!(ran.stdout.contains(later), "{}", ran.stdout);
}

#[test]
fn json_tasks_show_their_id_and_failures_their_code() {
    let server = Server::start(&[]);
    let input = "{\"op\":\"square\",\"n\":5}\ndividir 1 0\nexit\n";
    let ran = server.with_input(&["client", "--prompt", "always"], input);
    let prompt = "Enter a task (or 'exit' to leave): ";
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(
        lines[1].starts_with(&format!("{prompt}task queued id=")),
        "{}",
        lines[1]
    );
    assert_eq!(lines[1].len(), prompt.len() + "task queued id=".len() + 36);
    assert_eq!(lines[2], "Server answered: 25");
    let failure = format!("{prompt}Server answered: error: ");
    assert!(
        lines[3].starts_with(&failure) && lines[3].contains("[TAR-3004]"),
        "{}",
        lines[3]
    );
    let ran = server.with_input(&["client", "--prompt", "always", "--lang", "es"], input);
    assert!(ran.stdout.contains("tarea encolada id="), "{}", ran.stdout);
}

#[test]
fn one_task_as_an_argument() {
    let server = Server::start(&[]);
    for (task, result) in [
        (&["sumar 2 + 2"][..], "4\n"),
        (&["restar", "2", "-5"], "7\n"),
        (&[r#"{"op":"square","n":5}"#], "25\n"),
    ] {
        let arguments: Vec<&str> = ["client"].iter().chain(task).copied().collect();
        let ran = server.tareas(&arguments);
        assert_eq!(
            (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
            (0, result, "")
        );
    }
    assert_eq!(server.tareas(&["client", "dividir 1 0"]).code, 1);
    assert_eq!(server.tareas(&["client", "sqaure 5"]).code, 2);
    assert_eq!(
        server
            .tareas(&["client", "sleep 5000", "--timeout", "50ms"])
            .code,
        3
    );
}

#[test]
fn a_pipe_with_a_failure_ends_with_1_and_goes_on() {
    let server = Server::start(&[]);
    let ran = server.with_input(&["client", "-q"], "dividir 1 0\nsquare 3\n");
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(
        lines[0].starts_with("error: ") && lines[0].contains("[TAR-3004]"),
        "{}",
        lines[0]
    );
    assert_eq!(lines[1..], ["9"]);
}

#[test]
fn help_lists_kinds_with_examples() {
    let server = Server::start(&[]);
    for word in ["help", "ayuda"] {
        let ran = server.with_input(&["client", "-q"], &format!("{word}\n"));
        assert!(ran.stdout.contains("square"), "{ran:?}");
        assert_eq!(ran.code, 0);
    }
}
