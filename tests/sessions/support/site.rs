//! An application with sessions, its clock, its events, and its store, which can fail and forget.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rocket::local::blocking::Client;
use rocket::time::OffsetDateTime;
use rocket_jwt_extended::blocklist::{Begun, Limit, NewSession, Recorded, Renewal, SessionStore};
use rocket_jwt_extended::{
    AccessToken, AllowExpired, AnyToken, Blocklist, Error, Event, Exchange, Exchanged,
    IgnoreRevocation, Jwt, JwtFairing, MemoryBlocklist, NoClaims, RefreshToken, Rejection,
    Revocation, Session, Standing, StoreError, Token, TokenIds, TokenPair,
};
use uuid::Uuid;

use crate::support::ask::*;
use crate::support::*;

/// A store in memory that counts its calls, fails on demand, and can lose the write of an exchange.
#[derive(Default)]
pub struct Store {
    inner: MemoryBlocklist,
    pub is_down: AtomicBool,
    pub loses_exchanges: AtomicBool,
    calls: Mutex<Vec<&'static str>>,
}

impl Store {
    fn called(&self, name: &'static str) -> Result<(), StoreError> {
        self.calls.lock().unwrap().push(name);
        match self.is_down.load(Ordering::SeqCst) {
            true => Err(StoreError::new("down")),
            false => Ok(()),
        }
    }

    /// The calls since the last look.
    pub fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

#[rocket::async_trait]
impl Blocklist for Store {
    async fn revoke(&self, entry: &Revocation) -> Result<bool, StoreError> {
        self.called("revoke")?;
        self.inner.revoke(entry).await
    }

    async fn standing(&self, ids: &TokenIds<'_>) -> Result<Standing, StoreError> {
        self.called("standing")?;
        self.inner.standing(ids).await
    }

    async fn exchange(
        &self,
        ids: &TokenIds<'_>,
        exchange: &Exchange,
    ) -> Result<Exchanged, StoreError> {
        self.called("exchange")?;
        match self.loses_exchanges.load(Ordering::SeqCst) {
            true => Ok(Exchanged::First),
            false => self.inner.exchange(ids, exchange).await,
        }
    }

    fn session_store(&self) -> Option<&dyn SessionStore> {
        Some(self)
    }

    async fn prune(&self, now: OffsetDateTime) -> Result<u64, StoreError> {
        self.inner.prune(now).await
    }
}

#[rocket::async_trait]
impl SessionStore for Store {
    async fn begin(
        &self,
        ids: &TokenIds<'_>,
        session: &NewSession<'_>,
        limit: Option<Limit>,
    ) -> Result<Begun, StoreError> {
        self.called("begin")?;
        self.inner.begin(ids, session, limit).await
    }

    async fn sessions(
        &self,
        ids: &TokenIds<'_>,
        now: OffsetDateTime,
    ) -> Result<Vec<Recorded>, StoreError> {
        self.called("sessions")?;
        self.inner.sessions(ids, now).await
    }

    async fn end_session(
        &self,
        ids: &TokenIds<'_>,
        session: Uuid,
        until: Option<OffsetDateTime>,
    ) -> Result<bool, StoreError> {
        self.called("end_session")?;
        self.inner.end_session(ids, session, until).await
    }

    async fn end_other_sessions(
        &self,
        ids: &TokenIds<'_>,
        until: Option<OffsetDateTime>,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.called("end_other_sessions")?;
        self.inner.end_other_sessions(ids, until).await
    }

    async fn renew(&self, ids: &TokenIds<'_>, renewal: &Renewal) -> Result<Standing, StoreError> {
        self.called("renew")?;
        self.inner.renew(ids, renewal).await
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

#[get("/any")]
fn any(token: AnyToken) -> String {
    token.identity().into()
}

#[post("/refresh")]
async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
    jwt.rotate(token).await
}

/// The blocklist is asked by the exchange alone.
#[post("/refresh-unasked")]
async fn refresh_unasked(
    jwt: &Jwt,
    token: IgnoreRevocation<RefreshToken>,
) -> Result<TokenPair, Rejection> {
    jwt.rotate(token.into_inner()).await
}

#[post("/access")]
fn access(jwt: &Jwt, token: AnyToken) -> Result<String, Error> {
    jwt.access_token(token.identity()).session(&token).encode()
}

#[post("/logout")]
async fn logout(jwt: &Jwt, token: AllowExpired<AnyToken<NoClaims>>) -> Result<(), Error> {
    jwt.revoke_session(&token).await
}

#[post("/login?<name>&<label>")]
async fn login(jwt: &Jwt, name: &str, label: Option<&str>) -> Result<TokenPair, Error> {
    let pair = jwt.token_pair(name);
    match label {
        Some(label) => pair.label(label).begin().await,
        None => pair.begin().await,
    }
}

pub type Log = Arc<Mutex<Vec<Event>>>;

pub struct Site {
    pub client: Client,
    pub clock: ManualClock,
    pub store: Arc<Store>,
    pub log: Log,
}

/// The settings of most tests here.
pub const ON: &str = "sessions = true\ntoken_location = [\"headers\", \"cookies\"]\n";

impl Site {
    pub fn new(toml: &str) -> Self {
        Self::with(toml, |fairing| fairing)
    }

    pub fn with(toml: &str, hooks: impl FnOnce(JwtFairing) -> JwtFairing) -> Self {
        Self::of(toml, clock_at_start(), Arc::default(), hooks)
    }

    /// Another server with the same store and clock.
    pub fn beside(&self, toml: &str) -> Self {
        Self::of(toml, self.clock.clone(), self.store.clone(), |fairing| fairing)
    }

    pub fn of(
        toml: &str,
        clock: ManualClock,
        store: Arc<Store>,
        hooks: impl FnOnce(JwtFairing) -> JwtFairing,
    ) -> Self {
        // Before Rocket installs its own logger.
        crate::support::log::install();
        let log = Log::default();
        let sink = log.clone();
        let fairing = Jwt::fairing()
            .clock(clock.clone())
            .blocklist(store.clone())
            .on_event(move |event| sink.lock().unwrap().push(event.clone()));
        let routes = routes![me, look, any, refresh, refresh_unasked, access, logout, login];
        let client = client(toml, hooks(fairing), routes);
        Self { client, clock, store, log }
    }

    pub fn jwt(&self) -> &Jwt {
        jwt(&self.client)
    }

    pub fn begin(&self, name: &str) -> TokenPair {
        run(self.jwt().token_pair(name).begin()).unwrap()
    }

    /// The access token of that session, as its guard accepts it.
    pub fn accepted(&self, token: &str) -> Token<NoClaims> {
        run(self.jwt().verify::<AnyToken>(token)).unwrap()
    }

    pub fn sessions(&self, name: &str) -> Vec<Session> {
        run(self.jwt().sessions(name)).unwrap()
    }

    pub fn ids(&self, name: &str) -> Vec<String> {
        self.sessions(name).iter().map(|session| session.id().to_string()).collect()
    }

    pub fn labels(&self, name: &str) -> Vec<String> {
        let labels = self.sessions(name);
        labels.iter().map(|session| session.label().unwrap_or("-").to_string()).collect()
    }

    /// Status and code of the answer to a token.
    pub fn get(&self, path: &str, token: &str) -> (u16, String) {
        code(get(&self.client, path, token))
    }

    pub fn post(&self, path: &str, token: &str) -> (u16, String) {
        code(post(&self.client, path, token))
    }

    pub fn rotate(&self, token: &str) -> [String; 2] {
        pair(post(&self.client, "/refresh", token))
    }

    /// The token that the answer to a request with it in a cookie sets, with its `Max-Age`.
    pub fn renewed(&self, token: &str) -> Option<(String, Option<i64>)> {
        let response = by_cookie(self.client.get("/me"), token).dispatch();
        let cookie = response.cookies().get("access_token_cookie")?;
        let age = cookie.max_age().map(|age| age.whole_seconds());
        Some((cookie.value().to_string(), age))
    }

    /// The events since the last look.
    pub fn events(&self) -> Vec<Event> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// Their names, in short.
    pub fn told(&self) -> Vec<String> {
        self.events().iter().map(name_of).collect()
    }
}

fn name_of(event: &Event) -> String {
    match event {
        Event::Issued { token_type, .. } => format!("issued {token_type}"),
        Event::Refused { rejection, .. } => format!("refused {}", rejection.code()),
        Event::Revoked { revocation, .. } => format!("revoked {:?}", revocation.kind()),
        Event::SessionBegan { identity, .. } => format!("began {identity}"),
        Event::SessionEnded { identity, why, .. } => format!("ended {identity} {why:?}"),
        Event::Repeated { .. } => "repeated".into(),
        Event::ReuseDetected { .. } => "reuse".into(),
        other => format!("{other:?}"),
    }
}

pub fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = rocket::tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

pub const LIVE: u16 = 200;

pub fn revoked() -> (u16, String) {
    (401, "token_revoked".into())
}

pub fn expired() -> (u16, String) {
    (401, "token_expired".into())
}

pub fn unavailable() -> (u16, String) {
    (503, "store_unavailable".into())
}
