//! Several processes on the same records: who fences itself, who is judged, what is taken back,
//! and who is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::{Actor, Phase, SessionId, TaskId};
use tareas_engine::ports::{
    BoxError, Identity, MemberId, MemberReport, MemberView, Members, Missing, Offer, PortError,
    StoredSession,
};
use tareas_engine::services::{Follower, LeaseKeeper, Recall, Reclaimer, Reporter, Supervisor};
use tareas_engine::{LeaseTerms, Membership, Submission, WhyCode};

use super::world::{World, kind, succeeded};

/// The life that has left something behind.
const GONE: MemberId = MemberId(1);

/// Peers as the test plays them.
#[derive(Debug, Default)]
struct Played {
    is_away: AtomicBool,
    missing: Mutex<Vec<Missing>>,
    orphaned: Mutex<Vec<StoredSession>>,
    buried: Mutex<Vec<MemberId>>,
    reported: Mutex<Vec<MemberReport>>,
    /// What this process has offered, and what the others offer.
    offered: Mutex<Option<Offer>>,
    offers: Mutex<Vec<Offer>>,
}

#[async_trait]
impl Members for Played {
    async fn enter(&self, _ttl: Duration, _anew: bool) -> Result<(), PortError> {
        Ok(())
    }

    async fn renew(&self, _ttl: Duration) -> Result<bool, PortError> {
        match self.is_away.load(Ordering::SeqCst) {
            true => Err(PortError::Unavailable {
                adapter: "a test",
                source: BoxError::from("away"),
            }),
            false => Ok(true),
        }
    }

    async fn leave(&self) -> Result<(), PortError> {
        Ok(())
    }

    async fn missing(&self) -> Result<Vec<Missing>, PortError> {
        Ok(self.missing.lock().unwrap().clone())
    }

    async fn bury(&self, member: MemberId) -> Result<Vec<StoredSession>, PortError> {
        self.buried.lock().unwrap().push(member);
        Ok(vec![StoredSession {
            worker: Some("office".into()),
            ..StoredSession::of_own_pool(SessionId(1), 2)
        }])
    }

    async fn orphaned(&self, _: Duration) -> Result<Vec<StoredSession>, PortError> {
        Ok(std::mem::take(&mut *self.orphaned.lock().unwrap()))
    }

    async fn is_open(&self, _: SessionId) -> Result<bool, PortError> {
        Ok(true)
    }

    async fn haunted(&self) -> Result<Vec<SessionId>, PortError> {
        Ok(Vec::new())
    }

    async fn offer(&self, offer: &Offer) -> Result<(), PortError> {
        *self.offered.lock().unwrap() = Some(offer.clone());
        Ok(())
    }

    async fn offers(&self) -> Result<Vec<Offer>, PortError> {
        Ok(self.offers.lock().unwrap().clone())
    }

    async fn tidy(&self) -> Result<(), PortError> {
        Ok(())
    }

    async fn report(&self, report: &MemberReport) -> Result<(), PortError> {
        self.renew(Duration::ZERO).await?;
        self.reported.lock().unwrap().push(report.clone());
        Ok(())
    }

    async fn others(&self) -> Result<Vec<MemberView>, PortError> {
        Ok(Vec::new())
    }
}

fn membership(members: &Arc<Played>) -> Membership {
    Membership {
        members: Arc::clone(members) as Arc<dyn Members>,
        identity: Identity::default(),
        terms: LeaseTerms::default(),
        news: None,
    }
}

async fn trusted(world: &World, membership: &Membership) {
    let keeper = LeaseKeeper::new(world.engine.clone(), membership.clone());
    for _ in 0..4 {
        assert!(keeper.renew().await);
    }
}

/// A task that one process has begun, and another process beside it.
async fn left_running() -> (TaskId, World, Arc<Played>) {
    let (first, peers) = (World::new(), Arc::new(Played::default()));
    let id = first.submit(first.square(1)).await.unwrap();
    first.take_one();
    (id, first.beside(membership(&peers)), peers)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_process_that_is_gone_was_running_is_taken_back() {
    let (id, second, peers) = left_running().await;
    let membership = membership(&peers);
    let mut reclaimer = Reclaimer::new(second.engine.clone(), membership.clone());
    let is_expired = true;
    let member = GONE;
    *peers.missing.lock().unwrap() = vec![Missing { member, is_expired }];
    assert_eq!(reclaimer.look().await.unwrap(), 0, "it is not trusted yet");
    trusted(&second, &membership).await;
    assert_eq!(reclaimer.look().await.unwrap(), 1);
    let task = second.task(id).await;
    assert_eq!((task.phase(), task.crashes), (Phase::Scheduled, 1));
    let failure = task.failure.unwrap();
    assert_eq!(failure.ran_by.as_ref().unwrap().worker, "office");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_remote_workers_of_a_server_that_is_gone_held_is_taken_back() {
    let (id, second, peers) = left_running().await;
    let membership = membership(&peers);
    let mut reclaimer = Reclaimer::new(second.engine.clone(), membership.clone());
    trusted(&second, &membership).await;
    peers.orphaned.lock().unwrap().push(StoredSession {
        worker: Some("far".into()),
        ..StoredSession::of_own_pool(SessionId(1), 1)
    });
    let mut reclaimed = 0;
    for _ in 0..10 {
        reclaimed += reclaimer.look().await.unwrap();
    }
    assert_eq!(reclaimed, 1);
    let failure = second.task(id).await.failure.unwrap();
    assert_eq!(failure.ran_by.as_ref().unwrap().worker, "far");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cancelled_elsewhere_or_is_not_ours_is_asked_to_stop_once() {
    let (first, peers) = (World::new(), Arc::new(Played::default()));
    let membership = membership(&peers);
    let other = first.beside(membership);
    let id = first.submit(first.square(1)).await.unwrap();
    first.take_one();
    first.runs(id, 1);
    let mut recall = Recall::new(first.engine.clone());
    assert_eq!(recall.look().await.unwrap(), 0);
    other.engine.cancel(id, Actor::System).await.unwrap();
    assert_eq!(first.asked_to_stop(), []);
    assert_eq!(recall.look().await.unwrap(), 1);
    assert_eq!(first.asked_to_stop(), [(id, 1)]);
    assert_eq!(recall.look().await.unwrap(), 0, "once is enough");

    let gone = TaskId::from_u128(1);
    first.runs(gone, 3);
    assert_eq!(recall.look().await.unwrap(), 1);
    assert_eq!(first.asked_to_stop(), [(id, 1), (gone, 3)]);
}

/// More than one look takes: those that run on do not keep it from the others.
#[tokio::test(flavor = "multi_thread")]
async fn however_much_runs_here_all_of_it_is_looked_up() {
    let world = World::new();
    for number in 0..5_000 {
        let id = world.submit(world.square(number)).await.unwrap();
        world.take_one();
        world.runs(id, 1);
    }
    let gone = TaskId::from_u128(u128::MAX);
    world.runs(gone, 1);
    let mut recall = Recall::new(world.engine.clone());
    assert_eq!(
        recall.look().await.unwrap(),
        0,
        "the last of them has to wait"
    );
    assert_eq!(recall.look().await.unwrap(), 1);
    assert_eq!(recall.look().await.unwrap(), 0, "and it begins again");
    assert_eq!(world.asked_to_stop(), [(gone, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_lost_its_connection_only_may_come_back() {
    let (first, peers) = (World::new(), Arc::new(Played::default()));
    let membership = membership(&peers);
    let second = first.beside(membership.clone());
    trusted(&second, &membership).await;
    let mut reclaimer = Reclaimer::new(second.engine.clone(), membership);
    let lost = Missing {
        member: GONE,
        is_expired: false,
    };
    for missing in [vec![lost], Vec::new(), vec![lost]] {
        *peers.missing.lock().unwrap() = missing;
        for _ in 0..10 {
            reclaimer.look().await.unwrap();
        }
        assert!(peers.buried.lock().unwrap().is_empty());
    }
    reclaimer.look().await.unwrap();
    assert_eq!(*peers.buried.lock().unwrap(), [GONE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_cannot_renew_claims_nothing_until_it_can() {
    let (first, peers) = (World::new(), Arc::new(Played::default()));
    let membership = membership(&peers);
    let world = first.beside(membership.clone());
    world.submit(world.square(1)).await.unwrap();
    peers.is_away.store(true, Ordering::SeqCst);
    let supervisor = Supervisor::new();
    let keeper = LeaseKeeper::new(world.engine.clone(), membership.clone());
    supervisor.spawn(Box::new(keeper));
    let mut waited = 0;
    while world.engine.may_claim() {
        world.clock.advance(Duration::from_secs(1));
        tokio::time::timeout(Duration::from_millis(5), std::future::pending::<()>())
            .await
            .unwrap_err();
        waited += 1;
        assert!(waited < 1_000, "it claims without a lease");
    }
    assert!(world.dispatcher.try_take().is_empty());
    peers.is_away.store(false, Ordering::SeqCst);
    trusted(&world, &membership).await;
    assert_eq!(world.dispatcher.try_take().len(), 1);
    supervisor.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_others_can_run_is_known_here() {
    let (first, peers) = (World::new(), Arc::new(Played::default()));
    let offer = |kinds: &[&str]| {
        let kinds = kinds.iter().map(|name| kind(name)).collect();
        Offer { threads: 1, kinds }
    };
    *peers.offers.lock().unwrap() = vec![offer(&["mail"]), offer(&["report"])];
    let world = first.beside(membership(&peers));
    world.engine.recover().await.unwrap();
    let offered = peers.offered.lock().unwrap().clone().unwrap();
    assert_eq!(offered.kinds, [kind("square")]);
    let id = world
        .submit(Submission::new(kind("mail"), "1".into()))
        .await;
    let task = world.task(id.unwrap()).await;
    let why = async || world.engine.why(&task).await.unwrap().code;
    assert_eq!(why().await, WhyCode::NextInLine, "somebody else can run it");
    *peers.offers.lock().unwrap() = vec![offer(&["report"])];
    assert_eq!(why().await, WhyCode::NoWorkerForKind);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_is_told_of_what_ended_elsewhere() {
    let (first, peers) = (World::new(), Arc::new(Played::default()));
    let id = first.submit(first.square(3)).await.unwrap();
    let second = first.beside(membership(&peers));
    let first = first.hang_up();
    let listening = second.listening().expect("somebody listens");
    second.engine.watch(listening, id, 3).await.unwrap();
    let mut follower = Follower::new(second.engine.clone(), None);
    assert_eq!(follower.look().await.unwrap(), 0, "it is watched just now");
    first.settle(&first.take_one(), Some(succeeded("9")));
    assert!(second.heard().is_empty());
    assert_eq!(follower.look().await.unwrap(), 1);
    assert_eq!(second.heard().len(), 1);
    assert_eq!(follower.look().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_tells_the_others_what_it_does_when_there_is_news() {
    let (first, peers) = (World::new(), Arc::new(Played::default()));
    let world = first.beside(membership(&peers));
    let members = Arc::clone(&peers) as Arc<dyn Members>;
    let mut reporter = Reporter::new(world.engine.clone(), members);
    assert!(reporter.report().await);
    assert!(!reporter.report().await, "nothing has happened");
    world.submit(world.square(3)).await.unwrap();
    peers.is_away.store(true, Ordering::SeqCst);
    assert!(reporter.report().await);
    peers.is_away.store(false, Ordering::SeqCst);
    assert!(reporter.report().await, "nobody has heard it yet");
    let told = peers.reported.lock().unwrap().clone();
    let accepted: Vec<u64> = told.iter().map(|report| report.accepted).collect();
    assert_eq!(accepted, [0, 1]);
}
