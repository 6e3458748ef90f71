//! `--help` in Spanish: the English is in the derived commands, this lays the Spanish over it.
//!
//! Keys are `command` and `command.argument` (`.argument` for switches of every command), as
//! clap knows them; a test holds the table complete.

use clap::{Arg, ArgAction, Command};
use tareas_protocol::Lang;

const ABOUT: &str = "Un sistema distribuido de tareas en un solo programa";

const EXIT_CODES: &str = "\
Códigos de salida:
  0   hecho; aceptado
  1   la tarea falló; una comprobación falló
  2   mal uso, o rechazado: pedirlo otra vez da lo mismo
  3   se dejó de esperar; la tarea sigue
  4   hay que identificarse, o no está permitido
  6   la tarea fue cancelada
  7   el estado lo impide, o la misma clave se usó para otra cosa
  69  servidor no accesible, o puerto ocupado
  70  un error nuestro
  74  el almacén se detuvo
  75  ahora no: lleno, deteniéndose, carpeta de datos en uso
  78  configuración no válida, o se rechaza escuchar

Primeros pasos:
  tareas serve
  tareas submit sumar 2 + 2 --wait
  tareas client";

const TEMPLATE: &str = "{about-with-newline}\nUso: {usage}\n\n{all-args}{after-help}";

const SPANISH: &[(&str, &str)] = &[
    (
        ".server",
        "Dónde está el servidor: tcp://HOST:PUERTO, tls://HOST:PUERTO [por defecto: tcp://127.0.0.1:5000]",
    ),
    (
        ".token_file",
        "Un archivo con el token que mostrar [por defecto: la variable TAREAS_TOKEN]",
    ),
    (
        ".tls_ca",
        "Certificados en que confiar en vez de los del sistema, un archivo PEM",
    ),
    (".output", "Forma de los resultados"),
    (".quiet", "Sin comentarios: solo resultados y errores"),
    (".verbose", "Más comentarios"),
    (".color", "Cuándo usar colores"),
    (".lang", "Idioma de los textos: en o es"),
    (".timeout", "Cuánto esperar los resultados: 30s, 10m"),
    (
        ".config",
        "Archivo de configuración [por defecto: ./tareas.toml, /etc/tareas/tareas.toml]",
    ),
    (
        "token",
        "Crea, lista y revoca tokens, y da entrada al panel",
    ),
    (
        "token.local",
        "En el almacén mismo, sin servidor y sin token",
    ),
    (
        "token.data",
        "La carpeta de datos del almacén [por defecto: ./tareas-data]",
    ),
    (
        "token.records",
        "Los registros del almacén [por defecto: sqlite:]",
    ),
    ("token.create", "Crea un token; su texto se muestra una vez"),
    ("token.create.name", "Para qué programa o persona es"),
    (
        "token.create.role",
        "Lo que permite: submit, read, work, operate, admin; separados por comas",
    ),
    (
        "token.create.queues",
        "Para qué colas: nombres, o nombres con * al final [por defecto: todas]",
    ),
    (
        "token.create.expires",
        "Cuánto vive: 30d [por defecto: para siempre]",
    ),
    (
        "token.create.from",
        "Desde qué redes se puede usar; repetible [por defecto: desde cualquiera]",
    ),
    ("token.list", "Lista los tokens, los más nuevos primero"),
    (
        "token.revoke",
        "Revoca un token y toda sesión que venga de él",
    ),
    ("token.revoke.id", "Las ocho letras tras `tr_`"),
    (
        "token.login-link",
        "Crea un enlace que abre el panel, una vez, en media hora",
    ),
    (
        "token.login-link.qr",
        "También como código QR para un teléfono, donde no se mostraría [por defecto: en un terminal]",
    ),
    (
        "webhook",
        "Avisa a otros de las tareas terminadas y muestra lo entregado",
    ),
    (
        "webhook.create",
        "Crea un webhook; su secreto se muestra una vez",
    ),
    ("webhook.create.name", "Su nombre para las personas"),
    ("webhook.create.url", "Adónde van las entregas"),
    (
        "webhook.create.queues",
        "De qué colas: nombres, o nombres con * al final [por defecto: todas]",
    ),
    ("webhook.create.kinds", "De qué tipos [por defecto: todos]"),
    (
        "webhook.create.ends",
        "De qué finales: succeeded, failed, cancelled [por defecto: todos]",
    ),
    ("webhook.list", "Lista los webhooks"),
    ("webhook.show", "Muestra todo sobre un webhook"),
    ("webhook.show.id", "Su id o su nombre"),
    (
        "webhook.rotate",
        "Firma con otro secreto, que se muestra una vez",
    ),
    ("webhook.rotate.id", "Su id o su nombre"),
    (
        "webhook.rotate.overlap",
        "Cuánto firma además el secreto anterior: 1h [por defecto: 1d]",
    ),
    (
        "webhook.test",
        "Envía un mensaje que no habla de ninguna tarea",
    ),
    ("webhook.test.id", "Su id o su nombre"),
    (
        "webhook.enable",
        "Vuelve a entregar, desde las tareas que terminen ahora",
    ),
    ("webhook.enable.id", "Su id o su nombre"),
    ("webhook.disable", "No entrega nada hasta que se active"),
    ("webhook.disable.id", "Su id o su nombre"),
    ("webhook.delete", "Borra un webhook y sus entregas"),
    ("webhook.delete.id", "Su id o su nombre"),
    (
        "webhook.deliveries",
        "Lista lo entregado, lo más nuevo primero",
    ),
    ("webhook.deliveries.id", "Su id o su nombre"),
    ("webhook.deliveries.limit", "Cuántas"),
    ("webhook.deliveries.state", "Solo en este estado"),
    (
        "webhook.replay",
        "Entrega una vez más lo entregado o abandonado",
    ),
    ("webhook.replay.id", "Su id o su nombre"),
    ("webhook.replay.number", "El número de la entrega"),
    ("audit", "Muestra quién hizo qué"),
    ("audit.limit", "Cuántas líneas, las más nuevas primero"),
    (
        "serve",
        "Ejecuta el servidor, con un grupo de hilos que ejecuta tareas",
    ),
    (
        "serve.bind",
        "Dónde escuchar, con `,proxy` para un balanceador; repetible [por defecto: 127.0.0.1:5000]",
    ),
    (
        "serve.trusted_proxies",
        "Balanceadores cuya cabecera PROXY se cree: direcciones, redes [por defecto: loopback]",
    ),
    (
        "serve.data",
        "La carpeta con todo lo que debe conservarse [por defecto: ./tareas-data]",
    ),
    (
        "serve.threads",
        "Hilos que ejecutan tareas; 0 para ninguno [por defecto: uno por núcleo]",
    ),
    (
        "serve.queue",
        "A quién se avisa de las tareas listas: memory: [por defecto: memory:]",
    ),
    (
        "serve.records",
        "Dónde se guardan las tareas: sqlite:, sqlite:RUTA, memory: [por defecto: sqlite:]",
    ),
    (
        "serve.blobs",
        "Dónde va lo muy grande: file:, file:RUTA [por defecto: file:]",
    ),
    (
        "serve.durability",
        "full: en disco antes de confirmar; os: entregado al sistema [por defecto: full]",
    ),
    (
        "serve.amqp_door",
        "Acepta tareas de la cola tareas.submit de RabbitMQ",
    ),
    (
        "serve.insecure",
        "Escuchar más allá de esta máquina aunque no haya control de acceso",
    ),
    (
        "serve.access",
        "Pedir un token a todos y permitirles lo que este permite",
    ),
    (
        "serve.tls_cert",
        "Certificado del servidor, un archivo PEM: entonces se habla TLS",
    ),
    (
        "serve.tls_key",
        "La clave de ese certificado, un archivo PEM",
    ),
    (
        "serve.trusted_network",
        "Nadie escucha en medio: los tokens pueden viajar sin cifrar",
    ),
    (
        "serve.audit_retention",
        "Cuánto se conservan las líneas del registro de auditoría [por defecto: 365d]",
    ),
    (
        "serve.webhook_networks",
        "Adónde pueden llevar los webhooks además de direcciones públicas: direcciones, redes, loopback",
    ),
    (
        "serve.redact",
        "Miembros de contenidos y resultados que las páginas no muestran; * al borde es cualquier texto",
    ),
    (
        "serve.public_url",
        "La dirección que usa la gente, si no es la de escucha",
    ),
    (
        "serve.drain_delay",
        "Cuánto seguir, sin estar listo, antes de detenerse: para balanceadores [por defecto: 0s]",
    ),
    (
        "serve.drain_grace",
        "Cuánto pueden tardar las tareas en curso al detener el servidor [por defecto: 30s]",
    ),
    (
        "serve.retention",
        "Cuánto se conservan las tareas terminadas [por defecto: 7d]",
    ),
    (
        "serve.unknown_kinds",
        "refuse o accept: tareas de tipos que nadie ha anunciado [por defecto: refuse]",
    ),
    (
        "serve.session_ttl",
        "Cuánto puede callar un trabajador remoto antes de darlo por perdido [por defecto: 15s]",
    ),
    (
        "serve.unframed_wait_ms",
        "Silencio tras el cual unos bytes sin salto de línea cuentan como línea [por defecto: 200]",
    ),
    (
        "serve.log",
        "Qué se registra: error, warn, info, debug, o un filtro [por defecto: warn]",
    ),
    (
        "serve.log_format",
        "Forma del registro: text o json [por defecto: text]",
    ),
    (
        "serve.lease",
        "Cuánto se da por vivo a un proceso en silencio [por defecto: 15s]",
    ),
    (
        "worker.queue",
        "A quién se avisa de las tareas listas: amqp://…",
    ),
    (
        "worker.records",
        "Dónde se guardan las tareas: postgres://…",
    ),
    ("worker.blobs", "Dónde va lo muy grande: s3://…"),
    (
        "worker.lease",
        "Cuánto se da por vivo a un proceso en silencio [por defecto: 15s]",
    ),
    (
        "worker.log",
        "Qué se registra: error, warn, info, debug, o un filtro [por defecto: warn]",
    ),
    (
        "worker.log_format",
        "Forma del registro: text o json [por defecto: text]",
    ),
    ("submit", "Envía una tarea"),
    ("submit.kind", "Qué hay que hacer"),
    (
        "submit.args",
        "Con qué: palabras, un objeto o arreglo JSON, @ARCHIVO, o - para stdin",
    ),
    ("submit.json", "La entrada como texto JSON, sea lo que sea"),
    ("submit.wait", "Espera e imprime el resultado"),
    ("submit.no_wait", "Imprime el id y termina; lo normal"),
    ("submit.queue", "La cola"),
    ("submit.priority", "De 0 (última) a 9 (primera)"),
    ("submit.delay", "No antes de este tiempo desde ahora"),
    (
        "submit.at",
        "No antes de este momento: 2026-01-31T09:00:00Z, 09:00, `mañana 09:00`",
    ),
    (
        "submit.key",
        "Clave de idempotencia: los envíos con una misma clave son una sola tarea",
    ),
    ("submit.attempts", "Cuántos intentos puede haber"),
    ("submit.attempt_timeout", "Cuánto puede durar un intento"),
    (
        "submit.meta",
        "Una nota para personas y programas; repetible",
    ),
    (
        "submit.traceparent",
        "El span que la envía, en una traza entre programas [por defecto: $TRACEPARENT]",
    ),
    (
        "client",
        "Habla con el servidor: con preguntas, una tarea, o tareas por una tubería",
    ),
    (
        "client.task",
        "Una tarea, en texto o JSON; sin ella se leen de la terminal o la tubería",
    ),
    (
        "client.prompt",
        "Si se pregunta; auto: cuando escribe una persona",
    ),
    ("show", "Muestra todo de una tarea"),
    ("show.id", "La tarea"),
    ("why", "Dice por qué una tarea espera, o por qué falló"),
    ("why.id", "La tarea"),
    ("logs", "Muestra lo que han dicho los intentos de una tarea"),
    ("logs.id", "La tarea"),
    (
        "logs.follow",
        "Sigue hasta que la tarea termina; el código de salida es el de su final",
    ),
    ("list", "Lista tareas, las nuevas primero"),
    (
        "list.filter",
        "Condiciones: state:failed kind:resize since:1h error:timeout; ver /docs",
    ),
    ("list.limit", "Cuántas como mucho"),
    ("list.cursor", "Sigue donde terminó una lista anterior"),
    ("wait", "Espera a que terminen tareas"),
    (
        "wait.ids",
        "Las tareas; sus resultados se imprimen en este orden",
    ),
    ("result", "Imprime el resultado de una tarea"),
    ("result.id", "La tarea"),
    ("cancel", "Cancela tareas"),
    ("cancel.ids", "Las tareas"),
    (
        "cancel.filter",
        "En su lugar, cada tarea que esto encuentra: state:failed kind:resize since:1h",
    ),
    ("cancel.dry_run", "Solo las cuenta"),
    ("cancel.yes", "Lo hace sin preguntar"),
    ("cancel.limit", "Tantas como mucho, las más nuevas"),
    ("requeue", "Vuelve a encolar tareas fallidas o canceladas"),
    ("requeue.ids", "Las tareas"),
    (
        "requeue.filter",
        "En su lugar, cada tarea que esto encuentra: state:failed kind:resize since:1h",
    ),
    ("requeue.dry_run", "Solo las cuenta"),
    ("requeue.yes", "Lo hace sin preguntar"),
    ("requeue.limit", "Tantas como mucho, las más nuevas"),
    ("delete", "Elimina tareas terminadas"),
    ("delete.ids", "Las tareas"),
    (
        "delete.filter",
        "En su lugar, cada tarea que esto encuentra: state:failed kind:resize since:1h",
    ),
    ("delete.dry_run", "Solo las cuenta"),
    ("delete.yes", "Lo hace sin preguntar"),
    ("delete.limit", "Tantas como mucho, las más nuevas"),
    ("queues", "Lista, pausa y reanuda colas"),
    ("queues.ls", "Lista las colas; lo normal"),
    ("queues.pause", "No empieza más tareas de una cola"),
    ("queues.pause.queue", "La cola"),
    ("queues.resume", "Vuelve a empezar tareas de una cola"),
    ("queues.resume.queue", "La cola"),
    (
        "worker",
        "Ejecuta tareas en un proceso propio: de un servidor lejano o de almacenes compartidos",
    ),
    (
        "worker.threads",
        "Hilos que ejecutan tareas [por defecto: uno por núcleo]",
    ),
    (
        "worker.queues",
        "Colas de las que toma tareas, separadas por comas [por defecto: todas]",
    ),
    (
        "worker.kinds",
        "Tipos que toma, separados por comas [por defecto: todos los que tiene]",
    ),
    (
        "worker.label",
        "Una etiqueta, para tareas que la exigen; repetible",
    ),
    ("worker.name", "Cómo se llama [por defecto: worker-PID]"),
    (
        "worker.prefetch",
        "Cuántas tareas cortas guarda además de las que ejecuta",
    ),
    (
        "worker.drain_grace",
        "Cuánto pueden tardar las tareas en curso cuando el trabajador para",
    ),
    ("workers", "Lista los trabajadores"),
    ("top", "Muestra el sistema en vivo en la terminal"),
    ("top.once", "Imprime un cuadro y termina"),
    ("events", "Sigue los números del sistema, según cambian"),
    ("events.count", "Termina tras tantos eventos"),
    (
        "doctor",
        "Revisa todo lo que un servidor necesita y dice qué hacer",
    ),
    ("health", "Dice si el servidor está listo"),
    ("backup", "Copia todos los datos, con el servidor en marcha"),
    ("backup.target", "La carpeta que se creará; no debe existir"),
    (
        "backup.data",
        "La carpeta de datos del servidor [por defecto: ./tareas-data]",
    ),
    (
        "restore",
        "Crea una carpeta de datos a partir de un respaldo",
    ),
    (
        "restore.source",
        "El respaldo, como lo hizo `tareas backup`",
    ),
    (
        "restore.data",
        "La carpeta de datos que se creará [por defecto: ./tareas-data]",
    ),
    (
        "restore.force",
        "Sobrescribe una carpeta de datos que contiene una base de datos",
    ),
    (
        "migrate",
        "Lleva todas las tareas a otros almacenes, o de vuelta, sin servidores en marcha",
    ),
    (
        "migrate.from",
        "La carpeta de datos que se lee [por defecto: lo que `serve` usaría aquí]",
    ),
    (
        "migrate.from_records",
        "Los registros que se leen: sqlite:RUTA, postgres://…",
    ),
    (
        "migrate.from_blobs",
        "Los bytes grandes que se leen: file:RUTA, s3://…",
    ),
    (
        "migrate.to",
        "La carpeta de datos que se llena [por defecto: lo que `serve` usaría aquí]",
    ),
    (
        "migrate.to_records",
        "Los registros que se llenan: sqlite:RUTA, postgres://…",
    ),
    (
        "migrate.to_blobs",
        "Adónde van los bytes grandes: file:RUTA, s3://…",
    ),
    ("migrate.dry_run", "Mira ambos lados y no escribe nada"),
    (
        "migrate.verify_only",
        "Compara ambos lados otra vez, antes de servir desde alguno; no escribe nada",
    ),
    ("explain", "Explica un código de error"),
    (
        "explain.code",
        "TAR-1204, 1204 o unknown_kind; todos los códigos si se omite",
    ),
    ("bench", "Mide: genera carga y comprueba cada resultado"),
    ("bench.tasks", "Tareas por pasada"),
    ("bench.duration", "Dura este tiempo en su lugar"),
    (
        "bench.connections",
        "Conexiones [por defecto: 1; 1000 con --closed]",
    ),
    ("bench.window", "Tareas sin respuesta por conexión"),
    (
        "bench.closed",
        "Cada conexión espera su respuesta antes de enviar la siguiente tarea",
    ),
    (
        "bench.submit_only",
        "Envía por lotes, sin esperar resultados",
    ),
    ("bench.batch", "Tareas por lote"),
    (
        "bench.payload",
        "Rellena los datos de cada tarea hasta tantos bytes; las líneas son entonces JSON",
    ),
    (
        "bench.store",
        "Mide solo el almacén de esta máquina: vidas enteras de tareas, sin red ni servidor",
    ),
    (
        "bench.bare_server",
        "Es el servidor desnudo con el que se compara una cifra",
    ),
    (
        "bench.form",
        "Forma de las líneas [por defecto: json; text con --closed]",
    ),
    ("bench.runs", "Cuántas veces medir; cuenta la mediana"),
    (
        "bench.spawn",
        "Inicia un servidor propio, en una carpeta temporal y un puerto libre",
    ),
    ("bench.threads", "Hilos de ese servidor"),
    ("bench.durability", "Durabilidad de ese servidor"),
    (
        "bench.scratch",
        "Carpeta para los datos de ese servidor y para medir el disco",
    ),
    (
        "demo",
        "Míralo funcionar: un servidor propio, tareas y sockets de verdad",
    ),
    ("demo.keep", "Sigue en marcha después, hasta Ctrl-C"),
    ("config", "Comprueba y muestra la configuración"),
    (
        "config.check",
        "Comprueba archivo, entorno y opciones; termina con 78 si algo está mal",
    ),
    (
        "config.show",
        "Muestra el valor de cada clave; los secretos se ocultan",
    ),
    ("config.show.origin", "Dice de dónde viene cada valor"),
    (
        "config.default",
        "Imprime un archivo con cada valor por defecto",
    ),
    ("completions", "Imprime el autocompletado para una shell"),
    ("completions.shell", "La shell"),
    ("man", "Imprime el manual, o escribe todas sus páginas"),
    ("man.out", "Escribe una página por orden en esta carpeta"),
];

/// Lays the Spanish over the commands; in English they stay as they are.
pub(crate) fn localise(command: Command, lang: Lang) -> Command {
    match lang {
        Lang::En => command,
        Lang::Es => {
            let version = Arg::new("version").short('V').long("version");
            let version = version
                .action(ArgAction::Version)
                .help("Imprime la versión");
            let command = command.disable_version_flag(true).arg(version);
            spanish(command.about(ABOUT).after_long_help(EXIT_CODES), "", true)
        }
    }
}

fn spanish(command: Command, path: &str, is_root: bool) -> Command {
    let help = Arg::new("help").short('h').long("help");
    let help = help.action(ArgAction::Help).help("Imprime la ayuda");
    let mut command = command
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .arg(help);
    command = command
        .subcommand_help_heading("Órdenes")
        .help_template(TEMPLATE);
    command = command.mut_args(|argument| {
        let heading = if argument.is_positional() {
            "Argumentos"
        } else {
            "Opciones"
        };
        let argument = argument.help_heading(heading);
        match of(&format!("{path}.{}", argument.get_id())) {
            Some(text) => argument.help(text),
            None => argument,
        }
    });
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().into())
        .collect();
    for name in names {
        let path = if is_root {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        command = command.mut_subcommand(name, |sub| {
            let sub = match of(&path) {
                Some(text) => sub.about(text),
                None => sub,
            };
            spanish(sub, &path, false)
        });
    }
    command
}

fn of(path: &str) -> Option<&'static str> {
    SPANISH
        .iter()
        .find(|(known, _)| *known == path)
        .map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(command: &Command, path: &str, is_root: bool, into: &mut Vec<String>) {
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            let key = format!("{path}.{id}");
            if !matches!(id, "help" | "version") && of(&key).is_none() {
                into.push(key);
            }
        }
        for sub in command.get_subcommands() {
            let name = sub.get_name();
            let path = if is_root {
                name.to_owned()
            } else {
                format!("{path}.{name}")
            };
            if of(&path).is_none() {
                into.push(path.clone());
            }
            missing(sub, &path, false, into);
        }
    }

    #[test]
    fn every_command_and_argument_is_in_spanish() {
        let mut found = Vec::new();
        missing(&crate::cli::command(Lang::En), "", true, &mut found);
        assert!(found.is_empty(), "without Spanish: {found:#?}");
    }

    #[test]
    fn nothing_is_translated_that_does_not_exist() {
        let mut command = crate::cli::command(Lang::En);
        command.build();
        for (path, _) in SPANISH {
            let mut parts: Vec<&str> = path.split('.').filter(|part| !part.is_empty()).collect();
            let mut at = &command;
            while let Some(sub) = parts.first().and_then(|name| at.find_subcommand(name)) {
                at = sub;
                parts.remove(0);
            }
            let is_argument =
                |id: &&str| at.get_arguments().any(|arg| arg.get_id().as_str() == *id);
            assert!(parts.iter().all(is_argument), "{path}");
        }
    }
}
