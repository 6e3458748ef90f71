//! `tareas migrate`: all tasks and large bytes of one system to other stores, or back.
//!
//! What happens is [`tareas_engine::migration`]; here it is said which stores are meant
//! ([`side`]), how they are opened ([`stores`]), how far it is ([`progress`]), and what came of
//! it ([`summary`], [`failures`]).

mod failures;
mod progress;
mod side;
mod stores;
mod summary;

use std::time::Instant;

use clap::Args;
use tareas_engine::migration::{self, Side as Proved};
use tareas_engine::ports::Blobs;
use tareas_protocol::code::exit;

use self::progress::Told;
use self::side::Side;
use self::summary::{Planned, Summary};
use super::{Outcome, Session};
use crate::output::Failure;
use crate::text::Text;

const EXAMPLES: &str = "\
Examples:
  tareas migrate --from ./tareas-data --dry-run \\
    --to-records postgres://tareas@db.lan/tareas --to-blobs 's3://tareas?endpoint=http://s3.lan:9000'
  tareas migrate --from ./tareas-data      # to where TAREAS_RECORDS and TAREAS_BLOBS point
  tareas migrate --to ./tareas-back        # and back

A run that was killed is gone on with by the next one with the same arguments.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct MigrateArgs {
    /// The data folder to read [default: what `serve` would use here]
    #[arg(long, value_name = "DIR")]
    from: Option<String>,
    /// The records to read: sqlite:PATH, postgres://…
    #[arg(long, value_name = "URL")]
    from_records: Option<String>,
    /// The large bytes to read: file:PATH, s3://…
    #[arg(long, value_name = "URL")]
    from_blobs: Option<String>,
    /// The data folder to fill [default: what `serve` would use here]
    #[arg(long, value_name = "DIR")]
    to: Option<String>,
    /// The records to fill: sqlite:PATH, postgres://…
    #[arg(long, value_name = "URL")]
    to_records: Option<String>,
    /// Where the large bytes go: file:PATH, s3://…
    #[arg(long, value_name = "URL")]
    to_blobs: Option<String>,
    /// Look at both sides, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Compare both sides again, before anything was served from either; write nothing
    #[arg(long, conflicts_with = "dry_run")]
    verify_only: bool,
}

pub(super) fn run(args: &MigrateArgs, session: &Session) -> Outcome {
    let read = [&args.from, &args.from_records, &args.from_blobs];
    let filled = [&args.to, &args.to_records, &args.to_blobs];
    let from = Side::of(read.map(Option::as_deref), session)?;
    let to = Side::of(filled.map(Option::as_deref), session)?;
    if from.has_records_of(&to) {
        let values: crate::text::Values<'_> = &[("url", &from.name())];
        let failure = Failure::usage(session.lang(), Text::MigrateSameRecords, values);
        return Err(failure.with_hint(Text::MigrateSameRecordsHint.plain(session.lang())));
    }
    let runtime = crate::serve::runtime(&session.voice)?;
    runtime.block_on(async {
        match (args.dry_run, args.verify_only) {
            (true, _) => plan(&from, &to, session).await,
            (_, true) => verify(&from, &to, session).await,
            _ => migrate(&from, &to, session).await,
        }
    })
}

/// Everything, proved.
async fn migrate(from: &Side, to: &Side, session: &Session) -> Outcome {
    let lang = session.lang();
    let mut source = stores::export(from, lang).await?;
    let mut target = stores::import(to, lang).await?;
    let shelves = stores::shelves(from, to, lang).await?;
    let told = Told::new(&session.voice);
    let began = Instant::now();
    let failed = |error| failures::migration(error, from, to, lang);
    let blobs = (&*shelves.from as &dyn Blobs, &*shelves.to as &dyn Blobs);
    let name = from.name();
    let copied = migration::copy(
        &name,
        &mut *source,
        &mut *target,
        shelves.are_two.then_some(blobs),
        &told,
    );
    let copied = copied.await.map_err(failed)?;
    let took = began.elapsed();
    if copied.before > 0 {
        session.voice.say(
            &session
                .voice
                .text(Text::MigrateWentOn, &[("tasks", &copied.before)]),
        );
    }
    let sent = Proved {
        records: &mut *source,
        blobs: None,
    };
    let arrived = Proved {
        records: target.arrived(),
        blobs: Some(&*shelves.to),
    };
    let whole = migration::prove(sent, arrived, &told)
        .await
        .map_err(failed)?;
    told.end();
    let finished = target.finish().await;
    finished.map_err(|error| failed(migration::MigrationError::Write(error)))?;
    let summary = Summary {
        from: &name,
        to: &to.name(),
        whole: &whole,
        copied: Some((copied, took)),
    };
    summary.tell(&session.voice);
    Ok(exit::OK)
}

/// The proof alone.
async fn verify(from: &Side, to: &Side, session: &Session) -> Outcome {
    let lang = session.lang();
    let mut source = stores::export(from, lang).await?;
    let mut target = stores::export(to, lang).await?;
    let blobs = stores::blobs(to, lang).await?;
    let told = Told::new(&session.voice);
    let sent = Proved {
        records: &mut *source,
        blobs: None,
    };
    let arrived = Proved {
        records: &mut *target,
        blobs: Some(&*blobs),
    };
    let proved = migration::prove(sent, arrived, &told).await;
    let whole = proved.map_err(|error| failures::migration(error, from, to, lang))?;
    told.end();
    let summary = Summary {
        from: &from.name(),
        to: &to.name(),
        whole: &whole,
        copied: None,
    };
    summary.tell(&session.voice);
    Ok(exit::OK)
}

/// What would be done.
async fn plan(from: &Side, to: &Side, session: &Session) -> Outcome {
    let lang = session.lang();
    let mut source = stores::export(from, lang).await?;
    let target = stores::target(to, lang).await?;
    let side = Proved {
        records: &mut *source,
        blobs: None,
    };
    let surveyed = migration::survey(side, |_| {}).await;
    let whole = surveyed.map_err(|error| failures::migration(error, from, to, lang))?;
    let planned = Planned {
        from: &from.name(),
        to: &to.name(),
        whole: &whole,
        target,
    };
    planned.tell(&session.voice);
    match target {
        stores::Target::Occupied => Err(failures::occupied(to, lang)),
        stores::Target::Empty | stores::Target::Unfinished => Ok(exit::OK),
    }
}
