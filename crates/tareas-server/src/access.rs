//! What both faces say about access: verdicts as errors, and chance for new tokens.

use std::sync::Arc;

use tareas_engine::access::{
    Access, Action, CHANCE, Chances, CredentialKind, Denied, Object, Principal, Reach, Verdict,
};
use tareas_protocol::{Code, ErrorObject, Lang};

use crate::ServerState;

/// Who somebody is who has shown nothing.
pub(crate) fn stranger(state: &ServerState) -> Principal {
    match state.config.access {
        Some(_) => Principal::nobody(),
        None => Principal::everyone(),
    }
}

/// The access control of this server.
///
/// # Errors
/// The error to tell where it is off.
pub(crate) fn switched_on(
    state: &ServerState,
    lang: Lang,
) -> Result<&Arc<Access>, Box<ErrorObject>> {
    let access = state.config.access.as_ref();
    access.ok_or_else(|| Box::new(ErrorObject::new(Code::AccessOff, lang)))
}

/// Whether somebody may do this.
///
/// # Errors
/// The error to tell if not. A task that is not there for them is an error of the face, which
/// says the same of one that does not exist.
pub(crate) fn judge(
    principal: &Principal,
    action: Action,
    object: Object<'_>,
    lang: Lang,
) -> Result<(), Box<ErrorObject>> {
    let error = match principal.may(action, object) {
        Verdict::Allowed => return Ok(()),
        Verdict::Unauthenticated => ErrorObject::new(Code::Unauthenticated, lang),
        Verdict::Hidden => ErrorObject::new(Code::NotFound, lang),
        Verdict::Forbidden => forbidden(principal, action, object, lang),
    };
    Err(Box::new(error))
}

/// Says which role or which queue is missing.
fn forbidden(principal: &Principal, action: Action, object: Object<'_>, lang: Lang) -> ErrorObject {
    let error = ErrorObject::new(Code::Forbidden, lang);
    let (name, roles) = (action.name(), action.roles());
    if roles.iter().any(|role| principal.roles().contains(*role)) {
        return match (object, action.reach()) {
            (Object::Queue(queue), _) => error.message(match lang {
                Lang::En => format!("this token is not for the queue `{queue}`"),
                Lang::Es => format!("este token no es para la cola `{queue}`"),
            }),
            (Object::Unnamed, Reach::Whole) => error.message(match lang {
                Lang::En => {
                    format!("`{name}` is about all queues, and this token is for some of them")
                }
                Lang::Es => {
                    format!("`{name}` trata de todas las colas, y este token es para algunas")
                }
            }),
            (Object::Unnamed, _) => error,
        };
    }
    let needed: Vec<&str> = roles.iter().map(|role| role.name()).collect();
    let needed = needed.join(", ");
    error.message(match lang {
        Lang::En => format!("this token may not do `{name}`: it needs one of the roles {needed}"),
        Lang::Es => format!("este token no permite `{name}`: necesita uno de los roles {needed}"),
    })
}

/// Why a token was not taken.
pub(crate) fn denied(denied: &Denied, lang: Lang) -> ErrorObject {
    match denied {
        Denied::NotValid => ErrorObject::new(Code::Unauthenticated, lang)
            .message(lang.pick("the token is not valid", "el token no es válido")),
        Denied::TooOften { wait } => {
            let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            ErrorObject::new(Code::TooManyFailures, lang).retry_after(wait)
        }
        Denied::Full => ErrorObject::new(Code::Overloaded, lang).message(lang.pick(
            "there are too many tokens and sessions",
            "hay demasiados tokens y sesiones",
        )),
        Denied::TooMuch => ErrorObject::new(Code::Forbidden, lang).message(lang.pick(
            "a token cannot be given queues that its maker does not have",
            "no se puede dar a un token colas que no tiene quien lo crea",
        )),
        Denied::Store(error) => {
            tracing::warn!(%error, "the store of tokens does not answer");
            ErrorObject::new(Code::Unavailable, lang)
        }
    }
}

/// The bearer of a token that was shown.
pub(crate) async fn authenticate(
    access: &Access,
    text: &str,
    kind: CredentialKind,
    peer: std::net::IpAddr,
    lang: Lang,
) -> Result<Principal, Box<ErrorObject>> {
    let shown = access.authenticate(text, kind, peer).await;
    shown.map_err(|reason| {
        tracing::info!(%peer, reason = %reason, kind = kind.name(), "a token was not taken");
        Box::new(denied(&reason, lang))
    })
}

/// Chance for one token.
///
/// # Errors
/// When the system has none: then no token is made.
pub(crate) fn chances(lang: Lang) -> Result<Chances, Box<ErrorObject>> {
    let mut bytes = [0; CHANCE * 4];
    let filled = getrandom::fill(&mut bytes);
    filled.map_err(|_| Box::new(ErrorObject::new(Code::Bug, lang)))?;
    let four = |at: usize| [0, 1, 2, 3].map(|offset| bytes[at * 4 + offset]);
    Ok(std::array::from_fn(|at| u32::from_ne_bytes(four(at))))
}
