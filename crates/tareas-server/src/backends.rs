//! What stands behind the ports, in words for people: the dashboard names them.

/// One product behind a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// What it is: `SQLite`, `RabbitMQ`, `memory`.
    pub product: String,
    /// Where it is, without any secret; may be empty.
    pub place: String,
    /// Other processes may use it too: it is outside of this one.
    pub is_shared: bool,
}

impl Backend {
    /// Something inside this process or on this machine.
    pub fn own(product: &str, place: impl Into<String>) -> Self {
        Self {
            product: product.to_owned(),
            place: place.into(),
            is_shared: false,
        }
    }

    /// Something that several processes share.
    pub fn shared(product: &str, place: impl Into<String>) -> Self {
        Self {
            is_shared: true,
            ..Self::own(product, place)
        }
    }
}

/// The products behind the three ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backends {
    /// Who is told.
    pub queue: Backend,
    /// What tasks are.
    pub records: Backend,
    /// Large bytes.
    pub blobs: Backend,
}

impl Default for Backends {
    /// Everything in memory, as in tests.
    fn default() -> Self {
        let memory = || Backend::own("memory", "");
        Self {
            queue: memory(),
            records: memory(),
            blobs: memory(),
        }
    }
}

impl Backends {
    /// Whether several processes can work together over them.
    pub fn are_shared(&self) -> bool {
        self.queue.is_shared || self.records.is_shared
    }
}
