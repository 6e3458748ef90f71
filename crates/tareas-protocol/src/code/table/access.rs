//! 11xx: who may do what.

use super::super::{Code, Entry, Prose, exit};

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        code: Code::Unauthenticated,
        name: "unauthenticated",
        retryable: false,
        http: 401,
        exit: exit::ACCESS,
        en: Prose {
            message: "login is needed",
            hint: "give a token: `--token-file FILE`, the variable `TAREAS_TOKEN`, or the line \
                `auth TOKEN`",
            explanation: "Access control is on and this connection has not shown a valid token. An \
                unknown, a revoked and an expired token get the same answer.",
        },
        es: Prose {
            message: "hay que identificarse",
            hint: "dé un token: `--token-file ARCHIVO`, la variable `TAREAS_TOKEN`, o la línea \
                `auth TOKEN`",
            explanation: "El control de acceso está activo y esta conexión no ha mostrado un token \
                válido. Un token desconocido, revocado o caducado recibe la misma respuesta.",
        },
    },
    Entry {
        code: Code::Forbidden,
        name: "forbidden",
        retryable: false,
        http: 403,
        exit: exit::ACCESS,
        en: Prose {
            message: "this token may not do that",
            hint: "ask whoever runs the server for a token with the role that is needed",
            explanation: "The token is valid, but its roles or its queues do not include this \
                action. Tasks of queues that a token may not see are answered as if they did not \
                exist.",
        },
        es: Prose {
            message: "este token no permite hacer eso",
            hint: "pida a quien administra el servidor un token con el rol necesario",
            explanation: "El token es válido, pero sus roles o sus colas no incluyen esta acción. \
                Las tareas de colas que un token no puede ver se responden como si no existieran.",
        },
    },
    Entry {
        code: Code::ForbiddenHost,
        name: "forbidden_host",
        retryable: false,
        http: 403,
        exit: exit::ACCESS,
        en: Prose {
            message: "the request names a host that this server is not",
            hint: "use the address of the server, or set `public_url` to the name by which it is \
                reached",
            explanation: "A browser sends the name it was led to. Names that the server does not \
                know are refused, so that no foreign page can reach a server on loopback through a \
                name of its own (DNS rebinding).",
        },
        es: Prose {
            message: "la petición nombra un host que no es este servidor",
            hint: "use la dirección del servidor, o ponga en `public_url` el nombre con que se \
                llega a él",
            explanation: "Un navegador envía el nombre al que fue llevado. Los nombres que el \
                servidor no conoce se rechazan, para que ninguna página ajena llegue a un servidor \
                local con un nombre propio (DNS rebinding).",
        },
    },
    Entry {
        code: Code::CrossOrigin,
        name: "cross_origin",
        retryable: false,
        http: 403,
        exit: exit::ACCESS,
        en: Prose {
            message: "the request comes from a page of another origin",
            hint: "send it from a page of this server, or from a program that sends no `Origin`",
            explanation: "Requests that change something are taken from pages of this server \
                alone. There is no CORS: a page elsewhere cannot act in the name of whoever looks \
                at it.",
        },
        es: Prose {
            message: "la petición viene de una página de otro origen",
            hint: "envíela desde una página de este servidor, o desde un programa que no envíe \
                `Origin`",
            explanation: "Las peticiones que cambian algo se aceptan solo de páginas de este \
                servidor. No hay CORS: una página ajena no puede actuar en nombre de quien la \
                mira.",
        },
    },
    Entry {
        code: Code::TooManyFailures,
        name: "too_many_failures",
        retryable: true,
        http: 429,
        exit: exit::ACCESS,
        en: Prose {
            message: "too many wrong tokens came from this address",
            hint: "wait as long as `retry_after_ms` says, and check the token",
            explanation: "An address may show twenty wrong tokens in a minute. Beyond that every \
                further one is answered so for the rest of the minute; a token that is right is \
                taken all the same. This machine itself is exempt.",
        },
        es: Prose {
            message: "llegaron demasiados tokens equivocados desde esta dirección",
            hint: "espere lo que dice `retry_after_ms` y revise el token",
            explanation: "Una dirección puede mostrar veinte tokens equivocados por minuto. Más \
                allá cada uno más recibe esta respuesta durante el resto del minuto; un token \
                correcto se acepta igualmente. Esta máquina está exenta.",
        },
    },
    Entry {
        code: Code::AccessOff,
        name: "access_off",
        retryable: false,
        http: 409,
        exit: exit::CONFLICT,
        en: Prose {
            message: "this server runs without access control",
            hint: "start it with `--access`; until then go on without a token",
            explanation: "Tokens are made, listed and checked by a server with access control. \
                Without it, anybody who reaches the server may do everything, and it listens to \
                this machine alone.",
        },
        es: Prose {
            message: "este servidor funciona sin control de acceso",
            hint: "inícielo con `--access`; mientras tanto siga sin token",
            explanation: "Los tokens los crea, lista y comprueba un servidor con control de \
                acceso. Sin él, cualquiera que llegue al servidor puede hacerlo todo, y solo \
                escucha a esta máquina.",
        },
    },
];
