//! Opening: checks, schema, partitions, the lock of this server, what earlier lives have left,
//! and then the services.

use std::sync::Arc;

use tareas_engine::ports::{Clock, SystemClock};

use super::fault::{During, Fault, OpenError};
use super::front::Course;
use super::link::{Link, Purpose};
use super::members::CANNOT_SHARE_BLOBS;
use super::page::Reader;
use super::settings::{read_kinds, read_queues, read_sessions};
use super::shared::Shared;
use super::sweep::Sweeper;
use super::worker::Worker;
use super::{PostgresOptions, PostgresRecords, checks, line, migrate, refresh, tally, transfer};

/// The lease ends never, until it is renewed for the first time.
const JOIN: &str = "INSERT INTO tareas.servers (server_id, lock_key, local_blobs) \
    VALUES ($1, $2, $3) ON CONFLICT (server_id) DO UPDATE SET state = 0, \
      expires_at = 'infinity', local_blobs = excluded.local_blobs RETURNING shard";
/// Takes the entry back of a server that may not serve here.
const LEAVE: &str = "UPDATE tareas.servers SET state = 2, expires_at = statement_timestamp() \
    WHERE server_id = $1";
/// The highest place in any line.
const HIGH_PLACE: &str = "SELECT coalesce(max(l.last_place), 0) FROM tareas.lines l";

impl PostgresRecords {
    /// Opens the records: makes the schema where it is missing, and refuses a server that could
    /// not keep what it acknowledges. Must be called inside the runtime that is to serve.
    ///
    /// # Errors
    /// When the server cannot be reached, is not fit, or its schema cannot be made.
    pub async fn open(options: PostgresOptions) -> Result<Self, OpenError> {
        let at = options.at();
        let unreachable = |fault: Fault| connect_error(&at, fault);
        let link = Link::open(&options, Purpose::Seldom)
            .await
            .map_err(unreachable)?;
        let warnings = checks::check(&link, &options).await?;
        migrate::run(&link).await?;
        refresh::take_lock(&link, options.server).await?;
        transfer::refuse_unfinished(&link).await?;
        let shared = Arc::new(join(&link, options).await?);
        let learned = learn(&shared, &link).await;
        learned.map_err(|fault| connect_error(&at, fault))?;
        let sweeper = Arc::new(Sweeper::new(Arc::clone(&shared)));
        sweeper
            .connect()
            .await
            .map_err(|fault| connect_error(&at, fault))?;
        let mut workers = Vec::new();
        for course in Course::ALL {
            let worker = Worker::connect(Arc::clone(&shared), course).await;
            workers.push(worker.map_err(|fault| connect_error(&at, fault))?);
        }
        let by_id = Reader::new(Arc::clone(&shared), Purpose::ById);
        let seldom = Reader::new(Arc::clone(&shared), Purpose::Pages);
        let members = Reader::new(Arc::clone(&shared), Purpose::Pages);
        for warning in &warnings {
            tracing::warn!(%warning, "PostgreSQL at {at}");
        }
        let mut services = Vec::new();
        for worker in workers {
            services.push(tokio::spawn(worker.run()));
        }
        services.push(tokio::spawn(refresh::run(Arc::clone(&shared), link)));
        services.push(tokio::spawn(line::run(Arc::clone(&sweeper))));
        let watch = tokio::spawn(watch(Arc::clone(&shared), services));
        Ok(Self {
            shared,
            sweeper,
            by_id,
            seldom,
            members,
            warnings,
            watch: std::sync::Mutex::new(Some(watch)),
        })
    }
}

/// Enters this server, and finds out where its numbers go on.
async fn join(link: &Link, options: PostgresOptions) -> Result<Shared, OpenError> {
    let client = link.client();
    let (server, key) = (
        uuid::Uuid::from_u128(options.server),
        refresh::lock_key(options.server),
    );
    let local_blobs = options.local_blobs;
    let joined = client.query_one(JOIN, &[&server, &key, &local_blobs]).await;
    let shard: i32 = joined.during("the entry of this server")?.get(0);
    let asked = client
        .query_one(CANNOT_SHARE_BLOBS, &[&server, &local_blobs])
        .await;
    if asked.during("the look at other servers")?.get(0) {
        let left = client.execute(LEAVE, &[&server]).await;
        left.during("the entry of this server")?;
        return Err(OpenError::LocalBlobs);
    }
    let high = client.query_one(HIGH_PLACE, &[]).await;
    let high = high.during("the look at the lines")?.get(0);
    Ok(Shared::new(options, shard * tally::SHARDS, high))
}

/// Reads what the services go on from.
async fn learn(shared: &Shared, link: &Link) -> Result<(), Fault> {
    shared.days.make_ahead(link, SystemClock.now()).await?;
    read_queues(shared, link).await?;
    read_sessions(shared, link).await?;
    read_kinds(shared, link).await?;
    shared.tally.read_others(link).await
}

/// Waits for the services. One that ends before the store is closed takes the store with it:
/// better no answer than none ever.
async fn watch(shared: Arc<Shared>, services: Vec<tokio::task::JoinHandle<()>>) {
    for service in services {
        if let Err(error) = service.await
            && error.is_panic()
        {
            tracing::error!("a service of the records failed");
            shared.stop("a service of the records failed");
        }
    }
}

pub(super) fn connect_error(at: &str, fault: Fault) -> OpenError {
    let source = match fault {
        Fault::Refused(source)
        | Fault::Collided(source)
        | Fault::Exists(source)
        | Fault::NoPartition(source)
        | Fault::Lost(source)
        | Fault::Unreachable(source)
        | Fault::Damaged(source) => source,
    };
    let at = at.to_owned();
    OpenError::Connect { at, source }
}
