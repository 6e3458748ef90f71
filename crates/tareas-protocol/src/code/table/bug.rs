//! 90xx: what should not happen.

use super::super::{Code, Entry, Prose, exit};

pub(super) static ENTRIES: &[Entry] = &[Entry {
    code: Code::Bug,
    name: "bug",
    retryable: true,
    http: 500,
    exit: exit::BUG,
    en: Prose {
        message: "something went wrong inside tareas",
        hint: "please report it with the log around this moment",
        explanation: "This should not have happened and is not the fault of the request. \
                Accepted tasks are not affected by the failure of one request.",
    },
    es: Prose {
        message: "algo falló dentro de tareas",
        hint: "por favor, comuníquelo con el registro de ese momento",
        explanation: "Esto no debía ocurrir y no es culpa de la petición. El fallo de una \
                petición no afecta a las tareas aceptadas.",
    },
}];
