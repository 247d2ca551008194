//! The lines logged at launch.

use rocket::time::Duration;

use super::store::BlocklistSource;
use crate::jwt::Jwt;
use crate::settings::Sessions;
use crate::token::kind::TokenType;
use crate::token::location::Location;

pub(super) fn log(jwt: &Jwt, store: &BlocklistSource) {
    let settings = jwt.settings();
    let locations: Vec<_> = settings.token_location.iter().map(ToString::to_string).collect();
    let lifetime = |expires: Option<Duration>| match expires {
        Some(expires) => humantime::format_duration(expires.unsigned_abs()).to_string(),
        None => "never expires".into(),
    };
    let access = lifetime(settings.names(TokenType::Access).expires);
    let refresh = lifetime(settings.names(TokenType::Refresh).expires);
    let indented = "_";
    log::info!("JWT:");
    log::info!(target: indented, "algorithm: {:?}", settings.algorithm);
    log::info!(target: indented, "tokens in: {}", locations.join(", "));
    log::info!(target: indented, "lifetimes: access {access}, refresh {refresh}");
    log::info!(target: indented, "blocklist: {store}");
    if let Some(interval) = settings.blocklist_replica {
        let interval = humantime::format_duration(interval.unsigned_abs());
        log::info!(target: indented, "replicated in memory, polled every {interval}");
    }
    match settings.sessions {
        Sessions::Off => (),
        Sessions::On => log::info!(target: indented, "sessions: each has a row"),
        Sessions::Adopt => log::warn!(
            "JWT: `sessions = \"adopt\"` lets a refresh token begin the row that its session lacks: set it to \
             true once the refresh tokens that were issued before have expired."
        ),
    }
    if jwt.keys().signing.is_none() && jwt.hooks().signing_key.is_none() {
        log::info!(target: indented, "no signing key: verify only");
    }
    if settings.token_location.contains(&Location::Cookies) && !settings.cookie_secure {
        log::warn!(
            "JWT: cookies are sent over plain HTTP too, as `cookie_secure` is false: set it to true where \
             the site has HTTPS."
        );
    }
}
