//! 15xx: how it was set up.

use super::super::{Code, Entry, Prose, exit};

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        code: Code::InvalidConfiguration,
        name: "invalid_configuration",
        retryable: false,
        http: 500,
        exit: exit::CONFIGURATION,
        en: Prose {
            message: "the configuration is not valid",
            hint: "correct the setting that the message names",
            explanation: "A flag, a variable or a key of the file has a value that cannot be. \
                Nothing was started.",
        },
        es: Prose {
            message: "la configuración no es válida",
            hint: "corrija el ajuste que nombra el mensaje",
            explanation: "Una opción, una variable o una clave del archivo tiene un valor \
                imposible. No se inició nada.",
        },
    },
    Entry {
        code: Code::UnknownKey,
        name: "unknown_key",
        retryable: false,
        http: 500,
        exit: exit::CONFIGURATION,
        en: Prose {
            message: "the configuration file has a key that does not exist",
            hint: "see docs/configuration.md for the keys",
            explanation: "Unknown keys are refused, since a mistyped setting that is ignored does \
                harm unseen.",
        },
        es: Prose {
            message: "el archivo de configuración tiene una clave que no existe",
            hint: "vea las claves en docs/configuration.md",
            explanation: "Las claves desconocidas se rechazan, porque un ajuste mal escrito que se \
                ignora hace daño sin que se vea.",
        },
    },
    Entry {
        code: Code::FeatureMissing,
        name: "feature_missing",
        retryable: false,
        http: 501,
        exit: exit::CONFIGURATION,
        en: Prose {
            message: "this build cannot open that URL",
            hint: "build it with the feature that the message names",
            explanation: "Support for PostgreSQL, RabbitMQ and S3 can be left out when building. \
                The setting asks for one that this build lacks.",
        },
        es: Prose {
            message: "esta compilación no puede abrir esa URL",
            hint: "compílela con la característica que nombra el mensaje",
            explanation: "PostgreSQL, RabbitMQ y S3 pueden omitirse al compilar. El ajuste pide \
                uno que esta compilación no tiene.",
        },
    },
    Entry {
        code: Code::RefusedToListen,
        name: "refused_to_listen",
        retryable: false,
        http: 500,
        exit: exit::CONFIGURATION,
        en: Prose {
            message: "listening there without access control is refused",
            hint: "bind to 127.0.0.1, configure tokens, or say `--insecure`",
            explanation: "Whoever reaches the port may run the server's handlers. Beyond loopback \
                the server therefore listens with access control alone, unless it is told in so \
                many words to be open.",
        },
        es: Prose {
            message: "se rechaza escuchar allí sin control de acceso",
            hint: "use 127.0.0.1, configure tokens, o diga `--insecure`",
            explanation: "Quien llega al puerto puede ejecutar lo que el servidor ofrece. Por eso, \
                más allá de la propia máquina, el servidor solo escucha con control de acceso, \
                salvo que se le diga expresamente que esté abierto.",
        },
    },
];
