//! 13xx: how much there is room for.

use super::super::{Code, Entry, Prose, exit};

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        code: Code::Overloaded,
        name: "overloaded",
        retryable: true,
        http: 429,
        exit: exit::TRY_LATER,
        en: Prose {
            message: "the server has more to do than it can",
            hint: "wait as long as `retry_after_ms` says and send it again",
            explanation: "The server refuses new work before it runs out of memory or disk, so \
                that what it has accepted goes on. Nothing of the refused request was kept.",
        },
        es: Prose {
            message: "el servidor tiene más trabajo del que puede",
            hint: "espere lo que dice `retry_after_ms` y envíela de nuevo",
            explanation: "El servidor rechaza trabajo nuevo antes de quedarse sin memoria o disco, \
                para que lo aceptado siga. Nada de la petición rechazada se guardó.",
        },
    },
    Entry {
        code: Code::QueueFull,
        name: "queue_full",
        retryable: true,
        http: 503,
        exit: exit::TRY_LATER,
        en: Prose {
            message: "the queue is full",
            hint: "wait, add workers, or raise the limit of the queue",
            explanation: "The queue has a limit of waiting tasks and has reached it.",
        },
        es: Prose {
            message: "la cola está llena",
            hint: "espere, añada trabajadores o suba el límite de la cola",
            explanation: "La cola tiene un límite de tareas en espera y lo ha alcanzado.",
        },
    },
    Entry {
        code: Code::StorageFull,
        name: "storage_full",
        retryable: true,
        http: 503,
        exit: exit::TRY_LATER,
        en: Prose {
            message: "there is no room to store tasks",
            hint: "free space on the disk of the data folder, or shorten the retention",
            explanation: "Accepted means that it is on disk, and the disk is full. Tasks that were \
                accepted before are kept, and the server accepts again as soon as there is room.",
        },
        es: Prose {
            message: "no hay espacio para guardar tareas",
            hint: "libere espacio en el disco de la carpeta de datos, o acorte la retención",
            explanation: "Aceptada significa que está en el disco, y el disco está lleno. Las \
                tareas ya aceptadas se conservan, y el servidor vuelve a aceptar en cuanto haya \
                espacio.",
        },
    },
    Entry {
        code: Code::SlowConsumer,
        name: "slow_consumer",
        retryable: true,
        http: 408,
        exit: exit::TRY_LATER,
        en: Prose {
            message: "the client does not read what it is sent",
            hint: "read answers while sending, or submit with `wait` false and ask for results \
                later",
            explanation: "The server keeps a bounded amount of answers for a connection and closes \
                one that takes none of them for 30 seconds. The tasks themselves are not affected.",
        },
        es: Prose {
            message: "el cliente no lee lo que se le envía",
            hint: "lea las respuestas mientras envía, o envíe con `wait` en false y pida los \
                resultados después",
            explanation: "El servidor guarda una cantidad limitada de respuestas por conexión y \
                cierra la que no acepta ninguna durante 30 segundos. Las tareas no se ven \
                afectadas.",
        },
    },
    Entry {
        code: Code::Draining,
        name: "draining",
        retryable: true,
        http: 503,
        exit: exit::TRY_LATER,
        en: Prose {
            message: "the server is about to stop",
            hint: "send it to another server, or again in a moment",
            explanation: "The server finishes what it has and takes nothing new. Tasks that wait \
                are kept for its next start or for other servers.",
        },
        es: Prose {
            message: "el servidor está a punto de detenerse",
            hint: "envíela a otro servidor, o de nuevo en un momento",
            explanation: "El servidor termina lo que tiene y no toma nada nuevo. Las tareas en \
                espera se guardan para su próximo inicio o para otros servidores.",
        },
    },
];
