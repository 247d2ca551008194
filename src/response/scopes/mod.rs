//! Clearing the cookies of tokens in scopes other than the one in use.
//!
//! Browsers keep one cookie for each name, domain and path, and send every one that matches (RFC 6265
//! §5.3, §5.4). So after a change of `cookie_domain` or of a path they send an old and a new cookie, and
//! two different cookies of one name are refused, since a sibling domain could have set one of them.
//! Whatever sets, unsets or renews these cookies therefore clears their other scopes, and so does the
//! refusal itself, so that logging in again helps and nobody continues as an earlier user.
//!
//! The removals are header lines, as Rocket's jar has one cookie for each name. They come before the
//! response's own lines: to a store that identifies a cookie as RFC 6265 §5.3 step 11 says, without its
//! host-only flag, a removal may mean the very cookie that is being set.
//!
//! A long host and a deep path have more scopes than a response has room for. The browser then keeps the
//! position of the next one in a cookie of ten minutes, so that each refusal continues where the last one
//! ended, and every scope is cleared after a number of refusals that is known: the length of all removals
//! divided by [`MAX_REMOVALS`].

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

/// The name under which the jar carries further scopes to the response; browsers never see it.
pub(super) const CARRIER: &str = "__rocket_jwt_also_unset";

/// The bytes of all removals in one response. Many proxies refuse a response whose header is longer than
/// 4 KiB.
const MAX_REMOVALS: usize = 3000;

/// The cookie with the position of the next removal.
const POSITION: &str = "__rocket_jwt_position";

/// Clears every other scope of the cookies that the response sets or unsets, and all scopes of all of
/// them if two different cookies of one name were refused.
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
    // Comparing each name costs less than hashing one, and this runs for every response.
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
        // The request would have shown a cookie whose path matches its own. A logout relies on nothing.
        let sets = !is_ambiguous && own().any(|line| !line.is_removal);
        let can_be = !sets
            || sent.names.contains(&cookie.name)
            || given.contains(scope)
            || !shown.contains(&scope.path.as_str());
        can_be && !own().any(|line| line.uses(scope, cookie))
    };
    // Where nothing was sent twice, the likely scopes are enough, and they come first.
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

/// As many removals as there is room for, from `start` on, and where the next response continues.
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
            // A single line that is longer would be in the way for ever.
            None if lines.is_empty() => (),
            // After a whole pass the next one has another phase: two pages that are refused by turns, each
            // with its own candidates, would otherwise never get some of theirs.
            None if index < start => return (lines, Some(random(index + 1))),
            None => return (lines, Some(index)),
        }
        lines.push(line);
    }
    (lines, None)
}

/// Where the last response ended, as far as its cookie says. One that a neighbour planted beside it leaves
/// the position to chance.
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

/// The line that removes a cookie, as short as browsers take it.
fn removal(settings: &Settings, name: &str, scope: &Scope) -> String {
    let mut line = format!("{name}=; Path={}; Max-Age=0", scope.path);
    if let Some(domain) = &scope.domain {
        line += "; Domain=";
        line += domain;
    }
    add_needed(settings, &mut line);
    line
}

/// Adds the attributes without which browsers ignore a line.
fn add_needed(settings: &Settings, line: &mut String) {
    // In a cross-site response, a line without it has no effect.
    if settings.cookie_samesite == SameSite::None {
        line.push_str("; SameSite=None");
    }
    // Needed with `None`, and with the prefixes of names.
    if settings.cookie_secure {
        line.push_str("; Secure");
    }
}

/// A line `Set-Cookie` of the response.
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

    /// Whether this line speaks for the scope. A cookie that shares its name with the other type's may
    /// have either path.
    fn uses(&self, scope: &Scope, cookie: &Named<'_>) -> bool {
        self.scope == *scope
            || (!self.is_removal
                && self.scope.domain == scope.domain
                && cookie.paths.len() > 1
                && cookie.paths.contains(&scope.path.as_str()))
    }
}
