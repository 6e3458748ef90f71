//! Roles: what a token is for.

use std::fmt;
use std::str::FromStr;

/// What a token is for. A token has one role or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Submits tasks, and follows and cancels tasks whose id it knows.
    Submit,
    /// Sees tasks, queues, workers and metrics; changes nothing.
    Read,
    /// Runs tasks: a remote worker.
    Work,
    /// All of `submit` and `read`, and sets things right: requeue, delete, pause.
    Operate,
    /// Everything, the tokens of others included.
    Admin,
}

/// A text that names no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role: submit, read, work, operate, admin")]
pub struct NotRole(pub String);

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 5] = [
        Self::Submit,
        Self::Read,
        Self::Work,
        Self::Operate,
        Self::Admin,
    ];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Read => "read",
            Self::Work => "work",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl FromStr for Role {
    type Err = NotRole;

    fn from_str(text: &str) -> Result<Self, NotRole> {
        let found = Self::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| NotRole(text.chars().take(64).collect()))
    }
}

/// A set of roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    /// None.
    pub const NONE: Self = Self(0);
    /// That of an administrator.
    pub const ADMIN: Self = Self(Role::Admin.bit());

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this role is among them, by itself.
    pub const fn contains(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// The roles, the least first.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL
            .into_iter()
            .filter(move |role| self.contains(*role))
    }

    /// From words with commas between them.
    ///
    /// # Errors
    /// Names the first word that is no role.
    pub fn parse(text: &str) -> Result<Self, NotRole> {
        let words = text
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty());
        words.map(str::parse).collect()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | role.bit()))
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, role) in self.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{}", role.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_read_back_as_they_are_written() {
        for (text, written) in [
            ("read,submit", "submit,read"),
            (" work ", "work"),
            ("admin,admin", "admin"),
            ("", ""),
        ] {
            assert_eq!(Roles::parse(text).unwrap().to_string(), written);
        }
        assert_eq!(Roles::parse("read,root"), Err(NotRole("root".to_owned())));
    }
}
