//! 20xx: how server and worker speak.

use super::super::{Code, Entry, Prose, exit};

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        code: Code::Stale,
        name: "stale",
        retryable: false,
        http: 409,
        exit: exit::CONFLICT,
        en: Prose {
            message: "the attempt no longer belongs to this worker",
            hint: "drop the attempt; somebody else has it, or it has ended",
            explanation: "A worker may settle an attempt as long as it holds its lease. This one's \
                lease has run out or was taken over, so what it says is not recorded and the later \
                attempt counts.",
        },
        es: Prose {
            message: "el intento ya no es de este trabajador",
            hint: "abandone el intento; lo tiene otro, o ya terminó",
            explanation: "Un trabajador puede cerrar un intento mientras tenga su concesión. La de \
                este venció o pasó a otro, así que lo que diga no se registra y cuenta el intento \
                posterior.",
        },
    },
    Entry {
        code: Code::Unsupported,
        name: "unsupported",
        retryable: false,
        http: 501,
        exit: exit::REFUSED,
        en: Prose {
            message: "this server does not do that",
            hint: "use a newer server, or ask `{\"cmd\":\"hello\"}` for its features",
            explanation: "The request is known to the protocol, but not to this server: it is of \
                another version, or was built or configured without it.",
        },
        es: Prose {
            message: "este servidor no hace eso",
            hint: "use un servidor más nuevo, o pregunte sus características con \
                `{\"cmd\":\"hello\"}`",
            explanation: "La petición existe en el protocolo, pero no en este servidor: es de otra \
                versión, o se compiló o configuró sin ella.",
        },
    },
    Entry {
        code: Code::SessionLost,
        name: "session_lost",
        retryable: true,
        http: 409,
        exit: exit::CONFLICT,
        en: Prose {
            message: "this connection has no session, or it was given up",
            hint: "say `work` first; after a silence connect again with `resume` and `holding`",
            explanation: "A worker speaks within a session that `work` opens. One that says \
                nothing for longer than the session lives is taken for dead: its attempts are \
                taken back, and what it still says of them is stale.",
        },
        es: Prose {
            message: "esta conexión no tiene sesión, o se dio por perdida",
            hint: "diga primero `work`; tras un silencio reconecte con `resume` y `holding`",
            explanation: "Un trabajador habla dentro de una sesión que abre `work`. Al que calla \
                más tiempo del que vive la sesión se le da por muerto: se le quitan sus intentos, \
                y lo que aún diga de ellos ya no cuenta.",
        },
    },
];
