//! Clears token cookies in other scopes than the configured one.
//!
//! Browsers store one cookie for each name, domain and path, and send every one that matches (RFC
//! 6265 §5.3, §5.4). So after a change of `cookie_domain` or of a path they send an old and a new
//! cookie. Two different cookies of the same name are refused, since a sibling domain could have
//! set one of them. Therefore every response that sets, unsets or renews these cookies also clears
//! their other scopes, and so does the refusal itself. Then logging in again helps, and no user
//! continues with the session of an earlier user.
//!
//! The removals are written as header lines, as Rocket's cookie jar contains only one cookie for
//! each name. They precede the response's other lines: a browser that identifies a cookie without
//! its host-only flag, as RFC 6265 §5.3 step 11 does, may apply a removal to the cookie that is
//! being set.
//!
//! A long host and a deep path have more scopes than one response has room for. The position of the
//! next scope is then stored in a cookie that expires after ten minutes, so that each refusal
//! continues where the last one ended. After a bounded number of refusals every scope is cleared:
//! the length of all removals divided by [`MAX_REMOVALS`].

mod candidates;
pub(super) mod scope;
mod sent;

use rocket::http::{RawStr, SameSite};
use rocket::{Request, Response};

use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::settings::Settings;

use candidates::{Candidates, matching_paths};
use scope::{Scope, normal_domain};
use sent::{Named, Sent, cookies_of, values_of};

/// The name under which the cookie jar passes further scopes to the response; it is never sent to
/// browsers.
pub(super) const CARRIER: &str = "__rocket_jwt_also_unset";

/// The most bytes of all removals in one response. Many proxies reject a response whose header is
/// longer than 4 KiB.
const MAX_REMOVALS: usize = 3000;

/// The cookie with the position of the next removal.
const POSITION: &str = "__rocket_jwt_position";

/// Clears every other scope of the cookies that the response sets or unsets. If two different
/// cookies of the same name were refused, clears all scopes of all token cookies.
pub(crate) fn clear_others(
    settings: &Settings,
    request: &Request<'_>,
    rejection: Option<&Rejection>,
    response: &mut Response<'_>,
) {
    let is_suspect = matches!(
        rejection.map(Rejection::reason),
        Some(Reason::TwoTokens | Reason::CsrfMismatch(_))
    );
    // This runs for every response, and comparing each name costs less than hashing one.
    let sets_any = || response.headers().iter().any(|line| line.name == "Set-Cookie");
    if !is_suspect && !sets_any() {
        return;
    }
    let mut cookies = cookies_of(settings);
    let sent = Sent::in_request(request, &cookies);
    cookies.sort_by_key(|cookie| !sent.twice.contains(&cookie.name));
    let is_ambiguous = is_suspect && sent.has_two(settings, rejection);
    let (carried, lines): (Vec<_>, Vec<_>) = response
        .headers()
        .get("Set-Cookie")
        .map(SetLine::parse)
        .partition(|line| line.name == CARRIER);
    let given: Vec<_> =
        carried.iter().flat_map(|line| Scope::split(&line.value).collect::<Vec<_>>()).collect();

    let shown = matching_paths(request.uri().path().as_str());
    let candidates = Candidates::new(settings, request, &cookies, &sent, &given, &shown);
    let is_stale = |cookie: &Named<'_>, scope: &Scope| {
        let own = || lines.iter().filter(|line| line.name == cookie.name);
        if own().next().is_none() && !is_ambiguous {
            return false;
        }
        // The request would have contained a cookie whose path matches. A logout does not rely on
        // that.
        let sets = !is_ambiguous && own().any(|line| !line.is_removal);
        let can_be = !sets
            || sent.names.contains(&cookie.name)
            || given.contains(scope)
            || !shown.contains(&scope.path.as_str());
        can_be && !own().any(|line| line.uses(scope, cookie))
    };
    // If no cookie was sent twice, the likely scopes are enough, and they come first.
    let is_continued = !sent.twice.is_empty();
    let start = if is_continued { position(request, candidates.len()) } else { 0 };
    let (mut removals, next) = fitting(settings, &candidates, start, is_stale);
    if removals.is_empty() && carried.is_empty() {
        return;
    }
    if let (Some(next), true) = (next, is_continued) {
        removals.push(position_line(settings, next));
    }
    let lines: Vec<_> = lines.into_iter().map(|line| line.text).collect();
    response.remove_header("Set-Cookie");
    for line in removals.into_iter().chain(lines) {
        response.adjoin_raw_header("Set-Cookie", line);
    }
}

/// As many removals as there is room for, beginning at `start`, and the position at which the next
/// response continues.
fn fitting(
    settings: &Settings,
    candidates: &Candidates<'_>,
    start: usize,
    is_stale: impl Fn(&Named<'_>, &Scope) -> bool,
) -> (Vec<String>, Option<usize>) {
    let (mut lines, mut room) = (Vec::new(), MAX_REMOVALS);
    for index in (start..candidates.len()).chain(0..start) {
        let Some((cookie, scope)) = candidates.get(index) else { continue };
        if !is_stale(cookie, &scope) {
            continue;
        }
        let line = removal(settings, cookie.name, &scope);
        match room.checked_sub(line.len() + "Set-Cookie: \r\n".len()) {
            Some(left) => room = left,
            // A single longer line would block all later ones permanently.
            None if lines.is_empty() => (),
            // Each complete pass is followed by one with another offset. Otherwise, if two pages
            // with different candidates are refused alternately, some scopes would never be
            // cleared.
            None if index < start => return (lines, Some(random(index + 1))),
            None => return (lines, Some(index)),
        }
        lines.push(line);
    }
    (lines, None)
}

/// The position where the last response ended, according to its cookie. If a sibling domain has set
/// a second such cookie, the position is random.
fn position(request: &Request<'_>, length: usize) -> usize {
    let mut values = values_of(request, POSITION);
    match (values.next(), values.next()) {
        (None, _) => 0,
        (Some(value), None) => match value.parse::<usize>() {
            Ok(position) if position < length => position,
            _ => random(length),
        },
        _ => random(length),
    }
}

/// A random number below `limit`.
fn random(limit: usize) -> usize {
    let number = getrandom::u64().ok().and_then(|random| random.checked_rem(limit as u64));
    number.unwrap_or_default() as usize
}

fn position_line(settings: &Settings, position: usize) -> String {
    let mut line = format!("{POSITION}={position}; Path=/; Max-Age=600; HttpOnly");
    add_needed(settings, &mut line);
    line
}

/// The line that removes a cookie, as short as browsers accept it.
fn removal(settings: &Settings, name: &str, scope: &Scope) -> String {
    let mut line = format!("{name}=; Path={}; Max-Age=0", scope.path);
    if let Some(domain) = &scope.domain {
        line += "; Domain=";
        line += domain;
    }
    add_needed(settings, &mut line);
    line
}

/// Adds the attributes that browsers require.
fn add_needed(settings: &Settings, line: &mut String) {
    // Browsers ignore a line without it in a cross-site response.
    if settings.cookie_samesite == SameSite::None {
        line.push_str("; SameSite=None");
    }
    // Required with `SameSite=None`, and with name prefixes.
    if settings.cookie_secure {
        line.push_str("; Secure");
    }
}

/// A `Set-Cookie` line of the response.
struct SetLine {
    text: String,
    name: String,
    value: String,
    scope: Scope,
    is_removal: bool,
}

impl SetLine {
    fn parse(text: &str) -> Self {
        let mut parts = text.split(';');
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).unwrap_or_default();
        let value = RawStr::new(value.trim()).percent_decode_lossy().into_owned();
        let mut scope = Scope { domain: None, path: String::new() };
        let mut is_removal = false;
        for part in parts {
            let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
            match attribute.trim().to_ascii_lowercase().as_str() {
                "domain" if !value.trim().is_empty() => {
                    scope.domain = Some(normal_domain(value.trim()));
                }
                "path" => scope.path = value.trim().into(),
                "max-age" => is_removal = value.trim().parse().is_ok_and(|age: i64| age <= 0),
                _ => (),
            }
        }
        Self { text: text.into(), name: name.trim().into(), value, scope, is_removal }
    }

    /// Whether this line already sets or removes the cookie of this scope. If both token types use
    /// the same cookie name, the cookie may have either path.
    fn uses(&self, scope: &Scope, cookie: &Named<'_>) -> bool {
        self.scope == *scope
            || (!self.is_removal
                && self.scope.domain == scope.domain
                && cookie.paths.len() > 1
                && cookie.paths.contains(&scope.path.as_str()))
    }
}
