//! The manager, which all parts of the crate share.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rocket::time::{Duration, OffsetDateTime};
use rocket::{Phase, Rocket};

use crate::blocklist::access::BlocklistAccess;
use crate::clock::Clock;
use crate::error::Error;
use crate::events::Event;
use crate::hooks::Hooks;
use crate::instants::Instants;
use crate::keys::ring::Keys;
use crate::keys::signature_cache::SignatureCache;
use crate::keys::signing::SigningKey;
use crate::rejection::{CheckFailed, Rejection};
use crate::settings::Settings;
use crate::token::context::RequestContext;

/// A blocklist entry expires this much later than its tokens, plus the leeway.
const MARGIN: Duration = Duration::minutes(5);

/// Issues, verifies and revokes tokens.
///
/// [`Jwt::fairing()`](crate::JwtFairing) manages it. A route gets it with the guard `&Jwt`, other
/// code with [`Jwt::fetch()`].
pub struct Jwt {
    settings: Settings,
    keys: Keys,
    hooks: Arc<Hooks>,
    clock: Arc<dyn Clock>,
    blocklist: BlocklistAccess,
    signature_cache: Option<Arc<SignatureCache>>,
    instants: Instants,
    had_insecure_page: AtomicBool,
}

impl Jwt {
    pub(crate) fn new(
        settings: Settings,
        keys: Keys,
        hooks: Arc<Hooks>,
        clock: Arc<dyn Clock>,
        blocklist: BlocklistAccess,
    ) -> Self {
        // With this hook, the key of a token may change from one request to the next.
        let signature_cache = match hooks.verifying_key {
            Some(_) => None,
            None => SignatureCache::new(settings.token_cache).map(Arc::new),
        };
        let instants = Instants::new();
        let had_insecure_page = AtomicBool::new(false);
        Self {
            settings,
            keys,
            hooks,
            clock,
            blocklist,
            signature_cache,
            instants,
            had_insecure_page,
        }
    }

    /// The manager of a Rocket instance, if `Jwt::fairing()` is attached and ignited.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket::local::blocking::Client;
    /// use rocket_jwt_extended::Jwt;
    ///
    /// let client = Client::debug(rocket::build().attach(Jwt::fairing())).unwrap();
    /// let jwt = Jwt::fetch(client.rocket()).unwrap();
    /// let token = jwt.access_token("ada").encode().unwrap();
    /// assert_eq!(jwt.decode::<()>(&token).is_err(), true);
    /// assert_eq!(jwt.decode::<rocket_jwt_extended::NoClaims>(&token).unwrap().identity(), "ada");
    /// ```
    pub fn fetch<P: Phase>(rocket: &Rocket<P>) -> Option<&Self> {
        rocket.state()
    }

    /// The number of tokens in `token_cache`.
    #[cfg(feature = "test-util")]
    pub fn remembered_signatures(&self) -> usize {
        self.signature_cache.as_ref().map_or(0, |cache| cache.len())
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The cache of verified signatures, unless it is off.
    pub(crate) fn signature_cache(&self) -> Option<&Arc<SignatureCache>> {
        self.signature_cache.as_ref()
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    pub(crate) fn blocklist(&self) -> &BlocklistAccess {
        &self.blocklist
    }

    /// How much later than its tokens' `exp` a blocklist entry expires.
    pub(crate) fn margin(&self) -> Duration {
        self.settings.decode_leeway + MARGIN
    }

    /// The instant of issue for a token issued at `now`: in whole milliseconds, and later than every
    /// cut-off recorded by this server.
    pub(crate) fn issue_instant(&self, now: OffsetDateTime) -> OffsetDateTime {
        self.instants.issue(now)
    }

    /// As [`issue_instant()`](Self::issue_instant), for the successor of a token whose `jti` has the time
    /// `earlier`, in milliseconds; and the time of the successor's `jti`, which is later than that.
    pub(crate) async fn issue_instant_after(&self, earlier: i64) -> (OffsetDateTime, i64) {
        self.instants.issue_after(earlier, &*self.clock).await
    }

    /// Makes a cut-off: no token issued by this server so far is later than it, and every token
    /// issued from now on is.
    pub(crate) async fn cut_off(&self) -> OffsetDateTime {
        self.instants.cut_off(&*self.clock).await
    }

    /// The key that signs for `identity`.
    pub(crate) fn signing_key(&self, identity: &str) -> Result<Cow<'_, SigningKey>, Error> {
        let hooked = self.hooks.signing_key.as_ref().and_then(|hook| hook(identity));
        let configured = || self.keys.signing.as_ref().map(Cow::Borrowed);
        hooked.map(Cow::Owned).or_else(configured).ok_or(Error::NoSigningKey)
    }

    pub(crate) fn reject(&self, failed: CheckFailed) -> Rejection {
        Rejection::new(failed, self.settings.invalid_token_status)
    }

    /// Whether this is the first call, so that the warning is logged only once.
    pub(crate) fn is_first_insecure_page(&self) -> bool {
        !self.had_insecure_page.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn emit_refused(&self, rejection: &Rejection, request: Option<RequestContext>) {
        self.hooks.emit(&Event::Refused { rejection: rejection.clone(), request });
    }
}

/// Shows no key.
impl std::fmt::Debug for Jwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jwt")
            .field("algorithm", &self.settings.algorithm)
            .field("locations", &self.settings.token_location)
            .finish_non_exhaustive()
    }
}
