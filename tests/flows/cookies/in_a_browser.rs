//! Cookies as a browser keeps them: login, renewal, refresh and logout, before and after a change of
//! domain or path, and beside what a neighbour sets.

use rocket::http::{CookieJar, Method};
use rocket::local::blocking::{Client, LocalResponse};
use rocket_jwt_extended::{AccessToken, Error, Jwt, RefreshToken, Rejection};

use crate::support::browser::*;
use crate::support::*;

#[post("/login/<name>")]
fn login(jwt: &Jwt, jar: &CookieJar<'_>, name: &str) -> Result<(), Error> {
    let pair = jwt.token_pair(name).issue()?;
    jwt.cookies(jar).set_pair(&pair)
}

#[post("/login-also/<name>")]
fn login_also(jwt: &Jwt, jar: &CookieJar<'_>, name: &str) -> Result<(), Error> {
    let pair = jwt.token_pair(name).issue()?;
    let cookies = jwt.cookies(jar).also_unset("app.example.test", "/app/deep");
    cookies.also_unset(None, "/app").set_pair(&pair)
}

#[get("/me")]
fn me(token: AccessToken) -> String {
    token.identity().into()
}

#[get("/app/deep/page/<_>")]
fn deep(token: AccessToken) -> String {
    token.identity().into()
}

#[post("/note")]
fn note(token: AccessToken) -> String {
    token.identity().into()
}

#[post("/session/refresh")]
async fn refresh(jwt: &Jwt, jar: &CookieJar<'_>, token: RefreshToken) -> Result<(), Error> {
    let pair = jwt.rotate(token).await?;
    jwt.cookies(jar).set_pair(&pair)
}

#[post("/logout")]
fn logout(jwt: &Jwt, jar: &CookieJar<'_>) {
    jwt.cookies(jar).unset();
}

#[get("/handled")]
fn handled(token: Result<AccessToken, Rejection>) -> String {
    token.map_or_else(|rejection| rejection.code().into(), |token| token.identity().into())
}

pub const COMMON: &str = "token_location = \"cookies\"\nimplicit_refresh_within = \"5m\"\n";

/// The routes that a change of configuration concerns most.
pub fn few_routes() -> Vec<rocket::Route> {
    routes![login, me, logout]
}

fn version(toml: &str, clock: &ManualClock) -> Client {
    let routes = routes![login, login_also, me, deep, note, refresh, logout, handled];
    client(&format!("{COMMON}{toml}"), Jwt::fairing().clock(clock.clone()), routes)
}

pub const HOST: &str = "https://app.example.test";

pub fn url(path: &str) -> String {
    format!("{HOST}{path}")
}

/// A browser's user of one application: a method for each thing that it does.
struct User {
    browser: Browser,
}

impl User {
    fn new(clock: &ManualClock, identity: Identity) -> Self {
        Self { browser: Browser::new(clock, identity) }
    }

    fn get(&mut self, client: &Client, path: &str) -> (u16, String) {
        said(self.browser.get(client, &url(path)))
    }

    fn post(&mut self, client: &Client, path: &str) -> (u16, String) {
        let csrf =
            if path.ends_with("refresh") { "csrf_refresh_token" } else { "csrf_access_token" };
        said(self.browser.post(client, &url(path), csrf))
    }

    /// Everything works, and there is one cookie of each name.
    fn assert_is(&mut self, client: &Client, name: &str) {
        assert_eq!(self.get(client, "/me"), (200, name.into()));
        assert_eq!(self.post(client, "/note"), (200, name.into()));
        assert_eq!(self.post(client, "/session/refresh"), (200, "".into()));
        assert_eq!(self.get(client, "/me"), (200, name.into()));
        assert_eq!(self.post(client, "/note"), (200, name.into()));
        for name in NAMES {
            assert_eq!(self.browser.count(name), 1, "{name}: {:?}", self.browser.stored());
        }
    }

    fn assert_is_nobody(&mut self, client: &Client) {
        assert_eq!(self.get(client, "/me"), (401, "token_missing".into()));
        assert_eq!(self.post(client, "/session/refresh"), (401, "token_missing".into()));
        for name in NAMES {
            assert_eq!(self.browser.count(name), 0, "{name}: {:?}", self.browser.stored());
        }
    }
}

const NAMES: [&str; 4] =
    ["access_token_cookie", "csrf_access_token", "csrf_refresh_token", "refresh_token_cookie"];

/// The body, or the code of a refusal.
fn said(response: LocalResponse<'_>) -> (u16, String) {
    let (status, body) = answer(response);
    let text = body["code"].as_str().or(body.as_str()).unwrap_or_default().to_string();
    (status.code, text)
}

/// Earlier and later configurations.
pub const CHANGES: [[&str; 2]; 9] = [
    ["", "cookie_domain = \"example.test\""],
    ["cookie_domain = \"example.test\"", ""],
    ["cookie_domain = \"app.example.test\"", "cookie_domain = \"example.test\""],
    ["cookie_domain = \"example.test\"", "cookie_domain = \".App.Example.Test\""],
    ["", "cookie_domain = \"app.example.test\""],
    ["", "refresh_cookie_path = \"/session/refresh\""],
    ["", "refresh_cookie_path = \"/session/refresh\"\ncookie_domain = \"example.test\""],
    [
        "refresh_cookie_path = \"/session/refresh\"\ncookie_domain = \"example.test\"",
        "refresh_cookie_path = \"/session/refresh\"",
    ],
    ["cookie_secure = false", "cookie_secure = true\ncookie_samesite = \"None\""],
];

fn each_change(test: impl Fn(&mut User, &ManualClock, &Client, &Client)) {
    for identity in IDENTITIES {
        for [before, after] in CHANGES {
            let clock = clock_at_start();
            let [old, new] = [before, after].map(|toml| version(toml, &clock));
            let mut user = User::new(&clock, identity);
            assert_eq!(user.post(&old, "/login/bob").0, 200);
            user.assert_is(&old, "bob");
            println!("{identity:?}: {before:?} to {after:?}");
            test(&mut user, &clock, &old, &new);
        }
    }
}

#[test]
fn after_a_change_of_domain_or_path_the_next_login_is_the_only_one() {
    each_change(|user, _, _, new| {
        assert_eq!(user.post(new, "/login/alice").0, 200);
        user.assert_is(new, "alice");
    });
}

#[test]
fn after_a_change_of_domain_or_path_renewals_and_refreshes_go_on() {
    each_change(|user, clock, _, new| {
        clock.set(unix(START + 700));
        assert_eq!(user.get(new, "/me"), (200, "bob".into()));
        user.assert_is(new, "bob");
    });
    each_change(|user, _, _, new| {
        assert_eq!(user.post(new, "/session/refresh").0, 200);
        user.assert_is(new, "bob");
    });
}

#[test]
fn after_a_change_of_domain_or_path_a_logout_leaves_nothing() {
    each_change(|user, _, _, new| {
        assert_eq!(user.post(new, "/logout").0, 200);
        user.assert_is_nobody(new);
    });
}

/// A browser to which an earlier release of this crate gave both.
fn with_both(user: &mut User, old: &Client, new: &Client) {
    let mut other = Browser::new(&clock_at_start(), Identity::Rfc6265Bis);
    other.post(old, &url("/login/bob"), "");
    let response = other.post(new, &url("/login/alice"), "");
    for line in response.headers().get("Set-Cookie").filter(|line| !line.contains("Max-Age=0")) {
        user.browser.receive(&url("/login/alice"), line);
    }
}

#[test]
fn two_cookies_are_refused_once_and_then_a_login_helps() {
    for toml in ["cookie_domain = \"example.test\"", "cookie_domain = \"app.example.test\""] {
        let clock = clock_at_start();
        let [old, new] = ["", toml].map(|toml| version(toml, &clock));
        // For these two the host alone differs only by its flag.
        let mut user = User::new(&clock, Identity::Rfc6265Bis);
        assert_eq!(user.post(&old, "/login/bob").0, 200);
        with_both(&mut user, &old, &new);
        assert_eq!(user.browser.count("access_token_cookie"), 2);

        for path in ["/me", "/handled"] {
            let mut user = User { browser: Browser::new(&clock, Identity::Rfc6265Bis) };
            assert_eq!(user.post(&old, "/login/bob").0, 200);
            with_both(&mut user, &old, &new);
            // A route that takes the refusal itself clears them as well.
            let status = if path == "/handled" { 200 } else { 401 };
            assert_eq!(user.get(&new, path), (status, "token_invalid".into()));
            // Nobody is logged in as the former user.
            user.assert_is_nobody(&new);
            assert_eq!(user.post(&new, "/login/alice").0, 200);
            user.assert_is(&new, "alice");
        }
        assert_eq!(user.post(&new, "/session/refresh"), (401, "token_invalid".into()));
        user.assert_is_nobody(&new);
    }
}

#[test]
fn a_path_that_nobody_knows_any_more_is_cleared_where_its_cookie_turns_up() {
    for [before, after] in [
        ["refresh_cookie_path = \"/session/refresh\"", ""],
        ["refresh_cookie_path = \"/session/\"", ""],
        ["refresh_cookie_path = \"/session\"\ncookie_domain = \"example.test\"", ""],
        ["access_cookie_path = \"/app/deep/\"", "access_cookie_path = \"/app\""],
    ] {
        let clock = clock_at_start();
        let [old, new] = [before, after].map(|toml| version(toml, &clock));
        let mut user = User::new(&clock, Identity::Rfc6265Bis);
        assert_eq!(user.post(&old, "/login/bob").0, 200);
        assert_eq!(user.post(&new, "/login/alice").0, 200);
        let is_refresh = before.starts_with("refresh");
        let ask = |user: &mut User| match is_refresh {
            true => user.post(&new, "/session/refresh"),
            false => user.get(&new, "/app/deep/page/1"),
        };
        assert_eq!(ask(&mut user), (401, "token_invalid".into()), "{before}");
        assert_eq!(user.post(&new, "/login/alice").0, 200);
        assert_eq!(ask(&mut user).0, 200, "{before}");
    }
}

#[test]
fn other_scopes_can_be_named() {
    for before in [
        "access_cookie_path = \"/app\"",
        "access_cookie_path = \"/app/deep\"\ncookie_domain = \"app.example.test\"",
    ] {
        for new in ["", "cookie_domain = \"example.test\""] {
            let clock = clock_at_start();
            let [old, new] = [before, new].map(|toml| version(toml, &clock));
            let mut user = User::new(&clock, Identity::Rfc6265Bis);
            assert_eq!(user.post(&old, "/login/bob").0, 200);
            let response = user.browser.post(&new, &url("/login-also/alice"), "");
            // The way from the route to the response is nobody's business.
            let lines: Vec<_> = response.headers().get("Set-Cookie").collect();
            assert!(lines.iter().all(|line| !line.contains("rocket_jwt")), "{lines:?}");
            assert_eq!(user.get(&new, "/app/deep/page/1"), (200, "alice".into()));
            user.assert_is(&new, "alice");
        }
    }
}

#[test]
fn a_neighbour_locks_nobody_out() {
    for path in ["/", "/me", "/app", "/app/", "/app/deep", "/app/deep/page/1"] {
        let clock = clock_at_start();
        let app = version("", &clock);
        let mut user = User::new(&clock, Identity::Rfc6265Bis);
        assert_eq!(user.post(&app, "/login/ada").0, 200);
        let line = format!("access_token_cookie=x; Domain=example.test; Path={path}");
        user.browser.receive("https://evil.example.test/", &line);
        let asked = if path.starts_with("/app") { "/app/deep/page/1" } else { "/me" };
        assert_eq!(user.get(&app, asked), (401, "token_invalid".into()), "{path}");
        assert_eq!(user.get(&app, asked), (401, "token_missing".into()), "{path}");
        assert_eq!(user.post(&app, "/login/ada").0, 200);
        assert_eq!(user.get(&app, asked), (200, "ada".into()), "{path}");
        user.assert_is(&app, "ada");
    }
}

#[test]
fn a_neighbours_csrf_cookie_locks_nobody_out() {
    let clock = clock_at_start();
    let app = version("", &clock);
    let mut user = User::new(&clock, Identity::Rfc6265Bis);
    let planted = "csrf_access_token=x; Domain=example.test; Path=/";
    user.browser.receive("https://evil.example.test/", planted);
    // The login clears it.
    assert_eq!(user.post(&app, "/login/ada").0, 200);
    user.assert_is(&app, "ada");
    user.browser.receive(
        "https://evil.example.test/",
        "csrf_access_token=x; Domain=example.test; Path=/note",
    );
    let response =
        user.browser.send(&app, Method::Post, &url("/note"), &[("X-CSRF-TOKEN", "x".into())], "");
    assert_eq!(said(response), (401, "csrf_mismatch".into()));
    user.assert_is_nobody(&app);
    assert_eq!(user.post(&app, "/login/ada").0, 200);
    user.assert_is(&app, "ada");
}

#[test]
fn a_wrong_csrf_value_alone_clears_nothing() {
    let clock = clock_at_start();
    let app = version("", &clock);
    let mut user = User::new(&clock, Identity::Rfc6265Bis);
    assert_eq!(user.post(&app, "/login/ada").0, 200);
    let headers = [("X-CSRF-TOKEN", "x".to_string())];
    let response = user.browser.send(&app, Method::Post, &url("/note"), &headers, "");
    assert_eq!(said(response), (401, "csrf_mismatch".into()));
    user.assert_is(&app, "ada");
}

#[test]
fn the_longest_path_is_cleared_in_time_and_no_response_is_too_long_for_a_proxy() {
    let deep = "/app/deep/page/1/2/3/4/5/6/7/8/9/10/11/12";
    let clock = clock_at_start();

    #[get("/<_..>", rank = 9)]
    fn any(token: AccessToken) -> String {
        token.identity().into()
    }

    let fairing = Jwt::fairing().clock(clock.clone());
    let toml = format!("{COMMON}cookie_secure = true\nrefresh_cookie_path = \"/session/refresh\"");
    let app = client(&toml, fairing, routes![login, any]);
    let long = "a-rather-long-name-of-an-environment.and-of-its-region-in-the-cloud.tenant-0815";
    for (host, domain) in [
        ("a.b.c.app.example.test".to_string(), "example.test".to_string()),
        ("a.b.c.app.example.test".into(), "b.c.app.example.test".into()),
        (format!("www.{long}.example.test"), "example.test".into()),
        (format!("www.{long}.example.test"), format!("{long}.example.test")),
    ] {
        let host = &format!("https://{host}");
        for path in ["/", "/app/deep/page/1/2/3/", "/app/deep/page/1/2/3/4/5/6/7/8/9/10/11", deep] {
            let mut browser = Browser::new(&clock, Identity::Rfc6265Bis);
            let line = format!("access_token_cookie=x; Domain={domain}; Path={path}");
            let mut tries = 0;
            loop {
                let response = browser.post(&app, &format!("{host}/login/ada"), "");
                assert_eq!(response.status().code, 200);
                if tries == 0 {
                    browser.receive("https://evil.example.test/", &line);
                    browser.receive(&format!("{host}/"), &line);
                }
                let response = browser.get(&app, &format!("{host}{deep}"));
                let length: usize = response
                    .headers()
                    .iter()
                    .map(|header| header.name.as_str().len() + header.value.len() + 4)
                    .sum();
                assert!(length < 4000, "{length}");
                match response.status().code {
                    200 => break,
                    _ => tries += 1,
                }
                // Each refusal continues where the last one ended.
                assert!(tries < 30, "{domain} {path}");
            }
            assert_eq!(browser.count("access_token_cookie"), 1);
        }
    }
}

#[test]
fn a_name_with_the_host_prefix_is_out_of_a_neighbours_reach() {
    let clock = clock_at_start();
    let app = version("cookie_secure = true\naccess_cookie_name = \"__Host-at\"", &clock);
    let mut user = User::new(&clock, Identity::Rfc6265Bis);
    assert_eq!(user.post(&app, "/login/ada").0, 200);
    for path in ["/", "/me"] {
        let line = format!("__Host-at=x; Secure; Domain=example.test; Path={path}");
        user.browser.receive("https://evil.example.test/", &line);
    }
    assert_eq!(user.get(&app, "/me"), (200, "ada".into()));
    assert_eq!(user.post(&app, "/logout").0, 200);
    assert_eq!(user.browser.count("__Host-at"), 0);
}

#[test]
fn a_neighbours_own_cookies_are_left_alone() {
    let clock = clock_at_start();
    let app = version("", &clock);
    let mut browser = Browser::new(&clock, Identity::Rfc6265Bis);
    // The same application at the parent and beside, each for its host alone.
    let hosts = ["https://example.test", "https://app.example.test", "https://b.example.test"];
    for host in hosts {
        browser.post(&app, &format!("{host}/login/ada"), "");
    }
    for host in hosts {
        assert_eq!(said(browser.get(&app, &format!("{host}/me"))), (200, "ada".into()), "{host}");
    }
    browser.post(&app, "https://app.example.test/logout", "");
    for host in [hosts[0], hosts[2]] {
        assert_eq!(said(browser.get(&app, &format!("{host}/me"))), (200, "ada".into()), "{host}");
    }
}

#[test]
fn a_first_login_sets_four_cookies_and_clears_none() {
    for toml in ["", "cookie_domain = \"example.test\""] {
        let clock = clock_at_start();
        let app = version(toml, &clock);
        let mut browser = Browser::new(&clock, Identity::Rfc6265Bis);
        let response = browser.post(&app, &url("/login/ada"), "");
        assert_eq!(response.headers().get("Set-Cookie").count(), 4, "{toml}");
    }
}

#[test]
fn addresses_and_hosts_of_one_label_have_no_parents() {
    for host in ["127.0.0.1:8000", "localhost:8000", "[::1]", "example.test", "a..b", "x:y"] {
        let clock = clock_at_start();
        let app = version("", &clock);
        let request = app.get("/me").header(rocket::http::Header::new("Host", host));
        let request = request.header(rocket::http::Header::new(
            "Cookie",
            "access_token_cookie=a; access_token_cookie=b",
        ));
        let response = request.dispatch();
        let lines: Vec<_> = response.headers().get("Set-Cookie").collect();
        let with_domain = lines.iter().filter(|line| line.contains("Domain")).count();
        assert_eq!(with_domain > 0, host == "example.test", "{host}: {lines:?}");
        assert!(lines.iter().all(|line| line.contains("Max-Age=0")));
        assert_eq!(response.headers().get_one("Cache-Control"), Some("no-store"));
    }
}
