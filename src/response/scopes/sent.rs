//! The token cookies of a request.

use rocket::Request;

use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::settings::Settings;

/// One of the cookies, or several with the same name.
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    /// The configured paths.
    pub(super) paths: Vec<&'a str>,
}

pub(super) fn cookies_of(settings: &Settings) -> Vec<Named<'_>> {
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

/// The values of the cookies with this name, as they were sent.
pub(super) fn values_of<'r>(
    request: &'r Request<'_>,
    name: &'r str,
) -> impl Iterator<Item = &'r str> {
    let lines = request.headers().get("Cookie");
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(sent, _)| sent.trim() == name)
        .map(|(_, value)| value.trim())
}

/// Which of the cookies a request contained.
pub(super) struct Sent<'a> {
    pub(super) names: Vec<&'a str>,
    /// The cookie was sent with two different values.
    pub(super) twice: Vec<&'a str>,
}

impl<'a> Sent<'a> {
    pub(super) fn in_request(request: &Request<'_>, cookies: &[Named<'a>]) -> Self {
        let mut sent = Self { names: Vec::new(), twice: Vec::new() };
        for cookie in cookies {
            let mut values = values_of(request, cookie.name);
            let first = values.next();
            // Rocket's local client adds cookies to the jar without a header line.
            if first.is_some() || request.cookies().get(cookie.name).is_some() {
                sent.names.push(cookie.name);
            }
            if first.is_some_and(|first| values.any(|other| other != first)) {
                sent.twice.push(cookie.name);
            }
        }
        sent
    }

    /// Whether the request was refused because of two cookies with the same name.
    pub(super) fn has_two(&self, settings: &Settings, rejection: Option<&Rejection>) -> bool {
        let names = [&settings.access, &settings.refresh];
        let is_twice = |name: &str| self.twice.contains(&name);
        match rejection.map(Rejection::reason) {
            Some(Reason::TwoTokens) => names.iter().any(|names| is_twice(&names.cookie_name)),
            // The page may have read the other one of two CSRF cookies.
            Some(Reason::CsrfMismatch(_)) => {
                names.iter().any(|names| is_twice(&names.csrf_cookie_name))
            }
            _ => false,
        }
    }
}
