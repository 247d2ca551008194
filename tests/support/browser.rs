//! A model of a browser's cookie store: RFC 6265 §5, with the prefixes and limits of RFC 6265bis that
//! browsers enforce. `SameSite` is stored but not enforced: every request counts as same-site.

#![allow(dead_code)]

use rocket::http::uri::Host;
use rocket::http::{Header, Method};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::time::{Date, Duration, Month, OffsetDateTime};
use rocket_jwt_extended::{Clock, rocket};

use crate::support::ManualClock;

/// Domains for which nobody may set cookies: a few entries of the public suffix list.
const PUBLIC_SUFFIXES: [&str; 5] = ["com", "org", "test", "co.uk", "github.io"];

/// What makes two cookies the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Identity {
    /// Name, domain and path (RFC 6265 §5.3 step 11).
    Rfc6265,
    /// And the host-only flag, as all browsers have it (RFC 6265bis §5.7 step 23).
    Rfc6265Bis,
}

pub const IDENTITIES: [Identity; 2] = [Identity::Rfc6265, Identity::Rfc6265Bis];

#[derive(Clone, Debug)]
pub struct Stored {
    pub name: String,
    pub value: String,
    pub domain: String,
    pub host_only: bool,
    pub path: String,
    pub secure: bool,
    pub http_only: bool,
    pub same_site: Option<String>,
    /// Absent for a session cookie.
    pub expires: Option<OffsetDateTime>,
    created: u64,
}

/// A browser of one user.
pub struct Browser {
    cookies: Vec<Stored>,
    clock: ManualClock,
    identity: Identity,
    created: u64,
}

/// Scheme, host and path of `https://host/path?query`.
struct Url<'a> {
    is_secure: bool,
    host: String,
    path: &'a str,
    path_and_query: &'a str,
}

impl<'a> Url<'a> {
    fn parse(url: &'a str) -> Self {
        let (scheme, rest) = url.split_once("://").expect("a URL has a scheme");
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path_and_query) = rest.split_at(end);
        let host = authority.split(':').next().unwrap().to_ascii_lowercase();
        let path = path_and_query.split('?').next().unwrap();
        Self { is_secure: scheme == "https", host, path, path_and_query }
    }
}

/// RFC 6265 §5.1.3.
pub fn domain_matches(host: &str, domain: &str) -> bool {
    let is_address = host.rsplit('.').next().unwrap().parse::<u32>().is_ok();
    host == domain
        || (!is_address && host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
}

/// RFC 6265 §5.1.4.
pub fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        Some(last) if path.starts_with('/') && last > 0 => &path[..last],
        _ => "/",
    }
}

/// RFC 6265 §5.1.4.
pub fn path_matches(request: &str, cookie: &str) -> bool {
    let request = if request.is_empty() { "/" } else { request };
    request == cookie
        || request
            .strip_prefix(cookie)
            .is_some_and(|rest| cookie.ends_with('/') || rest.starts_with('/'))
}

/// RFC 6265 §5.1.1.
pub fn cookie_date(text: &str) -> Option<OffsetDateTime> {
    let is_delimiter = |c: char| matches!(c, '\t' | ' '..='/' | ';'..='@' | '['..='`' | '{'..='~');
    let digits = |text: &str, least: usize, most: usize| {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        (least..=most).contains(&end).then(|| text[..end].parse::<i32>().unwrap())
    };
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        let parts: Vec<_> = token.splitn(3, ':').collect();
        let fields: Vec<_> = parts.iter().filter_map(|part| digits(part, 1, 2)).collect();
        if time.is_none() && parts.len() == 3 && fields.len() == 3 {
            time = Some((fields[0], fields[1], fields[2]));
        } else if let (None, Some(found)) = (day, digits(token, 1, 2)) {
            day = Some(found);
        } else if let (None, Some(found)) = (month, month_of(token)) {
            month = Some(found);
        } else if let (None, Some(found)) = (year, digits(token, 2, 4)) {
            year = Some(match found {
                70..=99 => found + 1900,
                0..=69 => found + 2000,
                _ => found,
            });
        }
    }
    let ((hour, minute, second), year) = (time?, year.filter(|year| *year >= 1601)?);
    let date = Date::from_calendar_date(year, month?, day?.try_into().ok()?).ok()?;
    let [hour, minute, second] = [hour, minute, second].map(|field| field as u8);
    Some(date.with_hms(hour, minute, second).ok()?.assume_utc())
}

fn month_of(token: &str) -> Option<Month> {
    let names =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start = token.get(..3)?.to_ascii_lowercase();
    let number = names.iter().position(|name| *name == start)? + 1;
    Month::try_from(number as u8).ok()
}

impl Browser {
    pub fn new(clock: &ManualClock, identity: Identity) -> Self {
        Self { cookies: Vec::new(), clock: clock.clone(), identity, created: 0 }
    }

    /// Takes a `Set-Cookie` line of a response from that URL (RFC 6265 §5.2, §5.3).
    pub fn receive(&mut self, url: &str, line: &str) {
        if let Some(cookie) = self.parse(&Url::parse(url), line) {
            self.store(cookie);
        }
    }

    fn parse(&self, url: &Url<'_>, line: &str) -> Option<Stored> {
        if line.bytes().any(|b| b.is_ascii_control() && b != b'\t') {
            return None;
        }
        let mut parts = line.split(';');
        let (name, value) = parts.next().unwrap().split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        // Browsers drop a longer pair, and whoever set it is not told.
        if name.is_empty() || name.len() + value.len() > 4096 {
            return None;
        }
        let now = self.clock.now();
        let (mut max_age, mut expires, mut domain, mut path) = (None, None, None, None);
        let (mut secure, mut http_only, mut same_site) = (false, false, None);
        for part in parts {
            let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            // A longer attribute is ignored.
            if value.len() > 1024 {
                continue;
            }
            match attribute.trim().to_ascii_lowercase().as_str() {
                "expires" => expires = cookie_date(value).or(expires),
                "max-age" => {
                    let first = value.starts_with(|c: char| c.is_ascii_digit() || c == '-');
                    if first && value[1..].bytes().all(|b| b.is_ascii_digit()) {
                        let age = value.parse().unwrap_or(i64::MAX / 1_000_000_000);
                        max_age = Some(match age {
                            ..=0 => OffsetDateTime::UNIX_EPOCH,
                            _ => now.saturating_add(Duration::seconds(age)),
                        });
                    }
                }
                "domain" if !value.is_empty() => {
                    let bare = value.strip_prefix('.').unwrap_or(value);
                    domain = Some(bare.to_ascii_lowercase());
                }
                "path" => path = value.starts_with('/').then(|| value.to_string()),
                "secure" => secure = true,
                "httponly" => http_only = true,
                "samesite" => same_site = Some(value.to_string()),
                _ => (),
            }
        }
        let lower = name.to_ascii_lowercase();
        let is_root = path.as_deref() == Some("/");
        if lower.starts_with("__host-") && !(secure && domain.is_none() && is_root)
            || lower.starts_with("__secure-") && !secure
            || secure && !url.is_secure
        {
            return None;
        }
        if let Some(named) = &domain {
            if PUBLIC_SUFFIXES.contains(&named.as_str()) {
                if *named != url.host {
                    return None;
                }
                domain = None;
            } else if !domain_matches(&url.host, named) {
                return None;
            }
        }
        let latest = now + Duration::days(400);
        Some(Stored {
            name: name.into(),
            value: value.into(),
            host_only: domain.is_none(),
            domain: domain.unwrap_or_else(|| url.host.clone()),
            path: path.unwrap_or_else(|| default_path(url.path).into()),
            secure,
            http_only,
            same_site,
            expires: max_age.or(expires).map(|at| at.min(latest)),
            created: 0,
        })
    }

    fn store(&mut self, mut cookie: Stored) {
        self.created += 1;
        cookie.created = self.created;
        let is_same = |other: &Stored| {
            other.name == cookie.name
                && other.domain == cookie.domain
                && other.path == cookie.path
                && (self.identity == Identity::Rfc6265 || other.host_only == cookie.host_only)
        };
        if let Some(at) = self.cookies.iter().position(is_same) {
            cookie.created = self.cookies.remove(at).created;
        }
        self.cookies.push(cookie);
        self.expire();
    }

    fn expire(&mut self) {
        let now = self.clock.now();
        self.cookies.retain(|cookie| cookie.expires.is_none_or(|at| at > now));
    }

    /// The cookies that go with a request, in order (RFC 6265 §5.4).
    fn matching(&mut self, url: &str) -> Vec<&Stored> {
        self.expire();
        let url = Url::parse(url);
        let mut found: Vec<_> = self
            .cookies
            .iter()
            .filter(|cookie| match cookie.host_only {
                true => cookie.domain == url.host,
                false => domain_matches(&url.host, &cookie.domain),
            })
            .filter(|cookie| path_matches(url.path, &cookie.path))
            .filter(|cookie| url.is_secure || !cookie.secure)
            .collect();
        found.sort_by_key(|cookie| (std::cmp::Reverse(cookie.path.len()), cookie.created));
        found
    }

    /// The line `Cookie` of a request, empty if there is none.
    pub fn cookie_line(&mut self, url: &str) -> String {
        let pairs = self.matching(url).into_iter().map(|one| format!("{}={}", one.name, one.value));
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// The values of `document.cookie` under that name.
    pub fn script_sees(&mut self, url: &str, name: &str) -> Vec<String> {
        let cookies = self.matching(url).into_iter();
        cookies
            .filter(|one| !one.http_only && one.name == name)
            .map(|one| one.value.clone())
            .collect()
    }

    /// Everything that is stored, by name, domain and path.
    pub fn stored(&mut self) -> Vec<Stored> {
        self.expire();
        let mut all = self.cookies.clone();
        all.sort_by_key(|one| (one.name.clone(), one.domain.clone(), one.path.clone()));
        all
    }

    /// How many cookies of that name are stored.
    pub fn count(&mut self, name: &str) -> usize {
        self.stored().iter().filter(|one| one.name == name).count()
    }

    /// Ends the browser's session.
    pub fn close(&mut self) {
        self.cookies.retain(|cookie| cookie.expires.is_some());
    }

    /// Sends a request to the application as this browser would, and takes its cookies.
    pub fn send<'c>(
        &mut self,
        client: &'c Client,
        method: Method,
        url: &str,
        headers: &[(&'static str, String)],
        body: &str,
    ) -> LocalResponse<'c> {
        let line = self.cookie_line(url);
        let parsed = Url::parse(url);
        let mut request = client.req(method, parsed.path_and_query.to_string()).body(body);
        // As the server reads it: the host, the line, and the jar that is made of it.
        request.inner_mut().set_host(Host::parse_owned(parsed.host.clone()).unwrap());
        request = request.header(Header::new("Host", parsed.host));
        if !line.is_empty() {
            for pair in line.split("; ") {
                let (name, value) = pair.split_once('=').unwrap();
                request = request.cookie((name.to_string(), value.to_string()));
            }
            request = request.header(Header::new("Cookie", line));
        }
        for (name, value) in headers {
            request = request.header(Header::new(*name, value.clone()));
        }
        let response = request.dispatch();
        for line in response.headers().get("Set-Cookie") {
            self.receive(url, line);
        }
        response
    }

    pub fn get<'c>(&mut self, client: &'c Client, url: &str) -> LocalResponse<'c> {
        self.send(client, Method::Get, url, &[], "")
    }

    /// What the page's script posts: with the CSRF value that it reads from that cookie.
    pub fn post<'c>(
        &mut self,
        client: &'c Client,
        url: &str,
        csrf_cookie: &str,
    ) -> LocalResponse<'c> {
        let value = self.script_sees(url, csrf_cookie).into_iter().next().unwrap_or_default();
        self.send(client, Method::Post, url, &[("X-CSRF-TOKEN", value)], "")
    }
}
