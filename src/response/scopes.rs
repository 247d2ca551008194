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

use rocket::http::{RawStr, SameSite};
use rocket::{Request, Response};

use crate::config::browser_rules::is_domain;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::settings::Settings;

/// The name under which the jar carries further scopes to the response; browsers never see it.
pub(super) const CARRIER: &str = "__rocket_jwt_also_unset";

/// The bytes of all removals in one response. Many proxies refuse a response whose header is longer than
/// 4 KiB.
const MAX_REMOVALS: usize = 3000;

/// The longest attribute that browsers read (RFC 6265bis §5.6).
const MAX_ATTRIBUTE: usize = 1024;

/// How many labels of a domain, and slashes of a path, are considered.
const MAX_LABELS: usize = 6;
const MAX_SLASHES: usize = 32;

/// A domain and a path; without a domain, the cookie is for the host alone.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) domain: Option<String>,
    pub(super) path: String,
}

impl Scope {
    /// A scope given by the application, if a cookie can have it.
    pub(super) fn new(domain: Option<&str>, path: &str) -> Option<Self> {
        let is_legal = domain.is_none_or(is_domain) && is_path(path);
        is_legal.then(|| Self { domain: domain.map(normal_domain), path: path.into() })
    }

    /// The scopes as one cookie value, and back.
    pub(super) fn join(scopes: &[Self]) -> String {
        let line = |scope: &Self| {
            format!("{} {}", scope.domain.as_deref().unwrap_or_default(), scope.path)
        };
        scopes.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn split(text: &str) -> impl Iterator<Item = Self> + '_ {
        text.split('\n').filter_map(|line| line.split_once(' ')).map(|(domain, path)| Self {
            domain: (!domain.is_empty()).then(|| domain.into()),
            path: path.into(),
        })
    }
}

/// A path that browsers take, and that ends no attribute.
fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && path.len() <= MAX_ATTRIBUTE
        && path.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b';')
}

/// Browsers ignore case and a leading dot (RFC 6265 §5.2.3).
fn normal_domain(domain: &str) -> String {
    domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase()
}

/// One of the cookies, or several that share their name.
struct Named<'a> {
    name: &'a str,
    /// The configured paths.
    paths: Vec<&'a str>,
}

fn cookies_of(settings: &Settings) -> Vec<Named<'_>> {
    let mut all: Vec<Named<'_>> = Vec::with_capacity(4);
    for names in [&settings.access, &settings.refresh] {
        for (name, path) in [
            (&names.cookie_name, &names.cookie_path),
            (&names.csrf_cookie_name, &names.csrf_cookie_path),
        ] {
            match all.iter_mut().find(|named| named.name == name) {
                Some(named) => named.paths.push(path),
                None => all.push(Named { name, paths: vec![path] }),
            }
        }
    }
    all
}

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
    let (mut removals, mut unlikely) = (Vec::new(), Vec::new());
    for cookie in &cookies {
        let own: Vec<_> = lines.iter().filter(|line| line.name == cookie.name).collect();
        if own.is_empty() && !is_ambiguous {
            continue;
        }
        // The request would have shown a cookie whose path matches its own. A logout relies on nothing.
        let sets = !is_ambiguous && own.iter().any(|line| !line.is_removal);
        let was_sent = sent.names.contains(&cookie.name);
        let can_be = |scope: &Scope| {
            !sets || was_sent || given.contains(scope) || !shown.contains(&scope.path.as_str())
        };
        let is_used = |scope: &Scope| own.iter().any(|line| line.uses(scope, cookie));
        let stale = |scope: &&Scope| can_be(scope) && !is_used(scope);
        let (likely, others) = candidates(settings, request, cookie, &sent, &given, &shown);
        let removal = |scope: &Scope| removal(settings, cookie.name, scope);
        removals.extend(likely.iter().filter(stale).map(removal));
        unlikely.extend(others.iter().filter(stale).map(removal));
    }
    let removals = fitting(removals, unlikely);
    if removals.is_empty() && carried.is_empty() {
        return;
    }
    let lines: Vec<_> = lines.into_iter().map(|line| line.text).collect();
    response.remove_header("Set-Cookie");
    for line in removals.into_iter().chain(lines) {
        response.adjoin_raw_header("Set-Cookie", line);
    }
}

/// As many of the lines as there is room for. What is left out differs from one response to the next, so
/// that each line gets its turn.
fn fitting(mut likely: Vec<String>, mut unlikely: Vec<String>) -> Vec<String> {
    let in_room = |lines: &[String], mut room: usize| {
        let fits = |line: &&String| {
            let length = line.len() + "Set-Cookie: \r\n".len();
            room.checked_sub(length).inspect(|left| room = *left).is_some()
        };
        lines.iter().take_while(fits).count()
    };
    let mut rest = likely.split_off(in_room(&likely, MAX_REMOVALS / 3 * 2));
    rest.append(&mut unlikely);
    let start = getrandom::u64().ok().and_then(|random| random.checked_rem(rest.len() as u64));
    rest.rotate_left(start.unwrap_or(0) as usize);
    likely.append(&mut rest);
    likely.truncate(in_room(&likely, MAX_REMOVALS));
    likely
}

/// The scopes that a cookie of that name may have, in two lists: where an earlier configuration, or the
/// application, may have set it; and where else a cookie may be that this request carried.
fn candidates(
    settings: &Settings,
    request: &Request<'_>,
    cookie: &Named<'_>,
    sent: &Sent<'_>,
    given: &[Scope],
    shown: &[&str],
) -> (Vec<Scope>, Vec<Scope>) {
    if cookie.name.to_ascii_lowercase().starts_with("__host-") {
        // Browsers keep it for the host and `/` alone.
        return (vec![Scope { domain: None, path: "/".into() }], Vec::new());
    }
    let mut domains = vec![None];
    let configured = settings.cookie_domain.as_deref().map(normal_domain);
    domains.extend(configured.iter().cloned().map(Some));
    // A request without any of these cookies shows that there is none for a parent domain; then the
    // response of a first login stays short.
    if !sent.names.is_empty() {
        for domain in host_of(request).iter().chain(&configured) {
            domains.extend(parents(domain).map(|parent| Some(parent.to_string())));
        }
    }
    let mut paths: Vec<_> = cookie.paths.clone();
    paths.push("/");
    let product = |paths: &[&str]| {
        let mut scopes = Vec::new();
        for path in paths {
            for domain in &domains {
                let scope = Scope { domain: domain.clone(), path: (*path).into() };
                if !scopes.contains(&scope) {
                    scopes.push(scope);
                }
            }
        }
        scopes
    };
    let mut likely = given.to_vec();
    likely.extend(product(&paths).into_iter().filter(|scope| !given.contains(scope)));
    // One of two cookies may have any path that matches the request's (RFC 6265 §5.1.4).
    let others = match sent.twice.contains(&cookie.name) {
        true => product(shown),
        false => Vec::new(),
    };
    let others = others.into_iter().filter(|scope| !likely.contains(scope)).collect();
    (likely, others)
}

/// The host that the browser asked. A local client's request has its name in the header alone.
fn host_of(request: &Request<'_>) -> Option<String> {
    let host = match request.host() {
        Some(host) => host.domain().as_str(),
        None => request.headers().get_one("Host")?.split(':').next()?,
    };
    is_domain(host).then(|| normal_domain(host))
}

/// The domain itself and those above it that have at least two labels: browsers take none for a
/// top-level domain, and ignore the line where another one is a public suffix. An address has none.
fn parents(domain: &str) -> impl Iterator<Item = &str> {
    let is_address = domain.rsplit('.').next().is_none_or(|last| last.parse::<u32>().is_ok());
    let dots: Vec<_> = domain.match_indices('.').map(|(at, _)| at).collect();
    let starts = dots.iter().rev().skip(1).map(|at| at + 1);
    let whole = (!dots.is_empty()).then_some(0);
    let starts: Vec<_> = starts.chain(whole).take(MAX_LABELS - 1).collect();
    starts.into_iter().filter(move |_| !is_address).filter_map(|start| domain.get(start..))
}

/// The cookie paths that match a request's path, as far as a cookie can have them.
fn matching_paths(path: &str) -> Vec<&str> {
    let slashes = path.match_indices('/').take(MAX_SLASHES).map(|(at, _)| at);
    let ends = slashes.flat_map(|at| [at, at + 1]).chain([path.len()]);
    ends.filter_map(|end| path.get(..end)).filter(|path| is_path(path)).collect()
}

/// The line that removes a cookie, as short as browsers take it.
fn removal(settings: &Settings, name: &str, scope: &Scope) -> String {
    let mut line = format!("{name}=; Path={}; Max-Age=0", scope.path);
    if let Some(domain) = &scope.domain {
        line += "; Domain=";
        line += domain;
    }
    // In a cross-site response, a line without it has no effect.
    if settings.cookie_samesite == SameSite::None {
        line += "; SameSite=None";
    }
    // Needed with `None`, and with the prefixes of names.
    if settings.cookie_secure {
        line += "; Secure";
    }
    line
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

/// Which of the cookies a request carried.
struct Sent<'a> {
    names: Vec<&'a str>,
    /// With two different values.
    twice: Vec<&'a str>,
}

impl<'a> Sent<'a> {
    fn in_request(request: &Request<'_>, cookies: &[Named<'a>]) -> Self {
        let mut sent = Self { names: Vec::new(), twice: Vec::new() };
        for cookie in cookies {
            let mut values = request
                .headers()
                .get("Cookie")
                .flat_map(|line| line.split(';'))
                .filter_map(|pair| pair.trim().split_once('='))
                .filter(|(name, _)| name.trim() == cookie.name)
                .map(|(_, value)| value.trim());
            let first = values.next();
            // Rocket's local client puts cookies into the jar, without a header line.
            if first.is_some() || request.cookies().get(cookie.name).is_some() {
                sent.names.push(cookie.name);
            }
            if first.is_some_and(|first| values.any(|other| other != first)) {
                sent.twice.push(cookie.name);
            }
        }
        sent
    }

    /// Whether the refusal was for two cookies of one name.
    fn has_two(&self, settings: &Settings, rejection: Option<&Rejection>) -> bool {
        let names = [&settings.access, &settings.refresh];
        let is_twice = |name: &str| self.twice.contains(&name);
        match rejection.map(Rejection::reason) {
            Some(Reason::TwoTokens) => names.iter().any(|names| is_twice(&names.cookie_name)),
            // The page read the other one of two CSRF cookies.
            Some(Reason::CsrfMismatch(_)) => {
                names.iter().any(|names| is_twice(&names.csrf_cookie_name))
            }
            _ => false,
        }
    }
}
