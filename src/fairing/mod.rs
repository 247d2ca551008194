//! The fairing, its hooks, and its launch.

mod background;
#[cfg(feature = "_database")]
mod database;
#[cfg(not(feature = "_database"))]
mod no_database;
mod prepared;
mod store;
mod summary;

use std::sync::Arc;

use jsonwebtoken::Header;
use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::response::Responder;
use rocket::{Build, Orbit, Request, Response, Rocket};

use crate::blocklist::prune_limit::{SLACK, SLACK_OF_OWN_CLOCK};
use crate::blocklist::{Blocklist, MemoryBlocklist, ReplicableBlocklist};
use crate::clock::{BootClock, Clock, SystemClock};
use crate::config::{self, InCode, Loaded, Refused};
use crate::events::Event;
use crate::hooks::Hooks;
use crate::issue::least_length::least_lengths;
use crate::jwt::Jwt;
use crate::keys::signing::SigningKey;
use crate::keys::verifying::VerifyingKey;
use crate::rejection::Rejection;
use crate::request::cache::RequestCache;
use crate::response::{catchers, challenge, insecure, renew, scopes};
use crate::token::Token;
use crate::token::claims::Claims;

use prepared::Prepared;
use store::BlocklistSource;

impl Jwt {
    /// The fairing that reads the configuration and manages the `Jwt`.
    pub fn fairing() -> JwtFairing {
        JwtFairing {
            hooks: Arc::new(Hooks::default()),
            clock: Arc::new(SystemClock),
            boot_clock: BootClock::default(),
            has_own_clock: false,
            has_own_uptime: false,
            store: BlocklistSource::Memory(Arc::new(MemoryBlocklist::new())),
        }
    }
}

/// The fairing and its hooks; made with [`Jwt::fairing()`].
///
/// Attach it once. At ignition it reads and checks `[default.jwt]` and tests the keys. If anything
/// is wrong, the launch fails with one report of all errors.
///
/// Hooks are synchronous; use [`LoadUser`](crate::LoadUser) for asynchronous work.
///
/// # Example
///
/// ```rust,no_run
/// # use rocket::launch;
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
    boot_clock: BootClock,
    has_own_clock: bool,
    has_own_uptime: bool,
    store: BlocklistSource,
}

impl JwtFairing {
    /// Stores revocations in this store instead of in memory.
    pub fn blocklist(mut self, store: impl Blocklist) -> Self {
        self.store = BlocklistSource::Own(Arc::new(store));
        self
    }

    /// Like [`blocklist()`](Self::blocklist), but with a store that can be replicated, which
    /// `blocklist_replica` requires. Without that setting there is no difference.
    pub fn replicable_blocklist(mut self, store: impl ReplicableBlocklist) -> Self {
        self.store = BlocklistSource::Replicable(Arc::new(store));
        self
    }

    /// Stores revocations in a database, through the pool that `Db::init()` attaches. That may be
    /// attached before this fairing or after it. A missing table is created. All servers that use
    /// the same database share their revocations.
    ///
    /// The launch fails if the pool is not attached or the database can't be reached.
    ///
    /// [`BlocklistPool`](crate::blocklist::BlocklistPool) lists the supported pools.
    #[cfg(feature = "_database")]
    pub fn database_blocklist<Db: rocket_db_pools::Database>(mut self) -> Self
    where
        Db::Pool: crate::blocklist::BlocklistPool,
    {
        self.store = BlocklistSource::Database(database::DatabaseSource::of::<Db>());
        self
    }

    /// Fails to compile with a message that names the missing feature.
    #[cfg(not(feature = "_database"))]
    #[doc(hidden)]
    pub fn database_blocklist<Db: no_database::DatabaseDriver>(self) -> Self {
        self
    }

    /// Adds claims to every token, by identity. Claims of the identity and of the builder override
    /// them.
    pub fn additional_claims(self, hook: impl Fn(&str) -> Claims + Send + Sync + 'static) -> Self {
        self.hook(|hooks| hooks.additional_claims = Some(Box::new(hook)))
    }

    /// Adds header parameters to every token, by identity. Those of the builder override them.
    pub fn additional_headers(self, hook: impl Fn(&str) -> Claims + Send + Sync + 'static) -> Self {
        self.hook(|hooks| hooks.additional_headers = Some(Box::new(hook)))
    }

    /// Chooses the key that signs an identity's tokens. `None` means the configured key.
    pub fn signing_key(
        self,
        hook: impl Fn(&str) -> Option<SigningKey> + Send + Sync + 'static,
    ) -> Self {
        self.hook(|hooks| hooks.signing_key = Some(Box::new(hook)))
    }

    /// Chooses the key that verifies a token, by its header and claims, **which are not verified
    /// yet**. `None` means the configured keys.
    pub fn verifying_key(
        self,
        hook: impl Fn(&Header, &Claims) -> Option<VerifyingKey> + Send + Sync + 'static,
    ) -> Self {
        self.hook(|hooks| hooks.verifying_key = Some(Box::new(hook)))
    }

    /// Adds a last check of a token's claims. If the hook returns `false`, the response is 400
    /// `claims_rejected`.
    pub fn verify_claims(
        self,
        hook: impl Fn(&Token<Claims>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.hook(|hooks| hooks.verify_claims = Some(Box::new(hook)))
    }

    /// Builds the response to a refused request, instead of the JSON of [`Rejection`]'s table. The
    /// hook runs when a route returns a [`Rejection`], and in the fairing's catchers. If the
    /// application has its own catcher, that catcher decides instead.
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

    /// Receives each [`Event`]: for audit logs and metrics. Most events have the context of their
    /// request: [`Event::request()`].
    pub fn on_event(self, hook: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.hook(|hooks| hooks.on_event = Some(Box::new(hook)))
    }

    /// Sets the clock for everything that depends on time, so that tests can move it.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self.has_own_clock = true;
        self
    }

    /// Sets the monotonic clock that measures the age of `blocklist_replica`, instead of the
    /// boot-time clock. It may start at any value, and must never go back.
    #[cfg(feature = "test-util")]
    pub fn uptime(
        mut self,
        uptime: impl Fn() -> std::time::Duration + Send + Sync + 'static,
    ) -> Self {
        self.boot_clock = BootClock::of(uptime);
        self.has_own_uptime = true;
        self
    }

    fn hook(mut self, set: impl FnOnce(&mut Hooks)) -> Self {
        // The hooks are not shared before the fairing is attached.
        if let Some(hooks) = Arc::get_mut(&mut self.hooks) {
            set(hooks);
        }
        self
    }

    /// Prepares everything except the blocklist, and returns the warnings; or reports every error
    /// of the configuration.
    fn prepare(&self, rocket: &Rocket<Build>) -> Result<(Prepared, Vec<String>), Refused> {
        let in_code = InCode {
            verifying_key: self.hooks.verifying_key.is_some(),
            signing_key: self.hooks.signing_key.is_some(),
            verify_claims: self.hooks.verify_claims.is_some(),
            blocklist: self.store.kind(),
        };
        let Loaded { settings, keys, warnings } =
            config::load(rocket.figment(), &in_code, least_lengths)?;
        let (hooks, clock) = (self.hooks.clone(), self.clock.clone());
        let boot_clock = self.boot_clock.clone();
        let is_moved_by_hand = self.has_own_clock && !self.has_own_uptime;
        let prune_slack = if is_moved_by_hand { SLACK_OF_OWN_CLOCK } else { SLACK };
        Ok((Prepared { settings, keys, hooks, clock, boot_clock, prune_slack }, warnings))
    }

    /// Manages the complete `Jwt`, now or once the database's pool is available.
    async fn manage(&self, rocket: Rocket<Build>, prepared: Prepared) -> fairing::Result {
        let is_replicated = prepared.settings.blocklist_replica.is_some();
        let jwt = match &self.store {
            BlocklistSource::Memory(_) if is_replicated => {
                Err("it is in memory already; remove `blocklist_replica`, or choose a shared \
                     store with `database_blocklist::<Db>()`"
                    .into())
            }
            BlocklistSource::Own(_) if is_replicated => {
                Err("for `blocklist_replica`, set the application's own store with \
                     `replicable_blocklist()`"
                    .into())
            }
            BlocklistSource::Memory(store) => {
                prepared.with_store(store.clone()).await.map_err(|error| error.to_string())
            }
            BlocklistSource::Own(store) => {
                prepared.with_store(store.clone()).await.map_err(|error| error.to_string())
            }
            BlocklistSource::Replicable(store) => {
                prepared.with_replicable(store.clone()).await.map_err(|error| error.to_string())
            }
            #[cfg(feature = "_database")]
            BlocklistSource::Database(source) => return Ok(source.attach_to(rocket, prepared)),
        };
        match jwt {
            Ok(jwt) => Ok(rocket.manage(jwt)),
            Err(error) => {
                log::error!("JWT: the blocklist cannot be set up: {error}.");
                Err(rocket)
            }
        }
    }
}

fn warn(warnings: &[String]) {
    for warning in warnings {
        log::warn!("JWT: {warning}");
    }
}

/// Marks a Rocket instance that has the fairing.
struct Attached;

#[rocket::async_trait]
impl Fairing for JwtFairing {
    fn info(&self) -> Info {
        Info { name: "JWT", kind: Kind::Ignite | Kind::Liftoff | Kind::Response }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        if rocket.state::<Attached>().is_some() {
            log::error!(
                "`Jwt::fairing()` is attached twice: remove one of the two `attach` calls."
            );
            return Err(rocket);
        }
        let (prepared, warnings) = match self.prepare(&rocket) {
            Ok(prepared) => prepared,
            Err(Refused { report, warnings }) => {
                // The warnings may explain why a setting that the report calls missing was not
                // read.
                warn(&warnings);
                log::error!("{report}");
                return Err(rocket);
            }
        };
        warn(&warnings);
        let invalid = prepared.settings.invalid_token_status;
        let (rocket, theirs) = catchers::register(rocket.manage(Attached), invalid);
        if self.hooks.on_rejection.is_some() {
            warn(&theirs);
        }
        self.manage(rocket, prepared).await
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        let Some(jwt) = rocket.state::<Jwt>() else { return };
        summary::log(jwt, &self.store);
        background::spawn(jwt, rocket);
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let Some(jwt) = request.rocket().state::<Jwt>() else { return };
        let cache = RequestCache::of(request);
        if cache.was_in_query() && !response.headers().contains("Cache-Control") {
            response.set_raw_header("Cache-Control", "no-store");
        }
        let rejection = cache.refusal(request);
        match &rejection {
            Some(rejection) => challenge::add(rejection, &jwt.settings().header_type, response),
            None => renew::renew(jwt, cache, response).await,
        }
        // This must run after everything that sets cookies.
        scopes::clear_others(jwt.settings(), request, rejection.as_ref(), response);
        if renew::forbid_storing(jwt.settings(), response) {
            insecure::warn(jwt, request);
        }
    }
}
