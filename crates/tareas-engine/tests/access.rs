//! Tokens, links and sessions over a store that a test can change behind their back.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tareas_adapters::MemoryAccess;
use tareas_core::Timestamp;
use tareas_engine::access::{
    Access, CHANCE, Credential, CredentialKind, Denied, Limits, Networks, Principal, QueueScope,
    Role, Roles, TokenText, Wanted,
};
use tareas_engine::ports::{AccessRecords, Clock, TestClock};

/// How long a login link waits, and how long a session in which nothing is asked lasts.
const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

struct World {
    access: Arc<Access>,
    store: Arc<MemoryAccess>,
    clock: Arc<TestClock>,
}

async fn world() -> World {
    let store = Arc::new(MemoryAccess::default());
    let clock = Arc::new(TestClock::new(Timestamp::from_millis(1_000_000)));
    let access = Access::open(store.clone(), clock.clone(), Limits::default());
    let access = access.await.unwrap();
    World {
        access,
        store,
        clock,
    }
}

fn wanted(roles: &str, queues: &str) -> Wanted {
    Wanted {
        name: "web".into(),
        roles: Roles::parse(roles).unwrap(),
        queues: QueueScope::parse(queues).unwrap(),
        from: Networks::default(),
        expires_at: None,
    }
}

impl World {
    async fn token(&self, wanted: Wanted, seed: u32) -> TokenText {
        let (by, chances) = (Principal::everyone(), [seed; CHANCE]);
        let made = self.access.create_token(wanted, &by, &chances).await;
        made.unwrap().0
    }

    async fn shows(&self, text: &str) -> Option<Principal> {
        let kind = TokenText::parse(text).map_or(CredentialKind::Token, |text| text.kind());
        self.access.authenticate(text, kind, HERE).await.ok()
    }
}

#[tokio::test]
async fn a_token_says_who_somebody_is_until_it_is_revoked() {
    let world = world().await;
    let token = world.token(wanted("read", "*"), 1).await;
    let principal = world.shows(&token.reveal()).await.unwrap();
    assert_eq!(principal.name().unwrap(), "web");
    assert!(!principal.has_ended());
    assert!(principal.ended().now_or_never().is_none());
    assert!(world.access.revoke(token.id()).await.unwrap());
    assert!(principal.has_ended());
    principal.ended().await;
    assert!(world.shows(&token.reveal()).await.is_none());
    assert!(!world.access.revoke(token.id()).await.unwrap());
}

#[tokio::test]
async fn what_another_server_revoked_ends_with_the_next_look() {
    let world = world().await;
    let token = world.token(wanted("read", "*"), 1).await;
    let principal = world.shows(&token.reveal()).await.unwrap();
    world
        .store
        .revoke(token.id(), world.clock.now())
        .await
        .unwrap();
    assert!(!principal.has_ended());
    world.access.refresh().await.unwrap();
    assert!(principal.has_ended());
}

#[tokio::test]
async fn what_another_server_made_is_known_when_it_is_first_shown() {
    let world = world().await;
    let text = TokenText::make(CredentialKind::Token, &[5; CHANCE]);
    let now = world.clock.now();
    let made = Credential::new(&text, wanted("read", "*"), "".into(), now);
    world.store.add(&made).await.unwrap();
    world.clock.advance(Duration::from_secs(1));
    assert!(world.shows(&text.reveal()).await.is_some());
}

#[tokio::test]
async fn every_wrong_token_is_answered_alike() {
    let world = world().await;
    let far = Wanted {
        from: Networks::parse(["10.0.0.0/8"]).unwrap(),
        ..wanted("admin", "*")
    };
    let short = Wanted {
        expires_at: Some(world.clock.now() + Duration::from_secs(1)),
        ..wanted("admin", "*")
    };
    let near = world.token(wanted("admin", "*"), 1).await;
    let far = world.token(far, 2).await.reveal();
    let short = world.token(short, 3).await.reveal();
    world.clock.advance(Duration::from_secs(2));
    let wrong_secret = TokenText::make(CredentialKind::Token, &[9; CHANCE]).with_id(near.id());
    let unknown = TokenText::make(CredentialKind::Token, &[8; CHANCE]).reveal();
    let link = near.reveal().replace("tr_", "tl_");
    for wrong in [
        "",
        "secret",
        &far,
        &short,
        &wrong_secret.reveal(),
        &unknown,
        &link,
    ] {
        let shown = world
            .access
            .authenticate(wrong, CredentialKind::Token, HERE)
            .await;
        assert!(matches!(shown, Err(Denied::NotValid)), "{wrong}: {shown:?}");
    }
}

#[tokio::test]
async fn an_address_that_is_often_wrong_waits_and_whoever_is_right_does_not() {
    let world = world().await;
    let token = world.token(wanted("read", "*"), 1).await;
    for _ in 0..20 {
        assert!(world.shows("tr_wrong").await.is_none());
    }
    let wrong = |kind| world.access.authenticate("tr_wrong", kind, HERE);
    let shown = wrong(CredentialKind::Token).await;
    assert!(matches!(shown, Err(Denied::TooOften { .. })), "{shown:?}");
    assert!(world.shows(&token.reveal()).await.is_some());
    world.clock.advance(Duration::from_secs(61));
    let shown = wrong(CredentialKind::Token).await;
    assert!(matches!(shown, Err(Denied::NotValid)), "{shown:?}");
}

#[tokio::test]
async fn a_session_that_is_over_is_not_counted_as_a_guess() {
    let world = world().await;
    let over = TokenText::make(CredentialKind::Session, &[9; CHANCE]).reveal();
    for _ in 0..40 {
        let shown = world
            .access
            .authenticate(&over, CredentialKind::Session, HERE)
            .await;
        assert!(matches!(shown, Err(Denied::NotValid)), "{shown:?}");
    }
}

/// Chance of its own for each of many.
fn numbered(number: u32) -> [u32; CHANCE] {
    std::array::from_fn(|at| {
        if at == 0 {
            10 + number / 62
        } else {
            number % 62
        }
    })
}

#[tokio::test]
async fn one_token_has_only_so_many_sessions() {
    let world = world().await;
    let token = world.token(wanted("read", "*"), 1).await;
    let person = world.shows(&token.reveal()).await.unwrap();
    let session = |number| world.access.create_session(&person, number);
    let numbers: Vec<_> = (0..=100).map(numbered).collect();
    for number in &numbers[..100] {
        session(number).await.unwrap();
    }
    let more = session(&numbers[100]).await;
    assert!(matches!(more, Err(Denied::Full)), "{more:?}");
    let other = world.token(wanted("read", "*"), 2).await;
    let other = world.shows(&other.reveal()).await.unwrap();
    assert!(
        world
            .access
            .create_session(&other, &[3; CHANCE])
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_login_link_opens_once_and_its_session_ends_with_the_token() {
    let world = world().await;
    let token = world.token(wanted("read", "*"), 1).await;
    let admin = world.shows(&token.reveal()).await.unwrap();
    let (link, _) = world
        .access
        .create_link(&admin, &[2; CHANCE])
        .await
        .unwrap();
    let redeem = |seed| {
        let link = link.reveal();
        let access = Arc::clone(&world.access);
        async move { access.redeem_link(&link, HERE, &[seed; CHANCE]).await }
    };
    let (session, _) = redeem(3).await.unwrap();
    assert!(matches!(redeem(4).await, Err(Denied::NotValid)));
    let person = world.shows(&session.reveal()).await.unwrap();
    assert_eq!(person.roles(), admin.roles());
    world.access.revoke(token.id()).await.unwrap();
    assert!(person.has_ended());
}

#[tokio::test]
async fn a_login_link_and_a_session_run_out() {
    let world = world().await;
    let token = world.token(wanted("read", "*"), 1).await;
    let admin = world.shows(&token.reveal()).await.unwrap();
    let (link, _) = world
        .access
        .create_link(&admin, &[2; CHANCE])
        .await
        .unwrap();
    let (session, _) = world
        .access
        .create_session(&admin, &[3; CHANCE])
        .await
        .unwrap();
    world.clock.advance(HALF_AN_HOUR - Duration::from_secs(1));
    assert!(
        world.shows(&session.reveal()).await.is_some(),
        "this is a use"
    );
    world.clock.advance(Duration::from_secs(1));
    assert!(
        world
            .access
            .redeem_link(&link.reveal(), HERE, &[4; CHANCE])
            .await
            .is_err()
    );
    assert!(world.shows(&session.reveal()).await.is_some());
    world.clock.advance(HALF_AN_HOUR);
    assert!(world.shows(&session.reveal()).await.is_none());
}

#[tokio::test]
async fn the_first_token_is_made_once() {
    let world = world().await;
    let first = world
        .access
        .create_first(&[1; CHANCE])
        .await
        .unwrap()
        .unwrap();
    assert!(
        world
            .shows(&first.reveal())
            .await
            .unwrap()
            .roles()
            .contains(Role::Admin)
    );
    assert!(
        world
            .access
            .create_first(&[2; CHANCE])
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn nobody_gives_queues_that_they_do_not_have() {
    let world = world().await;
    let token = world.token(wanted("admin", "mail*"), 1).await;
    let admin = world.shows(&token.reveal()).await.unwrap();
    let more = world
        .access
        .create_token(wanted("read", "*"), &admin, &[2; CHANCE])
        .await;
    assert!(matches!(more, Err(Denied::TooMuch)));
    let less = wanted("read", "mail.bulk");
    let less = world.access.create_token(less, &admin, &[3; CHANCE]).await;
    let (less, _) = less.unwrap();
    // Nor do they see tokens of others, or revoke them.
    let foreign = world.token(wanted("admin", "*"), 4).await;
    let known = world.access.list(&admin).await.unwrap();
    assert!(known.len() == 2 && known.iter().all(|one| one.id != foreign.id()));
    let revoke = |id| world.access.revoke_token(id, &admin);
    assert!(!revoke(foreign.id()).await.unwrap());
    assert!(revoke(less.id()).await.unwrap());
}

#[tokio::test]
async fn what_is_past_leaves_the_lists() {
    let world = world().await;
    let token = world.token(wanted("read", "*"), 1).await;
    let admin = world.shows(&token.reveal()).await.unwrap();
    world
        .access
        .create_session(&admin, &[3; CHANCE])
        .await
        .unwrap();
    world.access.revoke(token.id()).await.unwrap();
    world.clock.advance(HALF_AN_HOUR + Duration::from_secs(1));
    world.access.prune().await.unwrap();
    let left = world.store.credentials().await.unwrap();
    let left: Vec<_> = left.iter().map(|credential| credential.id).collect();
    assert_eq!(left, [token.id()]);
    world.clock.advance(Duration::from_secs(8 * 24 * 60 * 60));
    world.access.prune().await.unwrap();
    assert!(world.store.credentials().await.unwrap().is_empty());
}
