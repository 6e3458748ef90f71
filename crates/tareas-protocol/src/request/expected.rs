//! What the value of a member should be, to be said when it is something else.

use crate::limits::{
    HOLDING_MAX, METADATA_BYTES_MAX, METADATA_ENTRIES_MAX, NAME_BYTES_MAX, REF_BYTES_MAX,
    REQUIRES_MAX, TRACESTATE_BYTES_MAX,
};

/// What the value of a member should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expected {
    /// A string.
    Text,
    /// A string of limited length.
    TextWithin {
        /// Longest, in bytes.
        bytes_max: usize,
    },
    /// A name, see [`is_name`](super::is_name).
    Name,
    /// An integer within bounds.
    Integer {
        /// Lowest.
        min: u64,
        /// Highest.
        max: u64,
    },
    /// A number within bounds.
    Number {
        /// Lowest.
        min: f64,
        /// Highest.
        max: f64,
    },
    /// `true` or `false`.
    Boolean,
    /// An object, without members that stand twice.
    Object,
    /// An array.
    Array,
    /// The text of a UUID.
    TaskId,
    /// RFC 3339 or milliseconds since 1970.
    Instant,
    /// A short string or number, to be echoed.
    Reference,
    /// A small object of strings.
    Metadata,
    /// A short array of names.
    Labels,
    /// A bounded array of names.
    Names {
        /// How many.
        most: usize,
    },
    /// What an assignment was given with.
    Lease,
    /// The span of a trace.
    TraceParent,
    /// What tracing systems add to it.
    TraceState,
    /// The attempts that a worker holds.
    Holding,
    /// `"submit"`, the one command of a body.
    SubmitCommand,
    /// A command about one attempt.
    ReportCommand,
}

impl Expected {
    pub(super) fn in_english(self) -> String {
        match self {
            Self::Text => "a string".to_owned(),
            Self::TextWithin { bytes_max } => format!("a string of at most {bytes_max} bytes"),
            Self::Name => format!("a name of 1 to {NAME_BYTES_MAX} of A-Z a-z 0-9 . _ : -"),
            Self::Integer { min, max } => format!("an integer from {min} to {max}"),
            Self::Number { min, max } => format!("a number from {min} to {max}"),
            Self::Boolean => "true or false".to_owned(),
            Self::Object => "an object in which no member stands twice".to_owned(),
            Self::Array => "an array".to_owned(),
            Self::TaskId => "a UUID such as 019abcde-f012-7345-8678-9abcdef012ff".to_owned(),
            Self::Instant => {
                "a time such as 2026-11-21T08:30:00Z, or milliseconds since 1970".to_owned()
            }
            Self::Reference => format!("a string or number of at most {REF_BYTES_MAX} bytes"),
            Self::Metadata => format!(
                "an object of at most {METADATA_ENTRIES_MAX} strings of at most \
                 {METADATA_BYTES_MAX} bytes"
            ),
            Self::Labels => format!("an array of at most {REQUIRES_MAX} names"),
            Self::Names { most } => format!("an array of at most {most} names"),
            Self::TraceParent => {
                "a traceparent such as 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
                    .to_owned()
            }
            Self::TraceState => {
                format!("printable ASCII of at most {TRACESTATE_BYTES_MAX} bytes")
            }
            Self::Lease => "the lease of the assignment: 32 hexadecimal digits".to_owned(),
            Self::Holding => {
                format!("an array of at most {HOLDING_MAX} [task_id, attempt, lease]")
            }
            Self::SubmitCommand => "\"submit\" here, or left out".to_owned(),
            Self::ReportCommand => {
                "one of \"done\", \"fail\", \"release\", \"progress\", \"log\", \"output\", \
                 \"artifact\""
                    .to_owned()
            }
        }
    }

    pub(super) fn in_spanish(self) -> String {
        match self {
            Self::Text => "una cadena".to_owned(),
            Self::TextWithin { bytes_max } => {
                format!("una cadena de {bytes_max} bytes como máximo")
            }
            Self::Name => format!("un nombre de 1 a {NAME_BYTES_MAX} de A-Z a-z 0-9 . _ : -"),
            Self::Integer { min, max } => format!("un entero de {min} a {max}"),
            Self::Number { min, max } => format!("un número de {min} a {max}"),
            Self::Boolean => "true o false".to_owned(),
            Self::Object => "un objeto sin miembros repetidos".to_owned(),
            Self::Array => "una lista".to_owned(),
            Self::TaskId => "un UUID como 019abcde-f012-7345-8678-9abcdef012ff".to_owned(),
            Self::Instant => {
                "una hora como 2026-11-21T08:30:00Z, o milisegundos desde 1970".to_owned()
            }
            Self::Reference => {
                format!("una cadena o un número de {REF_BYTES_MAX} bytes como máximo")
            }
            Self::Metadata => format!(
                "un objeto de {METADATA_ENTRIES_MAX} cadenas como máximo, de \
                 {METADATA_BYTES_MAX} bytes como máximo"
            ),
            Self::Labels => format!("una lista de {REQUIRES_MAX} nombres como máximo"),
            Self::Names { most } => format!("una lista de {most} nombres como máximo"),
            Self::TraceParent => {
                "un traceparent como 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
                    .to_owned()
            }
            Self::TraceState => {
                format!("ASCII imprimible de {TRACESTATE_BYTES_MAX} bytes como máximo")
            }
            Self::Lease => "la concesión de la asignación: 32 cifras hexadecimales".to_owned(),
            Self::Holding => {
                format!("una lista de {HOLDING_MAX} [task_id, attempt, lease] como máximo")
            }
            Self::SubmitCommand => "\"submit\" aquí, o faltar".to_owned(),
            Self::ReportCommand => {
                "uno de \"done\", \"fail\", \"release\", \"progress\", \"log\", \"output\", \
                 \"artifact\""
                    .to_owned()
            }
        }
    }
}
