//! The judge, and its rules as a table.

use std::fmt::Write;

use tareas_core::QueueName;

use super::principal::Life;
use super::{Action, CredentialId, Principal, QueueScope, Reach, Role, Roles};

/// What an action is about.
#[derive(Clone, Copy, Debug)]
pub enum Object<'a> {
    /// It is not known yet, or there is none. Whether the role is enough is judged; a queue is
    /// judged later, by another call.
    Unnamed,
    /// This queue, or a task of it.
    Queue(&'a QueueName),
}

/// What the judge says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Allowed,
    /// A token is needed.
    Unauthenticated,
    /// The token does not allow this.
    Forbidden,
    /// There is no such task, as far as this token knows.
    Hidden,
}

/// Whether `principal` may do `action` to `object`. What is not allowed somewhere is refused.
pub fn authorize(principal: &Principal, action: Action, object: Object<'_>) -> Verdict {
    if principal.is_everyone() || action.reach() == Reach::Open {
        return Verdict::Allowed;
    }
    if principal.is_nobody() || principal.has_ended() {
        return Verdict::Unauthenticated;
    }
    let roles = principal.roles();
    if !action.roles().iter().any(|role| roles.contains(*role)) {
        return Verdict::Forbidden;
    }
    match (action.reach(), object) {
        (Reach::Open | Reach::Server | Reach::Share, _) => Verdict::Allowed,
        (Reach::Whole, _) if principal.sees_every_queue() => Verdict::Allowed,
        (Reach::Whole, _) => Verdict::Forbidden,
        (Reach::Task | Reach::Queue, Object::Unnamed) => Verdict::Allowed,
        (Reach::Task | Reach::Queue, Object::Queue(queue)) if principal.sees(queue) => {
            Verdict::Allowed
        }
        (Reach::Task, Object::Queue(_)) => Verdict::Hidden,
        (Reach::Queue, Object::Queue(_)) => Verdict::Forbidden,
    }
}

/// The rules as they are, as a table of Markdown: every action, every role, in a queue of the
/// token and in another one.
pub fn rules() -> String {
    let (own, foreign) = (QueueName::new("mail"), QueueName::new("pay"));
    let (Ok(own), Ok(foreign)) = (own, foreign) else {
        return String::new();
    };
    let mut table = String::from("| action | no token |");
    let mut line = String::from("|---|---|");
    for role in Role::ALL {
        table += &format!(" {} |", role.name());
        line += "---|";
    }
    table = format!("{table}\n{line}\n");
    for action in Action::ALL {
        let nobody = authorize(&Principal::nobody(), *action, Object::Queue(&own));
        // Writing to a string does not fail.
        let _ = write!(table, "| `{}` | {} |", action.name(), word(nobody));
        for role in Role::ALL {
            let cell = cell(*action, role, &own, &foreign);
            let _ = write!(table, " {cell} |");
        }
        table.push('\n');
    }
    table
}

/// What a token with this role and the queues `mail` is told about its own queue, and about
/// another one where that differs.
fn cell(action: Action, role: Role, own: &QueueName, foreign: &QueueName) -> String {
    let whole = token(role, QueueScope::every());
    let limited = token(
        role,
        QueueScope::parse(own.as_str()).unwrap_or(QueueScope::none()),
    );
    let (inside, outside) = match action.reach() {
        Reach::Whole => (
            authorize(&whole, action, Object::Unnamed),
            authorize(&limited, action, Object::Unnamed),
        ),
        _ => (
            authorize(&limited, action, Object::Queue(own)),
            authorize(&limited, action, Object::Queue(foreign)),
        ),
    };
    match inside == outside {
        true => word(inside).to_owned(),
        false => format!("{} / {}", word(inside), word(outside)),
    }
}

fn token(role: Role, queues: QueueScope) -> Principal {
    let roles = Roles::from_iter([role]);
    Principal::bearer(
        CredentialId::default(),
        "".into(),
        roles,
        queues,
        Life::default(),
    )
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allowed => "yes",
        Verdict::Unauthenticated => "401",
        Verdict::Forbidden => "403",
        Verdict::Hidden => "404",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_without_roles_may_do_nothing() {
        let life = Life::default();
        let none = Principal::bearer(
            CredentialId::default(),
            "x".into(),
            Roles::NONE,
            QueueScope::every(),
            life,
        );
        for action in Action::ALL.iter().filter(|a| a.reach() != Reach::Open) {
            assert_eq!(none.may(*action, Object::Unnamed), Verdict::Forbidden);
        }
    }

    #[test]
    fn a_token_that_has_ended_is_no_token() {
        let life = Life::default();
        let admin = Principal::bearer(
            CredentialId::default(),
            "x".into(),
            Roles::ADMIN,
            QueueScope::every(),
            life.clone(),
        );
        assert_eq!(
            admin.may(Action::ReadAudit, Object::Unnamed),
            Verdict::Allowed
        );
        life.end();
        let verdict = admin.may(Action::ReadAudit, Object::Unnamed);
        assert_eq!(verdict, Verdict::Unauthenticated);
    }

    #[test]
    fn the_rules_are_those_of_the_documentation() {
        let page = include_str!("../../../../docs/access.md");
        let rules = rules();
        assert!(
            page.contains(&rules),
            "docs/access.md should have this table:\n\n{rules}"
        );
    }
}
