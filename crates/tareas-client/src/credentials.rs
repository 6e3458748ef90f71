//! What a client shows of itself, and whom it believes.

use std::fmt;
use std::path::PathBuf;

use tareas_protocol::json::append_string;

/// A secret that does not show itself in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret. Blanks around it, such as the newline at the end of a file, are no part of it.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// What a client shows of itself, and whom it believes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The token that it shows with every connection and request.
    pub token: Option<Secret>,
    /// With TLS: a PEM file with the certificates that it trusts; those of the system if not said.
    pub trusted: Option<PathBuf>,
}

impl Credentials {
    /// Appends the line that shows the token, if there is one.
    pub(crate) fn append_auth(&self, line: &mut Vec<u8>) {
        if let Some(token) = &self.token {
            line.extend_from_slice(b"{\"cmd\":\"auth\",\"token\":");
            append_string(line, token.reveal());
            line.extend_from_slice(b"}\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_shown_to_the_server_and_to_nobody_else() {
        let credentials = Credentials {
            token: Some(Secret::new("tr_\"x\"\n")),
            trusted: None,
        };
        let mut line = Vec::new();
        credentials.append_auth(&mut line);
        assert_eq!(line, b"{\"cmd\":\"auth\",\"token\":\"tr_\\\"x\\\"\"}\n");
        assert!(!format!("{credentials:?}").contains("tr_"));
        line.clear();
        Credentials::default().append_auth(&mut line);
        assert!(line.is_empty());
    }
}
