//! A warning about cookies that a browser drops, because its page uses HTTP.

use rocket::Request;

use crate::jwt::Jwt;

/// Logs once that browsers drop the `Secure` cookies of an insecure page (RFC 6265bis §5.7 step 8).
/// Every login then seems to succeed, but the next requests have no token. A browser sends the
/// page's scheme with each POST; the scheme of the request itself may be that of a proxy.
pub(crate) fn warn(jwt: &Jwt, request: &Request<'_>) {
    if !jwt.settings().cookie_secure || !is_insecure(request) || !jwt.is_first_insecure_page() {
        return;
    }
    log::warn!(
        "JWT: cookies were set for a page at http://, and browsers drop them, as `cookie_secure` is true. \
         Serve it over https://, or set `cookie_secure = false` for development."
    );
}

/// Whether the page has this server's own host, uses HTTP, and is not at a loopback address, whose
/// pages browsers trust.
fn is_insecure(request: &Request<'_>) -> bool {
    let headers = request.headers();
    let Some(page) = headers.get_one("Origin").and_then(|origin| origin.strip_prefix("http://"))
    else {
        return false;
    };
    let host = page.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
    let host = host.map_or(page, |(host, _)| host).to_ascii_lowercase();
    let is_loopback = host == "localhost"
        || host.ends_with(".localhost")
        || host.starts_with("127.")
        || host == "[::1]";
    !is_loopback && headers.get_one("Host").is_some_and(|own| own.eq_ignore_ascii_case(page))
}
