//! Several processes on one PostgreSQL: leases, who is declared gone, and what that changes.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod postgres_support;

use std::time::Duration;

use postgres_support::{NOW, SESSION, claim, done, open, runtime, settle, submission, submit, url};
use tareas_adapters::PostgresRecords;
use tareas_adapters::records::postgres::{OpenError, PostgresOptions};
use tareas_core::{
    Batch, Command, Outcome, Phase, QueueName, Rejected, SessionId, Sweep, TaskId, Want,
};
use tareas_engine::ports::{
    Clock, MemberId, MemberPresence, MemberReport, Members, Records, Settings, StoredSession,
    SystemClock,
};

const LONG: Duration = Duration::from_secs(60);

fn id(n: u64) -> TaskId {
    TaskId::v7(*NOW, u128::from(n))
}

async fn one(records: &PostgresRecords, command: Command) -> Outcome {
    let batch = Batch {
        now: *NOW,
        commands: vec![command],
    };
    records.apply(batch).await.unwrap().outcomes.remove(0)
}

/// A process whose pool runs one task of its own.
async fn running(url: &str) -> PostgresRecords {
    let records = open(url, 1).await;
    records.enter(LONG, false).await.unwrap();
    records
        .open_session(StoredSession::of_own_pool(SESSION, 4))
        .await
        .unwrap();
    done(&one(&records, submit(submission(id(1)))).await);
    done(&one(&records, claim(id(1), 0)).await);
    records
}

async fn until_missing(records: &PostgresRecords) -> bool {
    for _ in 0..200 {
        if let Some(missing) = records.missing().await.unwrap().first() {
            return missing.is_expired;
        }
        SystemClock.sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody is missing");
}

/// A remote worker may come back to a server that does. When neither does, somebody else takes
/// back what it held.
#[test]
fn remote_workers_of_a_server_that_stays_away_are_given_up() {
    let Some((_postgres, url)) = url() else {
        return;
    };
    runtime().block_on(async {
        let (first, second) = (running(&url).await, open(&url, 2).await);
        let remote = StoredSession {
            resume: Some([7; 32]),
            worker: Some("far".into()),
            ..StoredSession::of_own_pool(SessionId(8), 2)
        };
        first.open_session(remote.clone()).await.unwrap();
        let orphaned = async |after| second.orphaned(after).await.unwrap();
        assert_eq!(orphaned(Duration::ZERO).await, [], "its server is there");
        drop(first);
        assert!(!until_missing(&second).await);
        second.bury(MemberId(1)).await.unwrap();
        assert_eq!(orphaned(LONG).await, [], "it has not been gone for so long");
        assert!(second.is_open(SessionId(8)).await.unwrap());

        let back = open(&url, 1).await;
        back.enter(LONG, false).await.unwrap();
        assert_eq!(orphaned(Duration::ZERO).await, [], "its server is back");
        back.leave().await.unwrap();
        assert_eq!(orphaned(Duration::ZERO).await, [remote]);
        assert_eq!(orphaned(Duration::ZERO).await, []);
        assert!(!second.is_open(SessionId(8)).await.unwrap());
        assert!(
            !second.is_open(SessionId(9)).await.unwrap(),
            "there is none"
        );
    });
}

#[test]
fn whoever_loses_its_connection_is_missing_and_is_buried_once() {
    let Some((_postgres, url)) = url() else {
        return;
    };
    runtime().block_on(async {
        let (first, second) = (running(&url).await, open(&url, 2).await);
        assert!(second.missing().await.unwrap().is_empty());
        assert!(
            second.bury(MemberId(1)).await.unwrap().is_empty(),
            "it is alive"
        );
        drop(first);
        assert!(!until_missing(&second).await);
        let lost = StoredSession::of_own_pool(SESSION, 4);
        assert_eq!(second.bury(MemberId(1)).await.unwrap(), [lost]);
        assert!(second.bury(MemberId(1)).await.unwrap().is_empty());
        assert!(second.missing().await.unwrap().is_empty());
        assert_eq!(second.haunted().await.unwrap(), [SESSION]);
        let (session, slots) = (SESSION, 4);
        let sweep = Sweep::Reclaim {
            session,
            slots,
            worker: None,
        };
        let lost = second.sweep(sweep, *NOW, 10).await.unwrap().outcomes;
        assert_eq!(done(&lost[0]).crashes, 1);
        assert!(second.haunted().await.unwrap().is_empty());
    });
}

#[test]
fn a_process_sees_what_the_others_said_until_they_have_left() {
    let Some((_postgres, url)) = url() else {
        return;
    };
    runtime().block_on(async {
        let (first, second) = (running(&url).await, open(&url, 2).await);
        second.enter(LONG, false).await.unwrap();
        assert!(
            second.others().await.unwrap().is_empty(),
            "nothing was said"
        );
        let said = MemberReport {
            threads: 4,
            busy: 1,
            ended: 7,
            ..MemberReport::default()
        };
        first.report(&said).await.unwrap();
        second.report(&MemberReport::default()).await.unwrap();
        let seen = second.others().await.unwrap();
        assert_eq!(seen.len(), 1);
        assert_eq!((seen[0].member, &seen[0].report), (MemberId(1), &said));
        assert_eq!(seen[0].presence, MemberPresence::Here);
        second.leave().await.unwrap();
        assert!(first.others().await.unwrap().is_empty());

        second.enter(LONG, true).await.unwrap();
        drop(first);
        until_missing(&second).await;
        let silent = second.others().await.unwrap();
        assert_eq!(silent[0].presence, MemberPresence::Silent);
        second.bury(MemberId(1)).await.unwrap();
        let gone = second.others().await.unwrap();
        assert_eq!(gone[0].presence, MemberPresence::Gone);
    });
}

#[test]
fn a_lease_that_runs_out_is_enough_and_its_holder_is_told() {
    let Some((_postgres, url)) = url() else {
        return;
    };
    runtime().block_on(async {
        let (first, second) = (running(&url).await, open(&url, 2).await);
        assert!(first.renew(Duration::from_millis(1)).await.unwrap());
        assert!(until_missing(&second).await);
        assert!(
            first.renew(LONG).await.unwrap(),
            "nobody has declared it gone"
        );
        assert!(second.bury(MemberId(1)).await.unwrap().is_empty());
        assert!(first.renew(Duration::from_millis(1)).await.unwrap());
        assert!(until_missing(&second).await);
        assert_eq!(second.bury(MemberId(1)).await.unwrap().len(), 1);
        assert!(!first.renew(LONG).await.unwrap());
        first.enter(LONG, true).await.unwrap();
        assert!(first.renew(LONG).await.unwrap());
    });
}

#[test]
fn whoever_was_declared_gone_claims_nothing_in_its_old_session() {
    let Some((_postgres, url)) = url() else {
        return;
    };
    runtime().block_on(async {
        let (first, second) = (running(&url).await, open(&url, 2).await);
        done(&one(&first, submit(submission(id(2)))).await);
        first.renew(Duration::ZERO).await.unwrap();
        assert_eq!(second.bury(MemberId(1)).await.unwrap().len(), 1);
        let refused = one(&first, claim(id(2), 0)).await;
        assert!(
            matches!(refused, Outcome::Refused(Rejected::Stale)),
            "{refused:?}"
        );
        let want = |session| Want {
            queues: vec![QueueName::default()],
            kinds: None,
            labels: None,
            session,
            tokens: vec![None],
            now: *NOW,
        };
        let claimed = first.claim_next(want(SESSION)).await.unwrap();
        assert!(claimed.outcomes.is_empty(), "{claimed:?}");
        // What it holds may still be settled, as long as nobody has taken it back.
        let (held, _) = first.load(&[id(1)]).await.unwrap();
        done(&one(&first, settle(held[0].as_ref().unwrap())).await);
        first.enter(LONG, true).await.unwrap();
        first
            .open_session(StoredSession::of_own_pool(SessionId(8), 4))
            .await
            .unwrap();
        let claimed = first.claim_next(want(SessionId(8))).await.unwrap();
        assert_eq!(done(&claimed.outcomes[0]).id(), id(2));
    });
}

#[test]
fn the_counts_of_those_who_are_gone_are_kept() {
    let Some((postgres, url)) = url() else { return };
    runtime().block_on(async {
        let (first, second) = (running(&url).await, open(&url, 2).await);
        first.leave().await.unwrap();
        drop(first);
        let shards = "SELECT count(*) FROM tareas.counts WHERE shard BETWEEN 8 AND 15";
        for _ in 0..200 {
            second.tidy().await.unwrap();
            if postgres.sql_in(&url, shards) == "0" {
                break;
            }
            SystemClock.sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(postgres.sql_in(&url, shards), "0");
        let counts = "SELECT string_agg(state || ':' || n, ' ' ORDER BY state) \
            FROM tareas.counts WHERE shard = 0 AND n <> 0";
        assert_eq!(postgres.sql_in(&url, counts), "2:1");
        let again = open(&url, 1).await;
        done(&one(&again, submit(submission(id(3)))).await);
        let sum = |phase: Phase| again.counts()[&QueueName::default()][phase as usize];
        assert_eq!((sum(Phase::Running), sum(Phase::Queued)), (1, 1));
    });
}

#[test]
fn blobs_in_a_folder_are_for_one_process() {
    let Some((_postgres, url)) = url() else {
        return;
    };
    runtime().block_on(async {
        let mut local = PostgresOptions::new(&url, 1).unwrap();
        local.local_blobs = true;
        let first = PostgresRecords::open(local.clone()).await.unwrap();
        let second = PostgresRecords::open(PostgresOptions::new(&url, 2).unwrap()).await;
        assert!(matches!(second, Err(OpenError::LocalBlobs)), "{second:?}");
        first.close().await;
        drop(first);
        let second = loop {
            match PostgresRecords::open(PostgresOptions::new(&url, 2).unwrap()).await {
                Ok(second) => break second,
                Err(OpenError::LocalBlobs) => SystemClock.sleep(Duration::from_millis(20)).await,
                Err(other) => panic!("{other}"),
            }
        };
        let third = PostgresRecords::open(local).await;
        assert!(matches!(third, Err(OpenError::LocalBlobs)), "{third:?}");
        drop(second);
    });
}

/// How many rows tell of claims.
async fn claims(url: &str) -> i64 {
    postgres_support::number(url, "SELECT count(*) FROM tareas.claims").await
}

#[test]
fn claims_of_which_all_has_ended_are_forgotten() {
    let Some((_postgres, url)) = url() else {
        return;
    };
    runtime().block_on(async {
        let records = running(&url).await;
        done(&one(&records, submit(submission(id(2)))).await);
        let claimed = done(&one(&records, claim(id(2), 0)).await).clone();
        // Another process ends it, so that nobody here says that this claim is over.
        let other = open(&url, 2).await;
        done(&one(&other, settle(&claimed)).await);
        other.tidy().await.unwrap();
        assert_eq!(claims(&url).await, 2, "young ones are left alone");
        let age = "UPDATE tareas.claims SET claimed_at = claimed_at - interval '2 minutes'";
        postgres_support::sql(&url, age).await;
        other.tidy().await.unwrap();
        assert_eq!(claims(&url).await, 1, "the one of the task that runs");
        let sweep = Sweep::Reclaim {
            session: SESSION,
            slots: 1,
            worker: None,
        };
        let reclaimed = other.sweep(sweep, *NOW, 10).await.unwrap();
        assert_eq!(reclaimed.outcomes.len(), 1);
        other.tidy().await.unwrap();
        assert_eq!(claims(&url).await, 0);
    });
}
