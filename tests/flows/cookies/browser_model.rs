//! The model of a browser does what RFC 6265 and its examples say.

use rocket::time::Duration;

use crate::support::browser::*;
use crate::support::*;

fn browser() -> (Browser, ManualClock) {
    let clock = clock_at_start();
    (Browser::new(&clock, Identity::Rfc6265Bis), clock)
}

#[test]
fn the_examples_of_section_3_1_hold() {
    let (mut browser, _) = browser();
    let url = "https://example.com/docs/Web";
    browser.receive(url, "SID=31d4d96e407aad42");
    assert_eq!(browser.cookie_line("https://example.com/docs/"), "SID=31d4d96e407aad42");
    browser.receive(url, "SID=31d4d96e407aad42; Path=/; Domain=example.com");
    let line = browser.cookie_line("https://www.example.com/");
    assert_eq!(line, "SID=31d4d96e407aad42");

    let (mut browser, _) = self::browser();
    browser.receive(url, "SID=31d4d96e407aad42; Path=/; Secure; HttpOnly");
    browser.receive(url, "lang=en-US; Path=/; Domain=example.com");
    let both = "SID=31d4d96e407aad42; lang=en-US";
    assert_eq!(browser.cookie_line("https://example.com/"), both);
    assert_eq!(browser.script_sees("https://example.com/", "lang"), ["en-US"]);
    assert!(browser.script_sees("https://example.com/", "SID").is_empty());
    // Neither goes where it does not belong.
    assert_eq!(browser.cookie_line("http://example.com/"), "lang=en-US");
    assert_eq!(browser.cookie_line("https://www.example.com/"), "lang=en-US");
    assert_eq!(browser.cookie_line("https://example.org/"), "");

    browser.receive(
        url,
        "lang=en-US; Expires=Wed, 09 Jun 2027 10:18:14 GMT; Domain=example.com; Path=/",
    );
    browser.close();
    assert_eq!(browser.cookie_line("https://example.com/"), "lang=en-US");
    browser.receive(url, "lang=; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Path=/");
    assert_eq!(browser.cookie_line("https://example.com/"), "lang=en-US", "another scope");
    browser
        .receive(url, "lang=; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Domain=example.com; Path=/");
    assert_eq!(browser.cookie_line("https://example.com/"), "");
}

#[test]
fn domains_match_as_section_5_1_3_says() {
    for (host, domain, expected) in [
        ("example.com", "example.com", true),
        ("www.example.com", "example.com", true),
        ("a.b.example.com", "example.com", true),
        ("badexample.com", "example.com", false),
        ("example.com", "www.example.com", false),
        ("10.0.0.1", "0.0.1", false),
        ("10.0.0.1", "10.0.0.1", true),
    ] {
        assert_eq!(domain_matches(host, domain), expected, "{host} {domain}");
    }
    let (mut browser, _) = browser();
    for domain in ["foo.example.com", "baz.foo.example.com", "example.org", "com"] {
        browser.receive("https://bar.example.com/", &format!("a=1; Domain={domain}"));
    }
    assert_eq!(browser.stored().len(), 0);
    browser.receive("https://foo.example.com/", "a=1; Domain=.EXAMPLE.com; Path=/");
    assert_eq!(browser.cookie_line("https://bar.example.com/"), "a=1");
}

#[test]
fn paths_match_as_section_5_1_4_says() {
    for (path, expected) in [
        ("", "/"),
        ("/", "/"),
        ("/docs", "/"),
        ("/docs/", "/docs"),
        ("/docs/Web/HTTP", "/docs/Web"),
        ("docs", "/"),
    ] {
        assert_eq!(default_path(path), expected, "{path}");
    }
    for (request, cookie, expected) in [
        ("/", "/", true),
        ("", "/", true),
        ("/docs", "/docs", true),
        ("/docs/", "/docs", true),
        ("/docs/Web", "/docs", true),
        ("/docsets", "/docs", false),
        ("/docs", "/docs/", false),
        ("/docs/Web", "/docs/", true),
    ] {
        assert_eq!(path_matches(request, cookie), expected, "{request} {cookie}");
    }
}

#[test]
fn longer_paths_go_first_and_then_older_cookies() {
    let (mut browser, _) = browser();
    let url = "https://example.com/a/b";
    for line in
        ["x=root; Path=/", "x=deep; Path=/a/b", "y=1; Path=/", "x=mid; Path=/a", "z=; Path=/"]
    {
        browser.receive(url, line);
    }
    assert_eq!(browser.cookie_line(url), "x=deep; x=mid; x=root; y=1; z=");
    // One that is replaced keeps its place.
    browser.receive(url, "x=new; Path=/");
    assert_eq!(browser.cookie_line("https://example.com/"), "x=new; y=1; z=");
}

#[test]
fn a_cookie_is_its_name_domain_and_path_and_for_browsers_its_host_only_flag() {
    for (identity, count) in [(Identity::Rfc6265, 3), (Identity::Rfc6265Bis, 4)] {
        let mut browser = Browser::new(&clock_at_start(), identity);
        for line in
            ["a=1; Path=/", "a=2; Path=/; Domain=example.com", "a=3; Path=/x", "A=4; Path=/"]
        {
            browser.receive("https://example.com/", line);
        }
        assert_eq!(browser.stored().len(), count, "{identity:?}");
    }
}

#[test]
fn cookies_end_with_their_time_or_with_the_session() {
    let (mut browser, clock) = browser();
    let url = "https://example.com/";
    browser.receive(url, "session=1; Path=/");
    browser.receive(url, "minute=1; Max-Age=60");
    // Max-Age wins.
    browser.receive(url, "hour=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=3600");
    browser.receive(url, "never=1; Max-Age=0");
    browser.receive(url, "odd=1; Max-Age=1h; Expires=soon");
    browser.receive(url, "ages=1; Max-Age=99999999999999999999");
    assert_eq!(browser.cookie_line(url), "session=1; minute=1; hour=1; odd=1; ages=1");
    clock.advance(Duration::seconds(60));
    assert_eq!(browser.cookie_line(url), "session=1; hour=1; odd=1; ages=1");
    browser.close();
    clock.advance(Duration::days(400) - Duration::seconds(61));
    assert_eq!(browser.cookie_line(url), "ages=1");
    clock.advance(Duration::seconds(1));
    assert_eq!(browser.cookie_line(url), "");
}

#[test]
fn dates_are_read_as_section_5_1_1_says() {
    let at = cookie_date("Wed, 09 Jun 2021 10:18:14 GMT").unwrap();
    assert_eq!(at.unix_timestamp(), 1_623_233_894);
    for same in ["Wednesday, 09-Jun-21 10:18:14 GMT", "Jun 9 2021 10:18:14", "10:18:14 9 june 2021"]
    {
        assert_eq!(cookie_date(same), Some(at), "{same}");
    }
    for bad in [
        "",
        "soon",
        "09 Jun 1600 10:18:14",
        "31 Feb 2021 10:18:14",
        "9 Jun 2021",
        "9 Jun 2021 25:00:00",
    ] {
        assert_eq!(cookie_date(bad), None, "{bad}");
    }
}

#[test]
fn what_browsers_drop_is_dropped() {
    let (mut browser, _) = browser();
    let secure = "https://example.com/";
    for (url, line) in [
        ("http://example.com/", "a=1; Secure"),
        (secure, "no equals sign"),
        (secure, "=nameless"),
        (secure, "__Secure-a=1; Path=/"),
        (secure, "__Host-a=1; Path=/"),
        (secure, "__Host-a=1; Secure; Path=/x"),
        (secure, "__host-a=1; Secure; Path=/; Domain=example.com"),
        (secure, "a=\u{1}"),
    ] {
        browser.receive(url, line);
        assert_eq!(browser.stored().len(), 0, "{line}");
    }
    browser.receive(secure, &format!("a={}", "x".repeat(4096)));
    assert_eq!(browser.stored().len(), 0);
    browser.receive(secure, &format!("a={}", "x".repeat(4095)));
    browser.receive(secure, "__Host-a=1; Secure; Path=/");
    browser.receive(secure, "__Secure-a=1; Secure; Domain=example.com");
    // An attribute that is too long is ignored, and the cookie is stored for another path.
    browser.receive("https://example.com/d/x", &format!("b=1; Path=/{}", "x".repeat(1024)));
    let stored = browser.stored();
    assert_eq!(stored.len(), 4);
    assert_eq!(stored.iter().find(|one| one.name == "b").unwrap().path, "/d");
}
