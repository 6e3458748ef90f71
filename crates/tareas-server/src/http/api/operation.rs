//! What there is to say about one operation.

use axum::routing::MethodRouter;
use tareas_engine::access::{Action, Reach};
use tareas_protocol::Code;

/// How it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::http) enum Method {
    /// Looks.
    Get,
    /// Makes or changes.
    Post,
    /// Removes.
    Delete,
}

impl Method {
    /// The word of HTTP.
    pub(in crate::http) const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A text in English and in Spanish.
pub(super) type Text = [&'static str; 2];

/// One operation: a method of a path.
#[derive(Debug)]
pub(in crate::http) struct Operation {
    /// Its name for programs that are made from the document.
    pub(super) id: &'static str,
    /// What it is about.
    pub(super) tag: &'static str,
    /// What it is, for the judge.
    pub(in crate::http) action: Action,
    /// How it is asked.
    pub(in crate::http) method: Method,
    /// Where.
    pub(in crate::http) path: &'static str,
    /// Who answers.
    pub(in crate::http) route: fn() -> MethodRouter,
    /// What it does, in a few words.
    pub(super) summary: Text,
    /// What else there is to know.
    pub(super) about: Text,
    /// Parameters of the path, the query and the header.
    pub(super) parameters: &'static [Parameter],
    /// What is sent.
    pub(super) body: Option<Body>,
    /// What comes back when all is well.
    pub(super) answers: &'static [Answer],
    /// What comes back when something is wrong, beside what is wrong everywhere.
    pub(super) codes: &'static [Code],
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    /// In the path.
    Path,
    /// Behind the `?`.
    Query,
    /// In the header.
    Header,
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) within: Within,
    pub(super) about: Text,
    /// Its JSON Schema.
    pub(super) schema: &'static str,
    /// A value that it takes.
    pub(super) example: &'static str,
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    /// Media types and the names of their schemas.
    pub(super) types: &'static [(&'static str, &'static str)],
    /// One that is taken, as JSON.
    pub(super) example: &'static str,
    /// Whether nothing may be sent as well.
    pub(super) is_optional: bool,
}

/// What comes back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) about: Text,
    pub(super) shape: Shape,
    /// Headers that it may have: name and meaning.
    pub(super) headers: &'static [(&'static str, Text)],
}

/// The form of what comes back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Nothing.
    Nothing,
    /// JSON, by the name of its schema.
    Json(&'static str),
    /// A text of this media type.
    Text(&'static str),
}

impl Operation {
    /// With nothing said: to be filled in. Until its action is named it is for administrators.
    pub(super) const BASE: Self = Self {
        id: "",
        tag: "",
        action: Action::ManageTokens,
        method: Method::Get,
        path: "",
        route: MethodRouter::new,
        summary: ["", ""],
        about: ["", ""],
        parameters: &[],
        body: None,
        answers: &[],
        codes: &[],
    };

    /// Every code that it may answer with, in order and once.
    pub(super) fn all_codes(&self) -> Vec<Code> {
        // Whoever shows something is asked who they are, also where nobody need be.
        let mut codes = vec![
            Code::ForbiddenHost,
            Code::Bug,
            Code::Unauthenticated,
            Code::TooManyFailures,
            Code::Unavailable,
        ];
        if self.action.reach() != Reach::Open {
            codes.push(Code::Forbidden);
        }
        if self
            .answers
            .iter()
            .any(|answer| answer.status != 200 || !self.is_probe())
        {
            codes.extend([Code::UnknownMember, Code::InvalidValue]);
        }
        if self.method != Method::Get {
            codes.extend([Code::CrossOrigin, Code::Draining, Code::UnknownOutcome]);
        }
        if self.method == Method::Post {
            codes.push(Code::UnsupportedMediaType);
        }
        if self.body.is_some() {
            codes.extend([
                Code::Malformed,
                Code::TooLarge,
                Code::Idle,
                Code::ConnectionLost,
            ]);
        }
        codes.extend(self.codes);
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// Whether it is for machines that only ask how things are.
    fn is_probe(&self) -> bool {
        self.tag == "probes"
    }
}

/// An answer without headers of its own.
pub(super) const fn answer(status: u16, shape: Shape, about: Text) -> Answer {
    let headers = &[];
    Answer {
        status,
        about,
        shape,
        headers,
    }
}

/// Takes a JSON body that may be left out: nothing in it is read.
pub(super) const NO_BODY: Option<Body> = Some(Body {
    types: &[("application/json", "Nothing")],
    example: "{}",
    is_optional: true,
});

/// The parameter that chooses the language of texts.
pub(super) const LANG: Parameter = Parameter {
    name: "lang",
    within: Within::Query,
    about: [
        "Language of texts, before what `Accept-Language` says",
        "Idioma de los textos, antes de lo que diga `Accept-Language`",
    ],
    schema: r#"{"type":"string","enum":["en","es"]}"#,
    example: "es",
};
