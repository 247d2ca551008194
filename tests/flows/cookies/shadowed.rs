//! A cookie that shadows the application's, in any scope that a browser allows: it locks nobody out for
//! more than a known number of requests, whatever the host and the path.

use rocket::http::{CookieJar, Method};
use rocket::local::blocking::Client;
use rocket_jwt_extended::{AccessToken, Error, Jwt};

use super::in_a_browser::COMMON;
use crate::support::browser::*;
use crate::support::*;

#[post("/login/<name>")]
fn login(jwt: &Jwt, jar: &CookieJar<'_>, name: &str) -> Result<(), Error> {
    let pair = jwt.token_pair(name).issue()?;
    jwt.cookies(jar).set_pair(&pair)
}

#[get("/<_..>", rank = 9)]
fn page(token: AccessToken) -> String {
    token.identity().into()
}

#[post("/<_..>", rank = 9)]
fn note(token: AccessToken) -> String {
    token.identity().into()
}

fn site(toml: &str, clock: &ManualClock) -> Client {
    let fairing = Jwt::fairing().clock(clock.clone());
    client(&format!("{COMMON}{toml}"), fairing, routes![login, page, note])
}

/// A host of that many labels.
fn host(labels: usize) -> String {
    match labels {
        1 => "intranet".into(),
        2 => "example.test".into(),
        _ => (3..=labels).rev().map(|n| format!("l{n}.")).collect::<String>() + "example.test",
    }
}

/// A path of that many segments.
fn path(segments: usize) -> String {
    (1..=segments).map(|n| format!("/p{n}")).collect()
}

/// The host alone, and the domains for which a browser keeps cookies of that host.
fn domains(host: &str) -> Vec<Option<&str>> {
    let starts = host.match_indices('.').map(|(at, _)| at + 1).chain([0]);
    let parents = starts.map(|at| &host[at..]).filter(|domain| domain.contains('.'));
    parents.map(Some).chain([None]).collect()
}

/// Every path that a cookie for a request to `path` can have.
fn paths(path: &str) -> Vec<&str> {
    let slashes = path.match_indices('/').flat_map(|(at, _)| [at, at + 1]).filter(|end| *end > 0);
    slashes.chain([path.len()]).map(|end| &path[..end]).collect()
}

/// The most refusals until every scope is cleared: four cookies in the configured path and `/`, and two of
/// them in each path.
fn bound(host: &str, path: &str) -> usize {
    let scopes = domains(host).len() * (4 * 2 + 2 * paths(path).len());
    let line = "csrf_refresh_token=; Path=; Max-Age=0; Domain=; Secure; Set-Cookie:  ";
    let length = line.len() + host.len() + path.len();
    // The last line of each response may be the one for which there is no room.
    let each = 3000 / length;
    scopes.div_ceil(each) + 2
}

/// After how many refusals this page can be read and written to. The user logs in again after each.
fn recovers(app: &Client, browser: &mut Browser, url: &str, most: usize) -> usize {
    let login =
        format!("{}/login/ada", &url[..url.find("//").unwrap() + 2 + url[8..].find('/').unwrap()]);
    for refusals in 0..=most {
        assert_eq!(browser.post(app, &login, "csrf_access_token").status().code, 200);
        let response = browser.get(app, url);
        let length: usize = response
            .headers()
            .iter()
            .map(|line| line.name.as_str().len() + line.value.len() + 4)
            .sum();
        assert!(length < 4000, "{length}");
        if response.status().code != 200 {
            continue;
        }
        if browser.post(app, url, "csrf_access_token").status().code == 200 {
            return refusals;
        }
    }
    panic!("locked out of {url} after {most} refusals: {:?}", browser.stored());
}

#[test]
fn a_shadowing_cookie_is_cleared_on_any_host_and_in_any_path() {
    let clock = clock_at_start();
    let app = site("cookie_secure = true", &clock);
    for labels in 1..=12 {
        for segments in [1, 3, 10] {
            let (host, path) = (host(labels), path(segments));
            let url = format!("https://{host}{path}");
            let most = bound(&host, &path);
            let (domains, paths) = (domains(&host), paths(&path));
            // The outermost and the innermost of each, and one between.
            let some = |length: usize| [0, length / 2, length - 1];
            for domain in some(domains.len()).map(|at| domains[at]) {
                for path in some(paths.len()).map(|at| paths[at]) {
                    let mut browser = Browser::new(&clock, Identity::Rfc6265Bis);
                    browser.post(&app, &format!("https://{host}/login/ada"), "");
                    let domain = domain.map(|name| format!("; Domain={name}")).unwrap_or_default();
                    for name in ["access_token_cookie", "csrf_access_token"] {
                        browser.receive(&url, &format!("{name}=x{domain}; Path={path}; Secure"));
                    }
                    recovers(&app, &mut browser, &url, most);
                }
            }
        }
    }
}

/// Every scope at once.
#[test]
fn cookies_in_every_scope_are_cleared_within_one_round() {
    for (labels, segments) in [(3, 2), (7, 4), (12, 8)] {
        let clock = clock_at_start();
        let app = site("cookie_secure = true\ncookie_domain = \"example.test\"", &clock);
        let (host, path) = (host(labels), path(segments));
        let url = format!("https://{host}{path}");
        let mut browser = Browser::new(&clock, Identity::Rfc6265Bis);
        for domain in domains(&host) {
            for path in paths(&path) {
                let domain = domain.map(|name| format!("; Domain={name}")).unwrap_or_default();
                browser.receive(
                    &url,
                    &format!("access_token_cookie={path}{domain}; Path={path}; Secure"),
                );
            }
        }
        assert_eq!(browser.count("access_token_cookie"), domains(&host).len() * paths(&path).len());
        // A browser that only asks for the page, as one does that shows a refusal.
        let most = bound(&host, &path);
        let refusals = (0..=most).find(|_| {
            browser.count("access_token_cookie") == 0 || {
                browser.get(&app, &url);
                false
            }
        });
        assert!(refusals.is_some(), "{} are left", browser.count("access_token_cookie"));
        assert_eq!(recovers(&app, &mut browser, &url, 1), 0);
    }
}

/// Each page has candidates of its own, and both continue at one position.
#[test]
fn two_pages_that_are_refused_by_turns_recover() {
    let clock = clock_at_start();
    let app = site("cookie_secure = true", &clock);
    let host = host(9);
    let urls =
        [path(7), "/q1/q2/q3/q4/q5/q6/q7/q8".into()].map(|path| format!("https://{host}{path}"));
    for shadowed in ["/p1/p2/p3/p4/p5/p6", "/q1/q2/q3/q4/q5/q6/q7/"] {
        let mut browser = Browser::new(&clock, Identity::Rfc6265Bis);
        browser.post(&app, &format!("https://{host}/login/ada"), "");
        for path in ["/p1/p2/", shadowed] {
            let line =
                format!("access_token_cookie=x; Domain=l5.l4.l3.example.test; Path={path}; Secure");
            browser.receive(&urls[0], &line);
        }
        let most = urls.iter().map(|url| bound(&host, &url[8 + host.len()..])).sum::<usize>() * 3;
        let done = (0..most).any(|_| {
            browser.post(&app, &format!("https://{host}/login/ada"), "csrf_access_token");
            // All of them, whatever the first one's answer is.
            let all: Vec<_> = urls.iter().map(|url| browser.get(&app, url).status().code).collect();
            all == [200, 200]
        });
        assert!(done, "{shadowed}: {:?}", browser.stored());
    }
}

/// A neighbour plants the position as well, so that the next refusal would always begin at one place.
#[test]
fn a_planted_position_does_not_hold_the_clearing_up() {
    let clock = clock_at_start();
    let app = site("cookie_secure = true", &clock);
    let (host, path) = (host(8), path(5));
    let url = format!("https://{host}{path}");
    for position in ["0", "7", "99999999999999999999", "-1", "x", ""] {
        let mut browser = Browser::new(&clock, Identity::Rfc6265Bis);
        browser.post(&app, &format!("https://{host}/login/ada"), "");
        let planted = format!("__rocket_jwt_position={position}; Domain=example.test; Path=/");
        browser.receive(&url, &planted);
        browser.receive(&url, &format!("access_token_cookie=x; Domain=example.test; Path={path}"));
        // Left to chance, so the bound is a number that chance does not reach.
        recovers(&app, &mut browser, &url, 40 * bound(&host, &path));
    }
}

/// Work for strangers: the candidates are not computed before there is room for them.
#[test]
fn a_very_deep_path_of_a_very_long_host_costs_no_more_than_a_response() {
    let clock = clock_at_start();
    let app = site("cookie_secure = true", &clock);
    let host = (0..120).map(|_| "a.").collect::<String>() + "example.test";
    let path = "/".to_string() + &"a/".repeat(3000);
    let send = |cookie: &'static str| {
        let request = app.req(Method::Get, path.clone());
        let request = request.header(rocket::http::Header::new("Host", host.clone()));
        let start = std::time::Instant::now();
        let response = request.header(rocket::http::Header::new("Cookie", cookie)).dispatch();
        let lines = response.headers().get("Set-Cookie").map(str::len).sum::<usize>();
        (start.elapsed(), lines)
    };
    let (_, none) = send("access_token_cookie=a");
    let (took, lines) = send("access_token_cookie=a; access_token_cookie=b");
    assert_eq!(none, 0);
    assert!(lines > 1000 && lines < 3200, "{lines}");
    // All candidates would be a hundred megabytes of text.
    assert!(took < std::time::Duration::from_millis(500), "{took:?}");
}
