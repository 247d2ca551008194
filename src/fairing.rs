//! The fairing: configuration to manager, catchers, challenges, renewal, pruning.

use std::sync::Arc;

use jsonwebtoken::Header;
use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::http;
use rocket::response::Responder;
use rocket::tokio::{self, time};
use rocket::{Build, Orbit, Request, Response, Rocket};

use crate::blocklist::{Blocklist, FollowedBlocklist, MemoryBlocklist};
use crate::cache;
use crate::catchers;
use crate::clock::{Clock, SystemClock, Uptime};
use crate::config::{self, Config, Report, Settings};
use crate::events::Event;
use crate::hooks::Hooks;
use crate::jwt::Jwt;
use crate::keys::signing::SigningKey;
use crate::keys::verifying::VerifyingKey;
use crate::rejection::Rejection;
use crate::renew;
use crate::store::Store;
use crate::token::Token;
use crate::Claims;

impl Jwt {
    /// The fairing that reads the configuration and sets everything up.
    pub fn fairing() -> JwtFairing {
        JwtFairing {
            hooks: Arc::new(Hooks::default()),
            clock: Arc::new(SystemClock),
            uptime: Uptime::default(),
            store: Store::Memory(Arc::new(MemoryBlocklist::new())),
        }
    }
}

/// The fairing, and what an application hooks into it: by [`Jwt::fairing()`].
///
/// Attach it once. At ignite it reads and checks `[default.jwt]`, tries the keys, and fails the launch
/// with one report if anything is wrong.
///
/// Hooks are synchronous; what must wait goes into [`LoadUser`](crate::LoadUser).
///
/// # Example
///
/// ```rust,no_run
/// # #[macro_use] extern crate rocket;
/// use rocket_jwt_extended::{Claims, Jwt};
///
/// #[launch]
/// fn rocket() -> _ {
///     rocket::build().attach(
///         Jwt::fairing()
///             .additional_claims(|identity| {
///                 Claims::from_iter([("staff".to_string(), identity.ends_with("@us").into())])
///             })
///             .on_event(|event| println!("{event:?}")),
///     )
/// }
/// ```
#[must_use = "a fairing must be attached"]
pub struct JwtFairing {
    hooks: Arc<Hooks>,
    clock: Arc<dyn Clock>,
    uptime: Uptime,
    store: Store,
}

impl JwtFairing {
    /// Keeps revocations in this store instead of in memory.
    pub fn blocklist(mut self, store: impl Blocklist) -> Self {
        self.store = Store::Own(Arc::new(store));
        self
    }

    /// [`blocklist()`](Self::blocklist) with a store that can be followed, so that `blocklist_replica`
    /// can be set. Without that setting it is the same.
    pub fn followed_blocklist(mut self, store: impl FollowedBlocklist) -> Self {
        self.store = Store::Followed(Arc::new(store));
        self
    }

    /// Keeps revocations in a database, by the pool that `Db::init()` attaches, before this fairing or
    /// after. The table, or key space, is created when it is missing. All servers that use the same
    /// database share what is revoked.
    ///
    /// The launch fails if the pool is not attached or the database can't be reached.
    ///
    /// See [`BlocklistPool`](crate::blocklist::BlocklistPool) for the pools there are.
    #[cfg(feature = "rocket_db_pools")]
    pub fn database_blocklist<Db: rocket_db_pools::Database>(mut self) -> Self
    where
        Db::Pool: crate::blocklist::BlocklistPool,
    {
        self.store = Store::Database(crate::store::database::Attach::of::<Db>());
        self
    }

    /// Claims for every token, by identity. They give way to those of the identity and of the builder.
    pub fn additional_claims(self, hook: impl Fn(&str) -> Claims + Send + Sync + 'static) -> Self {
        self.hook(|hooks| hooks.additional_claims = Some(Box::new(hook)))
    }

    /// Header members for every token, by identity. They give way to those of the builder.
    pub fn additional_headers(self, hook: impl Fn(&str) -> Claims + Send + Sync + 'static) -> Self {
        self.hook(|hooks| hooks.additional_headers = Some(Box::new(hook)))
    }

    /// The key that signs an identity's tokens. `None` leaves it to the configured key.
    pub fn signing_key(
        self,
        hook: impl Fn(&str) -> Option<SigningKey> + Send + Sync + 'static,
    ) -> Self {
        self.hook(|hooks| hooks.signing_key = Some(Box::new(hook)))
    }

    /// The key that verifies a token, by its header and claims, **which nothing vouches for yet**.
    /// `None` leaves it to the configured keys.
    pub fn verifying_key(
        self,
        hook: impl Fn(&Header, &Claims) -> Option<VerifyingKey> + Send + Sync + 'static,
    ) -> Self {
        self.hook(|hooks| hooks.verifying_key = Some(Box::new(hook)))
    }

    /// A last check of a token's claims. "No" is answered with 400 `claims_rejected`.
    pub fn verify_claims(
        self,
        hook: impl Fn(&Token<Claims>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.hook(|hooks| hooks.verify_claims = Some(Box::new(hook)))
    }

    /// What a refused request is answered with, instead of the JSON of [`Rejection`]'s table. It runs
    /// where a route answers with a [`Rejection`], and in the fairing's catchers: where the application
    /// has a catcher of its own, that one decides.
    pub fn on_rejection<R>(
        self,
        hook: impl Fn(&Rejection, &Request<'_>) -> R + Send + Sync + 'static,
    ) -> Self
    where
        R: for<'r> Responder<'r, 'static>,
    {
        self.hook(|hooks| {
            hooks.on_rejection = Some(Box::new(move |rejection, request| {
                hook(rejection, request).respond_to(request)
            }));
        })
    }

    /// Called for what happens to tokens: for audit logs and metrics.
    pub fn on_event(self, hook: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.hook(|hooks| hooks.on_event = Some(Box::new(hook)))
    }

    /// The clock everything goes by: for tests, which move time.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The clock by which `blocklist_replica` is judged, instead of one that counts suspension: since
    /// whenever, and never going back.
    #[cfg(feature = "test-util")]
    pub fn uptime(
        mut self,
        uptime: impl Fn() -> std::time::Duration + Send + Sync + 'static,
    ) -> Self {
        self.uptime = Uptime::of(uptime);
        self
    }

    fn hook(mut self, set: impl FnOnce(&mut Hooks)) -> Self {
        // Nobody else has the hooks before the fairing is attached.
        if let Some(hooks) = Arc::get_mut(&mut self.hooks) {
            set(hooks);
        }
        self
    }

    /// The manager, or every fault of the configuration.
    fn manager(&self, rocket: &Rocket<Build>) -> Result<(Jwt, Vec<String>), String> {
        let figment = rocket.figment();
        let mut report = Report::default();
        let config = Config::read(figment, &mut report);
        let settings = Settings::check(&config, figment, &mut report);
        let hooked = self.hooks.verifying_key.is_some();
        let keys = config::keys(&config, &settings, figment, hooked, &mut report);
        match report.failure() {
            Some(failure) => Err(failure),
            None => {
                let (hooks, clock) = (self.hooks.clone(), self.clock.clone());
                let jwt = Jwt::new(settings, keys, hooks, clock, self.uptime.clone());
                Ok((jwt, report.into_warnings()))
            }
        }
    }
}

#[rocket::async_trait]
impl Fairing for JwtFairing {
    fn info(&self) -> Info {
        Info { name: "JWT", kind: Kind::Ignite | Kind::Liftoff | Kind::Response }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        if rocket.state::<Jwt>().is_some() {
            log::error!("`Jwt::fairing()` is attached twice.");
            return Err(rocket);
        }
        let (jwt, warnings) = match self.manager(&rocket) {
            Ok(made) => made,
            Err(failure) => {
                log::error!("{failure}");
                return Err(rocket);
            }
        };
        for warning in warnings {
            log::warn!("JWT: {warning}");
        }
        let (rocket, theirs) = catchers::register(rocket, jwt.settings());
        if self.hooks.on_rejection.is_some() && !theirs.is_empty() {
            log::warn!(
                "JWT: `on_rejection` does not see {theirs:?}: the application has catchers for them."
            );
        }
        self.store.attach(rocket.manage(jwt)).await
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        let Some(jwt) = rocket.state::<Jwt>() else { return };
        summarize(jwt, &self.store);

        let Some(stores) = jwt.stores() else { return };
        if let (Some(replica), Some(interval)) =
            (stores.replica().cloned(), jwt.settings().blocklist_replica)
        {
            let [interval, limit] =
                [interval, jwt.settings().blocklist_timeout].map(|span| span.unsigned_abs());
            let mut shutdown = rocket.shutdown();
            tokio::spawn(async move {
                tokio::select! {
                    _ = &mut shutdown => {}
                    () = replica.follow(interval, limit) => {}
                }
            });
        }

        let store = stores.recorder();
        let signature_cache = jwt.signature_cache().cloned();
        let clock = self.clock.clone();
        let interval = jwt.settings().prune_interval.unsigned_abs();
        let mut shutdown = rocket.shutdown();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = &mut shutdown => break,
                    _ = time::sleep(interval) => {
                        if let Some(cache) = &signature_cache {
                            cache.prune(clock.now());
                        }
                        match store.prune(clock.now()).await {
                            Ok(removed) => log::debug!("JWT: {removed} entries left the blocklist"),
                            Err(error) => log::warn!("JWT: pruning the blocklist failed: {error}"),
                        }
                    }
                }
            }
        });
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let Some(jwt) = request.rocket().state::<Jwt>() else { return };
        let cache = cache::of(request);
        if cache.was_in_query() && !response.headers().contains("Cache-Control") {
            response.set_raw_header("Cache-Control", "no-store");
        }
        match cache.refusal(request) {
            Some(rejection) => challenge(jwt, &rejection, response),
            None => renew::renew(jwt, cache, response).await,
        }
        renew::forbid_storing(jwt.settings(), response);
    }
}

/// Adds the challenge to the answer of a refused request, where it has none: a catcher of the
/// application's own need not know about it (RFC 6750 §3).
fn challenge(jwt: &Jwt, rejection: &Rejection, response: &mut Response<'_>) {
    let is_refusal =
        response.status() == rejection.status() || response.status() == http::Status::Unauthorized;
    if !is_refusal || response.headers().contains("WWW-Authenticate") {
        return;
    }
    if let Some(value) = rejection.challenge(&jwt.settings().header_type) {
        response.set_raw_header("WWW-Authenticate", value);
    }
}

fn summarize(jwt: &Jwt, store: &Store) {
    let settings = jwt.settings();
    let locations: Vec<_> = settings.locations.iter().map(ToString::to_string).collect();
    let lifetime = |expires: Option<rocket::time::Duration>| match expires {
        Some(expires) => humantime::format_duration(expires.unsigned_abs()).to_string(),
        None => "never expires".into(),
    };
    let access = lifetime(settings.kind(crate::TokenType::Access).expires);
    let refresh = lifetime(settings.kind(crate::TokenType::Refresh).expires);
    let indented = "_";
    log::info!("JWT:");
    log::info!(target: indented, "algorithm: {:?}", settings.algorithm);
    log::info!(target: indented, "tokens in: {}", locations.join(", "));
    log::info!(target: indented, "lifetimes: access {access}, refresh {refresh}");
    log::info!(target: indented, "blocklist: {store}");
    if let Some(interval) = settings.blocklist_replica {
        let interval = humantime::format_duration(interval.unsigned_abs());
        log::info!(target: indented, "answered for from memory, followed every {interval}");
    }
    if jwt.keys().signing.is_none() && jwt.hooks().signing_key.is_none() {
        log::info!(target: indented, "no signing key: verify only");
    }
    if settings.locations.contains(&crate::Location::Cookies) && !settings.cookie_secure {
        log::warn!("JWT: cookies are sent over plain HTTP too: `cookie_secure` is false.");
    }
}
