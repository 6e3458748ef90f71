//! 10xx: the connection.

use super::super::{Code, Entry, Prose, exit};

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        code: Code::Unreachable,
        name: "unreachable",
        retryable: true,
        http: 503,
        exit: exit::UNREACHABLE,
        en: Prose {
            message: "the server cannot be reached",
            hint: "start one with `tareas serve`, or name another with `--server tcp://HOST:PORT`",
            explanation: "Nothing answered at the address: no server runs there, a firewall is in \
                between, or the name leads elsewhere. Nothing was sent, so nothing was accepted.",
        },
        es: Prose {
            message: "no se puede contactar con el servidor",
            hint: "inicie uno con `tareas serve`, o indique otro con `--server tcp://HOST:PUERTO`",
            explanation: "Nadie respondió en esa dirección: no hay un servidor allí, un \
                cortafuegos lo impide o el nombre lleva a otro sitio. No se envió nada, así que \
                nada fue aceptado.",
        },
    },
    Entry {
        code: Code::ConnectionLost,
        name: "connection_lost",
        retryable: true,
        http: 503,
        exit: exit::UNREACHABLE,
        en: Prose {
            message: "the connection ended before the answer came",
            hint: "connect again and ask for the task by its id, or submit again under the same \
                idempotency key",
            explanation: "A task that was acknowledged is safe and goes on. Whether a task without \
                acknowledgement was accepted is not known; submitting it again under the same task \
                id or idempotency key makes no second one.",
        },
        es: Prose {
            message: "la conexión terminó antes de la respuesta",
            hint: "vuelva a conectarse y pregunte por la tarea con su id, o envíela de nuevo con \
                la misma clave de idempotencia",
            explanation: "Una tarea confirmada está a salvo y sigue. De una tarea sin confirmar no \
                se sabe si fue aceptada; enviarla otra vez con el mismo id o la misma clave de \
                idempotencia no crea una segunda.",
        },
    },
    Entry {
        code: Code::TooManyConnections,
        name: "too_many_connections",
        retryable: true,
        http: 503,
        exit: exit::TRY_LATER,
        en: Prose {
            message: "the server has no room for another connection",
            hint: "close connections that are not used, or raise the limit of open files of the \
                server",
            explanation: "The server keeps its number of connections below what the system lets it \
                open, so that those it has go on working.",
        },
        es: Prose {
            message: "el servidor no admite otra conexión",
            hint: "cierre conexiones que no use, o suba el límite de archivos abiertos del \
                servidor",
            explanation: "El servidor mantiene sus conexiones por debajo de lo que el sistema le \
                deja abrir, para que las que tiene sigan funcionando.",
        },
    },
    Entry {
        code: Code::Idle,
        name: "idle",
        retryable: true,
        http: 408,
        exit: exit::UNREACHABLE,
        en: Prose {
            message: "the connection was silent for too long",
            hint: "end every line with a newline, and send `{\"cmd\":\"ping\"}` now and then on a \
                connection to be kept",
            explanation: "What has begun must end in time: a handshake, a header, a line. A \
                connection on which nothing is said and no task is unfinished is closed after ten \
                minutes.",
        },
        es: Prose {
            message: "la conexión calló demasiado tiempo",
            hint: "termine cada línea con un salto de línea y envíe `{\"cmd\":\"ping\"}` de vez en \
                cuando si quiere conservar la conexión",
            explanation: "Lo que empieza debe terminar a tiempo: un saludo, una cabecera, una \
                línea. Una conexión en la que no se dice nada y que no tiene tareas pendientes se \
                cierra a los diez minutos.",
        },
    },
];
