//! The manager.

use std::borrow::Cow;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use rocket::http::CookieJar;
use rocket::time::{Duration, OffsetDateTime};
use rocket::{Phase, Rocket};

use crate::clock::{self, Clock, Uptime};
use crate::config::Settings;
use crate::cookies::CookieWriter;
use crate::decoder::Decoder;
use crate::error::Error;
use crate::events::Event;
use crate::guard::{self, RequestFree};
use crate::hooks::Hooks;
use crate::identity::Identity;
use crate::issue::{TokenBuilder, TokenPairBuilder};
use crate::keys::ring::Keys;
use crate::keys::signature_cache::SignatureCache;
use crate::keys::signing::SigningKey;
use crate::rejection::{Refusal, Rejection};
use crate::store::Stores;
use crate::token::{OwnClaims, Token, TokenType};

/// How much longer than its tokens an entry of the blocklist stays.
const MARGIN: Duration = Duration::minutes(5);

/// Issues, verifies and revokes tokens.
///
/// Attached by [`Jwt::fairing()`](crate::JwtFairing), reached in a route as the guard `&Jwt`, and
/// elsewhere by [`Jwt::fetch()`].
pub struct Jwt {
    settings: Settings,
    keys: Keys,
    hooks: Arc<Hooks>,
    clock: Arc<dyn Clock>,
    uptime: Uptime,
    // Set by the end of ignition. Until then, and if that failed, nothing is let in.
    stores: OnceLock<Stores>,
    signature_cache: Option<Arc<SignatureCache>>,
    // The first millisecond in which a token may be issued: the one after the last cut-off.
    issue_from: AtomicI64,
    // The last one in which a token may have been issued.
    issued_until: AtomicI64,
}

impl Jwt {
    pub(crate) fn new(
        settings: Settings,
        keys: Keys,
        hooks: Arc<Hooks>,
        clock: Arc<dyn Clock>,
        uptime: Uptime,
    ) -> Self {
        let [issue_from, issued_until] = [i64::MIN; 2].map(AtomicI64::new);
        let stores = OnceLock::new();
        // By a hook, the key of a token may be another at each request.
        let signature_cache = match hooks.verifying_key {
            Some(_) => None,
            None => SignatureCache::new(settings.token_cache).map(Arc::new),
        };
        Self {
            settings,
            keys,
            hooks,
            clock,
            uptime,
            stores,
            signature_cache,
            issue_from,
            issued_until,
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

    /// An access token for `identity`: the builder.
    pub fn access_token(&self, identity: impl Identity) -> TokenBuilder<'_> {
        TokenBuilder::new(self, TokenType::Access, &identity)
    }

    /// A refresh token for `identity`: the builder. It belongs to no session unless told to.
    pub fn refresh_token(&self, identity: impl Identity) -> TokenBuilder<'_> {
        TokenBuilder::new(self, TokenType::Refresh, &identity)
    }

    /// An access and a refresh token for `identity` in a new session: what a login hands out.
    ///
    /// # Example
    ///
    /// ```rust
    /// # #[macro_use] extern crate rocket;
    /// use rocket_jwt_extended::{Error, Jwt, TokenPair};
    ///
    /// #[post("/login", data = "<name>")]
    /// fn login(jwt: &Jwt, name: &str) -> Result<TokenPair, Error> {
    ///     // … after the password was checked.
    ///     jwt.token_pair(name).fresh().issue()
    /// }
    /// # fn main() {}
    /// ```
    pub fn token_pair(&self, identity: impl Identity) -> TokenPairBuilder<'_> {
        TokenPairBuilder::new(self, &identity)
    }

    /// Does with a token all that the guard `G` does, where there is no request: for WebSockets,
    /// queues, tests. `G` is any guard but `CurrentUser`, which needs a request.
    ///
    /// # Errors
    ///
    /// Those of the guard.
    ///
    /// # Example
    ///
    /// ```rust
    /// use rocket_jwt_extended::{AccessToken, Claims, Jwt, Rejection};
    ///
    /// async fn whose(jwt: &Jwt, token: &str) -> Result<String, Rejection> {
    ///     let token = jwt.verify::<AccessToken<Claims>>(token).await?;
    ///     Ok(token.identity().to_string())
    /// }
    /// ```
    ///
    /// A user is loaded by a request, so that this does not compile:
    ///
    /// ```rust,compile_fail,E0277
    /// use rocket_jwt_extended::{CurrentUser, Jwt, LoadUser, Rejection};
    ///
    /// async fn who<U: LoadUser>(jwt: &Jwt, token: &str) -> Result<(), Rejection> {
    ///     jwt.verify::<CurrentUser<U>>(token).await.map(|_| ())
    /// }
    /// ```
    pub async fn verify<G: RequestFree>(&self, token: &str) -> Result<Token<G::Claims>, Rejection> {
        match guard::check::<G>(self, token).await {
            Ok(guard) => Ok(guard.into_token()),
            Err(refusal) => {
                let rejection = self.reject(refusal);
                self.refused(&rejection);
                Err(rejection)
            }
        }
    }

    /// Decodes a token **without checking its type, freshness, revocation, or any hook** but those
    /// for keys: signature and claims are checked, expiry included.
    ///
    /// To let somebody in, use a guard, or [`verify()`](Jwt::verify).
    ///
    /// # Errors
    ///
    /// If the signature or a claim does not hold, or the claims don't read into `C`.
    pub fn decode<C: OwnClaims>(&self, token: &str) -> Result<Token<C>, Rejection> {
        self.decoder().decode(token)
    }

    /// [`decode()`](Jwt::decode) with options.
    pub fn decoder(&self) -> Decoder<'_> {
        Decoder::new(self)
    }

    /// Sets and unsets tokens in cookies.
    ///
    /// # Example
    ///
    /// ```rust
    /// # #[macro_use] extern crate rocket;
    /// use rocket::http::CookieJar;
    /// use rocket_jwt_extended::{Error, Jwt};
    ///
    /// #[post("/login", data = "<name>")]
    /// fn login(jwt: &Jwt, jar: &CookieJar<'_>, name: &str) -> Result<(), Error> {
    ///     let pair = jwt.token_pair(name).fresh().issue()?;
    ///     jwt.cookies(jar).set_pair(&pair)
    /// }
    ///
    /// #[post("/logout")]
    /// fn logout(jwt: &Jwt, jar: &CookieJar<'_>) {
    ///     jwt.cookies(jar).unset();
    /// }
    /// # fn main() {}
    /// ```
    pub fn cookies<'a, 'r>(&'a self, jar: &'a CookieJar<'r>) -> CookieWriter<'a, 'r> {
        CookieWriter::new(self, jar)
    }

    /// How many tokens there are whose signature is remembered by `token_cache`.
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

    /// The signatures that were found to hold, where they are kept.
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

    pub(crate) fn uptime(&self) -> Uptime {
        self.uptime.clone()
    }

    /// The store, and what of it is in memory, once there is one.
    pub(crate) fn stores(&self) -> Option<&Stores> {
        self.stores.get()
    }

    /// Gives the manager its store, once.
    pub(crate) fn set_stores(&self, stores: Stores) {
        // A second one can't come: the fairing that calls this refuses to be attached twice.
        let _ = self.stores.set(stores);
    }

    /// What a token may outlive its `exp` by, and more.
    pub(crate) fn margin(&self) -> Duration {
        self.settings.leeway + MARGIN
    }

    /// `now`, for a token that is issued: in whole milliseconds, and later than every cut-off that was
    /// set here, so that a login right after `revoke_all` is not caught by it.
    pub(crate) fn issue_instant(&self, now: OffsetDateTime) -> OffsetDateTime {
        let now = clock::millis(now);
        let at = now.max(self.issue_from.load(Ordering::SeqCst));
        self.issued_until.fetch_max(at, Ordering::SeqCst);
        clock::from_millis(at).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// An instant that no token issued here until now is after, and every later one is.
    pub(crate) fn cut_off(&self) -> OffsetDateTime {
        let now = clock::millis(self.now());
        // Not `issue_from`: cut-offs of one millisecond would drive it, and with it the `iat` of
        // everybody's tokens, into the future.
        let cut_off = now.max(self.issued_until.load(Ordering::SeqCst));
        self.issue_from.fetch_max(cut_off + 1, Ordering::SeqCst);
        clock::from_millis(cut_off).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The key that signs for `identity`.
    pub(crate) fn signing_key(&self, identity: &str) -> Result<Cow<'_, SigningKey>, Error> {
        let hooked = self.hooks.signing_key.as_ref().and_then(|hook| hook(identity));
        let configured = || self.keys.signing.as_ref().map(Cow::Borrowed);
        hooked.map(Cow::Owned).or_else(configured).ok_or(Error::VerifyOnly)
    }

    pub(crate) fn reject(&self, refusal: Refusal) -> Rejection {
        Rejection::new(refusal, self.settings.invalid_token_status)
    }

    pub(crate) fn refused(&self, rejection: &Rejection) {
        self.hooks.emit(&Event::Refused { rejection: rejection.clone() });
    }
}

/// Says nothing of keys.
impl std::fmt::Debug for Jwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jwt")
            .field("algorithm", &self.settings.algorithm)
            .field("locations", &self.settings.locations)
            .finish_non_exhaustive()
    }
}
