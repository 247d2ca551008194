//! The scopes in which a browser may have stored an unwanted cookie.

use rocket::Request;

use super::scope::{Scope, is_path, normal_domain};
use super::sent::{Named, Sent};
use crate::config::browser_rules::{MAX_ATTRIBUTE, is_address, is_domain};
use crate::settings::Settings;

/// The scopes that the cookies may have, computed lazily, as a request can have thousands. The
/// scopes that an earlier configuration or the application may have used come first; then the
/// scopes of cookies that this request contained twice.
pub(super) struct Candidates<'a>(Vec<Block<'a>>);

/// Combines each path with each domain.
struct Block<'a> {
    cookie: &'a Named<'a>,
    given: &'a [Scope],
    paths: Vec<&'a str>,
    domains: Vec<Option<String>>,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(
        settings: &Settings,
        request: &Request<'_>,
        cookies: &'a [Named<'a>],
        sent: &Sent<'_>,
        given: &'a [Scope],
        shown: &[&'a str],
    ) -> Self {
        let mut domains = vec![None];
        let configured = settings.cookie_domain.as_deref().map(normal_domain);
        domains.extend(configured.iter().cloned().map(Some));
        // If the request contains none of these cookies, there is none for a parent domain either,
        // so the response of a first login stays short.
        if !sent.names.is_empty() {
            for domain in host_of(request).iter().chain(&configured) {
                for parent in parents(domain).map(|parent| Some(parent.to_string())) {
                    if !domains.contains(&parent) {
                        domains.push(parent);
                    }
                }
            }
        }
        let (mut likely, mut others) = (Vec::new(), Vec::new());
        for cookie in cookies {
            if cookie.name.to_ascii_lowercase().starts_with("__host-") {
                // Browsers store it only for the host and `/`.
                likely.push(Block { cookie, given: &[], paths: vec!["/"], domains: vec![None] });
                continue;
            }
            let mut paths: Vec<&str> = Vec::new();
            for path in cookie.paths.iter().copied().chain(["/"]) {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
            // Either of two cookies may have any path that matches the request's path (RFC 6265
            // §5.1.4).
            if sent.twice.contains(&cookie.name) {
                let shown = shown.iter().copied().filter(|path| !paths.contains(path)).collect();
                others.push(Block { cookie, given: &[], paths: shown, domains: domains.clone() });
            }
            likely.push(Block { cookie, given, paths, domains: domains.clone() });
        }
        likely.append(&mut others);
        Self(likely)
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(Block::len).sum()
    }

    pub(super) fn get(&self, mut index: usize) -> Option<(&'a Named<'a>, Scope)> {
        for block in &self.0 {
            match index.checked_sub(block.len()) {
                Some(rest) => index = rest,
                None => return block.get(index).map(|scope| (block.cookie, scope)),
            }
        }
        None
    }
}

impl Block<'_> {
    fn len(&self) -> usize {
        self.given.len() + self.paths.len() * self.domains.len()
    }

    /// The domains vary in the inner loop.
    fn get(&self, index: usize) -> Option<Scope> {
        let Some(index) = index.checked_sub(self.given.len()) else {
            return self.given.get(index).cloned();
        };
        let path = self.paths.get(index.checked_div(self.domains.len())?)?;
        let domain = self.domains.get(index.checked_rem(self.domains.len())?)?;
        let scope = Scope { domain: domain.clone(), path: (*path).into() };
        (!self.given.contains(&scope)).then_some(scope)
    }
}

/// The host of the request. A local client sends the name only in the header.
fn host_of(request: &Request<'_>) -> Option<String> {
    let host = match request.host() {
        Some(host) => host.domain().as_str(),
        None => request.headers().get_one("Host")?.split(':').next()?,
    };
    is_domain(host).then(|| normal_domain(host))
}

/// The domain and its parent domains with at least two labels: browsers reject a cookie for a
/// top-level domain, and ignore the line if another domain is a public suffix. An IP address has no
/// such domains.
fn parents(domain: &str) -> impl Iterator<Item = &str> {
    let dots: Vec<_> = domain.match_indices('.').map(|(at, _)| at).collect();
    let starts = dots.iter().rev().skip(1).map(|at| at + 1);
    let whole = (!dots.is_empty()).then_some(0);
    let starts: Vec<_> =
        if is_address(domain) { Vec::new() } else { starts.chain(whole).collect() };
    starts.into_iter().filter_map(|start| domain.get(start..))
}

/// The valid cookie paths that match a request's path.
pub(super) fn matching_paths(path: &str) -> Vec<&str> {
    // A cookie cannot have a longer path.
    let slashes = path.match_indices('/').map(|(at, _)| at).take_while(|at| *at <= MAX_ATTRIBUTE);
    let ends = slashes.flat_map(|at| [at, at + 1]).chain([path.len()]);
    let mut paths: Vec<_> =
        ends.filter_map(|end| path.get(..end)).filter(|path| is_path(path)).collect();
    paths.dedup();
    paths
}
