//! The keys: each is a key of `tareas.toml`, a variable `TAREAS_…` and a flag.

/// What values a key may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Any string.
    Text,
    /// Several strings.
    List,
    /// A whole number in a range.
    Integer(u64, u64),
    /// `true` or `false`.
    Boolean,
    /// `30s`, `10m`, `7d`.
    Duration,
    /// One of a few words.
    Word(&'static [&'static str]),
    /// A URL or path; may hold a password.
    Url,
}

/// One thing that can be configured.
#[derive(Debug)]
pub(crate) struct Key {
    /// The name in the file. The variable is `TAREAS_` and the name in capitals, the flag `--`
    /// and the name with hyphens.
    pub(crate) name: &'static str,
    /// What values it may have.
    pub(crate) shape: Shape,
    /// The default, as text; that of `threads` is the number of cores.
    pub(crate) default: &'static str,
    /// What it is, in English and in Spanish.
    pub(crate) about: [&'static str; 2],
}

impl Key {
    /// The key with this name.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// The variable.
    pub(crate) fn variable(&self) -> String {
        format!("TAREAS_{}", self.name.to_ascii_uppercase())
    }

    /// The flag.
    pub(crate) fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }

    /// The default as it would stand in the file.
    pub(crate) fn default_as_toml(&self) -> String {
        match self.shape {
            Shape::Integer(..) if self.default == "cores" => "4".to_owned(),
            Shape::Integer(..) | Shape::Boolean => self.default.to_owned(),
            Shape::List => format!("[{:?}]", self.default),
            _ => format!("{:?}", self.default),
        }
    }

    /// Whether its value may also be read from a file: `TAREAS_NAME_FILE`, `name_file`.
    pub(crate) fn may_be_in_a_file(&self) -> bool {
        self.shape == Shape::Url
    }
}

const fn key(
    name: &'static str,
    shape: Shape,
    default: &'static str,
    english: &'static str,
    spanish: &'static str,
) -> Key {
    Key {
        name,
        shape,
        default,
        about: [english, spanish],
    }
}

/// Every key.
pub(crate) static KEYS: &[Key] = &[
    key(
        "server",
        Shape::Url,
        "tcp://127.0.0.1:5000",
        "where the commands of a client find the server",
        "dónde encuentran el servidor las órdenes de cliente",
    ),
    key(
        "token_file",
        Shape::Text,
        "",
        "a file with the token that the commands of a client show",
        "un archivo con el token que muestran las órdenes de cliente",
    ),
    key(
        "tls_ca",
        Shape::Text,
        "",
        "certificates that a client trusts instead of those of the system, a PEM file",
        "certificados en que confía un cliente en vez de los del sistema, un archivo PEM",
    ),
    key(
        "lang",
        Shape::Word(&["en", "es"]),
        "en",
        "language of texts",
        "idioma de los textos",
    ),
    key(
        "bind",
        Shape::List,
        "127.0.0.1:5000",
        "addresses to listen at, lines and HTTP alike; HOST:PORT,proxy is for a balancer",
        "direcciones donde escuchar, líneas y HTTP; HOST:PUERTO,proxy es para un balanceador",
    ),
    key(
        "trusted_proxies",
        Shape::List,
        "loopback",
        "balancers whose PROXY header is believed: addresses, networks, loopback",
        "balanceadores cuya cabecera PROXY se cree: direcciones, redes, loopback",
    ),
    key(
        "data",
        Shape::Text,
        "./tareas-data",
        "the folder with everything that must survive",
        "la carpeta con todo lo que debe conservarse",
    ),
    key(
        "threads",
        Shape::Integer(0, 1_024),
        "cores",
        "threads that run tasks; 0 for a server that only accepts",
        "hilos que ejecutan tareas; 0 para un servidor que solo acepta",
    ),
    key(
        "queue",
        Shape::Url,
        "memory:",
        "who is told of ready tasks",
        "a quién se avisa",
    ),
    key(
        "amqp_door",
        Shape::Boolean,
        "false",
        "take submissions that clients leave in the queue tareas.submit of RabbitMQ",
        "aceptar tareas que los clientes dejan en la cola tareas.submit de RabbitMQ",
    ),
    key(
        "records",
        Shape::Url,
        "sqlite:",
        "where tasks are kept",
        "dónde se guardan las tareas",
    ),
    key(
        "blobs",
        Shape::Url,
        "file:",
        "where large bytes are kept",
        "dónde va lo muy grande",
    ),
    key(
        "durability",
        Shape::Word(&["full", "os"]),
        "full",
        "full: on disk before it is confirmed; os: survives this process, not the machine",
        "full: en disco antes de confirmar; os: sobrevive al proceso, no a la máquina",
    ),
    key(
        "insecure",
        Shape::Boolean,
        "false",
        "listen beyond this machine without access control",
        "escuchar más allá de esta máquina sin control de acceso",
    ),
    key(
        "access",
        Shape::Boolean,
        "false",
        "ask everybody for a token, and let them do what it allows",
        "pedir un token a todos y permitirles lo que este permite",
    ),
    key(
        "tls_cert",
        Shape::Text,
        "",
        "certificate of the server, a PEM file: then TLS is spoken",
        "certificado del servidor, un archivo PEM: entonces se habla TLS",
    ),
    key(
        "tls_key",
        Shape::Text,
        "",
        "the key of that certificate, a PEM file",
        "la clave de ese certificado, un archivo PEM",
    ),
    key(
        "trusted_network",
        Shape::Boolean,
        "false",
        "nobody listens in between: tokens may travel unencrypted",
        "nadie escucha en medio: los tokens pueden viajar sin cifrar",
    ),
    key(
        "audit_retention",
        Shape::Duration,
        "365d",
        "how long lines of the audit log are kept",
        "cuánto se conservan las líneas del registro de auditoría",
    ),
    key(
        "webhook_networks",
        Shape::List,
        "",
        "where webhooks may lead beside public addresses: addresses, networks, loopback",
        "adónde pueden llevar los webhooks además de direcciones públicas: direcciones, redes, loopback",
    ),
    key(
        "redact",
        Shape::List,
        tareas_server::REDACTED,
        "members of payloads and results that pages do not show; * at an end stands for any text",
        "miembros de contenidos y resultados que las páginas no muestran; * al borde es cualquier texto",
    ),
    key(
        "public_url",
        Shape::Text,
        "",
        "the address people use",
        "la dirección que usa la gente",
    ),
    key(
        "drain_delay",
        Shape::Duration,
        "0s",
        "how long a server that stops goes on while balancers see that it is not ready",
        "cuánto sigue un servidor que se detiene mientras los balanceadores lo notan",
    ),
    key(
        "drain_grace",
        Shape::Duration,
        "30s",
        "how long running tasks may take when the server stops",
        "cuánto pueden tardar las tareas en curso al detener el servidor",
    ),
    key(
        "retention",
        Shape::Duration,
        "7d",
        "how long finished tasks are kept",
        "cuánto se conservan las tareas terminadas",
    ),
    key(
        "lease",
        Shape::Duration,
        "15s",
        "how long a silent process is believed to be alive, where several share the records",
        "cuánto se da por vivo a un proceso en silencio, si varios comparten los registros",
    ),
    key(
        "unknown_kinds",
        Shape::Word(&["refuse", "accept"]),
        "refuse",
        "tasks of a kind that nobody has announced",
        "tareas de un tipo que nadie ha anunciado",
    ),
    key(
        "session_ttl",
        Shape::Duration,
        "15s",
        "how long a remote worker may be silent before it is taken for lost",
        "cuánto puede callar un trabajador remoto antes de darlo por perdido",
    ),
    key(
        "unframed_wait_ms",
        Shape::Integer(10, 10_000),
        "200",
        "silence after which bytes without newline count as a line",
        "silencio tras el cual unos bytes sin salto de línea cuentan como línea",
    ),
    key(
        "log",
        Shape::Text,
        "warn",
        "what is logged: a level, or a filter",
        "qué se registra",
    ),
    key(
        "log_format",
        Shape::Word(&["text", "json"]),
        "text",
        "shape of the log on stderr",
        "forma del registro en stderr",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_derive_the_flag_and_the_variable() {
        let mut names: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KEYS.len());
        let key = Key::find("log_format").unwrap();
        assert_eq!(
            (key.variable().as_str(), key.flag().as_str()),
            ("TAREAS_LOG_FORMAT", "--log-format")
        );
    }
}
