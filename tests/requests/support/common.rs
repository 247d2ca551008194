//! What the tests of requests share.

use crate::support::*;
use rocket::futures::future::BoxFuture;
use rocket::http::{Cookie, Header, Method};
use rocket::local::blocking::{LocalRequest, LocalResponse};
use rocket::outcome::Outcome::{Error, Forward, Success};
use rocket::request::FromRequest;
use rocket::route::Outcome;
use rocket::{Data, Request, Route};
use rocket_jwt_extended::{Rejection, TokenGuard};
use serde_json::{Value, json};

/// The one setting in which Flask-JWT-Extended's statuses differ.
pub const FLASK: &str = "invalid_token_status = 422\n";

/// Status, and the message of a refusal or else the body.
pub fn said(response: LocalResponse<'_>) -> (u16, String) {
    let status = response.status().code;
    let body = response.into_string().unwrap_or_default();
    let json: Value = serde_json::from_str(&body).unwrap_or_default();
    (status, json["msg"].as_str().map_or(body, Into::into))
}

/// A good access token for `ada`.
pub fn access() -> String {
    sign(&claims())
}

/// A good refresh token for `ada`.
pub fn refresh() -> String {
    sign(&with(json!({"type": "refresh"})))
}

/// The answer of a route that lets `identity` in and says so.
pub fn let_in(identity: &str) -> (u16, String) {
    (200, identity.into())
}

/// The access token's cookie.
pub fn in_cookie(token: &str) -> Cookie<'static> {
    Cookie::new("access_token_cookie", token.to_string())
}

/// The refresh token's cookie.
pub fn in_refresh_cookie(token: &str) -> Cookie<'static> {
    Cookie::new("refresh_token_cookie", token.to_string())
}

/// The header with the CSRF value of [`claims()`].
pub fn csrf_header() -> Header<'static> {
    Header::new("X-CSRF-TOKEN", "the-csrf-value")
}

/// Several header lines of one name.
pub fn with_lines<'c>(
    request: LocalRequest<'c>,
    name: &'static str,
    lines: &[&str],
) -> LocalRequest<'c> {
    lines.iter().fold(request, |request, line| {
        let mut request = request;
        request.add_header(Header::new(name, line.to_string()));
        request
    })
}

/// A GET route for any guard that lets in by a token; it answers with the identity.
pub fn at<G>(path: &str) -> Route
where
    G: TokenGuard + for<'r> FromRequest<'r, Error = Rejection> + 'static,
{
    fn handle<'r, G>(request: &'r Request<'_>, _: Data<'r>) -> BoxFuture<'r, Outcome<'r>>
    where
        G: TokenGuard + for<'q> FromRequest<'q, Error = Rejection> + 'static,
    {
        Box::pin(async move {
            match request.guard::<G>().await {
                Success(guard) => Outcome::from(request, guard.token().identity().to_string()),
                Error((status, _)) | Forward(status) => Outcome::error(status),
            }
        })
    }
    Route::new(Method::Get, path, handle::<G>)
}

/// Runs a future to its end.
pub fn wait<T>(future: impl std::future::Future<Output = T>) -> T {
    rocket::tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
