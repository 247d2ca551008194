//! Implicit refresh: a cookie-borne access token close to its end is renewed in the answer.

use rocket::Response;

use crate::blocklist::Standing;
use crate::cache::RequestCache;
use crate::claims;
use crate::config::Settings;
use crate::cookies;
use crate::jwt::Jwt;
use crate::rotate::carried_audience;
use crate::token::{Token, TokenType, Verified};

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
    // Asked again: the route may have been the logout.
    let ids = verified.ids();
    match jwt.store_answer(|store| async move { store.standing(&ids).await }).await {
        Ok(Standing::Live) => (),
        _ => return,
    }
    let renewed = renewed(jwt, &verified)
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
    response.headers().get("Set-Cookie").any(|line| {
        let name = line.split('=').next().unwrap_or_default().trim();
        name == names.cookie_name || name == names.csrf_cookie_name
    })
}

fn renewed(jwt: &Jwt, verified: &std::sync::Arc<Verified>) -> Result<String, crate::Error> {
    let token = Token::with_claims(crate::NoClaims, verified.clone(), None);
    let mut builder = jwt
        .access_token(token.identity())
        .session(&token)
        .carry(claims::own(verified.claims(), jwt.settings()));
    if let Some(audience) = carried_audience(verified) {
        builder = builder.audience(audience);
    }
    builder.encode()
}
