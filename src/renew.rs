//! Implicit refresh: a cookie-borne access token close to its end is renewed in the answer.

use rocket::Response;

use crate::blocklist::Standing;
use crate::cache::RequestCache;
use crate::config::Settings;
use crate::cookies;
use crate::jwt::Jwt;
use crate::token::TokenType;

/// Renews the token a guard let in by its cookie, unless there is a reason not to. What goes wrong
/// is logged: the answer is good without it.
pub(crate) async fn renew(jwt: &Jwt, cache: &RequestCache, response: &mut Response<'_>) {
    let settings = jwt.settings();
    let Some(within) = settings.implicit_refresh else { return };
    let Some(verified) = cache.renewable() else { return };
    let Some(expires_at) = verified.registered().expires_at else { return };
    if expires_at - jwt.now() > within || sets_its_cookies(settings, response) {
        return;
    }
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
        .after(&verified, at)
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
    response.headers().get("Set-Cookie").any(|line| {
        let name = line.split('=').next().unwrap_or_default().trim();
        names.iter().any(|one| *one == name)
    })
}
