//! `blocklist_replica`: a shared store that is answered for from memory, as long as it was followed
//! recently.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration as StdDuration;

use rocket::local::asynchronous::Client;
use rocket_jwt_extended::blocklist::Entry;
use rocket_jwt_extended::{
    AccessToken, Blocklist, Jwt, JwtFairing, MemoryBlocklist, NoClaims, RefreshToken, Rejection,
    Revocation, Token, TokenPair,
};

use crate::support::store_stub::{Answer, Call, StoreStub};
use crate::support::*;

/// A clock of the machine, in nanoseconds, that stands still until it is moved.
#[derive(Clone, Default)]
struct Uptime(Arc<AtomicU64>);

impl Uptime {
    fn advance(&self, by: StdDuration) {
        self.0.fetch_add(by.as_nanos() as u64, Ordering::SeqCst);
    }
}

/// What several servers share: a store with two ways to fail.
struct Shared {
    store: Arc<StoreStub>,
    /// Everything but polls fails.
    is_away: Arc<AtomicBool>,
    /// Polls fail.
    is_mute: Arc<AtomicBool>,
    uptime: Uptime,
    /// A poll takes this long, in nanoseconds.
    slow: Arc<AtomicU64>,
}

impl Default for Shared {
    fn default() -> Self {
        let [is_away, is_mute] = [(); 2].map(|()| Arc::<AtomicBool>::default());
        let (uptime, slow) = (Uptime::default(), Arc::<AtomicU64>::default());
        let (away, mute, time, long) =
            (is_away.clone(), is_mute.clone(), uptime.clone(), slow.clone());
        let store = StoreStub::new(move |call| {
            let fails = match call {
                Call::Prune(_) => false,
                Call::Changes(_) => {
                    time.advance(StdDuration::from_nanos(long.load(Ordering::SeqCst)));
                    mute.load(Ordering::SeqCst)
                }
                _ => away.load(Ordering::SeqCst),
            };
            if fails { Answer::Fail("away") } else { Answer::FromMemory }
        });
        Self { store: Arc::new(store), is_away, is_mute, uptime, slow }
    }
}

impl Shared {
    /// Ends the session, as another server would.
    async fn end(&self, sid: &str) {
        self.store.revoke(&Revocation::session(sid, None)).await.unwrap();
    }

    fn asked(&self) -> usize {
        self.store.lookups()
    }
}

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/look")]
fn look(token: RefreshToken) -> String {
    token.identity().into()
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

/// A server.
struct Site {
    client: Client,
    shared: Arc<Shared>,
}

impl Site {
    /// Of two servers, this one polls every 100 milliseconds, and waits so for `blocklist_timeout`
    /// besides: by a clock that is not that of its polls.
    async fn new(shared: &Arc<Shared>) -> Self {
        Self::with(shared, "blocklist_replica = \"100ms\"\nblocklist_timeout = \"2s\"").await
    }

    async fn with(shared: &Arc<Shared>, toml: &str) -> Self {
        let uptime = shared.uptime.clone();
        let fairing = Jwt::fairing()
            .clock(clock_at_start())
            .uptime(move || StdDuration::from_nanos(uptime.0.load(Ordering::SeqCst)))
            .replicable_blocklist(shared.store.clone());
        let toml = format!(
            "{toml}\nimplicit_refresh_within = \"1h\"\ntoken_location = [\"headers\", \"cookies\"]"
        );
        let rocket = app(&toml, fairing, routes![me, look, refresh]);
        let client = Client::untracked(rocket).await.unwrap();
        Self { client, shared: shared.clone() }
    }

    fn jwt(&self) -> &Jwt {
        Jwt::fetch(self.client.rocket()).unwrap()
    }

    fn pair(&self) -> TokenPair {
        self.jwt().token_pair("ada").issue().unwrap()
    }

    fn token(&self, token: &str) -> Token<NoClaims> {
        self.jwt().decode(token).unwrap()
    }

    async fn get(&self, path: &'static str, token: &str) -> u16 {
        self.client.get(path).header(Bearer(token)).dispatch().await.status().code
    }

    async fn rotate(&self, token: &str) -> Result<[String; 2], u16> {
        let response = self.client.post("/refresh").header(Bearer(token)).dispatch().await;
        let status = response.status().code;
        let body: serde_json::Value = response.into_json().await.unwrap();
        match status {
            200 => Ok(["access_token", "refresh_token"]
                .map(|name| body[name].as_str().unwrap().to_string())),
            status => Err(status),
        }
    }

    /// Until a poll has begun, and ended, after this call.
    async fn polled(&self) {
        let before = self.shared.store.polls();
        until(|| self.shared.store.polls() > before + 1).await;
    }

    /// Polls fail from now on.
    async fn mute(&self) {
        self.shared.is_mute.store(true, Ordering::SeqCst);
        self.polled().await;
    }
}

const BOUND: StdDuration = StdDuration::from_millis(2100);

#[rocket::async_test]
async fn guards_are_answered_from_memory() {
    let shared = Arc::new(Shared::default());
    // Without a replica, so that the other one's polls are the only ones.
    let before = Site::with(&shared, "").await;
    let [ended, live] = [before.pair(), before.pair()];
    before.jwt().revoke_session(&before.token(ended.access_token())).await.unwrap();

    // Loaded at launch.
    let site = Site::new(&shared).await;
    assert_eq!(site.get("/me", ended.access_token()).await, 401);
    assert_eq!(site.get("/me", live.access_token()).await, 200);
    // Followed.
    before.jwt().revoke(&before.token(live.access_token())).await.unwrap();
    site.polled().await;
    assert_eq!(site.get("/me", live.access_token()).await, 401);
    let another = before.pair();
    before.jwt().revoke_all("ada").await.unwrap();
    site.polled().await;
    assert_eq!(site.get("/me", another.access_token()).await, 401);
    assert_eq!(shared.asked(), 0, "the store was asked");
    // Of a refresh token, the store knows whether it was exchanged.
    assert_eq!(site.get("/look", live.refresh_token()).await, 401);
    assert_eq!(shared.asked(), 1);
}

#[rocket::async_test]
async fn its_own_revocation_holds_at_once() {
    let shared = Arc::new(Shared::default());
    let site = Site::new(&shared).await;
    let [one, two, three] = [(); 3].map(|()| site.pair());
    site.mute().await;
    site.jwt().revoke(&site.token(one.access_token())).await.unwrap();
    site.jwt().revoke_session(&site.token(two.access_token())).await.unwrap();
    assert_eq!(site.get("/me", one.access_token()).await, 401);
    assert_eq!(site.get("/me", two.access_token()).await, 401);
    assert_eq!(site.get("/me", three.access_token()).await, 200);
    site.jwt().revoke_all("ada").await.unwrap();
    assert_eq!(site.get("/me", three.access_token()).await, 401);
    assert_eq!(shared.asked(), 0, "the store was asked");

    // One that the store did not take holds nowhere.
    let four = site.pair();
    shared.is_away.store(true, Ordering::SeqCst);
    assert!(site.jwt().revoke(&site.token(four.access_token())).await.is_err());
    assert_eq!(site.get("/me", four.access_token()).await, 200);
}

#[rocket::async_test]
async fn past_its_bound_the_store_is_asked_for_each_request() {
    let shared = Arc::new(Shared::default());
    let site = Site::new(&shared).await;
    let [ended, live] = [site.pair(), site.pair()];
    site.mute().await;
    let sid = site.token(ended.access_token()).session_id().unwrap().to_string();
    shared.end(&sid).await;

    shared.uptime.advance(BOUND);
    assert_eq!(site.get("/me", ended.access_token()).await, 200, "still within the bound");
    assert_eq!(shared.asked(), 0);
    shared.uptime.advance(StdDuration::from_nanos(1));
    assert_eq!(site.get("/me", ended.access_token()).await, 401);
    assert_eq!(site.get("/me", live.access_token()).await, 200);
    assert_eq!(shared.asked(), 2);
    shared.is_away.store(true, Ordering::SeqCst);
    assert_eq!(site.get("/me", ended.access_token()).await, 503);
    assert_eq!(site.get("/me", live.access_token()).await, 503);
    assert_eq!(shared.asked(), 4);

    // It can be followed again, whether or not it answers.
    shared.is_mute.store(false, Ordering::SeqCst);
    site.polled().await;
    assert_eq!(site.get("/me", ended.access_token()).await, 401);
    assert_eq!(site.get("/me", live.access_token()).await, 200);
    assert_eq!(shared.asked(), 4);
}

#[rocket::async_test]
async fn a_poll_counts_from_its_beginning() {
    let shared = Arc::new(Shared::default());
    let site = Site::new(&shared).await;
    let ended = site.pair();
    // Longer on its way than the bound: it is of no use when it arrives.
    shared.slow.store(BOUND.as_nanos() as u64 + 1, Ordering::SeqCst);
    site.polled().await;
    let sid = site.token(ended.access_token()).session_id().unwrap().to_string();
    shared.end(&sid).await;
    assert_eq!(site.get("/me", ended.access_token()).await, 401);
    assert_eq!(shared.asked(), 1, "the store was not asked");
}

#[rocket::async_test]
async fn an_exchange_is_decided_by_the_store() {
    let shared = Arc::new(Shared::default());
    let toml = "blocklist_replica = \"100ms\"\nrotation_grace = \"10s\"";
    let here = Site::with(&shared, toml).await;
    let there = Site::with(&shared, toml).await;
    let first = here.pair();
    // Neither knows of the other by following it.
    here.mute().await;
    there.mute().await;

    let parent = here.rotate(first.refresh_token()).await.unwrap();
    assert_eq!(there.rotate(first.refresh_token()).await.unwrap(), parent);
    let child = there.rotate(&parent[1]).await.unwrap();
    // Its successor was exchanged a moment ago, elsewhere: the session is stolen.
    assert_eq!(here.rotate(first.refresh_token()).await, Err(401));
    assert_eq!(here.get("/me", &child[0]).await, 401);
    // Where that is not yet known, nothing is exchanged all the same.
    assert_eq!(there.get("/me", &child[0]).await, 200);
    assert_eq!(there.rotate(&child[1]).await, Err(401));
}

#[rocket::async_test]
async fn a_used_token_at_a_guard_is_judged_by_the_store() {
    let shared = Arc::new(Shared::default());
    let here = Site::new(&shared).await;
    let first = here.pair();
    let there = Site::new(&shared).await;
    let parent = here.rotate(first.refresh_token()).await.unwrap();
    there.polled().await;
    here.mute().await;
    // Within the grace, as nobody used the successor; then somebody does.
    assert_eq!(here.get("/look", first.refresh_token()).await, 200);
    there.rotate(&parent[1]).await.unwrap();
    assert_eq!(here.get("/look", first.refresh_token()).await, 401);
    assert_eq!(here.get("/me", &parent[0]).await, 401);
}

#[rocket::async_test]
async fn no_token_is_renewed_that_was_revoked_elsewhere() {
    let shared = Arc::new(Shared::default());
    let site = Site::new(&shared).await;
    let [ended, live] = [site.pair(), site.pair()];
    site.mute().await;
    let sid = site.token(ended.access_token()).session_id().unwrap().to_string();
    shared.end(&sid).await;
    let renewed = async |token: &str| {
        let request = site.client.get("/me").cookie(("access_token_cookie", token.to_string()));
        let response = request.dispatch().await;
        assert_eq!(response.status().code, 200);
        response.headers().contains("Set-Cookie")
    };
    assert!(!renewed(ended.access_token()).await, "within the bound it passes, and that is all");
    assert!(renewed(live.access_token()).await);
}

#[rocket::async_test]
async fn an_entry_that_cannot_be_right_concerns_its_own_tokens_alone() {
    let shared = Arc::new(Shared::default());
    let site = Site::new(&shared).await;
    let [strange, live] = [site.pair(), site.pair()];
    let sid = site.token(strange.access_token()).session_id().unwrap().to_string();
    let key = Revocation::session(sid, None).key();
    let entry = Entry { key, revoked: false, cut_off: None, until: None };
    shared.store.log.lock().unwrap().push(entry);
    site.polled().await;
    assert_eq!(site.get("/me", live.access_token()).await, 200);
    assert_eq!(shared.asked(), 0);
    shared.is_away.store(true, Ordering::SeqCst);
    assert_eq!(site.get("/me", strange.access_token()).await, 503);
    assert_eq!(shared.asked(), 1);
}

#[rocket::async_test]
async fn the_task_ends_at_shutdown() {
    let shared = Arc::new(Shared::default());
    let site = Site::new(&shared).await;
    site.polled().await;
    let shutdown = site.client.rocket().shutdown();
    drop(site);
    assert!(Arc::strong_count(&shared.store) > 1);
    shutdown.notify();
    until(|| Arc::strong_count(&shared.store) == 1).await;
}

async fn is_refused(fairing: JwtFairing) {
    let rocket = app("blocklist_replica = \"1s\"", fairing, vec![]);
    let error = Client::untracked(rocket).await.expect_err("it does not launch");
    let _ = error.kind();
}

#[rocket::async_test]
async fn what_cannot_be_followed_does_not_launch() {
    is_refused(Jwt::fairing()).await;
    is_refused(Jwt::fairing().blocklist(MemoryBlocklist::new())).await;
    is_refused(Jwt::fairing().blocklist(StoreStub::default())).await;
    is_refused(Jwt::fairing().replicable_blocklist(StoreStub::unreachable())).await;
}

#[rocket::async_test]
async fn without_the_setting_a_store_that_can_be_followed_is_asked() {
    let shared = Arc::new(Shared::default());
    let site = Site::with(&shared, "").await;
    let token = site.pair();
    assert_eq!(site.get("/me", token.access_token()).await, 200);
    assert_eq!((shared.asked(), shared.store.polls()), (1, 0));
}
