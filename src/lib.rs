//! JSON Web Token authentication for [Rocket].
//!
//! Attach one fairing, configure it in `Rocket.toml`, and protect a route by naming a guard type in
//! its signature. The crate provides access and refresh tokens, freshness, revocation, rotation
//! with theft detection, cookies with CSRF protection, and loading of the user.
//!
//! [Rocket]: https://rocket.rs
//!
//! # Usage
//!
//! 1. Depend on the crate.
//!
//!    ```toml
//!    [dependencies]
//!    rocket = { version = "0.5.2", features = ["json"] }
//!    rocket_jwt_extended = "0.1"
//!    ```
//!
//! 2. Set a secret in `Rocket.toml`. In the debug profile, a random secret is generated if none is
//!    set.
//!
//!    ```toml
//!    [release.jwt]
//!    secret_key = "…"    # openssl rand -base64 48
//!    ```
//!
//! 3. Attach the fairing, issue tokens, and add a guard to each route that needs one.
//!
//!    ```rust
//!    # use rocket::{delete, get, launch, post, routes};
//!    use rocket::http::Status;
//!    use rocket::serde::{json::Json, Deserialize, Serialize};
//!    use rocket_jwt_extended::{AccessToken, Error, Fresh, Jwt, RefreshToken, Rejection, TokenPair};
//!
//!    /// The application's own claims.
//!    #[derive(Serialize, Deserialize)]
//!    #[serde(crate = "rocket::serde")]
//!    struct Profile { role: String }
//!
//!    # #[derive(Deserialize)]
//!    # #[serde(crate = "rocket::serde")]
//!    # struct Credentials { name: String }
//!    # fn check(_: &Credentials) -> Result<(), Status> { Ok(()) }
//!    #[post("/login", data = "<who>")]
//!    fn login(jwt: &Jwt, who: Json<Credentials>) -> Result<TokenPair, Status> {
//!        check(&who)?;
//!        Ok(jwt.token_pair(&who.name).fresh().claims(&Profile { role: "admin".into() }).issue()?)
//!    }
//!
//!    #[get("/me")]
//!    fn me(token: AccessToken<Profile>) -> String {
//!        format!("{} ({})", token.identity(), token.claims.role)
//!    }
//!
//!    #[post("/password")]
//!    fn change_password(_recent: Fresh, token: AccessToken) -> String {
//!        format!("changed for {}", token.identity())
//!    }
//!
//!    #[post("/refresh")]
//!    async fn refresh(jwt: &Jwt, token: RefreshToken) -> Result<TokenPair, Rejection> {
//!        jwt.rotate(token).await
//!    }
//!
//!    #[delete("/logout")]
//!    async fn logout(jwt: &Jwt, token: AccessToken) -> Result<Status, Error> {
//!        jwt.revoke_session(&token).await?;
//!        Ok(Status::NoContent)
//!    }
//!
//!    #[launch]
//!    fn rocket() -> _ {
//!        rocket::build()
//!            .attach(Jwt::fairing())
//!            .mount("/", routes![login, me, change_password, refresh, logout])
//!    }
//!    ```
//!
//! # Guards
//!
//! Each wrapper changes one requirement of the guard inside it, and wrappers can be nested:
//! [`Optional`], [`OrForward`] and [`WithBody`] must be outermost, and the others can be in any
//! order. A token is verified once per request and the blocklist is queried once, however many
//! guards run.
//!
//! | guard | accepts |
//! |---|---|
//! | [`AccessToken<C>`] | a valid access token, and deserializes its custom claims into `C` |
//! | [`RefreshToken<C>`] | a valid refresh token |
//! | [`AnyToken<C>`] | a valid token of either type |
//! | [`Fresh<G>`] | what `G` accepts, if the token is fresh |
//! | [`Optional<G>`] | what `G` accepts, and a request without a token |
//! | [`OrForward<G>`] | what `G` accepts; forwards a request without a token |
//! | [`In<L, G>`] | what `G` accepts, but looks for the token only in the locations `L` |
//! | [`IgnoreRevocation<G>`] | what `G` accepts, and revoked tokens |
//! | [`AllowExpired<G>`] | what `G` accepts, and expired tokens: for logout routes |
//! | [`Require<P, G>`] | what `G` accepts, if the token has the permission `P` |
//! | [`CurrentUser<U, G>`] | what `G` accepts, if the application finds the token's user |
//! | [`WithBody<G, B>`] | what `G` accepts, with the token in the body too: a data guard |
//! | [`&Jwt`](Jwt) | every request; gives access to the manager |
//!
//! **Never write `Option<AccessToken>`.** Rocket turns every failure of a guard into `None`, so the
//! route would run for a forged, expired or revoked token. [`Optional`] is `None` only when the
//! request has no token. Likewise, a custom guard that calls one of these guards should fail with
//! an error, not forward: after a forward, a route of lower rank might handle a request with an
//! invalid token.
//!
//! If a route has any of these guards and the fairing is not attached, the launch fails. Rocket
//! cannot detect a guard that is called inside a custom guard; [`TokenGuard`] shows the three lines
//! that fix this.
//!
//! # Refusals
//!
//! A guard refuses a request with a [`Rejection`]. The response is JSON with a text and a stable
//! code:
//!
//! | code | status | when |
//! |---|---|---|
//! | `token_missing` | 401 | the request has no token |
//! | `csrf_missing`, `csrf_mismatch` | 401 | the CSRF value of a cookie is missing or wrong |
//! | `token_invalid` | `invalid_token_status` | a check of the token failed; the text says which |
//! | `wrong_token_type` | `invalid_token_status` | the guard requires the other type of token |
//! | `token_expired`, `token_revoked`, `fresh_token_required` | 401 | the token is expired, revoked or not fresh; or its session has reached `session_lifetime` |
//! | `user_not_found` | 401 | the user of the token does not exist |
//! | `claims_rejected` | 400 | the `verify_claims` hook returned `false` |
//! | `insufficient_scope` | 403 | the [`Permission`] was not granted |
//! | `too_many_sessions` | 409 | the identity has `max_sessions` sessions, and the login is refused |
//! | `store_unavailable` | 503 | the blocklist or the user store could not be queried |
//!
//! Refusals have a `WWW-Authenticate` header where RFC 6750 §3 requires one. The fairing registers
//! a catcher at `/` for each of these statuses that the application does not catch there. A custom
//! catcher gets the refusal with [`Rejection::of()`]. [`JwtFairing::on_rejection()`] replaces the
//! JSON.
#![doc = include_str!("../docs/configuration.md")]
//!
//! # What it does not protect against
//!
//!   * **Tokens in query strings** appear in logs: Rocket itself logs the request line. The
//!     location is off by default; responses to such requests have `Cache-Control: no-store`.
//!   * **Header lines that are not UTF-8**: Rocket drops them before any guard runs. [`Optional`]
//!     treats such a request as one without a token.
//!   * **A syntax error in `Rocket.toml`**: Rocket itself prints the invalid line, even if that
//!     line contains the secret. A secret in an environment variable is not in the file.
//!   * **Slow clients**: Rocket has no timeout for request headers; put a reverse proxy in front.
//!   * **XSS**: an injected script in your page acts as your user, wherever the token is stored.
//!
//! # Crate features
//!
//! | feature | default | |
//! |---|---|---|
//! | `aws_lc_rs` | yes | cryptography with AWS-LC; needs a C compiler |
//! | `rust_crypto` | | cryptography in pure Rust; its RSA has a timing side channel (RUSTSEC-2023-0071) |
//! | `sqlx_sqlite`, `sqlx_postgres`, `sqlx_mysql` | | a blocklist in a database, through `sqlx` |
//! | `deadpool_postgres`, `deadpool_redis` | | a blocklist in PostgreSQL or Redis |
//! | `test-util` | | a manual clock and a contract test suite for custom stores |
//!
//! If both cryptography features are on, `aws_lc_rs` is used.

#![forbid(unsafe_code)]
#![warn(missing_docs, unreachable_pub, rustdoc::broken_intra_doc_links)]
// No request may cause a panic.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod clock;
mod config;
mod crypto;
mod error;
mod events;
mod fairing;
mod guard;
mod hooks;
mod instants;
mod issue;
mod jwt;
mod keys;
mod provenance;
mod reason;
mod rejection;
mod request;
mod response;
mod revocation;
mod rotate;
mod sessions;
mod settings;
mod token;
mod verify;

// The public interface is:

pub mod blocklist;
pub mod danger;
#[cfg(feature = "test-util")]
pub mod testing;

pub use jsonwebtoken;
pub use rocket;
#[cfg(feature = "_database")]
pub use rocket_db_pools;

pub use jsonwebtoken::Header;
pub use rocket::time::Duration;

pub use blocklist::{
    Blocklist, Exchange, Exchanged, MemoryBlocklist, Revocation, Standing, StoreError, TokenIds,
};
pub use clock::{Clock, SystemClock};
pub use error::Error;
pub use events::{Event, SessionEnd};
pub use fairing::JwtFairing;
pub use guard::access::AccessToken;
pub use guard::admit::{RequestFree, TokenGuard};
pub use guard::allow_expired::AllowExpired;
pub use guard::any::AnyToken;
pub use guard::fresh::Fresh;
pub use guard::ignore_revocation::IgnoreRevocation;
pub use guard::in_locations::{Cookies, Headers, In, JsonBody, Locations, QueryString};
pub use guard::optional::Optional;
pub use guard::or_forward::OrForward;
pub use guard::refresh::RefreshToken;
pub use guard::require::{Permission, Require};
pub use guard::user::{CurrentUser, LoadUser};
pub use guard::with_body::{BodyError, BodyGuard, FromBody, WithBody};
pub use issue::builder::{TokenBuilder, TokenPairBuilder};
pub use issue::pair::TokenPair;
pub use jwt::Jwt;
pub use keys::{SigningKey, VerifyingKey};
pub use reason::{CsrfHint, Reason};
pub use rejection::Rejection;
pub use response::cookies::CookieWriter;
pub use revocation::entry_of::IntoRevocation;
pub use rotate::Rotation;
pub use sessions::Session;
pub use token::Token;
pub use token::claims::{Audience, Claims, CustomClaims, NoClaims};
pub use token::context::RequestContext;
pub use token::identity::Identity;
pub use token::kind::TokenType;
pub use token::location::Location;
pub use verify::decoder::Decoder;
pub use verify::policy::{AcceptedTypes, Policy};

// The examples in the README and in the pages of `docs/` are compiled as well.

#[cfg(all(doctest, feature = "sqlx_postgres"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/flask-jwt-extended.md")]
struct FlaskPage;

#[cfg(doctest)]
#[doc = include_str!("../docs/cookies.md")]
struct CookiesPage;

#[cfg(all(doctest, feature = "test-util"))]
#[doc = include_str!("../docs/recipes.md")]
struct RecipesPage;

#[cfg(doctest)]
#[doc = include_str!("../docs/revocation.md")]
struct RevocationPage;

#[cfg(doctest)]
#[doc = include_str!("../docs/sessions.md")]
struct SessionsPage;

#[cfg(all(doctest, feature = "sqlx_postgres", feature = "test-util"))]
#[doc = include_str!("../docs/stores.md")]
struct StoresPage;
