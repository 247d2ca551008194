//! What cookie settings take: names, paths, promises that a browser enforces.

use crate::support::app::{launch, refusal, with_secret};
use crate::support::*;

fn assert_refused(lines: &str, key: &str, message: &str) {
    let log = refusal(&with_secret(lines));
    assert!(log.contains(&format!(">> `default.jwt.{key}` {message}")), "{lines}\n{log}");
}

const NAMES: [&str; 4] = [
    "access_cookie_name",
    "refresh_cookie_name",
    "access_csrf_cookie_name",
    "refresh_csrf_cookie_name",
];

#[test]
fn names_of_cookies_are_names_that_a_cookie_can_have() {
    for key in NAMES {
        for name in ["", "a b", "a=b", "a;b", "a,b", "a\\\"b", "\u{fc}", "a\\r\\nSet-Cookie"] {
            let line = format!("{key} = \"{name}\"");
            assert_refused(&line, key, "must be a cookie name (RFC 6265 \u{a7}4.1.1)");
        }
    }
}

#[test]
fn paths_begin_with_a_slash_and_hold_nothing_that_ends_an_attribute() {
    for key in NAMES.map(|name| name.replace("_name", "_path")) {
        for path in ["", "api", "/a;Domain=evil", "/a\\nb", "/\u{fc}"] {
            let line = format!("{key} = \"{path}\"");
            assert_refused(&line, &key, "must be a path that begins with `/`");
        }
    }
}

#[test]
fn paths_are_no_longer_than_browsers_read() {
    for key in NAMES.map(|name| name.replace("_name", "_path")) {
        let path = |length: usize| format!("{key} = \"/{}\"", "x".repeat(length - 1));
        assert_refused(&path(1025), &key, "must not be longer than 1024 bytes");
        assert!(launch(figment(&path(1024))).is_ok(), "{key}");
    }
}

#[test]
fn a_domain_is_a_name() {
    for domain in ["", "a b", "a;b", "https://a", "\u{fc}.org", "a/b", "a..b", "-a.b", ".", "a."] {
        let line = format!("cookie_domain = \"{domain}\"");
        assert_refused(&line, "cookie_domain", "must be a domain name");
    }
}

/// RFC 6265 §5.1.3, §5.3, and the public suffix list's rule for one label.
#[test]
fn a_domain_for_which_browsers_keep_no_cookie_is_a_fault_or_a_warning() {
    for domain in ["intranet", ".intranet", "localhost", "com", "test"] {
        let line = format!("cookie_domain = \"{domain}\"");
        assert_refused(
            &line,
            "cookie_domain",
            "is a single label, which browsers take for a public",
        );
    }
    for domain in ["127.0.0.1", ".10.0.0.1", "192.168.1.20", "1.2"] {
        let line = format!("cookie_domain = \"{domain}\"");
        assert_refused(&line, "cookie_domain", "is an IP address");
    }
    for domain in ["[::1]", "::1", "example.org:8000", "http://example.org", "*.example.org"] {
        let line = format!("cookie_domain = \"{domain}\"");
        assert_refused(&line, "cookie_domain", "must be a domain name");
    }
    let warned = |domain: &str| {
        let lines = format!("token_location = \"cookies\"\ncookie_domain = \"{domain}\"");
        crate::unused::warnings(figment(&lines), rocket_jwt_extended::Jwt::fairing())
    };
    for domain in ["co.uk", "COM.au", "ac.jp"] {
        let log = warned(domain);
        assert!(log.len() == 1 && log[0].contains("looks like a public suffix"), "{log:?}");
    }
    let log = warned(".example.org");
    assert!(log.len() == 1 && log[0].contains("begins with a dot"), "{log:?}");
    for domain in ["example.org", "example.co.uk", "co.example", "a.b.c.d.example.org", "co.info"] {
        assert_eq!(warned(domain), [""; 0], "{domain}");
    }
}

#[test]
fn samesite_is_one_of_three_and_none_of_them_needs_secure() {
    for value in ["", "lax", "none", "Laxx"] {
        let line = format!("cookie_samesite = \"{value}\"");
        assert_refused(&line, "cookie_samesite", "must be \"Strict\", \"Lax\" or \"None\"");
    }
    let message = "\"None\" needs `cookie_secure = true`";
    assert_refused("cookie_samesite = \"None\"", "cookie_samesite", message);
    // Outside debug cookies are secure unless told otherwise.
    let lines = "cookie_samesite = \"None\"\ncookie_secure = false";
    let log = launch(figment(lines).select("release")).err().expect("it does not launch");
    assert!(log.contains(message), "{log}");
    assert!(launch(figment("cookie_samesite = \"None\"").select("release")).is_ok());
}

#[test]
fn no_two_cookies_that_must_differ_have_one_name() {
    let message = "is the name of the access cookie too";
    assert_refused("refresh_cookie_name = \"access_token_cookie\"", "refresh_cookie_name", message);
    let message = "is the name of a token's cookie too";
    for key in ["access_csrf_cookie_name", "refresh_csrf_cookie_name"] {
        for name in ["access_token_cookie", "refresh_token_cookie"] {
            assert_refused(&format!("{key} = \"{name}\""), key, message);
        }
    }
    let message = "is the name of both CSRF cookies";
    for lines in [
        "refresh_csrf_cookie_name = \"csrf_access_token\"",
        "access_csrf_cookie_name = \"csrf_refresh_token\"",
        "access_csrf_cookie_name = \"x\"\nrefresh_csrf_cookie_name = \"x\"",
        "access_csrf_cookie_name = \"x\"\nrefresh_csrf_cookie_name = \"x\"\n\
         refresh_csrf_cookie_path = \"/refresh\"",
    ] {
        let key = match lines.contains("refresh_csrf_cookie_name") {
            true => "refresh_csrf_cookie_name",
            false => "access_csrf_cookie_name",
        };
        assert_refused(lines, key, message);
    }
}

#[test]
fn prefixed_names_need_what_their_prefix_promises() {
    for key in NAMES {
        let path = key.replace("_name", "_path");
        for prefix in ["__Host-", "__host-"] {
            let message =
                "with `__Host-` needs `cookie_secure = true`, path `/` and no `cookie_domain`";
            let name = format!("{key} = \"{prefix}t\"");
            assert_refused(&name, key, message);
            let secure = format!("{name}\ncookie_secure = true");
            assert!(launch(figment(&secure)).is_ok(), "{secure}");
            assert_refused(&format!("{secure}\n{path} = \"/api\""), key, message);
            assert_refused(&format!("{secure}\ncookie_domain = \"example.org\""), key, message);
        }
        let name = format!("{key} = \"__Secure-t\"");
        assert_refused(&name, key, "with `__Secure-` needs `cookie_secure = true`");
        let free = format!("{name}\ncookie_secure = true\ncookie_domain = \"example.org\"");
        assert!(launch(figment(&free)).is_ok());
        // Chrome's newer ones, which the page's scripts cannot read.
        for prefix in ["__Http-", "__http-", "__Host-Http-"] {
            let name = format!("{key} = \"{prefix}t\"");
            let secure = format!("{name}\ncookie_secure = true");
            if key.contains("csrf") {
                assert_refused(&secure, key, "with `__Http-` is for cookies that no script reads");
                continue;
            }
            assert_refused(&name, key, "with `__H");
            assert!(launch(figment(&secure)).is_ok(), "{secure}");
        }
    }
}
