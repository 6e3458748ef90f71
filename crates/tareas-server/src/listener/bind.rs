//! Binding: where the server may listen, and what to say when it cannot.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use socket2::{Domain, Protocol, Socket, Type};
use tareas_protocol::{Code, ErrorObject, Lang};
use tokio::net::TcpListener;

/// Connections that the system may hold before they are accepted.
pub(super) const BACKLOG: i32 = 1_024;

/// Why the server does not listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Beyond loopback nobody would be asked who they are, or tokens could be overheard.
    #[error("refused to listen on {address}: anyone who reaches it could run tasks")]
    Exposed {
        /// Where it was to listen.
        address: SocketAddr,
        /// Somebody would be asked, but everybody in between could listen.
        is_overheard: bool,
    },
    /// Somebody else listens there.
    #[error("{address} is taken by another process")]
    PortInUse {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// It is not an address of this machine, or not one that this user may have.
    #[error("cannot listen on {address}")]
    NotBound {
        /// Where it was to listen.
        address: String,
        /// What the system said.
        source: io::Error,
    },
}

impl ListenError {
    /// The code under which it is reported.
    pub fn code(&self) -> Code {
        match self {
            Self::Exposed { .. } => Code::RefusedToListen,
            Self::PortInUse { .. } => Code::PortInUse,
            Self::NotBound { .. } => Code::InvalidConfiguration,
        }
    }

    /// The error to show, with what to do about it.
    pub fn to_error(&self, lang: Lang) -> ErrorObject {
        let error = ErrorObject::new(self.code(), lang);
        match self {
            Self::Exposed {
                address,
                is_overheard: true,
            } => error
                .message(match lang {
                    Lang::En => format!("refused to listen on {address} without TLS"),
                    Lang::Es => format!("se rechaza escuchar en {address} sin TLS"),
                })
                .hint(lang.pick(
                    "give --tls-cert and --tls-key, or say --trusted-network where nobody listens \
                     in between",
                    "dé --tls-cert y --tls-key, o diga --trusted-network donde nadie escucha en \
                     medio",
                )),
            Self::Exposed { address, .. } => error.message(match lang {
                Lang::En => format!("refused to listen on {address} without access control"),
                Lang::Es => format!("se rechaza escuchar en {address} sin control de acceso"),
            }),
            Self::PortInUse { address } => port_in_use(error, *address, lang),
            Self::NotBound { address, source } => error.message(match lang {
                Lang::En => format!("cannot listen on {address}: {source}"),
                Lang::Es => format!("no se puede escuchar en {address}: {source}"),
            }),
        }
    }
}

fn port_in_use(error: ErrorObject, address: SocketAddr, lang: Lang) -> ErrorObject {
    let free = SocketAddr::new(address.ip(), address.port().wrapping_add(1).max(1_024));
    let error = error.message(match lang {
        Lang::En => format!("{address} is taken by another process"),
        Lang::Es => format!("otro proceso ocupa {address}"),
    });
    let is_airplay = cfg!(target_os = "macos") && address.port() == 5_000;
    error.hint(match (lang, is_airplay) {
        (Lang::En, false) => format!("stop that process, or listen elsewhere: --bind {free}"),
        (Lang::Es, false) => format!("detenga ese proceso, o escuche en otro: --bind {free}"),
        (Lang::En, true) => format!(
            "macOS has AirPlay there: switch off the AirPlay receiver, or say --bind {free}"
        ),
        (Lang::Es, true) => {
            format!("macOS tiene AirPlay allí: apague el receptor AirPlay, o use --bind {free}")
        }
    })
}

/// What protects a server that listens beyond loopback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    /// Everybody is asked for a token.
    pub has_access: bool,
    /// Nobody listens in between: there is TLS, or the network is trusted.
    pub is_private: bool,
    /// It was said in so many words that this server is to be open.
    pub is_insecure: bool,
}

/// Refuses every address beyond loopback, unless everybody is asked for a token there that nobody
/// can overhear, or it was said in so many words that this server is to be open.
///
/// # Errors
/// [`ListenError::Exposed`] with the first such address.
pub fn check_exposure(bind: &[SocketAddr], protection: Protection) -> Result<(), ListenError> {
    let Protection {
        has_access,
        is_private,
        is_insecure,
    } = protection;
    if is_insecure || (has_access && is_private) {
        return Ok(());
    }
    match bind
        .iter()
        .find(|address| !address.ip().to_canonical().is_loopback())
    {
        Some(address) => Err(ListenError::Exposed {
            address: *address,
            is_overheard: has_access,
        }),
        None => Ok(()),
    }
}

/// Reads `HOST:PORT`; a name may stand for several addresses.
///
/// # Errors
/// [`ListenError::NotBound`] when it is no such thing or the name is not known.
pub fn parse_address(text: &str) -> Result<Vec<SocketAddr>, ListenError> {
    let not_bound = |source| ListenError::NotBound {
        address: text.to_owned(),
        source,
    };
    let found: Vec<SocketAddr> = text.to_socket_addrs().map_err(not_bound)?.collect();
    match found.is_empty() {
        true => Err(not_bound(io::ErrorKind::AddrNotAvailable.into())),
        false => Ok(found),
    }
}

/// Binds one address.
pub(super) fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    listen(address).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::PortInUse { address },
        _ => ListenError::NotBound {
            address: address.to_string(),
            source,
        },
    })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restarted server need not wait for the connections of its last life to fade.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str) -> bool {
        check_exposure(&[address.parse().unwrap()], Protection::default()).is_err()
    }

    #[test]
    fn without_access_control_only_loopback_is_listened_on() {
        for address in [
            "127.0.0.1:5000",
            "127.8.8.8:1",
            "[::1]:5000",
            "[::ffff:127.0.0.1]:5000",
        ] {
            assert!(!refused(address), "{address}");
        }
        for address in [
            "0.0.0.0:5000",
            "[::]:5000",
            "192.168.1.7:5000",
            "[2001:db8::1]:5000",
        ] {
            assert!(refused(address), "{address}");
        }
    }

    #[test]
    fn one_open_address_among_many_is_enough_to_refuse() {
        let bind = [
            "127.0.0.1:5000".parse().unwrap(),
            "10.0.0.1:5000".parse().unwrap(),
        ];
        let error = check_exposure(&bind, Protection::default()).unwrap_err();
        assert_eq!(error.code(), Code::RefusedToListen);
        assert!(error.to_error(Lang::En).message.contains("10.0.0.1:5000"));
        let with = |has_access, is_private, is_insecure| {
            let protection = Protection {
                has_access,
                is_private,
                is_insecure,
            };
            check_exposure(&bind, protection)
        };
        assert!(with(false, false, true).is_ok());
        assert!(with(true, true, false).is_ok());
        assert!(with(false, true, false).is_err());
        let overheard = with(true, false, false).unwrap_err();
        assert!(overheard.to_error(Lang::En).hint.contains("--tls-cert"));
    }

    #[test]
    fn an_address_is_read() {
        assert_eq!(
            parse_address("127.0.0.1:5000").unwrap(),
            ["127.0.0.1:5000".parse().unwrap()]
        );
        assert!(
            parse_address("localhost:5000")
                .unwrap()
                .iter()
                .all(|a| a.ip().is_loopback())
        );
        for text in ["", "5000", "127.0.0.1", "127.0.0.1:99999"] {
            assert_eq!(
                parse_address(text).unwrap_err().code(),
                Code::InvalidConfiguration
            );
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_told_with_a_way_out() {
        let taken = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = bind(taken.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.code(), Code::PortInUse);
        for lang in [Lang::En, Lang::Es] {
            assert!(error.to_error(lang).hint.contains("--bind 127.0.0.1:"));
        }
    }
}
