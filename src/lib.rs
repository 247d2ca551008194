//! JSON Web Token authentication for [Rocket].
//!
//! Attach one fairing, configure it in `Rocket.toml`, and protect a route by naming a type in its
//! signature. Access and refresh tokens, freshness, revocation, rotation with theft detection,
//! cookies with CSRF protection, and loading the user come with it.
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
//! 2. Give it a secret in `Rocket.toml`. In the debug profile a random one is made if there is none.
//!
//!    ```toml
//!    [release.jwt]
//!    secret_key = "…"    # openssl rand -base64 48
//!    ```
//!
//! 3. Attach the fairing, hand out tokens, and name a guard where one is needed.
//!
//!    ```rust
//!    # #[macro_use] extern crate rocket;
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
//! Each wrapper changes one thing of what the guard inside asks for, and they nest: [`Optional`],
//! [`OrForward`] and [`WithBody`] go outermost, the others stand in any order. A request's token is
//! verified once and the blocklist is asked once, however many guards it meets.
//!
//! | guard | lets in a request with |
//! |---|---|
//! | [`AccessToken<C>`] | a valid access token, its own claims read into `C` |
//! | [`RefreshToken<C>`] | a valid refresh token |
//! | [`AnyToken<C>`] | either |
//! | [`Fresh<G>`] | what `G` lets in, if the token is fresh |
//! | [`Optional<G>`] | what `G` lets in, or no token at all |
//! | [`OrForward<G>`] | what `G` lets in; without a token the next route is tried |
//! | [`In<L, G>`] | what `G` lets in, with the token in one of the places `L` |
//! | [`IgnoreRevocation<G>`] | what `G` lets in, revoked or not |
//! | [`AllowExpired<G>`] | what `G` lets in, expired or not: for logging out |
//! | [`Require<P, G>`] | what `G` lets in, if the permission `P` holds |
//! | [`CurrentUser<U, G>`] | what `G` lets in, if the application finds its user |
//! | [`WithBody<G, B>`] | what `G` lets in, with the token looked for in the body, too: a data guard |
//! | [`&Jwt`](Jwt) | anything: it is the manager |
//!
//! **Never write `Option<AccessToken>`.** Rocket turns each failure of a guard into `None`, so that the
//! route would run for a forged, expired or revoked token. [`Optional`] is `None` only when no token
//! was sent. Likewise, an application's own guard that calls one of these should refuse with an error,
//! not forward: with a forward, a route of lower rank might answer a request with a bad token.
//!
//! Without the fairing, a launch with any of these guards in a route fails. Rocket does not look
//! through a guard that is called inside another; see [`TokenGuard`] for the three lines that help.
//!
//! # Refusals
//!
//! A guard refuses with a [`Rejection`], answered as JSON with a text and a stable code:
//!
//! | code | status | when |
//! |---|---|---|
//! | `token_missing` | 401 | no token was sent |
//! | `csrf_missing`, `csrf_mismatch` | 401 | a cookie came without its CSRF value |
//! | `token_invalid` | `invalid_token_status` | the token is not one of ours; the text says which check failed |
//! | `wrong_token_type` | `invalid_token_status` | an access token was needed, or a refresh token |
//! | `token_expired`, `token_revoked`, `fresh_token_required` | 401 | as they say; a session that is over by `session_lifetime` has expired |
//! | `user_not_found` | 401 | there is no such user |
//! | `claims_rejected` | 400 | the `verify_claims` hook said no |
//! | `insufficient_scope` | 403 | the [`Permission`] said no |
//! | `too_many_sessions` | 409 | the identity has `max_sessions` sessions, and a login is refused |
//! | `store_unavailable` | 503 | the blocklist or the user store could not be asked |
//!
//! with `WWW-Authenticate` where RFC 6750 §3 wants it. The fairing answers by catchers at `/` for the
//! codes that the application has no catcher for; the application's own find the refusal by
//! [`Rejection::of()`]. [`JwtFairing::on_rejection()`] replaces the JSON.
#![doc = include_str!("../docs/configuration.md")]
//!
//! # What it does not protect from
//!
//!   * **Tokens in query strings** end up in logs: Rocket itself logs the request line. The location is
//!     off by default; answers to such requests are marked `Cache-Control: no-store`.
//!   * **A header line that is not UTF-8** is dropped by Rocket before any guard sees it. To [`Optional`]
//!     such a request has no token.
//!   * **A `Rocket.toml` that is no TOML**: Rocket itself prints the line it stumbles over, be it the one
//!     with the secret. A secret in the environment is not in the file.
//!   * **Slow clients**: Rocket has no timeout for request headers; put a proxy in front.
//!   * **XSS**: a script in your page acts as your user, whatever holds the token.
//!
//! # Crate features
//!
//! | feature | default | |
//! |---|---|---|
//! | `aws_lc_rs` | yes | cryptography by AWS-LC; needs a C compiler |
//! | `rust_crypto` | | cryptography in Rust; its RSA has a timing side channel (RUSTSEC-2023-0071) |
//! | `sqlx_sqlite`, `sqlx_postgres`, `sqlx_mysql` | | a blocklist in a database, through `sqlx` |
//! | `deadpool_postgres`, `deadpool_redis` | | a blocklist in PostgreSQL or Redis |
//! | `test-util` | | a clock moved by hand, the contract suite for stores of your own |
//!
//! With both, `aws_lc_rs` is used.

#![forbid(unsafe_code)]
#![warn(missing_docs, unreachable_pub, rustdoc::broken_intra_doc_links)]
// Nothing a client sends may panic.
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
