//! Implicit refresh: the response renews an access token from a cookie that is close to its `exp`.

use std::sync::Arc;

use rocket::Response;

use super::cookies::{CookieToken, cookies};
use crate::blocklist::Standing;
use crate::blocklist::entry::uuid_v7_millis;
use crate::error::Error;
use crate::issue::spec::TokenSpec;
use crate::jwt::Jwt;
use crate::request::cache::RequestCache;
use crate::revocation::check::standing_to_renew;
use crate::revocation::entry_of::session_of;
use crate::settings::Settings;
use crate::token::kind::TokenType;
use crate::token::verified::Verified;

/// Renews the token that a guard accepted from a cookie, unless there is a reason not to. A failure is
/// only logged, since the response is valid without the renewal.
pub(crate) async fn renew(jwt: &Jwt, cache: &RequestCache, response: &mut Response<'_>) {
    if let Some(verified) = due(jwt, cache, response) {
        // Boxed so that this rare path does not enlarge the future of every response.
        Box::pin(renew_now(jwt, &verified, response)).await;
    }
}

/// The token to renew.
fn due(jwt: &Jwt, cache: &RequestCache, response: &Response<'_>) -> Option<Arc<Verified>> {
    let within = jwt.settings().implicit_refresh_within?;
    let verified = cache.renewable()?;
    let is_close = verified.registered().expires_at? - jwt.now() <= within;
    let is_due = is_close && !sets_its_cookies(jwt.settings(), response);
    (is_due && has_session(jwt.settings(), &verified)).then_some(verified)
}

/// A token with neither `sid` nor `jti` has no session, so that no logout would end its renewal; and with
/// `session_lifetime`, the session's id must tell when it began.
fn has_session(settings: &Settings, verified: &Verified) -> bool {
    session_of(verified)
        .is_some_and(|sid| settings.session_lifetime.is_none() || uuid_v7_millis(&sid).is_some())
}

async fn renew_now(jwt: &Jwt, verified: &Verified, response: &mut Response<'_>) {
    // A `revoke_all` that the store does not know of yet will have a later cut-off than this instant.
    let at = jwt.issue_instant(jwt.now());
    let mut spec =
        TokenSpec::new(TokenType::Access, &verified.identity()).renewing(jwt, verified, at);
    // The page keeps its CSRF value: nothing tells it of another one where `csrf_in_cookies` is off, and
    // elsewhere a request that it prepared before this response would be refused. This is safe: the
    // value is useful only beside the cookie, which no other site can send with it, and a script that can
    // read the old value in the page could read a new one there. A login and a rotation change it.
    spec.ids.csrf = verified.csrf().filter(|csrf| !csrf.is_empty()).map(Into::into);
    let signed = spec.with_ids(jwt).and_then(|spec| spec.sign(jwt));
    let (signed, issued) = match signed {
        Ok(signed) => signed,
        Err(error) => return not_renewed(error),
    };
    // At the end of the session, a renewed token would not expire later.
    let has_end = jwt.settings().session_lifetime.is_some();
    if has_end && signed.expires_at <= verified.registered().expires_at {
        return;
    }
    // Queried again, since the route may have been the logout; and in the store itself, since an entry
    // recorded elsewhere before this instant revokes the old token but not the new one.
    match standing_to_renew(jwt, verified, signed.expires_at).await {
        Ok(Standing::Live) => (),
        _ => return,
    }
    match cookies(jwt, &CookieToken::of(&signed), None, None) {
        Ok(cookies) => {
            issued.iter().for_each(|event| jwt.hooks().emit(event));
            // Not with the jar, which has been written by now.
            cookies.iter().for_each(|cookie| {
                response.adjoin_header(cookie);
            });
        }
        Err(error) => not_renewed(error),
    }
}

fn not_renewed(error: Error) {
    log::error!("JWT: an access token can't be renewed: {error}");
}

/// Whether the response itself sets or unsets the access token's cookies.
fn sets_its_cookies(settings: &Settings, response: &Response<'_>) -> bool {
    let names = settings.names(TokenType::Access);
    sets_cookie(response, &[&names.cookie_name, &names.csrf_cookie_name])
}

/// Keeps responses with tokens in cookies out of every cache (RFC 6749 §5.1), whatever the route says.
/// Returns whether the response is one.
pub(crate) fn forbid_storing(settings: &Settings, response: &mut Response<'_>) -> bool {
    let names = [TokenType::Access, TokenType::Refresh]
        .map(|token_type| &settings.names(token_type).cookie_name);
    let is_one = sets_cookie(response, &names);
    if is_one {
        response.set_raw_header("Cache-Control", "no-store");
    }
    is_one
}

fn sets_cookie(response: &Response<'_>, names: &[&String]) -> bool {
    response.headers().iter().any(|line| {
        // Comparing each name costs less than hashing one.
        line.name == "Set-Cookie" && {
            let name = line.value.split('=').next().unwrap_or_default().trim();
            names.iter().any(|one| *one == name)
        }
    })
}
