//! Implicit refresh: a cookie-borne access token close to its end is renewed in the answer.

use std::sync::Arc;

use rocket::Response;

use crate::blocklist::Standing;
use crate::cache::RequestCache;
use crate::config::Settings;
use crate::cookies;
use crate::jwt::Jwt;
use crate::token::{TokenType, Verified};

/// Renews the token a guard let in by its cookie, unless there is a reason not to. What goes wrong
/// is logged: the answer is good without it.
pub(crate) async fn renew(jwt: &Jwt, cache: &RequestCache, response: &mut Response<'_>) {
    if let Some(verified) = due(jwt, cache, response) {
        // On the heap, as it is rare: else the future of each response had room for it.
        Box::pin(renew_now(jwt, &verified, response)).await;
    }
}

/// The token that is to be renewed.
fn due(jwt: &Jwt, cache: &RequestCache, response: &Response<'_>) -> Option<Arc<Verified>> {
    let within = jwt.settings().implicit_refresh?;
    let verified = cache.renewable()?;
    let is_close = verified.registered().expires_at? - jwt.now() <= within;
    (is_close && !sets_its_cookies(jwt.settings(), response)).then_some(verified)
}

async fn renew_now(jwt: &Jwt, verified: &Verified, response: &mut Response<'_>) {
    // A log-out everywhere that the store does not know of yet will cut off this instant.
    let at = jwt.issue_instant(jwt.now());
    // Asked again: the route may have been the logout. And in the store: what was recorded elsewhere
    // before this instant cuts off the token that came, but not the one that is made now.
    match jwt.standing_now(verified.ids()).await {
        Ok(Standing::Live) => (),
        _ => return,
    }
    let renewed = jwt
        .access_token(verified.identity())
        .after(verified, at)
        .encode()
        .and_then(|token| cookies::cookies(jwt, TokenType::Access, &token, None, None));
    match renewed {
        Ok(cookies) => cookies.iter().for_each(|cookie| {
            // Not by the jar: it is written by now.
            response.adjoin_header(cookie);
        }),
        Err(error) => log::error!("JWT: an access token can't be renewed: {error}"),
    }
}

/// Whether the answer sets or unsets the access token's cookies by itself.
fn sets_its_cookies(settings: &Settings, response: &Response<'_>) -> bool {
    let names = settings.kind(TokenType::Access);
    sets_cookie(response, &[&names.cookie_name, &names.csrf_cookie_name])
}

/// Keeps answers that carry tokens out of every cache (RFC 6749 §5.1), whatever the route says.
pub(crate) fn forbid_storing(settings: &Settings, response: &mut Response<'_>) {
    let names =
        [TokenType::Access, TokenType::Refresh].map(|kind| &settings.kind(kind).cookie_name);
    if sets_cookie(response, &names) {
        response.set_raw_header("Cache-Control", "no-store");
    }
}

fn sets_cookie(response: &Response<'_>, names: &[&String]) -> bool {
    response.headers().iter().any(|line| {
        // A look at each name costs less than the hash of one.
        line.name == "Set-Cookie" && {
            let name = line.value.split('=').next().unwrap_or_default().trim();
            names.iter().any(|one| *one == name)
        }
    })
}
