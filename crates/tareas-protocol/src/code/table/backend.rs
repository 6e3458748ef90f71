//! 14xx: what the server stands on.

use super::super::{Code, Entry, Prose, exit};

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        code: Code::Unavailable,
        name: "unavailable",
        retryable: true,
        http: 503,
        exit: exit::UNREACHABLE,
        en: Prose {
            message: "a backend does not answer",
            hint: "try again; `tareas doctor` says which backend it is",
            explanation: "The database, the broker or the blob store behind the server cannot be \
                reached now. Nothing was accepted.",
        },
        es: Prose {
            message: "un servicio de apoyo no responde",
            hint: "inténtelo de nuevo; `tareas doctor` dice cuál es",
            explanation: "La base de datos, el intermediario o el almacén de archivos detrás del \
                servidor no está accesible ahora. No se aceptó nada.",
        },
    },
    Entry {
        code: Code::UnknownOutcome,
        name: "unknown_outcome",
        retryable: true,
        http: 503,
        exit: exit::UNREACHABLE,
        en: Prose {
            message: "whether it was done is not known",
            hint: "ask for the task by its id, or submit again under the same task id or \
                idempotency key",
            explanation: "The backend was lost between the request and its confirmation, so it may \
                have been done or not. Saying either would be a guess. Repeating it under the same \
                identity does no harm.",
        },
        es: Prose {
            message: "no se sabe si se hizo",
            hint: "pregunte por la tarea con su id, o envíela de nuevo con el mismo id o clave de \
                idempotencia",
            explanation: "Se perdió el servicio de apoyo entre la petición y su confirmación, así \
                que pudo hacerse o no. Decir lo uno o lo otro sería adivinar. Repetirla con la \
                misma identidad no hace daño.",
        },
    },
    Entry {
        code: Code::DataInUse,
        name: "data_in_use",
        retryable: true,
        http: 503,
        exit: exit::TRY_LATER,
        en: Prose {
            message: "another process uses the data folder",
            hint: "stop the other server, or choose another folder with `--data DIR`",
            explanation: "One process at a time owns a data folder; two would spoil it. The lock \
                goes away with the process that holds it, also when it is killed.",
        },
        es: Prose {
            message: "otro proceso usa la carpeta de datos",
            hint: "detenga el otro servidor, o elija otra carpeta con `--data DIR`",
            explanation: "Un solo proceso a la vez es dueño de una carpeta de datos; dos la \
                estropearían. El bloqueo desaparece con el proceso que lo tiene, también si se le \
                mata.",
        },
    },
    Entry {
        code: Code::PortInUse,
        name: "port_in_use",
        retryable: true,
        http: 503,
        exit: exit::UNREACHABLE,
        en: Prose {
            message: "another process listens on the port",
            hint: "stop the other process, or choose another port with `--bind HOST:PORT`",
            explanation: "The system gives a port to one process. On macOS port 5000 often belongs \
                to AirPlay.",
        },
        es: Prose {
            message: "otro proceso escucha en el puerto",
            hint: "detenga el otro proceso, o elija otro puerto con `--bind HOST:PUERTO`",
            explanation: "El sistema da un puerto a un solo proceso. En macOS el puerto 5000 suele \
                ser de AirPlay.",
        },
    },
];
