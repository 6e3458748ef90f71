//! 12xx: what was asked for.

use super::super::{Code, Entry, Prose, exit};

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        code: Code::Malformed,
        name: "malformed",
        retryable: false,
        http: 400,
        exit: exit::REFUSED,
        en: Prose {
            message: "the request is not valid",
            hint: "a JSON task looks like `{\"op\":\"square\",\"n\":5}`, a text task like `square \
                5`",
            explanation: "The line or body is not UTF-8, not valid JSON, nested deeper than 64, \
                has more than 10,000 keys, or a member stands twice. The connection goes on with \
                the next line.",
        },
        es: Prose {
            message: "la petición no es válida",
            hint: "una tarea en JSON tiene la forma `{\"op\":\"square\",\"n\":5}`, en texto \
                `square 5`",
            explanation: "La línea o el cuerpo no es UTF-8, no es JSON válido, anida más de 64 \
                niveles, tiene más de 10 000 claves o repite un miembro. La conexión continúa con \
                la línea siguiente.",
        },
    },
    Entry {
        code: Code::UnknownMember,
        name: "unknown_member",
        retryable: false,
        http: 400,
        exit: exit::REFUSED,
        en: Prose {
            message: "the request has a member that does not exist",
            hint: "see docs/protocol.md for the members of each command",
            explanation: "Unknown members are refused rather than ignored, since a mistyped option \
                that is ignored does harm unseen. In the short form, with `op`, every other member \
                belongs to the payload and none is unknown.",
        },
        es: Prose {
            message: "la petición tiene un miembro que no existe",
            hint: "vea en docs/protocol.md los miembros de cada orden",
            explanation: "Los miembros desconocidos se rechazan en vez de ignorarse, porque una \
                opción mal escrita que se ignora hace daño sin que se vea. En la forma corta, con \
                `op`, todos los demás miembros son parte de los datos y ninguno es desconocido.",
        },
    },
    Entry {
        code: Code::InvalidPayload,
        name: "invalid_payload",
        retryable: false,
        http: 422,
        exit: exit::REFUSED,
        en: Prose {
            message: "the payload does not fit the kind",
            hint: "`help` shows an example of each kind",
            explanation: "The kind has declared what its payload must look like, and this one does \
                not. The task was not accepted.",
        },
        es: Prose {
            message: "los datos no corresponden al tipo",
            hint: "`ayuda` muestra un ejemplo de cada tipo",
            explanation: "El tipo ha declarado qué forma deben tener sus datos, y estos no la \
                tienen. La tarea no fue aceptada.",
        },
    },
    Entry {
        code: Code::UnknownKind,
        name: "unknown_kind",
        retryable: false,
        http: 422,
        exit: exit::REFUSED,
        en: Prose {
            message: "there is no such kind",
            hint: "`help` lists the kinds; with `unknown_kinds = \"accept\"` a task waits for a \
                worker that knows its kind",
            explanation: "A kind is known when it is built in, configured, or was ever announced \
                by a worker. Refusing the others at once finds a mistyped name sooner than a task \
                that waits for ever.",
        },
        es: Prose {
            message: "no existe ese tipo",
            hint: "`ayuda` enumera los tipos; con `unknown_kinds = \"accept\"` una tarea espera a \
                un trabajador que conozca su tipo",
            explanation: "Un tipo se conoce cuando viene incluido, está configurado o alguna vez \
                lo anunció un trabajador. Rechazar los demás enseguida descubre un nombre mal \
                escrito antes que una tarea que espera para siempre.",
        },
    },
    Entry {
        code: Code::TooLarge,
        name: "too_large",
        retryable: false,
        http: 413,
        exit: exit::REFUSED,
        en: Prose {
            message: "the request is larger than allowed",
            hint: "split it, or put large data where the handler can fetch it",
            explanation: "A line may have 1 MiB, a batch and an HTTP body 8 MiB, a batch 10,000 \
                tasks. The rest of an oversize line is thrown away and the connection goes on, \
                unless the line exceeds 16 MiB.",
        },
        es: Prose {
            message: "la petición es mayor de lo permitido",
            hint: "divídala, o deje los datos grandes donde quien los procesa pueda leerlos",
            explanation: "Una línea puede tener 1 MiB, un lote y un cuerpo HTTP 8 MiB, un lote 10 \
                000 tareas. El resto de una línea demasiado larga se descarta y la conexión \
                continúa, salvo que pase de 16 MiB.",
        },
    },
    Entry {
        code: Code::IdempotencyMismatch,
        name: "idempotency_mismatch",
        retryable: false,
        http: 422,
        exit: exit::CONFLICT,
        en: Prose {
            message: "the same idempotency key was used for another task",
            hint: "use a new key for a new task, or send exactly the same task again",
            explanation: "Two submissions under one key are one task, so they must say the same. \
                Otherwise one of them would silently be lost.",
        },
        es: Prose {
            message: "la misma clave de idempotencia se usó para otra tarea",
            hint: "use una clave nueva para una tarea nueva, o envíe exactamente la misma tarea",
            explanation: "Dos envíos con una misma clave son una sola tarea, así que deben decir \
                lo mismo. Si no, uno de ellos se perdería en silencio.",
        },
    },
    Entry {
        code: Code::NotFound,
        name: "not_found",
        retryable: false,
        http: 404,
        exit: exit::REFUSED,
        en: Prose {
            message: "there is no such thing",
            hint: "check the id; finished tasks are removed after their retention, seven days by \
                default",
            explanation: "No task, queue or worker has this name: it never existed, has been \
                pruned after its retention, or belongs to a queue that this token may not see.",
        },
        es: Prose {
            message: "no existe",
            hint: "compruebe el id; las tareas terminadas se borran al cumplirse su retención, \
                siete días si no se dice otra cosa",
            explanation: "Ninguna tarea, cola o trabajador tiene ese nombre: nunca existió, se \
                borró al cumplirse su retención o está en una cola que este token no puede ver.",
        },
    },
    Entry {
        code: Code::UnknownCommand,
        name: "unknown_command",
        retryable: false,
        http: 400,
        exit: exit::REFUSED,
        en: Prose {
            message: "there is no such command",
            hint: "the commands are submit, batch, status, result, wait, cancel, requeue, ping, \
                hello and auth",
            explanation: "A JSON line has either `op`, then it is a task in the short form, or \
                `cmd`, then it is the command of that name.",
        },
        es: Prose {
            message: "no existe esa orden",
            hint: "las órdenes son submit, batch, status, result, wait, cancel, requeue, ping, \
                hello y auth",
            explanation: "Una línea JSON tiene `op`, y entonces es una tarea en forma corta, o \
                `cmd`, y entonces es la orden de ese nombre.",
        },
    },
    Entry {
        code: Code::InvalidValue,
        name: "invalid_value",
        retryable: false,
        http: 422,
        exit: exit::REFUSED,
        en: Prose {
            message: "a value is of the wrong type or out of range",
            hint: "`pointer` says which member it is",
            explanation: "An option is missing, is of the wrong type, is beyond its limits, or \
                contradicts another one. The request was refused as a whole; nothing of it was \
                done.",
        },
        es: Prose {
            message: "un valor es de otro tipo o está fuera de rango",
            hint: "`pointer` dice qué miembro es",
            explanation: "Una opción falta, es de otro tipo, pasa de sus límites o contradice a \
                otra. La petición se rechazó entera; no se hizo nada de ella.",
        },
    },
    Entry {
        code: Code::Conflict,
        name: "conflict",
        retryable: false,
        http: 409,
        exit: exit::CONFLICT,
        en: Prose {
            message: "the present state does not allow that",
            hint: "ask for the status of the task first",
            explanation: "The action fits another state: a task that has ended cannot be \
                cancelled, one that has not failed cannot be requeued, one that has not ended \
                cannot be removed.",
        },
        es: Prose {
            message: "el estado actual no lo permite",
            hint: "pregunte antes por el estado de la tarea",
            explanation: "La acción corresponde a otro estado: una tarea terminada no se cancela, \
                una que no ha fallado no se vuelve a encolar, una que no ha terminado no se borra.",
        },
    },
    Entry {
        code: Code::IdWindow,
        name: "id_window",
        retryable: false,
        http: 422,
        exit: exit::REFUSED,
        en: Prose {
            message: "the task id is outside its window",
            hint: "make a fresh UUIDv7 for each task, or put an identity of your own into \
                `idempotency_key`",
            explanation: "A client may make the id of a task, as a UUIDv7 of the last 24 hours. \
                Within that window ids are remembered for certain, so that sending twice makes one \
                task.",
        },
        es: Prose {
            message: "el id de la tarea está fuera de su ventana",
            hint: "cree un UUIDv7 nuevo para cada tarea, o ponga su propia identidad en \
                `idempotency_key`",
            explanation: "Un cliente puede crear el id de una tarea, como UUIDv7 de las últimas 24 \
                horas. Dentro de esa ventana los ids se recuerdan con certeza, y enviar dos veces \
                crea una sola tarea.",
        },
    },
    Entry {
        code: Code::NotFinished,
        name: "not_finished",
        retryable: true,
        http: 409,
        exit: exit::CONFLICT,
        en: Prose {
            message: "the task has not ended",
            hint: "wait for it with `tareas wait ID` or `{\"cmd\":\"wait\",\"task_id\":\"…\"}`",
            explanation: "A result exists when its task has succeeded, not before.",
        },
        es: Prose {
            message: "la tarea no ha terminado",
            hint: "espérela con `tareas wait ID` o `{\"cmd\":\"wait\",\"task_id\":\"…\"}`",
            explanation: "Un resultado existe cuando su tarea ha terminado bien, no antes.",
        },
    },
    Entry {
        code: Code::UnsupportedMediaType,
        name: "unsupported_media_type",
        retryable: false,
        http: 415,
        exit: exit::REFUSED,
        en: Prose {
            message: "the body is not of a type that is taken here",
            hint: "send `Content-Type: application/json`",
            explanation: "Requests that change something carry JSON and say so. A form of a \
                foreign page cannot, which keeps such pages from acting on a server on loopback.",
        },
        es: Prose {
            message: "el cuerpo no es de un tipo admitido",
            hint: "envíe `Content-Type: application/json`",
            explanation: "Las peticiones que cambian algo llevan JSON y lo dicen. El formulario de \
                una página ajena no puede, y así tales páginas no actúan sobre un servidor local.",
        },
    },
    Entry {
        code: Code::MethodNotAllowed,
        name: "method_not_allowed",
        retryable: false,
        http: 405,
        exit: exit::REFUSED,
        en: Prose {
            message: "this resource does not have that method",
            hint: "see `/openapi.json` for the methods of each resource",
            explanation: "The path exists, but not with this HTTP method; the header `Allow` names \
                those it has.",
        },
        es: Prose {
            message: "este recurso no tiene ese método",
            hint: "vea en `/openapi.json` los métodos de cada recurso",
            explanation: "La ruta existe, pero no con este método HTTP; la cabecera `Allow` dice \
                cuáles tiene.",
        },
    },
    Entry {
        code: Code::UpgradeRequired,
        name: "upgrade_required",
        retryable: false,
        http: 426,
        exit: exit::REFUSED,
        en: Prose {
            message: "a WebSocket is opened here, over HTTP/1.1",
            hint: "open it with `new WebSocket(\"ws://HOST:PORT/v1/socket\")`, or have the proxy in \
                between pass on `Connection` and `Upgrade`",
            explanation: "The path carries lines over a WebSocket (RFC 6455, version 13). A request \
                without its headers has nothing to become one.",
        },
        es: Prose {
            message: "aquí se abre un WebSocket, sobre HTTP/1.1",
            hint: "ábralo con `new WebSocket(\"ws://HOST:PUERTO/v1/socket\")`, o haga que el proxy \
                intermedio pase `Connection` y `Upgrade`",
            explanation: "Esta ruta lleva líneas sobre un WebSocket (RFC 6455, versión 13). Una \
                petición sin sus cabeceras no puede convertirse en uno.",
        },
    },
    Entry {
        code: Code::Changed,
        name: "changed",
        retryable: false,
        http: 412,
        exit: exit::CONFLICT,
        en: Prose {
            message: "the task has changed since it was looked at",
            hint: "look at it again, and decide anew: its `ETag` is its version",
            explanation: "The request said `If-Match` with the version of the task that it was meant \
                for, and the task has another one by now. Nothing was done.",
        },
        es: Prose {
            message: "la tarea ha cambiado desde que se miró",
            hint: "mírela otra vez y decida de nuevo: su `ETag` es su versión",
            explanation: "La petición decía con `If-Match` para qué versión de la tarea era, y la \
                tarea ya tiene otra. No se hizo nada.",
        },
    },
];
