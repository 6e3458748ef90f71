//! 30xx: how a task ended.

use super::super::{Code, Entry, Prose, exit};

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        code: Code::HandlerFailed,
        name: "handler_failed",
        retryable: true,
        http: 409,
        exit: exit::TASK_FAILED,
        en: Prose {
            message: "the handler failed",
            hint: "read the message of the handler and the log of the attempt; `tareas requeue ID` \
                tries again",
            explanation: "The handler returned an error, ended with another exit code than 0, or \
                panicked. It is tried again after a pause while attempts are left.",
        },
        es: Prose {
            message: "el proceso de la tarea falló",
            hint: "lea su mensaje y el registro del intento; `tareas requeue ID` lo intenta de \
                nuevo",
            explanation: "Quien ejecuta la tarea devolvió un error, terminó con un código distinto \
                de 0 o se interrumpió. Se intenta de nuevo tras una pausa mientras queden \
                intentos.",
        },
    },
    Entry {
        code: Code::Timeout,
        name: "timeout",
        retryable: true,
        http: 409,
        exit: exit::TASK_FAILED,
        en: Prose {
            message: "the attempt took too long",
            hint: "raise `timeout_ms`, or make the task smaller",
            explanation: "An attempt has a limit, five minutes if nothing else is said. Beyond it \
                the handler is told to stop and then made to.",
        },
        es: Prose {
            message: "el intento tardó demasiado",
            hint: "suba `timeout_ms`, o haga la tarea más pequeña",
            explanation: "Un intento tiene un límite, cinco minutos si no se dice otra cosa. \
                Pasado este, se pide al proceso que pare y luego se le obliga.",
        },
    },
    Entry {
        code: Code::Poison,
        name: "poison",
        retryable: false,
        http: 409,
        exit: exit::TASK_FAILED,
        en: Prose {
            message: "the task brought its worker down too often",
            hint: "look at the memory and the log of the workers before `tareas requeue ID`",
            explanation: "Three times the worker that ran this task was lost while it ran. It is \
                set aside, so that it does not take down one worker after the other.",
        },
        es: Prose {
            message: "la tarea derribó a su trabajador demasiadas veces",
            hint: "mire la memoria y el registro de los trabajadores antes de `tareas requeue ID`",
            explanation: "Tres veces se perdió el trabajador que ejecutaba esta tarea. Se aparta \
                para que no derribe un trabajador tras otro.",
        },
    },
    Entry {
        code: Code::Rejected,
        name: "rejected",
        retryable: false,
        http: 409,
        exit: exit::TASK_FAILED,
        en: Prose {
            message: "the handler refused the task",
            hint: "correct the payload and submit a new task",
            explanation: "The handler said that trying again cannot help: the input is wrong, or \
                what it asks for is not defined, like a division by zero.",
        },
        es: Prose {
            message: "quien ejecuta la tarea la rechazó",
            hint: "corrija los datos y envíe una tarea nueva",
            explanation: "Quien ejecuta la tarea dijo que repetirla no ayuda: la entrada está mal, \
                o lo que pide no está definido, como dividir entre cero.",
        },
    },
    Entry {
        code: Code::AttemptsExhausted,
        name: "attempts_exhausted",
        retryable: false,
        http: 409,
        exit: exit::TASK_FAILED,
        en: Prose {
            message: "every attempt has failed",
            hint: "read why the last attempt failed; `tareas requeue ID` gives it new attempts",
            explanation: "The task was tried as often as it may be, five times if nothing else is \
                said. It is kept for a person to look at.",
        },
        es: Prose {
            message: "todos los intentos han fallado",
            hint: "lea por qué falló el último; `tareas requeue ID` le da intentos nuevos",
            explanation: "La tarea se intentó tantas veces como se permite, cinco si no se dice \
                otra cosa. Se conserva para que alguien la mire.",
        },
    },
    Entry {
        code: Code::Expired,
        name: "expired",
        retryable: false,
        http: 409,
        exit: exit::CANCELLED,
        en: Prose {
            message: "the task was not started in time",
            hint: "submit it with a later `expires_at`, or add workers",
            explanation: "The task said until when it makes sense to start it, and no worker was \
                free before then.",
        },
        es: Prose {
            message: "la tarea no empezó a tiempo",
            hint: "envíela con un `expires_at` posterior, o añada trabajadores",
            explanation: "La tarea decía hasta cuándo tiene sentido empezarla, y ningún trabajador \
                quedó libre antes.",
        },
    },
    Entry {
        code: Code::Cancelled,
        name: "cancelled",
        retryable: false,
        http: 409,
        exit: exit::CANCELLED,
        en: Prose {
            message: "the task was cancelled",
            hint: "submit it again if it is still wanted",
            explanation: "A client or an operator asked for it to be given up. A task that was \
                running has been told to stop.",
        },
        es: Prose {
            message: "la tarea fue cancelada",
            hint: "envíela de nuevo si aún hace falta",
            explanation: "Un cliente o un operador pidió abandonarla. A una tarea en marcha se le \
                dijo que parara.",
        },
    },
];
