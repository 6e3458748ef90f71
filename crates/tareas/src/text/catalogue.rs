//! The catalogue: one row per text, English and Spanish side by side.
//!
//! `{name}` is filled in by the caller; both languages must use the same names.

macro_rules! catalogue {
    ($($(#[$doc:meta])* $name:ident: $english:literal / $spanish:literal,)+) => {
        /// One text of the command line.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(
            not(feature = "tui"),
            expect(dead_code, reason = "the texts of the live view are not used")
        )]
        pub(crate) enum Text { $($(#[$doc])* $name,)+ }

        impl Text {
            /// Every text.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// English and Spanish.
            pub(super) const fn both(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($english, $spanish),)+ }
            }
        }
    };
}

catalogue! {
    // The interactive client. These are promises: docs/protocol.md and the tests hold them.
    Greeting: "Connected to the server at {address}" / "Conectado al servidor en {address}",
    HelpLine:
        "'help' lists the tasks this server knows. Ctrl-D or 'exit' leaves." /
        "'ayuda' lista las tareas que conoce este servidor. Ctrl-D o 'salir' termina.",
    Prompt:
        "Enter a task (or 'exit' to leave): " / "Ingrese una tarea (o 'salir' para terminar): ",
    Answer: "Server answered: {answer}" / "Respuesta del servidor: {answer}",
    SentToQueue:
        "Task '{task}' sent to the processing queue." /
        "Tarea '{task}' enviada a la cola de procesamiento.",
    TaskQueued: "task queued id={id}" / "tarea encolada id={id}",
    Lost:
        "connection lost; connecting again ({pending} pending, they are safe)" /
        "conexión perdida; conectando de nuevo ({pending} pendientes, están a salvo)",
    Reconnected: "connected again to {address}" / "conectado de nuevo a {address}",
    StillRunning:
        "not ended yet; the task goes on: tareas wait {id}" /
        "aún no termina; la tarea sigue: tareas wait {id}",
    // Errors.
    Error: "error" / "error",
    Hint: "hint" / "pista",
    Unreachable: "cannot reach the server at {address}" /
        "no se puede contactar con el servidor en {address}",
    UnreachableCause: "{cause}, {tries} tries in {seconds} s" /
        "{cause}, {tries} intentos en {seconds} s",
    ConnectionRefused: "connection refused" / "conexión rechazada",
    UnreachableHint:
        "start one here with `tareas serve`, or choose another with `-s tcp://HOST:5000`" /
        "inicie uno aquí con `tareas serve`, o elija otro con `-s tcp://HOST:5000`",
    NoAnswer: "the server at {address} does not answer" /
        "el servidor en {address} no responde",
    ConnectionLost: "the connection to {address} was lost" /
        "se perdió la conexión con {address}",
    NotAnAddress: "`{text}` is not the address of a server" /
        "`{text}` no es la dirección de un servidor",
    AddressHint: "write it as tcp://HOST:PORT" / "escríbala como tcp://HOST:PUERTO",
    NotAnId: "`{text}` is not a task id" / "`{text}` no es el id de una tarea",
    IdHint: "ids are shown by `tareas submit` and `tareas list`" /
        "los ids los muestran `tareas submit` y `tareas list`",
    WaitTimedOut: "task {id} has not ended in time" / "la tarea {id} no terminó a tiempo",
    WaitTimedOutHint: "it goes on; wait again with `tareas wait {id}`" /
        "la tarea sigue; espere otra vez con `tareas wait {id}`",
    NotUnderstood: "the server's answer is not understood: {what}" /
        "no se entiende la respuesta del servidor: {what}",
    CannotRead: "cannot read {path}" / "no se puede leer {path}",
    CannotWrite: "cannot write {path}" / "no se puede escribir {path}",
    NotJson: "the payload is not valid JSON: {why}" / "la entrada no es JSON válido: {why}",
    NotJsonHint: "without --json the words are sent as a string" /
        "sin --json las palabras se envían como texto",
    NotUtf8: "{path} is not UTF-8 text" / "{path} no es texto UTF-8",
    UnknownCode: "there is no code `{code}`" / "no existe el código `{code}`",
    UnknownCodeHint: "codes look like TAR-1204; `tareas explain` lists them" /
        "los códigos son como TAR-1204; `tareas explain` los lista",
    UsageTime: "`{text}` is not a time" / "`{text}` no es un momento",
    UsageTimeHint:
        "write 2026-01-31T09:00:00Z, 2026-01-31 09:00, 09:00 or `tomorrow 09:00`" /
        "escriba 2026-01-31T09:00:00Z, 2026-01-31 09:00, 09:00 o `mañana 09:00`",
    NotFinished: "task {id} is {status}" / "la tarea {id} está en {status}",
    NotFinishedHint: "wait for it with `tareas wait {id}`" / "espérela con `tareas wait {id}`",
    // Task views.
    Cancelled: "cancelled" / "cancelada",
    CancelRequested: "asked to stop" / "se pidió detenerla",
    Requeued: "queued again" / "encolada de nuevo",
    Deleted: "deleted" / "eliminada",
    DueAt: "due at {at}" / "para el {at}",
    Ended: "it has ended: {status}" / "ha terminado: {status}",
    RunsNow: "it is running" / "se está ejecutando",
    LogOfAttempt: "attempt {attempt}:" / "intento {attempt}:",
    LogTruncated: "the rest was dropped: 64 KiB of an attempt are kept" / "el resto se descartó: de un intento se guardan 64 KiB",
    WaitsBecause: "waiting: {message}" / "espera: {message}",
    NoTasks: "no tasks" / "no hay tareas",
    MoreTasks: "more: tareas list --cursor {cursor}" / "más: tareas list --cursor {cursor}",
    Paused: "paused" / "en pausa",
    Active: "active" / "activa",
    QueuePaused: "queue {queue} is paused: nothing of it starts" /
        "la cola {queue} está en pausa: nada suyo empieza",
    QueueResumed: "queue {queue} goes on" / "la cola {queue} continúa",
    ColumnName: "NAME" / "NOMBRE",
    ColumnAddress: "ADDRESS" / "DIRECCIÓN",
    ColumnBusy: "BUSY" / "OCUPADOS",
    ColumnQueues: "QUEUES" / "COLAS",
    ColumnKinds: "KINDS" / "TIPOS",
    ColumnLabels: "LABELS" / "ETIQUETAS",
    ColumnSilent: "SILENT" / "CALLADO",
    WorkerConnected: "tareas {version} worker {name} is connected to {address}" /
        "tareas {version}: el trabajador {name} está conectado a {address}",
    WorkerConnecting: "tareas {version} worker {name} tries to connect to {address}" /
        "tareas {version}: el trabajador {name} intenta conectar con {address}",
    WorkerOffers: "└─ threads {threads}, queues: {queues}, kinds: {kinds}" /
        "└─ hilos {threads}, colas: {queues}, tipos: {kinds}",
    WorkerAll: "all" / "todas",
    WorkerIdle: "all threads are idle" / "todos los hilos están libres",
    ColumnId: "ID" / "ID",
    ColumnStatus: "STATUS" / "ESTADO",
    ColumnKind: "KIND" / "TIPO",
    ColumnQueue: "QUEUE" / "COLA",
    ColumnAttempt: "ATTEMPT" / "INTENTO",
    ColumnSubmitted: "SUBMITTED" / "ENVIADA",
    ColumnWaiting: "WAITING" / "ESPERAN",
    ColumnScheduled: "SCHEDULED" / "PROGRAMADAS",
    ColumnRunning: "RUNNING" / "EN CURSO",
    ColumnFailed: "FAILED" / "FALLIDAS",
    ColumnState: "STATE" / "SITUACIÓN",
    Healthy: "ok: the server at {address} is ready" /
        "bien: el servidor en {address} está listo",
    Unhealthy: "the server at {address} is not ready: {state}" /
        "el servidor en {address} no está listo: {state}",
    // Configuration.
    ConfigFine: "the configuration is valid" / "la configuración es válida",
    NoFile: "no file; defaults, environment and flags only" /
        "sin archivo; solo valores por defecto, entorno y opciones",
    FileUsed: "file {path}" / "archivo {path}",
    UnknownKey: "unknown key `{key}` in {path}" / "clave desconocida `{key}` en {path}",
    DidYouMean: "did you mean `{nearest}`?" / "¿quiso decir `{nearest}`?",
    KeysHint: "`tareas config default` lists the keys" /
        "`tareas config default` lista las claves",
    BadSyntax: "{path} is not valid TOML" / "{path} no es TOML válido",
    BadValue: "`{value}` cannot be the value of `{key}`: {expected}" /
        "`{value}` no puede ser el valor de `{key}`: {expected}",
    SetBy: "it was set by {origin}" / "lo fijó {origin}",
    FixOrigin: "correct it there" / "corríjalo allí",
    OriginDefault: "default" / "por defecto",
    OriginFlag: "flag {name}" / "opción {name}",
    OriginEnv: "env {name}" / "entorno {name}",
    OriginFile: "{path}:{line}" / "{path}:{line}",
    ExpectInteger: "a whole number from {min} to {max} is expected" /
        "se espera un número entero de {min} a {max}",
    ExpectBoolean: "true or false is expected" / "se espera true o false",
    ExpectWord: "one of {words} is expected" / "se espera uno de {words}",
    ExpectBind: "HOST:PORT, or HOST:PORT,proxy, is expected" /
        "se espera HOST:PUERTO, o HOST:PUERTO,proxy",
    ExpectTlsPair: "tls_cert and tls_key go together" / "tls_cert y tls_key van juntos",
    TlsNotUsable: "the certificate cannot be used: {what}" /
        "no se puede usar el certificado: {what}",
    TlsNotUsableHint: "tls_cert and tls_key name PEM files that belong together" /
        "tls_cert y tls_key nombran archivos PEM que se corresponden",
    TlsNotReloaded: "the certificate was not read again: {what}" /
        "no se volvió a leer el certificado: {what}",
    BannerTokens: "(a token is needed)" / "(hace falta un token)",
    FirstToken:
        "the first token, of an administrator, is in {path}; try: tareas --token-file {path} token login-link" /
        "el primer token, de administrador, está en {path}; pruebe: tareas --token-file {path} token login-link",
    TokenShownOnce: "This is the only time that it is shown." / "Solo se muestra esta vez.",
    TokenRevoked: "{id} is revoked" / "{id} queda revocado",
    ColumnUrl: "URL" / "URL",
    ColumnEnds: "ENDS" / "FINALES",
    ColumnNumber: "NUMBER" / "NÚMERO",
    ColumnTries: "TRIES" / "INTENTOS",
    ColumnAnswer: "ANSWER" / "RESPUESTA",
    WebhookIsWell: "well" / "bien",
    WebhookFails: "failing" / "falla",
    WebhookNames: "several webhooks are called {name}: say one of {ids}" /
        "varios webhooks se llaman {name}: diga uno de {ids}",
    WebhookTested: "a test is on its way to {id}" / "una prueba va hacia {id}",
    WebhookEnabled: "{id} is told again" / "{id} vuelve a recibir avisos",
    WebhookDisabled: "{id} is told nothing" / "{id} no recibe avisos",
    WebhookDeleted: "{id} is removed" / "{id} queda borrado",
    WebhookReplayed: "{id} is told once more" / "{id} recibe el aviso una vez más",
    LinkOpensOnce: "It opens once, until {until}." / "Se abre una vez, hasta {until}.",
    LinkIsOfThisMachine:
        "It leads to this machine: a phone needs the server's address, which `public_url` names." /
        "Lleva a esta máquina: un teléfono necesita la dirección del servidor, que nombra `public_url`.",
    NoTokenFile: "the token cannot be read from {path}" / "no se puede leer el token de {path}",
    ColumnRoles: "ROLES" / "ROLES",
    ColumnExpires: "EXPIRES" / "CADUCA",
    ColumnUsed: "USED" / "USADO",
    ColumnWhen: "WHEN" / "CUÁNDO",
    ColumnWho: "WHO" / "QUIÉN",
    ColumnFrom: "FROM" / "DESDE",
    ColumnDeed: "WHAT" / "QUÉ",
    ColumnDetail: "ABOUT" / "SOBRE",
    Valid: "valid" / "válido",
    NotValid: "ended" / "terminado",
    ExpectNetwork: "addresses, networks such as 10.0.0.0/8, or loopback are expected" /
        "se esperan direcciones, redes como 10.0.0.0/8, o loopback",
    ExpectDuration: "a duration such as 30s, 10m or 7d is expected" /
        "se espera una duración como 30s, 10m o 7d",
    ExpectAmqpQueue: "false is expected, or a queue amqp://…" /
        "se espera false, o una cola amqp://…",
    ExpectStore: "one of {words} is expected" / "se espera uno de {words}",
    ExpectOne: "one value is expected" / "se espera un solo valor",
    ExpectStrings: "a list of strings, not empty, is expected" /
        "se espera una lista de textos, no vacía",
    ExpectFlag: "true or false is expected" / "se espera true o false",
    ExpectTable: "a table is expected" / "se espera una tabla",
    ExpectKind: "a name of A-Z a-z 0-9 . _ : - is expected" /
        "se espera un nombre de A-Z a-z 0-9 . _ : -",
    ExpectSize: "a size such as 64MB, 512MiB or 2GB is expected, {min} at least" /
        "se espera un tamaño como 64MB, 512MiB o 2GB, {min} como mínimo",
    ExpectStopGrace: "a duration of at most 4s is expected" /
        "se espera una duración de 4s como máximo",
    ExpectVariable: "the name of a variable is expected; TAREAS_ is ours" /
        "se espera el nombre de una variable; TAREAS_ es nuestro",
    ExpectSchema: "a JSON Schema, or the path of one, is expected" /
        "se espera un JSON Schema, o la ruta de uno",
    ExpectCommand: "`command` is missing: [\"program\", \"argument\", …]" /
        "falta `command`: [\"programa\", \"argumento\", …]",
    KindNotUsable: "kind `{kind}` cannot be used" / "el tipo `{kind}` no se puede usar",
    ProgramNotFound: "there is no program `{program}` that can be run" /
        "no hay un programa `{program}` que se pueda ejecutar",
    FolderNotFound: "there is no folder `{path}`" / "no existe la carpeta `{path}`",
    PathNotFound: "there is no file or folder `{path}`" /
        "no existe el archivo o la carpeta `{path}`",
    SandboxNotKept: "its sandbox is required, and this kernel cannot keep all of it" /
        "exige su caja de arena, y este núcleo no puede mantenerla entera",
    NoSuchUser: "there is no user `{user}`" / "no existe el usuario `{user}`",
    UserNeedsRoot: "only root can run commands as `{user}`" /
        "solo root puede ejecutar órdenes como `{user}`",
    BadSchema: "the schema is not usable: {why}" / "el esquema no se puede usar: {why}",
    Reloaded: "configuration read again: {count} kinds are commands" /
        "configuración leída de nuevo: {count} tipos son órdenes",
    NotReloaded: "configuration not changed, the new one is wrong:" /
        "configuración sin cambios, la nueva tiene un error:",
    WorkerNotReloaded: "a remote worker reads its configuration at its start: stop it with TERM and start it again" /
        "un trabajador remoto lee su configuración al arrancar: detenlo con TERM y arráncalo otra vez",
    ExpectString: "a string is expected" / "se espera un texto",
    FeatureMissing: "this build cannot open {url}" / "esta compilación no puede abrir {url}",
    FeatureMissingCause: "it needs the feature `{feature}`" /
        "necesita la característica `{feature}`",
    FeatureMissingHint: "use {local}, or a build with the feature `{feature}`" /
        "use {local}, o una compilación con la característica `{feature}`",
    #[cfg_attr(not(feature = "s3"), expect(dead_code, reason = "only a bucket has keys"))]
    S3KeysMissing: "the keys of the bucket are missing" / "faltan las claves del bucket",
    #[cfg_attr(not(feature = "s3"), expect(dead_code, reason = "only a bucket has keys"))]
    S3KeysMissingHint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" /
        "defina AWS_ACCESS_KEY_ID y AWS_SECRET_ACCESS_KEY",
    // Serving.
    BannerReady: "tareas {version} ready in {ms} ms" / "tareas {version} listo en {ms} ms",
    BannerDashboard: "Dashboard" / "Panel",
    BannerLocalOnly: "(open to this machine only)" / "(solo desde esta máquina)",
    BannerOpen: "(open to everybody who reaches it: --insecure)" /
        "(abierto a quien llegue a él: --insecure)",
    BannerApi: "HTTP API" / "API HTTP",
    BannerLines: "TCP" / "TCP",
    BannerData: "Data" / "Datos",
    BannerWorker: "Worker" / "Trabajador",
    BannerSqlite: "SQLite + files" / "SQLite y archivos",
    BannerThreads: "embedded, {threads} threads, queues: all" /
        "incluido, {threads} hilos, colas: todas",
    BannerNoThreads: "none here" / "ninguno aquí",
    BannerTry: "Try:" / "Prueba:",
    BannerNode: "tareas {version} worker ready in {ms} ms: {threads} threads" /
        "tareas {version} trabajador listo en {ms} ms: {threads} hilos",
    NodeNeedsShared: "a worker node cannot work with this `{key}`" /
        "un nodo de trabajo no puede usar este `{key}`",
    NodeNeedsSharedHint: "give the one that the servers use: --{key} {url}" /
        "indique el que usan los servidores: --{key} {url}",
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only shared records"))]
    LocalBlobsHint: "give every process the same bucket: --blobs s3://BUCKET/PREFIX" /
        "dé a cada proceso el mismo bucket: --blobs s3://BUCKET/PREFIJO",
    ExpectLease: "a duration from 1s to 1h is expected" / "se espera una duración de 1s a 1h",
    BannerDurabilityOs:
        "durability os: an accepted task survives a crash of this process, not of the machine" /
        "durabilidad os: una tarea aceptada sobrevive a este proceso, no a la máquina",
    Leaving: "not ready any more; going on for {seconds} s, so that balancers notice" /
        "ya no está listo; sigue {seconds} s, para que los balanceadores lo noten",
    Draining: "stopping: {running} tasks are running, at most {seconds} s more" /
        "deteniendo: {running} tareas en curso, como mucho {seconds} s más",
    DrainSecond: "stopping now: what runs is given back" /
        "deteniendo ya: lo que se ejecuta se devuelve",
    Stopped: "stopped" / "detenido",
    StoreStopped: "the store has stopped: {reason}" / "el almacén se detuvo: {reason}",
    StoreStoppedHint: "what was acknowledged is safe; see to the disk and start again" /
        "lo confirmado está a salvo; revise el disco e inicie de nuevo",
    DataInUse: "another process uses the data folder {path}" /
        "otro proceso usa la carpeta de datos {path}",
    DataInUseHint: "stop it, or choose another folder with `--data DIR`" /
        "deténgalo, o elija otra carpeta con `--data DIR`",
    DataNotUsable: "the data folder {path} cannot be used" /
        "no se puede usar la carpeta de datos {path}",
    DataNotUsableHint: "see to the folder, or choose another with `--data DIR`" /
        "revise la carpeta, o elija otra con `--data DIR`",
    RecordsNotUsable: "the records in {url} cannot be used" /
        "no se pueden usar los registros en {url}",
    RecordsNotUsableHint: "see to PostgreSQL and to the URL in `records`, or use `--records sqlite:`" /
        "revise PostgreSQL y la URL en `records`, o use `--records sqlite:`",
    // The doctor. What it finds is said where it is looked for.
    DoctorSum: "errors: {errors}, warnings: {warnings}" / "errores: {errors}, avisos: {warnings}",
    CheckConfiguration: "configuration" / "configuración",
    CheckData: "data folder" / "carpeta",
    CheckRecords: "records" / "registros",
    CheckQueue: "queue" / "cola",
    CheckBlobs: "large bytes" / "lo grande",
    CheckServer: "server" / "servidor",
    InsecureWarning: "insecure: whoever reaches {bind} may run tasks here" /
        "inseguro: quien llegue a {bind} puede ejecutar tareas aquí",
    CannotStart: "the system cannot start: {what}" / "el sistema no puede iniciar: {what}",
    ServiceFailed: "a part of the server has failed; it stops" /
        "falló una parte del servidor; se detiene",
    Recovered: "{count} tasks of an earlier run were taken back" /
        "se recuperaron {count} tareas de una ejecución anterior",
    UncleanStart: "the last run did not end in order; starting with care" /
        "la última ejecución no terminó en orden; se inicia con cuidado",
    // Backup.
    BackedUp: "backed up to {path}: {megabytes} MB" / "respaldo en {path}: {megabytes} MB",
    Restored: "restored to {path}" / "restaurado en {path}",
    NoDatabase: "there is no database in {path}" / "no hay una base de datos en {path}",
    NotEmpty: "{path} holds a database already" / "{path} ya contiene una base de datos",
    NotEmptyHint: "choose another with `--data DIR`, or overwrite it with `--force`" /
        "elija otra con `--data DIR`, o sobrescríbala con `--force`",
    FileExists: "{path} exists already" / "{path} ya existe",
    FileExistsHint: "choose another name" / "elija otro nombre",
    NotABackup: "{path} is not a backup of tareas" / "{path} no es un respaldo de tareas",
    // Migrate.
    MigrateSameRecords: "both sides are the same records: {url}" /
        "ambos lados son los mismos registros: {url}",
    MigrateSameRecordsHint: "name the other side: --to DIR, or --to-records URL" /
        "indique el otro lado: --to DIR, o --to-records URL",
    MigrateMemory: "records in memory cannot be migrated: they end with their server" /
        "los registros en memoria no se pueden migrar: terminan con su servidor",
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only shared records"))]
    MigrateServed: "a server or a worker node uses the records in {url}, or did a moment ago" /
        "un servidor o un nodo de trabajo usa los registros en {url}, o los usaba hace un momento",
    MigrateServedHint:
        "stop every server and worker node first; after a kill wait for `lease`, 15 s" /
        "detenga antes cada servidor y nodo de trabajo; tras un kill espere `lease`, 15 s",
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only shared records"))]
    MigrateNoRecords: "there are no records in {url}" / "no hay registros en {url}",
    MigrateUnfinished: "a migration into {place} has not ended" /
        "una migración hacia {place} no ha terminado",
    MigrateUnfinishedHint: "run it again with the same arguments: it goes on where it was" /
        "ejecútela de nuevo con los mismos argumentos: sigue donde estaba",
    MigrateOccupied: "{place} holds tasks already" / "{place} ya contiene tareas",
    MigrateOccupiedHint: "choose an empty target, or empty this one" /
        "elija un destino vacío, o vacíe este",
    MigrateOfAnother: "{place} holds an unfinished migration from {from}" /
        "{place} contiene una migración sin terminar desde {from}",
    MigrateBlob: "the bytes {key} of task {task} {what}" /
        "los bytes {key} de la tarea {task}: {what}",
    MigrateBlobHint:
        "a task whose bytes are lost can be removed: start the old server, tareas delete {task}" /
        "una tarea cuyos bytes se perdieron se puede quitar: inicie el servidor antiguo, tareas delete {task}",
    MigrateDiffers: "what arrived is not what was sent: {what}" /
        "lo que llegó no es lo que se envió: {what}",
    MigrateDiffersHint:
        "something was changed meanwhile: empty the target and begin again; the source is whole" /
        "algo cambió entretanto: vacíe el destino y comience de nuevo; el origen está completo",
    MigrateStopped: "the migration stopped: {what}" / "la migración se detuvo: {what}",
    MigrateStoppedHint: "see to it and run the same command again: it goes on where it was" /
        "resuélvalo y ejecute la misma orden: sigue donde estaba",
    MigrateCopying: "copying" / "copiando",
    MigrateProving: "comparing" / "comparando",
    MigrateProgress: "{step}: {tasks}/{of} tasks, {rate} tasks/s, {megabytes} MB of large bytes" /
        "{step}: {tasks}/{of} tareas, {rate} tareas/s, {megabytes} MB de bytes grandes",
    MigrateWentOn: "{tasks} tasks had been brought by an earlier run" /
        "{tasks} tareas ya las había traído una ejecución anterior",
    Migrated: "{tasks} tasks brought to {to} in {seconds} s: {rate} tasks/s" /
        "{tasks} tareas llevadas a {to} en {seconds} s: {rate} tareas/s",
    MigrateHangs:
        "  with {attempts} attempts, {keys} idempotency keys, {blobs} large bodies ({megabytes} MB)" /
        "  con {attempts} intentos, {keys} claves de idempotencia, {blobs} cuerpos grandes ({megabytes} MB)",
    MigrateProved: "both sides were read again and are the same: {fingerprint}" /
        "ambos lados se leyeron de nuevo y son iguales: {fingerprint}",
    MigrateNext: "start servers on the target only; the source is as it was" /
        "inicie servidores solo en el destino; el origen está como estaba",
    MigratePlanned: "{tasks} tasks would be brought from {from} to {to}" /
        "se llevarían {tasks} tareas de {from} a {to}",
    MigrateWillGoOn: "the target holds an unfinished migration, which would be gone on with" /
        "el destino contiene una migración sin terminar, que se continuaría",
    // Demo.
    DemoStart: "starting a server of its own on {address}, data in {path}" /
        "iniciando un servidor propio en {address}, datos en {path}",
    DemoRetried: "failed {count} times, tried again each time" /
        "falló {count} veces y se reintentó cada vez",
    DemoBurst: "{count} tasks through one socket: {rate} tasks/s" /
        "{count} tareas por un socket: {rate} tareas/s",
    DemoEnd: "all of it was on disk before it was confirmed; the folder is removed now" /
        "todo estuvo en disco antes de confirmarse; la carpeta se elimina ahora",
    DemoDashboard: "the dashboard is at {url} (stay with `tareas demo --keep`)" /
        "el panel está en {url} (quédese con `tareas demo --keep`)",
    DemoKeep: "the dashboard is at {url}; Ctrl-C stops" /
        "el panel está en {url}; Ctrl-C termina",
    DemoNext: "next: `tareas serve`, then `tareas client` in another terminal" /
        "siguiente: `tareas serve`, y `tareas client` en otra terminal",
    // Events.
    EventLine:
        "in {in}/s  out {out}/s  failing {failing}/s  waiting {waiting}  running {running}  ended {ended}" /
        "entran {in}/s  salen {out}/s  fallan {failing}/s  esperan {waiting}  en curso {running}  terminadas {ended}",
    EventsLost: "the stream broke; coming back" / "el flujo se cortó; volviendo",
    // The live view.
    TopNoTerminal: "there is no terminal to draw on; try --once" /
        "no hay una terminal donde dibujar; pruebe --once",
    TopKeys: " q leave  ↑↓ queue  p pause or resume it  space hold  ? keys" /
        " q salir  ↑↓ cola  p pausarla o reanudarla  espacio retener  ? teclas",
    TopAllKeys:
        "q, Esc, Ctrl-C   leave
↑ ↓, k j         choose a queue
p                pause it, or resume it
space            hold the view, and go on
?, F1            these keys" /
        "q, Esc, Ctrl-C   salir
↑ ↓, k j         elegir una cola
p                pausarla, o reanudarla
espacio          retener la vista, y seguir
?, F1            estas teclas",
    TopIn: "in" / "entran",
    TopOut: "out" / "salen",
    TopWaiting: "waiting" / "esperan",
    TopRunning: "running" / "en curso",
    TopFailing: "failing" / "fallan",
    TopThreads: "threads" / "hilos",
    TopQueues: " Queues " / " Colas ",
    TopWorkers: " Workers " / " Trabajadores ",
    TopNoWorkers: " no worker is connected and the server has no threads" /
        " no hay trabajadores conectados y el servidor no tiene hilos",
    TopLongest: " Running longest " / " Más tiempo en curso ",
    TopFailures: " Latest failures " / " Últimos fallos ",
    TopHeld: "held" / "retenida",
    TopGone: "no answer" / "sin respuesta",
    TopDraining: "DRAINING" / "DETENIÉNDOSE",
    TopStoreDown: "STORE DOWN" / "ALMACÉN CAÍDO",
    TopFull: "STORAGE FULL" / "ALMACÉN LLENO",
    // Many tasks at once.
    BulkMatches: "{matched} tasks match; nothing was done to them" /
        "{matched} tareas coinciden; no se les hizo nada",
    BulkNothing: "no task matches in such a state" / "ninguna tarea coincide en ese estado",
    BulkProgress: "{done} of {matched} so far (bulk action {id})" /
        "{done} de {matched} por ahora (acción masiva {id})",
    BulkAskCancel: "Cancel {matched} tasks? [y/N] " / "¿Cancelar {matched} tareas? [s/N] ",
    BulkAskRequeue: "Put {matched} tasks back in line? [y/N] " /
        "¿Volver a encolar {matched} tareas? [s/N] ",
    BulkAskDelete: "Remove {matched} tasks? [y/N] " / "¿Eliminar {matched} tareas? [s/N] ",
    BulkCancelled: "{done} cancelled or asked to stop, {skipped} skipped" /
        "{done} canceladas o con petición de parar, {skipped} omitidas",
    BulkRequeued: "{done} back in line, {skipped} skipped" /
        "{done} de vuelta en la cola, {skipped} omitidas",
    BulkDeleted: "{done} removed, {skipped} skipped" / "{done} eliminadas, {skipped} omitidas",
    BulkEnded: "it ended before all was done: {state}" / "terminó antes de acabar: {state}",
    BulkNeedsYes: "{matched} tasks match; run it again with --yes to do it" /
        "{matched} tareas coinciden; repítalo con --yes para hacerlo",
    // Bench.
    BenchRun: "run {run} of {runs}" / "pasada {run} de {runs}",
    BenchWrong: "{count} wrong or missing results" / "{count} resultados erróneos o ausentes",
    BenchNoServer: "the server of the benchmark did not start" /
        "el servidor de la prueba no inició",
}
